"""Dataclass fields to flags and back."""

import dataclasses

import pytest
from absl import flags

from albert_zh.flags import REQUIRED, define_flags, option, read_flags


@dataclasses.dataclass(frozen=True)
class TrainOptions:
    output_dir: str = option(REQUIRED, "where results go", alias="model_dir")
    steps: int = option(10, "steps to train")
    learning_rate: float = option(0.5, "rate at the start")
    shuffle: bool = option(True, "read in random order")
    init_checkpoint: str | None = option(None, "weights to start from")
    num_cores: int | None = option(None, "cores to expect")
    optimizer: str = option("lamb", "update rule", choices=("lamb", "adamw"))


@dataclasses.dataclass(frozen=True)
class EvalOptions:
    steps: int = option(10, "steps to train")
    batch_size: int = option(8, "examples of a step")


def parsed(*arguments, classes=(TrainOptions,)):
    values = flags.FlagValues()
    define_flags(*classes, flag_values=values)
    values(["script", *arguments])
    return values


def test_left_out_flags_give_the_defaults():
    values = parsed("--output_dir=out")
    assert read_flags(TrainOptions, flag_values=values) == TrainOptions(output_dir="out")


def test_flags_are_read_with_the_type_of_their_field():
    values = parsed(
        "--output_dir=out",
        "--steps=3",
        "--learning_rate=1e-3",
        "--shuffle=False",
        "--init_checkpoint=a/b",
        "--num_cores=8",
        "--optimizer=adamw",
    )
    assert read_flags(TrainOptions, flag_values=values) == TrainOptions(
        output_dir="out",
        steps=3,
        learning_rate=1e-3,
        shuffle=False,
        init_checkpoint="a/b",
        num_cores=8,
        optimizer="adamw",
    )


def test_missing_required_flag_is_an_error_that_names_it():
    with pytest.raises(flags.IllegalFlagValueError, match="output_dir"):
        parsed("--steps=3")


def test_alias_sets_the_flag_and_satisfies_the_requirement():
    values = parsed("--model_dir=out")
    assert read_flags(TrainOptions, flag_values=values).output_dir == "out"


@pytest.mark.parametrize("argument", ["--optimizer=sgd", "--steps=many", "--shuffle=perhaps"])
def test_value_that_does_not_fit_is_an_error(argument):
    with pytest.raises(flags.IllegalFlagValueError, match=argument[2:].split("=")[0]):
        parsed("--output_dir=out", argument)


def test_unknown_flag_is_an_error():
    with pytest.raises(flags.UnrecognizedFlagError, match="stepz"):
        parsed("--output_dir=out", "--stepz=3")


def test_classes_share_a_field_they_agree_on():
    values = parsed("--output_dir=out", "--steps=3", classes=(TrainOptions, EvalOptions))
    assert read_flags(TrainOptions, flag_values=values).steps == 3
    assert read_flags(EvalOptions, flag_values=values) == EvalOptions(steps=3)


def test_classes_that_disagree_on_a_field_are_an_error():
    @dataclasses.dataclass(frozen=True)
    class Other:
        steps: int = option(11, "steps to train")

    with pytest.raises(ValueError, match=r"Other\.steps differs"):
        define_flags(TrainOptions, Other, flag_values=flags.FlagValues())


def test_field_of_a_type_flags_do_not_have_is_an_error():
    @dataclasses.dataclass(frozen=True)
    class Binary:
        content: bytes = option(REQUIRED, "content")

    with pytest.raises(TypeError, match="option content has type"):
        define_flags(Binary, flag_values=flags.FlagValues())


def test_required_field_has_to_be_given_in_code_too():
    with pytest.raises(TypeError, match="output_dir"):
        TrainOptions()


def test_help_shows_what_the_field_says():
    shown = parsed("--output_dir=out").get_help()
    assert "--steps: steps to train\n    (default: '10')" in shown

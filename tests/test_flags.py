"""Dataclass fields to flags and back."""

import dataclasses
import os
import pathlib

import pytest
from absl import flags

from albert_zh.flags import REQUIRED, check_bounds, given_flags, help_text, option, parse_flags


@dataclasses.dataclass(frozen=True)
class TrainOptions:
    """Flags of a training."""

    output_dir: str = option(REQUIRED, "where results go", alias="model_dir")
    steps: int = option(10, "steps to train")
    learning_rate: float = option(0.5, "rate at the start")
    shuffle: bool = option(True, "read in random order")
    init_checkpoint: str | None = option(None, "weights to start from")
    num_cores: int | None = option(None, "cores to expect")
    optimizer: str = option("lamb", "update rule", choices=("lamb", "adamw"))


@dataclasses.dataclass(frozen=True)
class EvalOptions:
    """Flags of an evaluation."""

    steps: int = option(10, "steps to train")
    batch_size: int = option(8, "examples of a step")


def parsed(*arguments, classes=(TrainOptions,)):
    options = parse_flags(["script", *arguments], *classes, flag_values=flags.FlagValues())
    return options if len(classes) > 1 else options[0]


def test_left_out_flags_give_the_defaults():
    assert parsed("--output_dir=out") == TrainOptions(output_dir="out")


def test_flags_are_read_with_the_type_of_their_field():
    options = parsed(
        "--output_dir=out",
        "--steps=3",
        "--learning_rate=1e-3",
        "--shuffle=False",
        "--init_checkpoint=a/b",
        "--num_cores=8",
        "--optimizer=adamw",
    )
    assert options == TrainOptions(
        output_dir="out",
        steps=3,
        learning_rate=1e-3,
        shuffle=False,
        init_checkpoint="a/b",
        num_cores=8,
        optimizer="adamw",
    )


def test_missing_required_flag_is_an_error_that_names_it():
    with pytest.raises(ValueError, match=r"give --output_dir; --help describes all flags"):
        parsed("--steps=3")


EMPTY = "the value is empty \\(is a variable of the shell unset\\?\\); give a value"


@pytest.mark.parametrize("arguments", [["--output_dir="], ["--output_dir", ""], ["--model_dir= "]])
def test_empty_required_flag_is_an_error_that_names_it(arguments):
    with pytest.raises(ValueError, match=rf"--(output|model)_dir= ?: {EMPTY}$"):
        parsed(*arguments)


def test_empty_optional_flag_may_be_left_out():
    with pytest.raises(ValueError, match=rf"--init_checkpoint=: {EMPTY}, or leave the flag out"):
        parsed("--output_dir=out", "--init_checkpoint=")


def test_empty_text_that_is_the_default_is_taken():
    @dataclasses.dataclass(frozen=True)
    class BeamOptions:
        """Flags of another program."""

        beam_options: str = option("", "options of the runner")

    assert parsed("--beam_options=", classes=(BeamOptions,)).beam_options == ""


def test_alias_sets_the_flag_and_satisfies_the_requirement():
    assert parsed("--model_dir=out").output_dir == "out"


@pytest.mark.parametrize("argument", ["--optimizer=sgd", "--steps=many", "--shuffle=perhaps"])
def test_value_that_does_not_fit_is_an_error(argument):
    with pytest.raises(ValueError, match=argument[2:].split("=")[0]):
        parsed("--output_dir=out", argument)


def test_unknown_flag_is_an_error():
    with pytest.raises(ValueError, match=r"unknown flag --stepz; did you mean --steps\?"):
        parsed("--output_dir=out", "--stepz=3")
    with pytest.raises(ValueError, match="unknown flag --quiet; --help describes all flags"):
        parsed("--output_dir=out", "--quiet")


def test_value_may_follow_its_flag_after_a_space():
    assert parsed("--output_dir", "out", "--steps", "3") == TrainOptions(output_dir="out", steps=3)


@pytest.mark.parametrize("arguments", [["--shuffle", "False"], ["words"], ["--", "words"]])
def test_stray_argument_is_an_error(arguments):
    with pytest.raises(ValueError, match=f"unexpected argument '{arguments[-1]}'; write flags as"):
        parsed("--output_dir=out", *arguments)


def test_flag_without_its_value_is_an_error():
    with pytest.raises(ValueError, match="--output_dir"):
        parsed("--output_dir")


def test_classes_share_a_field_they_agree_on():
    train, evaluation = parsed("--output_dir=out", "--steps=3", classes=(TrainOptions, EvalOptions))
    assert train == TrainOptions(output_dir="out", steps=3)
    assert evaluation == EvalOptions(steps=3)


def test_classes_that_disagree_on_a_field_are_an_error():
    @dataclasses.dataclass(frozen=True)
    class Other:
        steps: int = option(11, "steps to train")

    with pytest.raises(ValueError, match=r"Other\.steps differs"):
        parsed("--output_dir=out", classes=(TrainOptions, Other))


def test_field_of_a_type_flags_do_not_have_is_an_error():
    @dataclasses.dataclass(frozen=True)
    class Binary:
        content: bytes = option(REQUIRED, "content")

    with pytest.raises(TypeError, match="option content has type"):
        parsed("--content=x", classes=(Binary,))


def test_required_field_has_to_be_given_in_code_too():
    with pytest.raises(TypeError, match="output_dir"):
        TrainOptions()


@dataclasses.dataclass(frozen=True)
class BoundOptions:
    """Flags with limits."""

    share: float = option(0.1, "share", at_least=0, below=1)
    rate: float | None = option(None, "rate", above=0)
    cores: int = option(1, "cores", at_least=1, at_most=8)
    steps: int = option(1, "steps", at_least=1)
    seed: int = option(1, "seed", at_least=0, at_most=2**32 - 1)


@pytest.mark.parametrize(
    ("argument", "problem"),
    [
        ("--share=nan", "it must be a finite number"),
        ("--share=inf", "it must be a finite number"),
        ("--share=-0.1", "it must be at least 0 and less than 1"),
        ("--share=1.0", "it must be at least 0 and less than 1"),
        ("--rate=0.0", "it must be more than 0"),
        ("--rate=-inf", "it must be a finite number"),
        ("--cores=0", "it must be at least 1 and at most 8"),
        ("--cores=9", "it must be at least 1 and at most 8"),
        ("--steps=99999999999999999999", "it must be at most 2147483647"),
        ("--seed=4294967296", "it must be at least 0 and at most 4294967295"),
    ],
)
def test_number_beyond_its_limits_is_an_error_that_names_the_flag(argument, problem):
    with pytest.raises(ValueError, match=f"{argument}: {problem}"):
        parsed(argument, classes=(BoundOptions,))


def test_number_at_its_limits_is_taken():
    arguments = ("--share=0", "--rate=1e-9", "--cores=8", "--steps=2147483647", "--seed=4294967295")
    assert parsed(*arguments, classes=(BoundOptions,)) == BoundOptions(
        rate=1e-9, share=0, cores=8, steps=2**31 - 1, seed=2**32 - 1
    )


def test_limits_hold_for_every_float_even_without_stated_ones():
    with pytest.raises(ValueError, match="--learning_rate=nan: it must be a finite number"):
        parsed("--output_dir=out", "--learning_rate=nan")


def test_limits_can_be_checked_for_objects_made_in_python():
    with pytest.raises(ValueError, match="--cores=0: it must be at least 1 and at most 8"):
        check_bounds(BoundOptions, vars(BoundOptions(cores=0)))


def test_flag_given_with_its_default_counts_as_given():
    options = parsed("--model_dir=out", "--steps=10", "--shuffle")
    assert options == TrainOptions(output_dir="out")
    assert given_flags(options) == {"output_dir", "steps", "shuffle"}


def test_object_made_in_python_tells_what_differs_from_the_defaults():
    assert given_flags(TrainOptions(output_dir="out", steps=11)) == {"output_dir", "steps"}
    read = parsed("--output_dir=out", "--shuffle")
    assert given_flags(dataclasses.replace(read, steps=11)) == {"output_dir", "steps"}


@pytest.mark.parametrize(
    ("argument", "reason"),
    [
        ("--cores=1e5", "it must be a whole number, in digits"),
        ("--cores=", "it must be a whole number, in digits"),
        ("--share=half", "it must be a number"),
    ],
)
def test_text_that_is_no_number_is_an_error_in_plain_words(argument, reason):
    with pytest.raises(ValueError, match=f"^{argument}: {reason}$"):
        parsed(argument, classes=(BoundOptions,))


@dataclasses.dataclass(frozen=True)
class LongOptions(EvalOptions):
    """Flags of a long training."""

    hours: float | None = option(
        None, "At most so many hours. " + "Then it stops. " * 6, above=0, at_most=100
    )


def test_help_groups_flags_by_the_class_that_states_them():
    assert (
        help_text(LongOptions, TrainOptions, width=60)
        == """\
Flags of a long training:

  --hours=X (more than 0 and at most 100)
      At most so many hours. Then it stops. Then it stops.
      Then it stops. Then it stops. Then it stops. Then it
      stops.

Flags of an evaluation:

  --steps=N (default: 10)
      steps to train

  --batch_size=N (default: 8)
      examples of a step

Flags of a training:

  --output_dir=TEXT, --model_dir (required)
      where results go

  --learning_rate=X (default: 0.5)
      rate at the start

  --shuffle=True|False (default: True)
      read in random order

  --init_checkpoint=TEXT
      weights to start from

  --num_cores=N
      cores to expect

  --optimizer=lamb|adamw (default: lamb)
      update rule
"""
    )


@pytest.mark.parametrize("name", ["vocab_file", "bert_config_file"])
def test_our_own_files_are_found_from_any_folder(tmp_path, monkeypatch, name):
    @dataclasses.dataclass(frozen=True)
    class Files:
        """Flags of files."""

        vocab_file: str | None = option(None, "A vocabulary.")
        bert_config_file: str | None = option(None, "A configuration.")
        init_checkpoint: str | None = option(None, "A model.")
        output_file: str | None = option(None, "A file to write.")

    def read(flag: str, path: str) -> str:
        arguments = ["script", f"--{flag}={path}"]
        return getattr(parse_flags(arguments, Files, flag_values=flags.FlagValues())[0], flag)

    monkeypatch.chdir(tmp_path)
    ours = pathlib.Path(__file__).parent.parent / "albert_config/vocab.txt"
    assert read(name, "albert_config/vocab.txt") == str(ours)
    assert read(name, "./albert_config/vocab.txt") == str(ours)
    assert read("init_checkpoint", "models/albert_tiny") == str(
        ours.parent.parent / "models/albert_tiny"
    )
    for unchanged in ("albert_config/none.txt", "vocab.txt", "README.md"):
        assert read(name, unchanged) == unchanged
    assert read("output_file", "albert_config/vocab.txt") == "albert_config/vocab.txt"
    (tmp_path / "albert_config").mkdir()
    (tmp_path / "albert_config/vocab.txt").touch()
    assert read(name, "albert_config/vocab.txt") == "albert_config/vocab.txt"


@dataclasses.dataclass(frozen=True)
class FileOptions:
    """Flags of files."""

    vocab_file: str | None = option(None, "vocabulary", is_file=True)


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("model/vocb.txt", "there is no such file; did you mean model/vocab.txt?"),
        ("modl/vocab.txt", "there is no folder modl; did you mean model?"),
        ("model", "that is a folder, not a file"),
        ("zzz", "there is no such file (working directory: "),
    ],
)
def test_missing_file_is_told_with_its_flag_and_near_names(path, answer, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.makedirs("model")
    open("model/vocab.txt", "w").close()
    with pytest.raises(FileNotFoundError) as caught:
        parse_flags(["x", f"--vocab_file={path}"], FileOptions, flag_values=flags.FlagValues())
    assert str(caught.value).startswith(f"--vocab_file={path}: {answer}")


@pytest.mark.parametrize("path", ["model/vocab.txt", "gs://bucket/vocab.txt", "/dev/null"])
def test_files_that_exist_and_those_in_object_stores_are_taken(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.makedirs("model")
    open("model/vocab.txt", "w").close()
    given = ["x", f"--vocab_file={path}"]
    (options,) = parse_flags(given, FileOptions, flag_values=flags.FlagValues())
    assert options.vocab_file == path


def test_home_is_expanded_in_every_path(monkeypatch):
    monkeypatch.setenv("HOME", "/home/of")
    options = parsed("--output_dir=~/out", "--init_checkpoint=a,~/b, ~/c/~/d,e~/f")
    assert options.output_dir == "/home/of/out"
    assert options.init_checkpoint == "a,/home/of/b, /home/of/c/~/d,e~/f"
    assert parsed("--output_dir=~no_such_user/out").output_dir == "~no_such_user/out"

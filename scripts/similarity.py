r"""Tell how likely two texts mean the same, with a classifier of pairs such as one of LCQMC.

  python scripts/similarity.py --model=lcqmc_output --text=$'我的手机丢了\t手机不见了怎么办'

  python scripts/similarity.py --model=lcqmc_output --input_file=pairs.tsv --output_format=tsv

  python scripts/similarity.py --model=lcqmc_output --query=我的手机丢了 --input_file=questions.txt

Each line of the input is a pair, with a tab between its texts. With --query, each line is a text,
and all are ranked by how likely they mean the same as the query.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from project import cli

from albert_zh.flags import option
from albert_zh.serving.options import StreamOptions
from albert_zh.serving.streams import Texts, answer_all, read_batches


@dataclasses.dataclass(frozen=True)
class SimilarityOptions(StreamOptions):
    """What to compare with, and from which probability on two texts count as the same."""

    query: str | None = option(None, "A text to compare with each line, which then is one text.")
    top_k: int = option(10, "Lines to show with --query, the likeliest first.", at_least=1)
    threshold: float = option(
        0.5, "Probability from which on two texts count as the same.", at_least=0, at_most=1
    )
    dev_file: str | None = option(
        None,
        "Pairs with a label, 1 or 0, in a third column; the threshold is the one that is right for "
        "the most of them.",
        is_file=True,
    )


def main(options: SimilarityOptions) -> None:
    model = dataclasses.replace(options.load(use="similarity"), threshold=options.threshold)
    if options.dev_file:
        model = model.with_threshold_of(*_labelled(options))

    def answer(batch: Sequence[Texts]) -> list[dict[str, Any]]:
        if options.query is None:
            pairs = [texts if len(texts) == 2 else _refuse(texts) for texts in batch]
            return [
                _answer(*pair, float(str(probability)), model.threshold)
                for pair, probability in zip(pairs, model.probabilities(pairs), strict=True)
            ]
        others = ["\t".join(texts) for texts in batch]
        return [
            _answer(options.query, each.text, each.probability, model.threshold)
            for each in model.rank(options.query, others, top_k=options.top_k)
        ]

    answer_all(
        options,
        answer,
        _shown,
        prompt="two texts, with a tab between them: ",
        together=options.query is not None,
    )


def _labelled(options: SimilarityOptions) -> tuple[list[tuple[str, str]], list[bool]]:
    pairs, are_similar = [], []
    for batch in read_batches(options.dev_file, options.input_format):
        for number, texts in batch:
            if len(texts) != 3 or texts[2] not in ("0", "1"):
                raise ValueError(
                    f"{options.dev_file}, line {number}: it is not two texts and a label, 0 or 1"
                )
            pairs.append(texts[:2])
            are_similar.append(texts[2] == "1")
    return pairs, are_similar


def _refuse(texts: Texts) -> Texts:
    raise ValueError(
        f"{len(texts)} texts, not two: {texts[0][:40]!r} ...; write a tab between the texts of a "
        "pair, or compare single texts with --query"
    )


def _answer(first: str, second: str, probability: float, threshold: float) -> dict[str, Any]:
    is_similar = probability >= threshold
    return {"text_a": first, "text_b": second, "probability": probability, "similar": is_similar}


def _shown(answer: Mapping[str, Any]) -> str:
    sign = "same " if answer["similar"] else "other"
    return f"{answer['probability']:.3f}  {sign}  {answer['text_a']}  {answer['text_b']}"


if __name__ == "__main__":
    cli.run(main, SimilarityOptions)

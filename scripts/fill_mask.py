r"""Show what a pretrained model puts in the place of each [MASK] of a text.

  python scripts/fill_mask.py --model=models/albert_tiny --text='今天天气很[MASK]。'

  python scripts/fill_mask.py --model=models/albert_tiny --input_file=texts.txt --words

For each [MASK] a line with the likeliest entries of the vocabulary and their probabilities. With
--words, for each row of adjacent [MASK]s the likeliest words.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from project import cli

from albert_zh.flags import option
from albert_zh.serving.options import StreamOptions
from albert_zh.serving.streams import Texts, answer_all


@dataclasses.dataclass(frozen=True)
class FillMaskOptions(StreamOptions):
    """What to show."""

    top_k: int = option(5, "Candidates to show for each [MASK].", at_least=1)
    candidates: str | None = option(
        None, "Comma-separated entries, or words with --words, to choose from. Default: all."
    )
    words: bool = option(
        False, "Fill each row of adjacent [MASK]s with words, entry after entry from the left."
    )


def main(options: FillMaskOptions) -> None:
    model = options.load(use="fill_mask")
    candidates = options.candidates and [each.strip() for each in options.candidates.split(",")]
    fill = model.fill_words if options.words else model.fill

    def answer(batch: Sequence[Texts]) -> list[dict[str, Any]]:
        texts = ["\t".join(texts) for texts in batch]
        return [
            {"text": text, "masks": [[dataclasses.asdict(each) for each in best] for best in masks]}
            for text, masks in zip(
                texts, fill(texts, top_k=options.top_k, candidates=candidates), strict=True
            )
        ]

    answer_all(options, answer, _shown, prompt="text with [MASK]: ")


def _shown(answer: Mapping[str, Any]) -> str:
    rows = [answer["text"]]
    for candidates in answer["masks"]:
        shown = (f"{each['token']} {100 * each['probability']:.1f} %" for each in candidates)
        rows.append(f"    {'   '.join(shown)}")
    return "\n".join(rows)


if __name__ == "__main__":
    cli.run(main, FillMaskOptions)

r"""Show what a pretrained model puts in the place of each [MASK] of a text.

  python scripts/fill_mask.py --checkpoint=my_albert --text='今天天气很[MASK]。'

  python scripts/fill_mask.py --checkpoint=my_albert --input_file=texts.txt

For each [MASK] a line with the likeliest entries of the vocabulary and their probabilities.
"""

import dataclasses
import sys

from project import cli

import albert_zh
from albert_zh.flags import option
from albert_zh.inference.options import ModelOptions
from albert_zh.util.files import read_lines


@dataclasses.dataclass(frozen=True)
class FillMaskOptions(ModelOptions):
    """Model and texts."""

    text: str | None = option(None, "A text with [MASK] in it.")
    input_file: str | None = option(
        None, "Texts instead of --text, one a line; - is standard input."
    )
    top_k: int = option(5, "Entries to show for each [MASK].", at_least=1)
    do_lower_case: bool = option(
        True, "Lower-case the texts and strip accents; must match pretraining."
    )

    def __post_init__(self):
        if (self.text is None) == (self.input_file is None):
            raise ValueError("give a text with --text, or a file of texts with --input_file")

    def texts(self) -> list[str]:
        if self.text is not None:
            return [self.text]
        lines = sys.stdin if self.input_file == "-" else read_lines(self.input_file)
        if texts := [line.strip() for line in lines if line.strip()]:
            return texts
        raise ValueError(f"--input_file={self.input_file} has no text")


def main(options: FillMaskOptions) -> None:
    texts = options.texts()
    model = albert_zh.load(
        options.checkpoint,
        config_file=options.config_file,
        vocab_file=options.vocab_file,
        spm_model_file=options.spm_model_file,
        do_lower_case=options.do_lower_case,
    )
    for text, masks in zip(texts, model.fill(texts, top_k=options.top_k), strict=True):
        print(text)
        for candidates in masks:
            shown = (f"{each.token} {100 * each.probability:.1f} %" for each in candidates)
            print(f"    {'   '.join(shown)}")


if __name__ == "__main__":
    cli.run(main, FillMaskOptions, needs_tensorflow=True)

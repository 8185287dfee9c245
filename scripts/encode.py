r"""Turn texts into vectors, or find the texts whose vectors are closest to that of a query.

  python scripts/encode.py --model=models/albert_tiny --input_file=texts.txt --output_file=texts.npy

  python scripts/encode.py --model=models/albert_tiny --input_file=texts.txt --query=手机丢了怎么办

An --output_file that ends in .npy gets an array [N, D] for NumPy, with a row for each text. Other
output has a vector beside its text; --query ranks the texts by their cosine instead.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from project import cli

from albert_zh.flags import option
from albert_zh.inference.sentence_encoder import POOLINGS, nearest
from albert_zh.serving.arrays import encode_to_array
from albert_zh.serving.options import StreamOptions
from albert_zh.serving.streams import Texts, answer_all


@dataclasses.dataclass(frozen=True)
class EncodeOptions(StreamOptions):
    """Which vectors."""

    pooling: str | None = option(
        None,
        "mean: of the tokens of the last layer; first_last: of the first and the last; layer: of "
        "--layer; pooled: what the pooler gives for [CLS]. Default: mean.",
        choices=POOLINGS,
    )
    layer: int | None = option(None, "Layer whose tokens are averaged, from 1.", at_least=1)
    normalize: bool = option(False, "Divide each vector by its length.")
    query: str | None = option(None, "Show the texts closest to this one instead of vectors.")
    top_k: int = option(10, "Texts to show with --query, the closest first.", at_least=1)

    @property
    def is_array(self) -> bool:
        return bool(self.output_file and self.output_file.endswith(".npy"))

    def __post_init__(self):
        super().__post_init__()
        if self.query is not None and self.is_array:
            raise ValueError("--query shows texts, which no .npy file holds")


def main(options: EncodeOptions) -> None:
    model = options.load(use="encoder", pooling=options.pooling, layer=options.layer)

    def vectors(texts: Sequence[Texts]) -> Any:
        return model.encode(["\t".join(each) for each in texts], normalize=options.normalize)

    if options.is_array:
        encode_to_array(options, vectors)
        return

    def answer(batch: Sequence[Texts]) -> list[dict[str, Any]]:
        texts = ["\t".join(each) for each in batch]
        found = vectors(batch)
        if options.query is None:
            rows = ([float(str(value)) for value in row] for row in found)
            return [{"text": text, "vector": row} for text, row in zip(texts, rows, strict=True)]
        ((*closest,),) = nearest(vectors([(options.query,)]), found, top_k=options.top_k)
        return [{"text": texts[each.place], "cosine": each.cosine} for each in closest]

    answer_all(options, answer, _shown, prompt="text: ", together=options.query is not None)


def _shown(answer: Mapping[str, Any]) -> str:
    if "cosine" in answer:
        return f"{answer['cosine']:.3f}  {answer['text']}"
    return f"{answer['text']}  {' '.join(f'{value:.4g}' for value in answer['vector'])}"


if __name__ == "__main__":
    cli.run(main, EncodeOptions)

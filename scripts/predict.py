r"""Predict with a fine-tuned model of any task, line by line, in pipes too.

  python scripts/predict.py --model=lcqmc_output --text=$'我的手机丢了\t手机不见了怎么办'

  python scripts/predict.py --model=my_export --input_file=new.txt --output_format=jsonl

Each line of the input is an example: a text; texts with a tab between them, for pairs; question and
context, for reading; text, question and choices, for multiple choice.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from project import cli

from albert_zh.serving.options import StreamOptions
from albert_zh.serving.streams import Texts, answer_all


def main(options: StreamOptions) -> None:
    model = options.load()
    if not hasattr(model, "rows"):
        raise ValueError(
            f"{options.checkpoint} has no task to predict; fine-tune it with run_classifier.py, or "
            "use fill_mask.py or encode.py"
        )

    def answer(batch: Sequence[Texts]) -> list[dict[str, Any]]:
        return model.rows([texts if len(texts) > 1 else texts[0] for texts in batch])

    answer_all(options, answer, _shown, prompt="text: ")


def _shown(answer: Mapping[str, Any]) -> str:
    prediction = answer["prediction"]
    if isinstance(prediction, list):
        marked = (f"{each['text']} ({each['type']})" for each in prediction)
        prediction = ", ".join(marked) or "nothing"
    surest = max(answer.get("probabilities", {"": None}).values())
    known = "" if surest is None else f" {surest:.3f}"
    texts = (
        value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for name, value in answer.items()
        if name not in ("prediction", "probabilities", "score")
    )
    return "  ".join([f"{prediction}{known}", *texts])


if __name__ == "__main__":
    cli.run(main, StreamOptions)

"""Print the results of quickstart.sh from the files that it wrote."""

import dataclasses
import json
import os

from project import cli

from albert_zh.flags import REQUIRED, option


@dataclasses.dataclass(frozen=True)
class TableOptions:
    """Flags of the table."""

    directory: str = option(REQUIRED, "Output directory of quickstart.sh.")


def main(options: TableOptions) -> None:
    directory = options.directory
    if not os.path.isdir(directory):
        raise FileNotFoundError(f"there is no folder {directory}; run scripts/quickstart.sh first")
    rows = [
        *_records(_json(directory, "manifest.json")),
        *_pretraining(os.path.join(directory, "pretrained", "history.jsonl")),
        *_fine_tuning(_json(directory, "fine_tuned", "best_checkpoint.json")),
        *_exported(os.path.join(directory, "exported")),
    ]
    width = max(len(name) for name, _ in rows)
    print("\n".join(f"{name.ljust(width)}  {value}" for name, value in rows))


def _json(*parts: str):
    with open(os.path.join(*parts), encoding="utf-8") as file:
        return json.load(file)


def _records(manifest) -> list[tuple[str, str]]:
    return [
        (f"records in {shard['file']}", f"{shard['records']:,}")
        for record_set in manifest["record_sets"]
        for shard in record_set["shards"]
    ]


def _pretraining(history: str) -> list[tuple[str, str]]:
    with open(history, encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    validation = [line for line in lines if "validation_loss" in line]
    first, last = validation[0], validation[-1]
    return [
        (f"validation {title}", f"{first[key]:.1%} at step 0, {last[key]:.1%} at {last['step']}")
        for title, key in (
            ("masked-LM accuracy", "validation_masked_lm_accuracy"),
            ("sentence-order accuracy", "validation_sentence_order_accuracy"),
        )
    ]


def _fine_tuning(best) -> list[tuple[str, str]]:
    return [("fine-tuning accuracy on dev", f"{best['eval_accuracy']:.1%} ({best['checkpoint']})")]


def _exported(directory: str) -> list[tuple[str, str]]:
    return [
        ("export, checked", os.path.join(directory, name)) for name in sorted(os.listdir(directory))
    ]


if __name__ == "__main__":
    cli.run(main, TableOptions)

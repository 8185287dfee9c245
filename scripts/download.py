"""Download a published model, or a dataset of CLUE.

  python scripts/download.py --list
  python scripts/download.py --model=albert_tiny_zh --to=prev_trained_model/albert_tiny_zh
  python scripts/download.py --task=tnews --to=CLUEdataset/tnews

The folder appears when all its files are checked. A folder that holds files is never changed. What
breaks off is kept beside it, and the same command goes on from there.
"""

from dataclasses import dataclass

from project import cli

from albert_zh.download.datasets import download_dataset
from albert_zh.download.listing import list_models
from albert_zh.download.models import download_model, find_model, flags_for
from albert_zh.flags import REQUIRED, option


@dataclass(frozen=True)
class DownloadOptions:
    """Flags of the download."""

    model: str | None = option(None, "Name of the model, as --list shows it.")
    task: str | None = option(None, "Name of the dataset, such as tnews.")
    to: str = option(REQUIRED, "New folder for the model or the dataset.")
    url: str | None = option(
        None, "Another address of the same archive, such as a mirror, or the path of a copy."
    )

    def check(self) -> None:
        if (self.model is None) == (self.task is None):
            raise ValueError("give either --model or --task")
        if self.model:
            find_model(self.model)


def main(options: DownloadOptions) -> None:
    if options.model:
        download_model(options.model, folder=options.to, url=options.url)
    else:
        download_dataset(options.task, folder=options.to, url=options.url)
    print(f"downloaded {options.model or options.task} to {options.to}")
    if options.model:
        print(f"run_classifier.py and run_pretraining.py take {flags_for(options.to)}")


if __name__ == "__main__":
    cli.run(main, DownloadOptions, answers={"list": list_models})

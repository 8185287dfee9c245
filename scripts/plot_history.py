"""Draw the training curves of a run from the history.jsonl in its --output_dir.

  python scripts/plot_history.py --dir=my_albert

This writes my_albert/curves.png with losses, accuracies, learning rate and speed. Thin lines show
the recorded values, thick lines are smoothed, dashed lines show the validation set. Several runs,
separated by commas, share one picture:

  python scripts/plot_history.py --dir=run1,run2,run3 --picture_file=compared.png
"""

from dataclasses import dataclass

from project import cli

from albert_zh.flags import REQUIRED, option
from albert_zh.util.optional_packages import load_extra


@dataclass(frozen=True)
class PlotOptions:
    """Flags of the picture."""

    dir: str = option(REQUIRED, "Output directories of trainings, separated by commas.")
    picture_file: str | None = option(
        None,
        "PNG picture to write. Default: curves.png in the directory, for one run.",
    )

    def check(self) -> None:
        load_extra("matplotlib", purpose="a picture of the training")


def main(options: PlotOptions) -> None:
    from albert_zh.runs.plots import plot_histories, plot_history

    directories = [name for name in options.dir.split(",") if name]
    if not options.picture_file and len(directories) == 1:
        print(f"wrote {plot_history(directories[0])}")
    elif not options.picture_file:
        raise ValueError("name the picture of several runs: --picture_file=NAME.png")
    elif not options.picture_file.endswith(".png"):
        raise ValueError(f"--picture_file={options.picture_file} is not a PNG name; end it in .png")
    else:
        plot_histories(directories, options.picture_file)
        print(f"wrote {options.picture_file}")


if __name__ == "__main__":
    cli.run(main, PlotOptions, needs_tensorflow=True)

"""Draws what happened in a training, from the history.jsonl in its --output_dir.

  python scripts/plot_history.py --dir=my_albert

writes my_albert/curves.png: losses, accuracies, learning rate, speed; thin lines as recorded, thick
ones smoothed, dashed ones held out. Several runs, separated by commas, are compared in one picture:

  python scripts/plot_history.py --dir=run1,run2,run3 --picture_file=compared.png
"""

import pathlib
import sys
from dataclasses import dataclass

# A clone is not installed: its package is found beside this folder.
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from albert_zh import cli
from albert_zh.flags import REQUIRED, define_flags, option, read_flags
from albert_zh.runs.plots import PICTURE, plot_histories, plot_history


@dataclass(frozen=True)
class PlotOptions:
    """Flags of this script."""

    dir: str = option(REQUIRED, "Output directories of trainings, separated by commas.")
    picture_file: str | None = option(
        None, f"PNG picture to write. Default: {PICTURE} in the directory, if it is one."
    )


def main() -> None:
    options = read_flags(PlotOptions)
    directories = [name for name in options.dir.split(",") if name]
    if not options.picture_file and len(directories) == 1:
        print(f"wrote {plot_history(directories[0])}")
    elif not options.picture_file:
        raise ValueError("say where the picture of several runs goes: --picture_file=NAME.png")
    elif not options.picture_file.endswith(".png"):
        raise ValueError(f"--picture_file={options.picture_file} is a PNG picture; end it in .png")
    else:
        plot_histories(directories, options.picture_file)
        print(f"wrote {options.picture_file}")


if __name__ == "__main__":
    define_flags(PlotOptions)
    cli.run(main)

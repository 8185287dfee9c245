"""Check the predictions for CLUE as its site would, and pack them.

  python scripts/make_submission.py --predictions_dir=clue_output --data_dir=CLUEdataset

Each file is compared with the test file in the task's folder of --data_dir: its name and form, ids
and their order, labels. If all are right, submit.zip is written for https://www.cluebenchmarks.com;
if not, the reasons are printed, and nothing is written. An archive made elsewhere is checked with

  python scripts/make_submission.py --check_file=submit.zip --data_dir=CLUEdataset
"""

import os
from dataclasses import dataclass

from project import cli

from albert_zh.flags import REQUIRED, option
from albert_zh.tasks import submission_archive
from albert_zh.tasks.submission_archive import NAME, VERSIONS


@dataclass(frozen=True)
class SubmissionOptions:
    """Flags of the submission."""

    data_dir: str = option(
        REQUIRED, "Folder with a folder for each task, which holds its test file."
    )
    predictions_dir: str | None = option(
        None,
        "Folders, separated by commas: output directories of runs, or folders of those; they hold "
        "files such as afqmc_predict.json.",
    )
    check_file: str | None = option(None, "Archive to check, instead of making one.", is_file=True)
    version: str = option("1.1", "Version of CLUE.", choices=list(VERSIONS))
    tasks: str | None = option(
        None, "Tasks to submit, separated by commas. Default: all of the version."
    )
    zip_file: str = option(NAME, f"Archive to write; it has to be called {NAME}.")

    def check(self) -> None:
        if (self.predictions_dir is None) == (self.check_file is None):
            raise ValueError("give either --predictions_dir or --check_file")
        for directory in (self.predictions_dir or "").split(","):
            if directory and not os.path.isdir(directory):
                raise FileNotFoundError(f"--predictions_dir: there is no folder {directory}")


def main(options: SubmissionOptions) -> None:
    tasks = [name.strip() for name in (options.tasks or "").split(",") if name.strip()]
    wanted = submission_archive.wanted_files(options.version, tasks, options.data_dir)
    if options.check_file:
        contents = submission_archive.read_archive(options.check_file, wanted)
    else:
        directories = list(filter(None, options.predictions_dir.split(",")))
        contents = submission_archive.find_predictions(directories, wanted)
    reasons = submission_archive.refusals(wanted, contents)
    for each in wanted:
        verdict = "; ".join(reasons[each.name]) or f"{len(each.test.examples):,} predictions"
        print(f"{each.name.ljust(22)}  {verdict}", flush=True)
    if refused := [name for name in reasons if reasons[name]]:
        raise ValueError(
            f"the site would refuse {len(refused)} of {len(wanted)} files, or score them wrongly: "
            f"{', '.join(refused)}"
        )
    if not options.check_file:
        submission_archive.write_archive(options.zip_file, contents)
    archive = options.check_file or options.zip_file
    if samples := submission_archive.samples(wanted):
        verdict = "is right for these test files, but they are samples"
        print(f"{archive} {verdict}: {', '.join(samples)}")
    else:
        print(f"{archive} can be submitted to CLUE {options.version}")


if __name__ == "__main__":
    cli.run(main, SubmissionOptions)

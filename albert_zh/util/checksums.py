"""Files that must be the ones whose SHA-256 somebody wrote down."""

import os
from collections.abc import Mapping

from albert_zh.util.files import sha256_of_file


def check_files(folder: str, sums: Mapping[str, str], *, listed_in: str, way_out: str) -> None:
    """Check files of a folder.

    Args:
        folder: The folder.
        sums: Path in the folder -> SHA-256.
        listed_in: File that the sums are from, for error messages.
        way_out: What to do about a file that is missing or wrong, for error messages.

    Raises:
        FileNotFoundError: A file is missing.
        ValueError: A file is another one.
    """
    for name, expected in sums.items():
        path = os.path.join(folder, name)
        if not os.path.exists(path):
            raise FileNotFoundError(f"{path} is missing, which {listed_in} lists; {way_out}")
        if sha256_of_file(path) != expected:
            raise ValueError(
                f"{path} is not the file that {listed_in} lists, so it is damaged or of another "
                f"model; {way_out}"
            )

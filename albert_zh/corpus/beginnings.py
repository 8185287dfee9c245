r"""Files without a line to read, recognised by their beginnings: blank ones, and old Macs' text.

```
"\ufeff⏎ ⏎"            blank
春。\r夏。\r\r秋。\r     lines that end in CR only, which readers would join
```
"""

import codecs
import shlex

from albert_zh.corpus.archives import detect_archive
from albert_zh.corpus.formats.format import BadText
from albert_zh.corpus.lines import LONGEST_LINE
from albert_zh.corpus.streams import FIRST_BYTES, TextStream


def is_blank(first_bytes: bytes) -> bool:
    """True for all of a text, without anything but a byte-order mark and ASCII's white space.

    >>> is_blank(b"\\xef\\xbb\\xbf\\n \\n"), is_blank(b"a")
    (True, False)
    """
    return len(first_bytes) < FIRST_BYTES and not first_bytes.removeprefix(codecs.BOM_UTF8).strip()


def empty_file(stream: TextStream) -> BadText:
    """The problem of a file that turned out to have no text."""
    problem = "has only white space or empty texts" if stream.peek() else "is empty"
    if detect_archive(stream.peek(), stream.path):
        problem = "is an archive without files"
    way_out = "remove it from the input files or fill it"
    return BadText(f"{stream.name} {problem}; {way_out}", "files_empty")


def check_line_ends(stream: TextStream) -> None:
    """Check that lines end in LF.

    Raises:
        BadText: There is no LF in the first bytes, but a CR between other text.
    """
    # Nearly all files have one there; what has none up to the longest line is read no further.
    if b"\n" in stream.peek():
        return
    first = stream.peek(LONGEST_LINE)
    if b"\n" not in first and b"\r" in first.strip():
        path = None if stream.is_converted else stream.plain_path
        files = f" < {shlex.quote(path)} > NEW_FILE" if path else ""
        raise BadText(
            f"{stream.name}: its lines end in CR only, as on old Macs, and would be joined; convert"
            f" them: tr '\\r' '\\n'{files}",
            "files_with_cr",
        )

"""The lines of text files, and the texts of JSON lines; what is not of the format is pointed out.

Functions here take `skip`, which is told what is wrong with a line: it raises a ValueError, or
returns, and the line is left out.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator

from albert_zh.corpus.lines import Stretch, stretches, whole_lines
from albert_zh.corpus.sources import Source

Skip = Callable[[str], None]

# Bytes. A thick book in Chinese has ten million, twice as many if it is written as \uXXXX.
LONGEST_OBJECT = 1 << 25

_JSON_ENDINGS = (".json", ".jsonl")
_PACKED_ENDINGS = (".gz", ".xz", ".zst")
_SHOWN_KEYS = 10
_MARK = "\ufeff"  # byte-order mark at the beginning of a file
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def is_named_json(path: str) -> bool:
    """Whether the name of a file says that it holds JSON lines.

    >>> is_named_json("wiki_00.JSON.gz"), is_named_json("json.txt")
    (True, False)
    """
    name = path.lower()
    for ending in _PACKED_ENDINGS:
        name = name.removesuffix(ending)
    return name.endswith(_JSON_ENDINGS)


def text_lines(source: Source, *, skip: Skip, counts: Counter[str]) -> Iterator[list[str]]:
    """Lines of a UTF-8 text without outer white space, in groups; blank ones are among them.

    A line that is too long comes in pieces, none of them blank, and is counted in `lines_cut`.
    Bad bytes in it take away only the piece they are in.

    Raises:
        ValueError: The file is UTF-16.
    """
    is_blank = True  # so far as the pieces of a long line have been seen
    for stretch in stretches(source):
        _check_not_utf16(stretch, source)
        lines = list(map(str.strip, _decoded_lines(stretch, source, skip)))
        if stretch.is_piece:
            counts["lines_cut"] += stretch.begins_line
            is_blank = (is_blank or stretch.begins_line) and lines == [""]
            lines = [""] if is_blank and stretch.ends_line else list(filter(None, lines))
        yield lines


def json_texts(source: Source, *, key: str, skip: Skip) -> Iterator[bytes]:
    """The value of `key`, in UTF-8, from every object of a file with one JSON object a line.

    Raises:
        ValueError: The file is UTF-16, or one array instead of lines.
    """
    is_first = True
    for line in whole_lines(source, longest=LONGEST_OBJECT):
        _check_not_utf16(line, source)
        beginning = line.data.removeprefix(_MARK.encode()).lstrip()
        if not beginning:
            continue
        if is_first and beginning.startswith(b"["):
            raise ValueError(
                f"{source.name} is a JSON array, not JSON lines; write one object a line, for"
                " example with: jq -c '.[]'"
            )
        is_first = False
        try:
            text = _text_of_object(line, source, key)
        except ValueError as error:
            skip(str(error))
        else:
            yield text


def lines_of_value(text: bytes, *, counts: Counter[str]) -> Iterator[list[str]]:
    """Lines of one document, in groups, without blank ones; long lines as in `text_lines`."""
    for stretch in stretches([text]):
        if stretch.is_piece:
            counts["lines_cut"] += stretch.begins_line
        yield list(filter(None, map(str.strip, stretch.data.decode().split("\n"))))


def _decoded_lines(stretch: Stretch, source: Source, skip: Skip) -> list[str]:
    try:
        return _decode(stretch.data, stretch.offset).split("\n")
    except UnicodeDecodeError:
        return list(_readable_lines(stretch, source, skip))


def _readable_lines(stretch: Stretch, source: Source, skip: Skip) -> Iterator[str]:
    number, offset = stretch.number, stretch.offset
    for line in stretch.data.split(b"\n"):
        try:
            yield _decode(line, offset)
        except UnicodeDecodeError as error:
            skip(_not_utf8(error, number, offset, source))
        number, offset = number + 1, offset + len(line) + 1


def _decode(data: bytes, offset: int) -> str:
    return data.decode() if offset else data.decode().removeprefix(_MARK)


def _not_utf8(error: UnicodeDecodeError, number: int, offset: int, source: Source) -> str:
    return (
        f"{source.name}, line {number}: not UTF-8 at byte {offset + error.start} of the"
        f"{' unpacked' * source.is_packed} file (0x{error.object[error.start]:02x}); "
        + _conversion("GB18030", source)
    )


def _check_not_utf16(stretch: Stretch, source: Source) -> None:
    if not stretch.offset and stretch.data.startswith(_UTF16_MARKS):
        raise ValueError(f"{source.name} is UTF-16, not UTF-8; " + _conversion("UTF-16", source))


def _conversion(encoding: str, source: Source) -> str:
    file = "" if source.is_packed or source.is_standard_input else f" {source.path}"
    return f"convert it, for example with: iconv -f {encoding} -t UTF-8{file}"


def _text_of_object(line: Stretch, source: Source, key: str) -> bytes:
    place = f"{source.name}, line {line.number}"
    if line.is_piece:
        raise ValueError(f"{place}: more than {LONGEST_OBJECT >> 20} MB; give smaller documents")
    try:
        return _value(_decode(line.data, line.offset), key).encode()
    except UnicodeDecodeError as error:
        raise ValueError(_not_utf8(error, line.number, line.offset, source)) from None
    except UnicodeEncodeError:
        raise ValueError(f"{place}: {key!r} has half of a character in two parts") from None
    except RecursionError:
        raise ValueError(f"{place}: nested too deeply") from None
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from None


def _value(text: str, key: str) -> str:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON ({error}); give one whole object a line") from None
    if not isinstance(value, dict):
        raise ValueError(f"{type(value).__name__} instead of an object with the key {key!r}")
    if key not in value:
        keys = ", ".join(list(value)[:_SHOWN_KEYS]) or "none"
        raise ValueError(f"no key {key!r}; name the text's key with --json_key, there are: {keys}")
    if not isinstance(value[key], str):
        raise ValueError(f"the value of {key!r} is {type(value[key]).__name__}, not a string")
    return value[key]

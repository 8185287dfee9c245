"""Files that are no text and are not read, recognised by their first bytes, and the way out.

A row takes no text for something else: its bytes are not those of a text, or of a page in HTML or
XML, which is not text to learn from.
"""

import re
from dataclasses import dataclass

_SPACE = rb"(?:\xef\xbb\xbf)?\s*"


class ForeignFile(ValueError):
    """A file that is no text."""

    count = "files_not_text"  # in `corpus.counts`


@dataclass(frozen=True)
class ForeignKind:
    """One kind of files."""

    name: str
    signature: bytes  # regular expression of the first bytes
    way_out: str = "leave it out of --input_file"


OFFICE_DOCUMENT = "a document of an office program, a book or a program"
_EXTRACT = "extract its text first"
_UNPACK = "unpack it first"
_AS_TEXT = "or give --input_format=text if its tags are wanted"

_ROWS = (
    ForeignKind("a PDF", rb"%PDF-\d", _EXTRACT),
    ForeignKind("an RTF document", rb"\{\\rtf1", _EXTRACT),
    ForeignKind("a document of Microsoft Office", rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", _EXTRACT),
    ForeignKind(
        # A zip archive; the header of its first member has 30 bytes before the name.
        OFFICE_DOCUMENT,
        rb"PK\x03\x04[\s\S]{26}(?:\[Content_Types\]\.xml|mimetype|_rels/\.rels|docProps/)",
        _EXTRACT,
    ),
    ForeignKind("PostScript", rb"%!PS-Adobe-\d", _EXTRACT),
    ForeignKind("a book for Kindle", rb"[\s\S]{60}BOOKMOBI", _EXTRACT),
    ForeignKind(
        "a dump of MediaWiki", _SPACE + rb"<mediawiki[\s>]", "extract its text with WikiExtractor"
    ),
    ForeignKind(
        "an HTML page",
        _SPACE + rb"(?:<\?xml[^>]*>\s*)?(?i:<!doctype\s+html|<html[\s>])",
        f"{_EXTRACT}, {_AS_TEXT}",
    ),
    ForeignKind("XML", _SPACE + rb"<\?xml\s", f"{_EXTRACT}, {_AS_TEXT}"),
    ForeignKind("a 7z archive", rb"7z\xbc\xaf\x27\x1c", _UNPACK),
    ForeignKind("a RAR archive", rb"Rar!\x1a\x07", _UNPACK),
    ForeignKind("an lz4 file", rb"\x04\x22\x4d\x18", _UNPACK),
    ForeignKind("an lzip file", rb"LZIP\x01", _UNPACK),
    ForeignKind("an lzma file", rb"\x5d\x00\x00[\x00\x01\x04\x08\x10\x20\x40\x80]", _UNPACK),
    ForeignKind("a file of compress (.Z)", rb"\x1f\x9d[\x80-\x9f]", _UNPACK),
    ForeignKind(
        "text in UTF-32", rb"\xff\xfe\0\0|\0\0\xfe\xff", "convert it: iconv -f UTF-32 -t UTF-8"
    ),
    ForeignKind(
        # The length of a record, its checksum, and the first field of a tf.train.Example.
        "a TFRecord file",
        rb"[\s\S]{4}\0{4}[\s\S]{4}\x0a[\s\S]{1,5}\x0a",
    ),
    ForeignKind(
        "an Arrow file", rb"ARROW1\0\0|\xff{4}[\s\S]{2}\0\0\x10\0\0\0", "save it as parquet"
    ),
    ForeignKind("an Avro file", rb"Obj\x01", "save it as parquet"),
    ForeignKind("an SQLite database", rb"SQLite format 3\0", _EXTRACT),
    ForeignKind("an HDF5 file", rb"\x89HDF\r\n\x1a\n"),
    ForeignKind("an array of NumPy", rb"\x93NUMPY"),
    ForeignKind("a pickle of Python", rb"\x80[\x02-\x05][}\])\x95c(K]"),
    ForeignKind("a program", rb"\x7fELF|MZ[\s\S]{2}[\x00-\x08]\0"),
    ForeignKind("a PNG image", rb"\x89PNG\r\n\x1a\n"),
    ForeignKind("a JPEG image", rb"\xff\xd8\xff"),
    ForeignKind("a GIF image", rb"GIF8[79]a[\s\S]{6}\0"),
    ForeignKind("a WebP image or a sound or film", rb"RIFF[\s\S]{4}(?:WEBP|WAVE|AVI )"),
    ForeignKind("a sound or film", rb"ID3[\x02-\x04]\x00|\0\0[\s\S]{2}ftyp|OggS\0|fLaC\0"),
    ForeignKind("a database of macOS", rb"\0\0\0\x01Bud1"),
)
_PATTERNS = [(re.compile(row.signature), row) for row in _ROWS]


def check_not_foreign(first_bytes: bytes, name: str) -> None:
    """Check the first bytes of a file, after decompression.

    Raises:
        ForeignFile: They are those of a file that is no text.
    """
    for pattern, row in _PATTERNS:
        if pattern.match(first_bytes):
            raise ForeignFile(f"{name} is {row.name}, which is not read; {row.way_out}")

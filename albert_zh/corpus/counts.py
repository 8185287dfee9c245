"""Names of the counts of a corpus reader, with their meaning for people."""

from collections.abc import Mapping

# Text that is left out.
LEFT_OUT = {
    "files_empty": "without any text",
    "files_not_text": "left out, such as pictures",
    "files_with_cr": "left out: their lines end in CR only",
    "files_without_column": "left out: no column of --json_key",
    "files_with_column_twice": "left out: two columns have the name at --json_key",
    "files_without_doc": "left out: no element <doc> of WikiExtractor",
    "lines_not_utf8": "left out: not UTF-8",
    "lines_with_nul": "left out: NUL bytes in them",
    "lines_outside_doc": "left out: outside the elements <doc> of WikiExtractor",
    "lines_not_json": "left out: not a JSON object",
    "lines_too_long": "left out: lines that are too long",
    "rows_not_csv": "left out: not one value for each column, or a quotation mark without end",
    "documents_without_text": "left out: no text at --json_key",
    "documents_without_end": "</doc> of WikiExtractor is missing: the file was cut off",
    "texts_null": "null instead of a text",
    "texts_empty": "without a character at --json_key",
    "texts_missing": "a key of --json_key is not in the document",
}
# Text that is used otherwise than it stands in the file.
CHANGED = {
    "lines_cut": "too long for one sentence, used in pieces",
    "documents_cut": "too long, used as several documents",
}
REMARKS = LEFT_OUT | CHANGED


def left_out(counts: Mapping[str, int]) -> str:
    """All that was left out, in one line; empty if there is nothing.

    >>> left_out({"lines_not_utf8": 1200, "lines_cut": 3, "texts_null": 1})
    '1,200 lines not utf8, 1 texts null'
    """
    return ", ".join(
        f"{counts[name]:,} {name.replace('_', ' ')}" for name in LEFT_OUT if counts.get(name)
    )

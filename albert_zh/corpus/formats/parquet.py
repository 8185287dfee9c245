"""Parquet: one document a row; its text is in one or several columns."""

import os
from collections.abc import Iterator
from typing import IO, Any

from albert_zh.corpus.compression import GET_AGAIN
from albert_zh.corpus.formats.fields import NoTextError, check_columns, parse_keys, text_of
from albert_zh.corpus.formats.format import BadText, ReadContext
from albert_zh.corpus.formats.joining import split_text
from albert_zh.corpus.streams import TextStream
from albert_zh.util.optional_packages import load_extra

# Documents to decode at a time; a row group, which is decompressed at once, has far more.
_ROWS = 64
_SIGNATURE = b"PAR1"  # a file begins and ends so
_PART = 1 << 20  # bytes


def read_parquet(stream: TextStream, context: ReadContext) -> Iterator[list[str]]:
    """Documents of a parquet file.

    Raises:
        BadText: The file has no such column.
        ValueError: The file is damaged, or pyarrow is not installed.
    """
    for text in parquet_texts(stream, context):
        yield from split_text(text, context.counts)


def parquet_texts(stream: TextStream, context: ReadContext) -> Iterator[bytes]:
    """The text of every row, in UTF-8."""
    purpose = f"the parquet file {stream.name}"
    pyarrow = load_extra("pyarrow", purpose=purpose)
    parquet = load_extra("pyarrow.parquet", purpose=purpose)
    keys = parse_keys(context.text_key)
    with stream.random_access() as file:
        try:
            table = parquet.ParquetFile(file)
            _check_is_one(file, table.metadata, stream.name)
            columns = _columns(keys, table.schema_arrow.names, stream.name)
            # No threads: the workers of data creation are forked from this process.
            batches = table.iter_batches(batch_size=_ROWS, columns=columns, use_threads=False)
            rows = (row for batch in batches for row in batch.to_pylist())
            for number, row in enumerate(rows, start=1):
                try:
                    yield text_of(row, keys, context.counts).encode()
                except NoTextError as error:
                    place = f"{stream.name}, row {number}"
                    context.skip(BadText(f"{place}: {error}", "documents_without_text"))
        except (pyarrow.ArrowException, OSError) as error:
            raise ValueError(
                f"{stream.name}: this parquet file is damaged ({error}); {GET_AGAIN}"
            ) from None


def _check_is_one(file: IO[bytes], metadata: Any, name: str) -> None:
    """Check that the file does not begin with another one.

    The places of the rows stand at the end and are counted from the file's beginning, so that the
    rows of the first file would be read in place of those of the last one.

    Raises:
        ValueError: It does.
    """
    size = file.seek(0, os.SEEK_END)
    num_rows_bytes = sum(
        metadata.row_group(group).column(column).total_compressed_size
        for group in range(metadata.num_row_groups)
        for column in range(metadata.num_columns)
    )
    # What the file has besides: its signature twice, the footer and its length; perhaps indexes.
    is_all = num_rows_bytes + metadata.serialized_size + 2 * len(_SIGNATURE) + 4 == size
    file.seek(0)
    before = b""
    while not is_all and (part := file.read(_PART)):
        if _SIGNATURE * 2 in before + part:
            raise ValueError(
                f"{name}: two parquet files were joined, which makes no parquet file; give them"
                " one by one"
            )
        before = part[1 - 2 * len(_SIGNATURE) :]


def _columns(keys: tuple[str, ...], names: list[str], file: str) -> list[str]:
    """The columns that the keys are in."""
    columns = [name for name in names if any(f"{key}.".startswith(f"{name}.") for key in keys)]
    if not columns:
        raise BadText(
            f"{file} has no column {', '.join(map(repr, keys))}; name the text's column with"
            f" --json_key, there are: {', '.join(names)}",
            "files_without_column",
        )
    check_columns(names, columns, file)
    return columns

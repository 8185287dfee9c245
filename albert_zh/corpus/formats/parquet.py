"""Parquet: one document a row; its text is in one or several columns."""

from collections.abc import Iterator

from albert_zh.corpus.compression import GET_AGAIN
from albert_zh.corpus.formats.fields import NoTextError, parse_keys, text_of
from albert_zh.corpus.formats.format import BadText, ReadContext
from albert_zh.corpus.formats.joining import split_text
from albert_zh.corpus.streams import TextStream
from albert_zh.util.optional_packages import load_extra

# Documents to decode at a time; a row group, which is decompressed at once, has far more.
_ROWS = 64


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


def _columns(keys: tuple[str, ...], names: list[str], file: str) -> list[str]:
    """The columns that the keys are in."""
    columns = [name for name in names if any(f"{key}.".startswith(f"{name}.") for key in keys)]
    if not columns:
        raise BadText(
            f"{file} has no column {', '.join(map(repr, keys))}; name the text's column with"
            f" --json_key, there are: {', '.join(names)}",
            "files_without_column",
        )
    return columns

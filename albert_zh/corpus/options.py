"""Flags of the scripts that read a corpus."""

from dataclasses import asdict, dataclass

from albert_zh.corpus.formats.catalog import FORMATS, format_choices
from albert_zh.corpus.reading import ON_BAD_TEXT, ReadingRules
from albert_zh.flags import option


def _format_help() -> str:
    rows = []
    for name, row in FORMATS.items():
        endings = f" ({', '.join(row.endings)})" if row.endings else ""
        rows.append(f"{name}{endings}: {row.help}")
    return "; ".join(
        [*rows, "auto: the format that the first bytes of a file tell, else its name, else text."]
    )


@dataclass(frozen=True)
class ReadingOptions:
    """Format of the input files, and handling of bad lines."""

    input_format: str = option("auto", _format_help(), choices=format_choices())
    json_key: str = option(
        "text",
        "Keys of the text in an object of JSON lines or a row of a table: title,content for "
        "several. A dot leads into an object: data.text. The value is a text or a list of texts.",
    )
    on_bad_text: str = option(
        "error",
        "What happens at a line that is not UTF-8 or not a JSON object with such a text, and at a "
        "file that is empty, no text, or a table without such a column: the run stops (error), or "
        "the line or file is left out and counted (skip). A damaged file (gz, tar, parquet, ...) "
        "stops the run in any case.",
        choices=list(ON_BAD_TEXT),
    )

    @property
    def rules(self) -> ReadingRules:
        return ReadingRules(**asdict(self))

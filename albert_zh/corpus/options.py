"""The flags that say how text files are read, for the scripts that read a corpus."""

from dataclasses import asdict, dataclass

from albert_zh.corpus.reading import ReadingRules
from albert_zh.flags import option


@dataclass(frozen=True)
class ReadingOptions:
    """How files become documents."""

    input_format: str = option(
        "auto",
        "text: one sentence a line, a blank line between documents; json: one object a line, which "
        "is a document; auto: json for .json and .jsonl files.",
        choices=["auto", "text", "json"],
    )
    json_key: str = option("text", "Where a JSON line has its text.")
    on_bad_text: str = option(
        "error",
        "What a line that is not UTF-8, or not the JSON it should be, does: stop the run, or be "
        "left out and counted.",
        choices=["error", "skip"],
    )

    @property
    def rules(self) -> ReadingRules:
        return ReadingRules(**asdict(self))

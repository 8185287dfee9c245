"""Flags of the inspection of records."""

from dataclasses import dataclass

from albert_zh.flags import REQUIRED, option
from albert_zh.records.manifest import MANIFEST
from albert_zh.records.paths import expand_records
from albert_zh.text.tokenizers import load_tokenizer
from albert_zh.text.vocab import Vocab
from albert_zh.util.files import check_is_local
from albert_zh.util.optional_packages import load_extra


@dataclass(frozen=True)
class InspectOptions:
    """Files to inspect, and checks."""

    input_file: str = option(
        REQUIRED, "Record files: a comma-separated list of files, globs and folders."
    )
    vocab_file: str | None = option(
        None,
        "Vocabulary of the records; needed to show instances and kinds of masks.",
        is_file=True,
    )
    spm_model_file: str | None = option(
        None,
        "SentencePiece model, for records made with one; its pieces are the vocabulary.",
        is_file=True,
    )
    num_shown: int = option(3, "Instances to show.", at_least=0)
    verify: bool = option(
        True,
        f"Compare the files with {MANIFEST} beside them: size, SHA-256, number of records, missing "
        f"shards. The records are always checked.",
    )
    histogram_file: str | None = option(
        None, "PNG file to write: histograms of record lengths and masked tokens."
    )

    def check(self) -> None:
        if self.histogram_file:
            check_picture(self.histogram_file)
        expand_records(self.input_file)
        load_vocab(self)


def check_picture(path: str) -> None:
    """Fail before the long work if the picture cannot be written."""
    if not path.endswith(".png"):
        raise ValueError(
            f"the histogram is a PNG picture; give a name that ends in .png, not {path}"
        )
    check_is_local(path)
    load_extra("matplotlib", purpose="a histogram")


def load_vocab(options: InspectOptions) -> Vocab | None:
    """The vocabulary that was given, if any."""
    if not options.vocab_file and not options.spm_model_file:
        return None
    return load_tokenizer(options.vocab_file, spm_model_file=options.spm_model_file).vocab

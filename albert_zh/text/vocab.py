"""The vocabulary: entry <-> id, and the ids of the special entries.

id    0      1          ...  100    101    102    103     ...
entry [PAD]  [unused1]  ...  [UNK]  [CLS]  [SEP]  [MASK]  ...      one a line in the file
"""

import dataclasses
import functools
import hashlib

from albert_zh.util.files import read_lines

# The name in WordPiece vocabularies first, then the one of SentencePiece.
_PAD, _UNK, _CLS, _SEP, _MASK = _SPECIAL_NAMES = (
    ("[PAD]", "<pad>"),
    ("[UNK]", "<unk>"),
    ("[CLS]",),
    ("[SEP]",),
    ("[MASK]",),
)


@dataclasses.dataclass(frozen=True)
class Vocab:
    """Entries in the order of their ids.

    >>> vocab = Vocab(("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "我", "爱"))
    >>> len(vocab), vocab.mask_id, vocab.ids["爱"]
    (7, 4, 6)

    Raises:
        ValueError: A special entry is missing, or an entry is repeated.
    """

    tokens: tuple[str, ...]

    def __post_init__(self):
        self._check_distinct()
        for names in _SPECIAL_NAMES:
            self._id_of(names)

    @classmethod
    def load(cls, path: str) -> "Vocab":
        r"""Read a file of one entry a line; the line number, from 0, is the id.

        Lines end at `\n` only, because the published vocabulary has U+2028 as an entry, which some
        readers treat as a line end. The first field of a line is the entry (some published files
        have a second column), so a line of white space, U+2028 included, is the entry "".

        A repeated entry is an error, because the published loaders disagree on its id: one takes
        the number of its last line, the other shifts all later ids.

        Raises:
            FileNotFoundError: There is no such file.
            ValueError: It is empty, not UTF-8, repeats an entry or lacks a special one.
        """
        try:
            tokens = tuple(map(_first_field, read_lines(path)))
        except FileNotFoundError:
            raise FileNotFoundError(
                f"no vocabulary at {path}; give the vocab.txt that belongs to the model"
            ) from None
        if not any(tokens):
            raise ValueError(f"vocabulary {path} is empty")
        try:
            return cls(tokens)
        except ValueError as error:
            raise ValueError(f"vocabulary {path}: {error}") from None

    def __len__(self) -> int:
        return len(self.tokens)

    @functools.cached_property
    def ids(self) -> dict[str, int]:
        return {token: number for number, token in enumerate(self.tokens)}

    @property
    def pad_id(self) -> int:
        return self._id_of(_PAD)

    @property
    def unk_id(self) -> int:
        return self._id_of(_UNK)

    @property
    def cls_id(self) -> int:
        return self._id_of(_CLS)

    @property
    def sep_id(self) -> int:
        return self._id_of(_SEP)

    @property
    def mask_id(self) -> int:
        return self._id_of(_MASK)

    @functools.cached_property
    def fingerprint(self) -> str:
        """SHA-256, in hexadecimal, of the entries joined by line ends."""
        return hashlib.sha256("\n".join(self.tokens).encode()).hexdigest()

    def _check_distinct(self) -> None:
        if len(self.ids) == len(self.tokens):
            return
        for line, token in enumerate(self.tokens, 1):
            if self.ids[token] != line - 1:
                raise ValueError(
                    f"entry {token!r} is on line {line} and again on line {self.ids[token] + 1}, "
                    "so ids are ambiguous; remove or rename one of them"
                )

    def _id_of(self, names: tuple[str, ...]) -> int:
        for name in names:
            if name in self.ids:
                return self.ids[name]
        raise ValueError(
            f"no entry {' or '.join(names)} among {len(self):,}; is this the model's vocabulary?"
        )


def _first_field(line: str) -> str:
    fields = line.split(maxsplit=1)
    return fields[0] if fields else ""

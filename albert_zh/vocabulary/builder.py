"""Builds a WordPiece vocabulary from counts of characters and words.

    0  [PAD]    1-99  [unused1..99]    100  [UNK]  [CLS]  [SEP]  [MASK]
    104  punctuation    letters and signs, alone and as ##    Chinese characters by frequency
    word pieces (ing, ##tion, 2019) by merging    what is left: rarer Chinese characters

The special entries stand where users of the published vocabulary know them; the rest is our own.
Two things differ on purpose. Quotes “ ” ‘ ’, dashes — and … have entries; the published one makes
them [UNK]. And there are no twins like `##的`: the tokenizer sets every Chinese character apart,
so none is ever inside a word, and 7,000 rows of the embedding table are better spent otherwise.
Every entry but the special ones is one that the tokenizer can give.

An existing vocabulary is extended instead: its entries keep their ids, and what a corpus has and
it lacks is appended by frequency.
"""

import dataclasses
import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator

from albert_zh.text.encoding import UNKNOWN_CHARACTER, is_chinese
from albert_zh.text.vocab import Vocab
from albert_zh.text.wordpiece import MAX_WORD_LENGTH, WordPieceTokenizer, split_words
from albert_zh.vocabulary.alphabets import (
    LATIN_WORDS,
    LETTERS,
    PUNCTUATION,
    SIGNS,
    other_chinese_characters,
)
from albert_zh.vocabulary.merges import learn_pieces
from albert_zh.words.jieba_segmenter import jieba_dictionary

PUBLISHED_SIZE = 21128
_SPECIAL = (
    "[PAD]",
    *(f"[unused{number}]" for number in range(1, 100)),
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
)
# Word pieces get this share of the entries that are not fixed, where there are as many.
_PIECES_SHARE = 0.25
# Different words of other letters that are counted, under 100 MB; and how many of them, the most
# frequent, pieces are learnt from, some 500 MB at worst.
_MOST_WORDS = 500_000
_MOST_LEARNT = 100_000
# Nearly all Chinese characters of any text, and no rule changes their form.
_COMMON_CHINESE = re.compile("[\u4e00-\u9fff]+")


@dataclasses.dataclass(frozen=True)
class TextCounts:
    """How often Chinese characters, and words of other letters, stand in a text."""

    characters: Counter[str]
    words: Counter[str]
    # Running words that are in neither: "unknowable", which no vocabulary knows, and "forgotten",
    # rare ones that were dropped to save memory.
    left_out: Counter[str] = dataclasses.field(default_factory=Counter)

    def add(self, words: Iterable[str], *, times: int = 1) -> None:
        for word in words:
            if is_chinese(word):
                self.characters[word] += times
            elif len(word) > MAX_WORD_LENGTH or UNKNOWN_CHARACTER in word:
                self.left_out["unknowable"] += times
            else:
                self.words[word] += times

    def total(self) -> int:
        """Words and Chinese characters of the text, forgotten ones left out."""
        return self.characters.total() + self.words.total() + self.left_out["unknowable"]

    def forget_rare_words(self, keep: int) -> None:
        """Keeps so many different words, the most frequent; among equals, the first in Unicode."""
        for word in _by_frequency(self.words)[keep:]:
            self.left_out["forgotten"] += self.words.pop(word)


def count_texts(
    texts: Iterable[str], *, do_lower_case: bool = True, most_words: int = _MOST_WORDS
) -> TextCounts:
    """Counts the words of texts, as the tokenizer splits them.

    >>> counts = count_texts(["我爱我家，OK", "ok"])
    >>> dict(counts.characters), dict(counts.words)
    ({'我': 2, '爱': 1, '家': 1}, {'，': 1, 'ok': 2})

    Args:
        texts: Read once, so that they need not be in memory together.
        do_lower_case: Lower-case the texts and strip accents first.
        most_words: Where there are more different words of other letters, the rarer half is
            forgotten, so that a corpus of any size is counted in bounded memory.
    """
    counts = TextCounts(Counter(), Counter())
    for text in texts:
        # Four times as fast as to let the tokenizer split all.
        counts.characters.update("".join(_COMMON_CHINESE.findall(text)))
        counts.add(split_words(_COMMON_CHINESE.sub(" ", text), do_lower_case=do_lower_case))
        if len(counts.words) > most_words:
            counts.forget_rare_words(keep=most_words // 2)
    return counts


def count_dictionary(*, do_lower_case: bool = True) -> TextCounts:
    """Counts for a vocabulary without a corpus: jieba's dictionary, common words and numbers."""
    counts = TextCounts(dictionary_characters(), Counter())
    numbers = [*range(100), *range(2030, 1899, -1)]
    for rank, word in enumerate([*LATIN_WORDS.split(), *map(str, numbers)]):
        # Zipf's law: frequency falls with the rank. The numbers only have to leave gaps.
        counts.add(split_words(word, do_lower_case=do_lower_case), times=10**6 // (rank + 10))
    return counts


def dictionary_characters() -> Counter[str]:
    """Chinese characters with the counts that jieba's dictionary has for their words."""
    characters: Counter[str] = Counter()
    for word, count in jieba_dictionary():
        for character in word:
            characters[character] += count
    return Counter(
        {character: characters[character] for character in filter(is_chinese, characters)}
    )


def build_entries(counts: TextCounts, *, size: int, do_lower_case: bool = True) -> list[str]:
    """Exactly `size` entries in the order of their ids.

    Raises:
        ValueError: The size leaves no room beyond the fixed entries.
    """
    fixed = [*_SPECIAL, *_fixed_entries(do_lower_case)]
    room = size - len(fixed)
    if room <= 0:
        raise ValueError(
            f"a vocabulary of {size:,} entries is too small: special entries, punctuation and "
            f"letters take {len(fixed):,} already"
        )
    known = set(fixed)
    characters = _by_frequency(counts.characters)
    num_pieces = max(int(room * _PIECES_SHARE), room - len(characters))
    learned = learn_pieces(_frequent_words(counts), limit=num_pieces + len(fixed))
    pieces = [piece for piece in learned if piece not in known][:num_pieces]
    counted = [*fixed, *characters[: room - len(pieces)], *pieces]
    fillers = itertools.islice(_fillers(known=set(counted)), size - len(counted))
    return [*counted, *fillers]


def new_entries(
    base: Vocab,
    counts: TextCounts,
    *,
    limit: int,
    min_count: int,
    do_lower_case: bool = True,
) -> list[str]:
    """What a vocabulary lacks for a text, the most frequent first.

    Characters and letters count as often as they stand in the text, since without its entry none
    of their words is known; longer pieces as often as the tokenizer would give them.

    Args:
        base: The vocabulary to extend.
        counts: Of the text.
        limit: Most entries to return.
        min_count: Rarer ones are left out.
        do_lower_case: As the text was counted.
    """
    letters = _at_least(min_count, _count_letters(counts.words))
    learned = learn_pieces(_frequent_words(counts), limit=len(base) + limit, min_count=min_count)
    pieces = [
        piece
        for piece in dict.fromkeys([*letters, *learned])
        if piece not in base.ids and _is_reachable(piece.removeprefix("##"), do_lower_case)
    ]
    uses = _count_pieces(counts.words, Vocab((*base.tokens, *pieces)), do_lower_case=do_lower_case)
    uses |= letters  # the larger count: letters also stand inside pieces
    new = Counter({piece: uses[piece] for piece in pieces})
    new |= Counter({c: counts.characters[c] for c in counts.characters if c not in base.ids})
    return _by_frequency(_at_least(min_count, new))[:limit]


def count_unknown(counts: TextCounts, vocab: Vocab, *, do_lower_case: bool = True) -> int:
    """How many of the counted words the tokenizer makes unknown with a vocabulary.

    A Chinese character is a word; forgotten words are not counted.
    """
    characters = sum(
        count for character, count in counts.characters.items() if character not in vocab.ids
    )
    pieces = _count_pieces(counts.words, vocab, do_lower_case=do_lower_case)
    unknown_words = pieces[vocab.tokens[vocab.unk_id]]
    return characters + unknown_words + counts.left_out["unknowable"]


def _at_least(min_count: int, counter: Counter[str]) -> Counter[str]:
    return Counter({item: count for item, count in counter.items() if count >= min_count})


def _count_pieces(words: Counter[str], vocab: Vocab, *, do_lower_case: bool) -> Counter[str]:
    """How often the tokenizer gives which entry for the words; an unknown word is one."""
    tokenizer = WordPieceTokenizer(vocab, do_lower_case=do_lower_case)
    pieces: Counter[str] = Counter()
    for word, count in words.items():
        for piece in tokenizer.encode(word).tokens:
            pieces[piece] += count
    return pieces


def _count_letters(words: Counter[str]) -> Counter[str]:
    letters: Counter[str] = Counter()
    for word, count in words.items():
        for letter in (word[0], *(f"##{letter}" for letter in word[1:])):
            letters[letter] += count
    return letters


def _fixed_entries(do_lower_case: bool) -> list[str]:
    in_words = LETTERS + SIGNS
    entries = [*PUNCTUATION, *in_words, *(f"##{letter}" for letter in in_words)]
    return [
        entry
        for entry in dict.fromkeys(entries)
        if _is_reachable(entry.removeprefix("##"), do_lower_case)
    ]


def _is_reachable(word: str, do_lower_case: bool) -> bool:
    """Whether the tokenizer leaves the word as it is: not a capital it would lower, say."""
    return split_words(word, do_lower_case=do_lower_case) == [word]


def _frequent_words(counts: TextCounts) -> dict[str, int]:
    return {word: counts.words[word] for word in _by_frequency(counts.words)[:_MOST_LEARNT]}


def _by_frequency(counter: Counter[str]) -> list[str]:
    return sorted(counter, key=lambda item: (-counter[item], item))


def _fillers(known: set[str]) -> Iterator[str]:
    """Entries for room that is left: Chinese characters that were not counted, then unused ones."""
    for ranked in (_by_frequency(dictionary_characters()), other_chinese_characters()):
        for character in ranked:
            if character not in known:
                known.add(character)
                yield character
    yield from (f"[unused{number}]" for number in itertools.count(100))

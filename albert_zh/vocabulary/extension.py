"""Extension of a vocabulary: new entries for a corpus behind the old ones, whose ids stay.

```
base vocabulary    [PAD] ... 我 爱        ids 0 to n - 1
new entries        囧 ##u quantum         ids n, n + 1, ...: the most frequent first
```
New entries may take the ids of [unused] ones first.
"""

import re
from collections import Counter
from collections.abc import Sequence

from albert_zh.text.vocab import Vocab
from albert_zh.text.wordpiece import WordPieceTokenizer
from albert_zh.vocabulary.builder import frequent_words, is_reachable
from albert_zh.vocabulary.counting import TextCounts, by_frequency
from albert_zh.vocabulary.merges import learn_pieces

_UNUSED = re.compile(r"\[unused_?\d+\]")


def new_entries(
    base: Vocab,
    counts: TextCounts,
    *,
    limit: int,
    min_count: int,
    do_lower_case: bool = True,
) -> list[str]:
    """The entries that a vocabulary lacks for a text, the most frequent first.

    The count of a character or letter is that of the text, since no word with it is known without
    its entry; the count of a longer piece is its number of uses by the tokenizer.

    Args:
        base: The vocabulary to extend.
        counts: The counts of the text.
        limit: Most entries to return.
        min_count: Least count of an entry.
        do_lower_case: The same as for the counts.
    """
    letters = _at_least(min_count, _count_letters(counts.words))
    learnt = learn_pieces(frequent_words(counts), limit=len(base) + limit, min_count=min_count)
    pieces = [
        piece
        for piece in dict.fromkeys([*letters, *learnt])
        if piece not in base.ids and is_reachable(piece.removeprefix("##"), do_lower_case)
    ]
    uses = _count_pieces(counts.words, Vocab((*base.tokens, *pieces)), do_lower_case=do_lower_case)
    uses |= letters  # the larger count: letters are also inside pieces
    new = Counter({piece: uses[piece] for piece in pieces})
    new |= Counter({c: counts.characters[c] for c in counts.characters if c not in base.ids})
    return by_frequency(_at_least(min_count, new))[:limit]


def unused_slots(entries: Sequence[str]) -> list[int]:
    """Numbers of the entries that stand for nothing.

    >>> unused_slots(["[PAD]", "[unused1]", "[unused_2]", "unused3"])
    [1, 2]
    """
    return [number for number, entry in enumerate(entries) if _UNUSED.fullmatch(entry)]


def count_unknown(counts: TextCounts, vocab: Vocab, *, do_lower_case: bool = True) -> int:
    """Number of words in the text that are unknown to a vocabulary.

    A Chinese character is a word. Forgotten words are left out.
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
    """Uses of each entry by the tokenizer for the words; an unknown word is one use of [UNK]."""
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

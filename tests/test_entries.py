"""Entries of one vocabulary cut into pieces of another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from albert_zh.text.vocab import Vocab
from albert_zh.text.wordpiece import WordPieceTokenizer
from albert_zh.vocabulary.entries import entry_pieces

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
VOCAB = Vocab(
    (*SPECIAL, "我", "爱", "a", "b", "ab", "##a", "##ab", "##", "（", "cafe", "[", "##京")
)


def pieces(entry, **options):
    return [VOCAB.tokens[number] for number in entry_pieces(entry, VOCAB, **options)]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("我爱", ["我", "爱"]),
        ("aab", ["a", "##ab"]),
        ("##ba", ["b", "##a"]),  # no piece begins with ##b, so it is a word of its own
        ("##aba", ["##ab", "##a"]),
        ("##我", ["我"]),
        ("##京", ["##京"]),
        ("##b", ["b"]),
        ("##我爱", ["我", "爱"]),
        ("我（ab", ["我", "（", "ab"]),
        ("我京", []),
        ("##", []),
        ("", []),
        ("[MASK2]", []),
        ("<eop>", []),
        ("[", ["["]),
    ],
)
def test_entry_is_cut_into_known_pieces_or_not_at_all(entry, expected):
    assert pieces(entry) == expected


def test_entry_is_lower_cased_only_where_the_old_tokenizer_does_so():
    assert pieces("Café") == ["cafe"]
    assert pieces("Café", do_lower_case=False) == []


@given(st.text("我爱京ab（é ", min_size=1), st.booleans())
def test_texts_are_cut_as_the_tokenizer_cuts_them(text, lower):
    ids = WordPieceTokenizer(VOCAB, do_lower_case=lower).encode(text).ids
    known = ids if VOCAB.unk_id not in ids else []
    assert entry_pieces(text, VOCAB, do_lower_case=lower) == known

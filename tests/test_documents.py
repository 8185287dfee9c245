"""Tokenizing documents and marking where their words begin."""

import pytest

from albert_zh.corpus.documents import Document, Sentence, tokenize_document
from albert_zh.text.tokenizers import load_tokenizer
from albert_zh.words.segmenters import jieba_words, written_words

VOCAB = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"春天来了画蛇添足，。", "un", "##happy"]


@pytest.fixture
def tokenizer(tmp_path):
    path = tmp_path / "vocab.txt"
    path.write_text("\n".join(VOCAB), encoding="utf-8")
    return load_tokenizer(str(path))


def test_words_of_jieba_and_of_the_tokenizer_begin_where_they_stand(tokenizer):
    document = tokenize_document(
        ["春天来了，unhappy。", "画蛇添足"], tokenizer=tokenizer, segmenter=jieba_words
    )
    assert document == Document(
        (
            Sentence(
                (5, 6, 7, 8, 13, 15, 16, 14),
                (True, False, True, True, True, True, False, True),
            ),
            Sentence((9, 10, 11, 12), (True, False, False, False)),
        )
    )
    assert document.num_tokens == 12


def test_written_words_join_no_characters(tokenizer):
    document = tokenize_document(["春天unhappy"], tokenizer=tokenizer, segmenter=written_words)
    assert document.sentences[0].starts == (True, True, True, False)


def test_texts_without_a_token_are_left_out(tokenizer):
    document = tokenize_document(["\0\0", "春"], tokenizer=tokenizer, segmenter=jieba_words)
    assert document == Document((Sentence((5,), (True,)),))

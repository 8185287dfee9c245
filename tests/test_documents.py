"""Reading text files and tokenizing documents."""

import pytest

from albert_zh.corpus.documents import (
    Document,
    Sentence,
    read_documents,
    tokenize_document,
    written_words,
)
from albert_zh.text.tokenizers import load_tokenizer
from albert_zh.text.words import jieba_words

VOCAB = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"春天来了画蛇添足，。", "un", "##happy"]


@pytest.fixture
def tokenizer(tmp_path):
    path = tmp_path / "vocab.txt"
    path.write_text("\n".join(VOCAB), encoding="utf-8")
    return load_tokenizer(str(path))


def documents_of(tmp_path, *contents):
    paths = []
    for number, content in enumerate(contents):
        path = tmp_path / f"{number}.txt"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        paths.append(str(path))
    return list(read_documents(paths))


@pytest.mark.parametrize(
    ("content", "documents"),
    [
        ("春。\n夏。\n\n秋。\n", [["春。", "夏。"], ["秋。"]]),
        ("\n\n春。\n \n\t\n秋。", [["春。"], ["秋。"]]),
        ("春。\r\n\r\n秋。\r\n", [["春。"], ["秋。"]]),
        ("　　春 夏 \n", [["春 夏"]]),
        ("\ufeff春。\n", [["春。"]]),
        ("春\u2028夏。\n", [["春\u2028夏。"]]),
        ("春\0夏。\n", [["春\0夏。"]]),
        ("", []),
        ("\n\n", []),
    ],
)
def test_blank_lines_part_documents(tmp_path, content, documents):
    assert documents_of(tmp_path, content) == documents


def test_end_of_a_file_ends_no_document(tmp_path):
    assert documents_of(tmp_path, "春。\n夏。", "秋。\n\n冬。") == [
        ["春。", "夏。", "秋。"],
        ["冬。"],
    ]


@pytest.mark.parametrize(
    ("content", "offset"),
    [
        ("春。\n".encode() + "夏".encode("gb18030"), "7"),
        (b"\xef\xbb\xbf\xff", "3"),
        ("春".encode("utf-16"), "0"),
        (b"a" * 1500 + b"\n" + b"b\xe6\x98", "1502"),
    ],
)
def test_bytes_that_are_not_utf8_are_located(tmp_path, content, offset):
    with pytest.raises(ValueError, match=rf"0\.txt, line \d+: not UTF-8 at byte {offset} .*iconv"):
        documents_of(tmp_path, content)


def test_a_line_of_a_million_characters_is_one_text(tmp_path):
    ((text,),) = documents_of(tmp_path, "春夏" * 500_000)
    assert len(text) == 1_000_000


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

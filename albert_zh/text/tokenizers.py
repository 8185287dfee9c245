"""The tokenizers, WordPiece and SentencePiece: ids of a text, and the span of every token.

text    我 爱 A L B E R T ！
tokens  我|爱|al |##bert |！       spans (0,1) (1,2) (2,4) (4,8) (8,9) of the original text
"""

from collections.abc import Sequence

from albert_zh.text.encoding import Encoding, Tokenizer
from albert_zh.text.sentencepieces import SentencePieceTokenizer
from albert_zh.text.vocab import Vocab
from albert_zh.text.whole_entries import WholeEntryTokenizer
from albert_zh.text.wordpiece import WordPieceTokenizer

__all__ = ["Encoding", "Tokenizer", "load_tokenizer"]


def load_tokenizer(
    vocab_file: str | None,
    *,
    spm_model_file: str | None = None,
    do_lower_case: bool = True,
    whole_entries: Sequence[str] = (),
) -> Tokenizer:
    """The tokenizer of a model.

    Args:
        vocab_file: One entry a line. Not needed with `spm_model_file`, whose pieces are the
            vocabulary; if given, the file has to list these pieces.
        spm_model_file: A SentencePiece model; without one, the tokenizer is WordPiece.
        do_lower_case: Lower-case the text and strip accents.
        whole_entries: Entries of the vocabulary that a text may hold by name, such as [NUM].

    Raises:
        FileNotFoundError: A file is missing.
        ValueError: A file is not a vocabulary or model, or none is given. Or a whole entry is not
            in the vocabulary.
    """
    tokenizer = _load(vocab_file, spm_model_file, do_lower_case)
    return WholeEntryTokenizer(tokenizer, whole_entries) if whole_entries else tokenizer


def _load(vocab_file: str | None, spm_model_file: str | None, do_lower_case: bool) -> Tokenizer:
    if spm_model_file:
        tokenizer = SentencePieceTokenizer.load(spm_model_file, do_lower_case=do_lower_case)
        if vocab_file:
            _check_same_entries(vocab_file, spm_model_file, tokenizer.vocab)
        return tokenizer
    if not vocab_file:
        raise ValueError("no vocabulary given; set --vocab_file (or --spm_model_file)")
    return WordPieceTokenizer(Vocab.load(vocab_file), do_lower_case=do_lower_case)


def _check_same_entries(vocab_file: str, spm_model_file: str, pieces: Vocab) -> None:
    entries = Vocab.load(vocab_file).tokens
    if entries == pieces.tokens:
        return
    raise ValueError(
        f"{vocab_file} does not list the {len(pieces):,} pieces of {spm_model_file}; give the two "
        "files of one model, or leave out --vocab_file"
    )

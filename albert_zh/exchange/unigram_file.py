"""A SentencePiece model as the `tokenizer.json` of the package tokenizers.

transformers' own tokenizer for ALBERT prepares texts in another way than the published code. These
steps are those of `text.sentencepieces`:

```
" Ça  coûte 1,000 "  ->  "ca coute 1,000"  ->  ca | coute | 1 | , | 000  ->  pieces of each
```
The published code splits "1," again where that is a piece. Here such pieces are never chosen, which
comes to the same but for ties.
"""

import base64
import re
import sys
import unicodedata
from collections.abc import Callable
from typing import Any

import sentencepiece

from albert_zh.exchange.messages import Field, message_class

_SPACE_MARK = "\u2581"
_NUMBER_AND_COMMA = re.compile(r"\d,$")
_NEVER = -1e6  # score of a piece that is never chosen
_MESSAGES = {
    "NormalizerSpec": (Field("precompiled_charsmap", 2, "bytes"),),
    "ModelProto": (Field("normalizer_spec", 3, "NormalizerSpec"),),
}
_FIRST, _SECOND = 0, 1  # segments


def content(path: str, *, do_lower_case: bool) -> dict[str, Any]:
    """The JSON object for a SentencePiece model.

    Args:
        path: Of the model.
        do_lower_case: Whether texts are lower-cased.
    """
    processor = sentencepiece.SentencePieceProcessor(model_file=path)
    numbers = range(processor.get_piece_size())
    pieces = [processor.id_to_piece(number) for number in numbers]
    special = [each for each in numbers if processor.is_control(each) or processor.is_unknown(each)]
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [_added_token(number, pieces[number]) for number in special],
        "normalizer": _normalizer(path, do_lower_case=do_lower_case),
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [
                {"type": "WhitespaceSplit"},
                {"type": "Metaspace", **_space_mark()},
            ],
        },
        "post_processor": _post_processor(pieces),
        "decoder": {"type": "Metaspace", **_space_mark()},
        "model": {
            "type": "Unigram",
            "unk_id": processor.unk_id(),
            "vocab": [
                [piece, _NEVER if _NUMBER_AND_COMMA.search(piece) else processor.get_score(number)]
                for number, piece in enumerate(pieces)
            ],
            "byte_fallback": False,
        },
    }


def _normalizer(path: str, *, do_lower_case: bool) -> dict[str, Any]:
    steps = [
        _replace(str.isspace, " "),
        {"type": "NFKD"},
        # Not the library's StripAccents, which takes more away, such as the mark after an emoji.
        _replace(lambda character: unicodedata.combining(character) != 0, ""),
    ]
    if do_lower_case:
        steps.append({"type": "Lowercase"})
    with open(path, "rb") as file:
        model = message_class("ModelProto", _MESSAGES).FromString(file.read())
    if charsmap := model.normalizer_spec.precompiled_charsmap:
        text = base64.b64encode(charsmap).decode()
        steps.append({"type": "Precompiled", "precompiled_charsmap": text})
    return {"type": "Sequence", "normalizers": steps}


def _replace(is_replaced: Callable[[str], bool], by: str) -> dict[str, Any]:
    """The step that replaces all characters of which a test is true."""
    ranges: list[list[int]] = []
    for code in range(sys.maxunicode + 1):
        if is_replaced(chr(code)):
            if ranges and ranges[-1][1] == code - 1:
                ranges[-1][1] = code
            else:
                ranges.append([code, code])
    pattern = "".join(f"\\x{{{first:x}}}-\\x{{{last:x}}}" for first, last in ranges)
    return {"type": "Replace", "pattern": {"Regex": f"[{pattern}]"}, "content": by}


def _space_mark() -> dict[str, Any]:
    return {"replacement": _SPACE_MARK, "prepend_scheme": "always", "split": True}


def _added_token(number: int, piece: str) -> dict[str, Any]:
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    return {"id": number, "content": piece, **flags, "special": True}


def _post_processor(pieces: list[str]) -> dict[str, Any]:
    """[CLS] A [SEP], or [CLS] A [SEP] B [SEP]."""

    def special(name: str, segment: int) -> dict[str, Any]:
        return {"SpecialToken": {"id": name, "type_id": segment}}

    def text(name: str, segment: int) -> dict[str, Any]:
        return {"Sequence": {"id": name, "type_id": segment}}

    single = [special("[CLS]", _FIRST), text("A", _FIRST), special("[SEP]", _FIRST)]
    return {
        "type": "TemplateProcessing",
        "single": single,
        "pair": [*single, text("B", _SECOND), special("[SEP]", _SECOND)],
        "special_tokens": {
            name: {"id": name, "ids": [pieces.index(name)], "tokens": [name]}
            for name in ("[CLS]", "[SEP]")
        },
    }

"""Instances as lines of tokens, with the tokens to predict.

```
text    我爱北京。天安门          A  [CLS] 我 爱 [北→MASK] [京→=] 。 [SEP]
                                  B  [天→猫] 安 门 [SEP]
```
"""

from collections.abc import Iterator
from itertools import groupby, islice

from albert_zh.input.decoding import StoredInstance, read_stored
from albert_zh.inspection.files import InspectedFiles
from albert_zh.text.vocab import Vocab

LEGEND = (
    "[北→MASK] the label is 北 and the model reads [MASK]; [北→=] it reads 北; [北→猫] it reads 猫;"
    " 北·京 are one word, where the records tell words"
)


def examples(files: InspectedFiles, *, count: int) -> Iterator[str]:
    """The first good records of the first file as tokens; needs the vocabulary."""
    records = read_stored(files.paths[0], files.rules(0))
    good = (record for record in records if record.instance)
    for record in islice(good, count):
        lines = render(record.instance, files.vocab, orders=files.orders)
        yield f"{files.paths[0]}, record {record.number}: {lines}"


def render(instance: StoredInstance, vocab: Vocab, *, orders: tuple[str, str]) -> str:
    """The instance as lines: a title, then a line for each segment.

    Args:
        instance: Its ids lie within the vocabulary.
        vocab: Vocabulary of the records.
        orders: The labels 0 and 1 in words.
    """
    tokens = [_token(token_id, vocab) for token_id in instance.token_ids]
    for position, label in zip(instance.masked_positions, instance.masked_labels, strict=True):
        tokens[position] = _prediction(label, instance.token_ids[position], vocab)
    is_glued = [False] * len(tokens) if instance.starts is None else (~instance.starts).tolist()
    lines = [_title(instance, orders)]
    for segment, places in groupby(range(len(tokens)), instance.segment_ids.__getitem__):
        first, *others = places
        text = "".join(f"{'·' if is_glued[place] else ' '}{tokens[place]}" for place in others)
        lines.append(f"  {'AB'[segment]}  {tokens[first]}{text}")
    return "\n".join(lines)


def _title(instance: StoredInstance, orders: tuple[str, str]) -> str:
    masks = f"{len(instance.masked_labels)} to predict"
    if not instance.layout.masked:
        masks = "for dynamic masking"
    order = orders[instance.swapped] if instance.num_segments > 1 else "one segment"
    return f"{len(instance.token_ids)} tokens, {masks}, {order}"


def _prediction(label: int, token_id: int, vocab: Vocab) -> str:
    read = "=" if token_id == label else _token(token_id, vocab)
    return f"[{_token(label, vocab)}→{'MASK' if token_id == vocab.mask_id else read}]"


def _token(token_id: int, vocab: Vocab) -> str:
    token = vocab.tokens[token_id]
    # The published vocabulary has an entry for U+2028, which reads as the empty text.
    return token if token and token.isprintable() else ascii(token)

"""Statistics of records: hand-made values, whatever the batches, as lines and as a picture."""

import io
import sys
from dataclasses import replace

import pytest
import small

from albert_zh.corpus.instances import Instance
from albert_zh.input.decoding import decode
from albert_zh.inspection.pictures import draw_histograms
from albert_zh.inspection.statistics import (
    Statistics,
    TokenMeanings,
    gather,
    summary,
)
from albert_zh.records.features import Layout, serialize
from albert_zh.text.vocab import Vocab

VOCAB = Vocab((*small.VOCABULARY, "##天"))
MEANINGS = TokenMeanings.of(VOCAB)
ORDERS = ("in order", "swapped")


def ids(text):
    return tuple(VOCAB.ids[token] for token in text.split())


FIRST = Instance(
    token_ids=ids("[CLS] [MASK] 天 去 [UNK] [SEP] 冷 [SEP]"),
    segment_ids=(0, 0, 0, 0, 0, 0, 1, 1),
    starts=(True, True, False, True, True, True, True, True),
    masked_positions=(1, 2, 6),
    masked_labels=ids("今 天 热"),  # [MASK], kept, another token
    swapped=True,
)
SECOND = Instance(
    token_ids=ids("[CLS] [MASK] [MASK] 去 [SEP]"),
    segment_ids=(0, 0, 0, 0, 0),
    starts=(True, True, False, False, True),
    masked_positions=(1, 2),
    masked_labels=ids("[UNK] 天"),
    swapped=True,
)
PADDED, DYNAMIC = Layout(10, 3), Layout(10, 0, masked=False)


def stored(instance, layout=PADDED):
    return decode(serialize(instance, layout))


def with_starts(instance, layout=PADDED):
    """As google's records have it: word starts beside the masks."""
    starts = decode(serialize(instance, replace(layout, masked=False))).starts
    return replace(stored(instance, layout), starts=starts)


def test_counts_are_those_of_the_hand_made_records():
    statistics = gather([stored(FIRST), stored(SECOND)], MEANINGS)
    assert statistics.lengths == {8: 1, 5: 1}
    assert statistics.predictions == {3: 1, 2: 1}
    assert statistics.counts == {
        **{"records": 2, "tokens": 13, "places": 20, "pairs": 1, "swapped": 1},
        **{"maskable": 13, "masked": 5, "padded": 2, "room": 6, "used": 5, "full": 1},
        **{"mask": 3, "kept": 1, "other": 1, "text": 8, "unknown": 2},
    }


def test_words_are_counted_where_the_record_tells_them():
    statistics = gather([with_starts(FIRST), with_starts(SECOND)], None)
    # 今天 去 [UNK] 冷, and [UNK]天去
    assert statistics.words == {1: 3, 2: 2, 3: 3}
    assert statistics.masked_words == {1: 1, 2: 2, 3: 2}
    assert gather([stored(FIRST)], None).words == {}


def test_dynamic_records_have_words_but_no_masks():
    statistics = gather([stored(FIRST, DYNAMIC), stored(SECOND, DYNAMIC)], MEANINGS)
    assert statistics.words == {1: 3, 2: 2, 3: 3}
    assert statistics.masked_words == statistics.predictions == {}
    assert statistics.counts["maskable"] == 0


def test_compact_records_have_neither_padding_nor_room():
    statistics = gather([stored(FIRST, replace(PADDED, padded=False))], None)
    assert statistics.counts["places"] == statistics.counts["tokens"] == 8
    assert statistics.counts["room"] == 0


def test_label_with_marks_of_a_word_counts_as_the_token_that_was_kept():
    """brightmart's label is ##天 where the text has 天."""
    hashed = replace(FIRST, masked_positions=(2,), masked_labels=ids("##天"))
    assert gather([stored(hashed)], MEANINGS).counts["kept"] == 1


def test_statistics_add_up_however_the_records_are_split():
    instances = [stored(FIRST), with_starts(SECOND), stored(FIRST, DYNAMIC)]
    parts = [gather([instance], MEANINGS) for instance in instances]
    empty = gather([], MEANINGS)
    assert sum(parts, start=empty) == gather(instances, MEANINGS) + Statistics()


def test_summary_says_all_in_lines():
    statistics = gather([with_starts(FIRST), with_starts(SECOND)], MEANINGS)
    assert summary(statistics, orders=ORDERS) == (
        """\
records   2
tokens    a record 5 to 8, mean 6.5 (5 % up to 5, 50 % up to 5, 95 % up to 8)
padding   35.0 % of the places
pairs     0.0 % in order, 100.0 % swapped; 50.0 % of the records have one segment
masked    38.46 % of 13 tokens
          a record 2 to 3, mean 2.5 (5 % up to 2, 50 % up to 2, 95 % up to 3)
          83.3 % of the places used, all of them in 50.0 % of the records
read as   60.0 % [MASK], 20.0 % the token itself, 20.0 % another token
words     tokens in words of 1: 37.5 %, 2: 25.0 %, 3: 37.5 %, 4: 0.0 %, more: 0.0 %
          masked ones in words of 1: 20.0 %, 2: 40.0 %, 3: 40.0 %, 4: 0.0 %, more: 0.0 %
unknown   25.00 % of 8 tokens of the text"""
    )


def test_summary_of_compact_dynamic_single_segments_leaves_out_what_is_not_there():
    layout = Layout(10, 0, masked=False, padded=False)
    assert summary(gather([stored(SECOND, layout)], None), orders=ORDERS) == (
        """\
records   1
tokens    a record 5 to 5, mean 5.0 (5 % up to 5, 50 % up to 5, 95 % up to 5)
padding   0.0 % of the places
pairs     none: the records have one segment
masked    nothing yet: the records are for dynamic masking
words     tokens in words of 1: 0.0 %, 2: 0.0 %, 3: 100.0 %, 4: 0.0 %, more: 0.0 %"""
    )


@pytest.mark.pictures
@pytest.mark.parametrize("layout", [PADDED, DYNAMIC])
def test_picture_is_a_png_with_a_panel_for_each_histogram(layout):
    pytest.importorskip("matplotlib", reason="pictures need matplotlib")
    file = io.BytesIO()
    draw_histograms(gather([stored(FIRST, layout), stored(SECOND, layout)], None), file)
    png = file.getvalue()
    assert png.startswith(b"\x89PNG\r\n")
    width, height = int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")
    panels = 2 if layout.masked else 1
    assert (width, height) == (720 * panels, 480)
    assert len(png) > 5_000


def test_missing_matplotlib_is_named_with_the_way_out(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ValueError, match="pip install matplotlib"):
        draw_histograms(gather([stored(FIRST, PADDED)], None), io.BytesIO())

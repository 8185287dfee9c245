"""Chunks and pairs: nothing lost, nothing joined, half of them swapped."""

import random
from collections import Counter
from itertools import chain, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from albert_zh.corpus.documents import Sentence
from albert_zh.corpus.pairs import SegmentPair, chunks, draw_target, make_pair


def sentences_of(words_of_sentences):
    """Sentences of words of the given lengths; every token is the number of its place."""
    sentences, position = [], 0
    for words in words_of_sentences:
        starts = tuple(chain.from_iterable((True,) + (False,) * (size - 1) for size in words))
        sentences.append(Sentence(tuple(range(position, position + len(starts))), starts))
        position += len(starts)
    return sentences


def tokens_of(chunk):
    return [token for sentence in chunk for token in sentence.token_ids]


# Words of 1 to 4 tokens; sentences of 1 to 60 words.
documents = st.lists(
    st.lists(st.integers(1, 4), min_size=1, max_size=60), min_size=1, max_size=12
).map(sentences_of)
capacities = st.integers(8, 60)


@given(documents, capacities, st.data())
def test_chunks_hold_every_token_once_and_in_order(sentences, capacity, data):
    target = data.draw(st.integers(2, capacity))
    found = list(chunks(sentences, target=target, capacity=capacity))
    assert tokens_of(chain.from_iterable(found)) == tokens_of(sentences)


@given(documents, capacities, st.data())
def test_chunks_have_two_sentences_or_more_and_overflow_by_half_a_sentence_at_most(
    sentences, capacity, data
):
    target = data.draw(st.integers(2, capacity))
    found = list(chunks(sentences, target=target, capacity=capacity))
    assert all(len(chunk) >= 2 for chunk in found[:-1])
    for chunk in found:
        sizes = [len(sentence) for sentence in chunk]
        assert max(sizes) <= capacity // 2
        assert sum(sizes) - capacity <= sizes[-1] / 2


@given(documents, capacities)
def test_pieces_of_long_sentences_begin_words(sentences, capacity):
    for chunk in chunks(sentences, target=capacity, capacity=capacity):
        assert all(sentence.starts[0] for sentence in chunk)


def test_chunks_stop_at_the_target_with_two_sentences():
    sentences = sentences_of([[1] * 5, [1] * 5, [1] * 5, [1] * 2])
    found = chunks(sentences, target=4, capacity=40)
    assert [[len(sentence) for sentence in chunk] for chunk in found] == [[5, 5], [5, 2]]


@pytest.mark.parametrize(
    ("last", "sizes"),
    [(6, [[7, 7, 6]]), (7, [[7, 7], [7]])],
    ids=["half of it fits", "more than half would be cut"],
)
def test_sentence_joins_a_full_chunk_if_half_of_it_fits(last, sizes):
    sentences = sentences_of([[1] * 7, [1] * 7, [1] * last])
    found = chunks(sentences, target=17, capacity=17)
    assert [[len(sentence) for sentence in chunk] for chunk in found] == sizes


def test_word_longer_than_half_an_instance_is_cut():
    found = chunks(sentences_of([[25]]), target=20, capacity=20)
    assert [[len(sentence) for sentence in chunk] for chunk in found] == [[10, 10], [5]]


@given(documents, capacities, st.integers())
def test_pairs_fit_and_cut_no_word(sentences, capacity, seed):
    rng = random.Random(seed)
    word_begins = {
        token
        for sentence in sentences
        for token, start in zip(sentence.token_ids, sentence.starts, strict=True)
        if start
    } | {len(tokens_of(sentences))}
    for chunk in chunks(sentences, target=capacity, capacity=capacity):
        pair = make_pair(chunk, capacity=capacity, rng=rng)
        if pair is None:
            continue
        assert pair.num_tokens <= capacity
        for segment in (pair.first, pair.second):
            assert segment.token_ids[0] in word_begins
            assert segment.token_ids[-1] + 1 in word_begins
            assert all(b == a + 1 for a, b in pairwise(segment.token_ids))


@given(documents, st.integers())
def test_pair_of_a_chunk_that_fits_is_the_chunk_split_in_two(sentences, seed):
    size = len(tokens_of(sentences))
    pair = make_pair(sentences, capacity=size, rng=random.Random(seed))
    if pair is None:
        assert sum(sentences[0].starts) == 1
        assert len(sentences) == 1
        return
    halves = [pair.second, pair.first] if pair.swapped else [pair.first, pair.second]
    assert tokens_of(halves) == tokens_of(sentences)
    assert all(len(half) for half in halves)


def test_single_sentence_is_split_before_a_word():
    sentence = sentences_of([[2, 3, 1]])
    pairs = [make_pair(sentence, capacity=9, rng=random.Random(seed)) for seed in range(50)]
    first = Sentence((0, 1), (True, False))
    rest = Sentence((2, 3, 4, 5), (True, False, False, True))
    last = Sentence((5,), (True,))
    assert set(pairs) == {
        SegmentPair(first, rest, False),
        SegmentPair(rest, first, True),
        SegmentPair(Sentence((0, 1, 2, 3, 4), (True, False, True, False, False)), last, False),
        SegmentPair(last, Sentence((0, 1, 2, 3, 4), (True, False, True, False, False)), True),
    }


def test_single_word_makes_no_pair():
    assert make_pair(sentences_of([[4]]), capacity=9, rng=random.Random(1)) is None


def test_half_of_the_pairs_are_swapped():
    rng, chunk = random.Random(1), sentences_of([[1], [1]])
    swapped = sum(make_pair(chunk, capacity=9, rng=rng).swapped for _ in range(10_000))
    assert swapped == pytest.approx(5_000, abs=150)


def test_splits_fall_evenly_between_the_sentences():
    rng, chunk = random.Random(1), sentences_of([[1]] * 5)
    pairs = (make_pair(chunk, capacity=9, rng=rng) for _ in range(8_000))
    firsts = Counter(len(pair.second if pair.swapped else pair.first) for pair in pairs)
    assert sorted(firsts) == [1, 2, 3, 4]
    assert all(count == pytest.approx(2_000, abs=150) for count in firsts.values())


def test_too_long_pair_loses_as_much_at_all_four_ends():
    """Otherwise a sentence that is cut off would tell which segment comes first."""
    rng, chunk = random.Random(1), sentences_of([[1] * 20, [1] * 20])
    lost = Counter()
    for _ in range(4_000):
        pair = make_pair(chunk, capacity=36, rng=rng)
        for place, segment in (("first", pair.first), ("second", pair.second)):
            low = 0 if segment.token_ids[0] < 20 else 20
            lost[place, "front"] += segment.token_ids[0] - low
            lost[place, "back"] += low + 19 - segment.token_ids[-1]
    assert sum(lost.values()) == 4 * 4_000
    assert all(count == pytest.approx(4_000, rel=0.06) for count in lost.values())


def test_longer_segment_is_shortened():
    chunk = sentences_of([[1] * 4, [1] * 20])
    for seed in range(20):
        pair = make_pair(chunk, capacity=12, rng=random.Random(seed))
        assert sorted((len(pair.first), len(pair.second))) == [4, 8]


def test_target_is_the_capacity_or_anything_from_two():
    rng = random.Random(1)
    assert draw_target(50, short_seq_prob=0.0, rng=rng) == 50
    drawn = Counter(draw_target(50, short_seq_prob=1.0, rng=rng) for _ in range(5_000))
    assert (min(drawn), max(drawn)) == (2, 50)
    short = sum(draw_target(50, short_seq_prob=0.1, rng=rng) < 50 for _ in range(10_000))
    assert short == pytest.approx(1_000, abs=100)

"""Chunks and pairs: nothing lost, nothing joined, half of them swapped or of two documents."""

import random
from bisect import bisect_right
from collections import Counter
from itertools import chain, pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from albert_zh.corpus.chunks import chunks
from albert_zh.corpus.documents import Document, Sentence
from albert_zh.corpus.pairs import (
    SegmentPair,
    draw_target,
    make_pair,
    next_sentence_pairs,
    sentence_order_pairs,
    single_segments,
)


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
seeds = st.integers(0, 2**32)


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
        for segment in filter(None, (pair.first, pair.second)):
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
    if len(sentences) == 1:
        assert pair == SegmentPair(sentences[0], None, False)
        return
    halves = [pair.second, pair.first] if pair.swapped else [pair.first, pair.second]
    assert tokens_of(halves) == tokens_of(sentences)
    assert all(len(half) for half in halves)


def order_pairs(sentences, *, capacity, seed):
    """The pairs, and the counts of what became of the text."""
    counts, rng = Counter(), random.Random(seed)
    pairs = sentence_order_pairs(
        sentences, target=capacity, capacity=capacity, rng=rng, counts=counts
    )
    return list(pairs), counts


@given(st.lists(st.integers(1, 4), min_size=2, max_size=80), capacities, seeds)
def test_document_of_one_sentence_has_no_order(words, capacity, seed):
    """Its front part would have no full stop, and be known by that."""
    (sentence,) = sentences_of([words])
    pairs, counts = order_pairs([sentence], capacity=capacity, seed=seed)
    assert counts["single_segments"] == len(pairs) > 0
    assert all((pair.second, pair.swapped) == (None, False) for pair in pairs)
    assert all(pair.num_tokens <= capacity for pair in pairs)
    used = sum(pair.num_tokens for pair in pairs)
    assert used + counts["tokens_cut"] + counts["tokens_left_over"] == len(sentence)


def test_last_sentence_alone_has_no_order():
    sentences = sentences_of([[1] * 4] * 5)
    pairs, counts = order_pairs(sentences, capacity=8, seed=1)
    assert [pair.second is None for pair in pairs] == [False, False, True]
    assert (pairs[-1].first, counts["single_segments"]) == (sentences[-1], 1)


def test_ends_of_segments_do_not_tell_their_order():
    """Also where one sentence in ten is longer than half an instance, and cut in pieces."""
    rng, found = random.Random(1), Counter()
    for seed in range(800):
        sizes = [rng.randint(5, 62) + 60 * (rng.random() < 0.1) for _ in range(rng.randint(1, 30))]
        sentences = sentences_of([[1] * size for size in sizes])
        full_stops = {sentence.token_ids[-1] for sentence in sentences}
        for pair in order_pairs(sentences, capacity=125, seed=seed)[0]:
            if pair.second:
                ends = tuple(
                    segment.token_ids[-1] in full_stops for segment in (pair.first, pair.second)
                )
                found[ends, pair.swapped] += 1
    guessed = sum(
        max(found[ends, True], found[ends, False]) for ends in product((True, False), repeat=2)
    )
    assert guessed / found.total() < 0.53


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


OTHERS_FROM = 1_000_000  # tokens of other documents


def others_of(*words_of_documents):
    """Documents of sentences of words of the given lengths, with tokens from `OTHERS_FROM` on."""
    return [
        Document(
            tuple(
                Sentence(
                    tuple(token + OTHERS_FROM * number for token in sentence.token_ids),
                    sentence.starts,
                )
                for sentence in sentences_of(words_of_sentences)
            )
        )
        for number, words_of_sentences in enumerate(words_of_documents, 1)
    ]


def next_pairs(sentences, others, *, capacity, seed, target=None):
    """The pairs, and the counts of what became of the text."""
    counts = Counter()
    sizes = {"target": target or capacity, "capacity": capacity}
    rng = random.Random(seed)
    pairs = list(next_sentence_pairs(sentences, others, **sizes, rng=rng, counts=counts))
    return pairs, counts


@given(documents, capacities, seeds, st.data())
def test_next_sentences_are_of_another_document_or_follow(sentences, capacity, seed, data):
    others = others_of([[1] * 5] * 4, [[2, 3, 1] * 40])
    target = data.draw(st.integers(2, capacity))
    pairs, counts = next_pairs(sentences, others, target=target, capacity=capacity, seed=seed)
    for pair in pairs:
        assert 2 <= pair.num_tokens <= capacity
        assert pair.swapped == (pair.second.token_ids[0] >= OTHERS_FROM)
        segments = [pair.first, pair.second]
        assert all(b == a + 1 for part in segments for a, b in pairwise(part.token_ids))
        assert pair.first.token_ids[-1] < OTHERS_FROM
        if not pair.swapped:
            assert pair.first.token_ids[-1] < pair.second.token_ids[0]
    used = sum(pair.num_tokens for pair in pairs)
    unused = counts["tokens_cut"] + counts["tokens_left_over"]
    assert used + unused == len(tokens_of(sentences)) + counts["tokens_borrowed"]


def test_text_after_which_another_document_follows_is_put_back():
    """Every sentence is used: as what comes first, or as what truly comes next."""
    sentences = sentences_of([[1] * 4] * 12)
    others = others_of([[1] * 4] * 12)
    for seed in range(100):
        pairs, counts = next_pairs(sentences, others, capacity=16, seed=seed)
        own = [
            token
            for pair in pairs
            for segment in (pair.first, pair.second)
            for token in segment.token_ids
            if token < OTHERS_FROM
        ]
        assert counts["tokens_cut"] == 0
        assert own == list(range(48 - counts["tokens_left_over"]))


def test_half_of_the_second_segments_are_of_another_document():
    others = others_of(*[[[1] * 4] * 3] * 2)
    found = Counter(
        pair.second.token_ids[0] // OTHERS_FROM
        for seed in range(2_000)
        for pair in next_pairs(sentences_of([[1] * 4] * 4), others, capacity=8, seed=seed)[0]
    )
    total = sum(found.values())
    assert found[0] / total == pytest.approx(0.5, abs=0.02)
    assert found[1] / total == pytest.approx(0.25, abs=0.02)
    assert found[2] / total == pytest.approx(0.25, abs=0.02)


def test_random_next_sentences_begin_anywhere_in_the_other_document():
    others = others_of([[1] * 2] * 5)
    begins = Counter(
        pair.second.token_ids[0] - OTHERS_FROM
        for seed in range(2_000)
        for pair in next_pairs(sentences_of([[1] * 2] * 2), others, capacity=8, seed=seed)[0]
        if pair.swapped
    )
    assert sorted(begins) == [0, 2, 4, 6, 8]
    assert all(count == pytest.approx(begins.total() / 5, rel=0.2) for count in begins.values())


def test_length_does_not_tell_whether_the_next_sentence_is_random():
    """A document shorter than an instance gets no more than its own length from another one."""
    others = others_of([[1] * 4] * 500)
    lengths = {True: Counter(), False: Counter()}
    for seed in range(500):
        pairs, _ = next_pairs(sentences_of([[1] * 4] * 3), others, capacity=60, seed=seed)
        lengths[pairs[0].swapped][pairs[0].num_tokens] += 1
    assert lengths[False].keys() == {12}
    assert max(lengths[True]) == 12
    # Few begin so late in the other document that it ends before.
    assert lengths[True][12] > 0.98 * lengths[True].total()


def test_lengths_of_random_next_sentences_are_those_of_true_ones():
    """In a corpus of sentences and documents of all lengths, no threshold tells them apart."""
    rng = random.Random(3)
    documents = [
        [[1] * rng.randint(3, 45) for _ in range(rng.choice((1, 2, 4, 12, 40)))] for _ in range(60)
    ]
    others, lengths = others_of(*documents), {True: [], False: []}
    for number, words in enumerate(documents):
        for seed in range(12):
            near = others[:number] + others[number + 1 :]
            for pair in next_pairs(sentences_of(words), near, capacity=125, seed=seed)[0]:
                lengths[pair.swapped].append((pair.num_tokens, len(pair.second)))
    short = {label: sum(total < 100 for total, _ in rows) for label, rows in lengths.items()}
    shares = [short[label] / len(lengths[label]) for label in (True, False)]
    assert shares[0] == pytest.approx(shares[1], abs=0.03)
    for column in (0, 1):
        true, other = (sorted(row[column] for row in lengths[label]) for label in (False, True))
        # The greatest distance of the two distributions; a threshold guesses right as often.
        gap = max(
            abs(bisect_right(true, size) / len(true) - bisect_right(other, size) / len(other))
            for size in range(126)
        )
        assert 0.5 + gap / 2 < 0.53


def test_random_next_sentences_go_beyond_the_target_as_true_ones_do():
    others = others_of([[1] * 3] * 500)
    lengths = {
        pairs[0].num_tokens
        for seed in range(50)
        for pairs, _ in [
            next_pairs(sentences_of([[1] * 4, [1] * 9]), others, capacity=30, seed=seed, target=8)
        ]
        if pairs[0].swapped
    }
    assert lengths == {4 + 3 + 3 + 3}


def test_long_sentence_of_another_document_is_cut_to_what_fits():
    others = others_of([[3] * 100])
    for seed in range(50):
        for pair in next_pairs(sentences_of([[1] * 9] * 4), others, capacity=20, seed=seed)[0]:
            assert pair.num_tokens <= 20


def test_pairs_are_true_and_counted_where_there_is_no_other_document():
    counts = Counter()
    for seed in range(400):
        pairs, found = next_pairs(sentences_of([[1] * 4] * 2), [], capacity=8, seed=seed)
        assert [(pair.num_tokens, pair.swapped) for pair in pairs] == [(8, False)]
        counts += found
    assert counts.keys() == {"without_other_document"}
    assert counts["without_other_document"] == pytest.approx(200, abs=40)


@given(documents, capacities, st.data())
def test_single_segments_hold_every_token_once_and_in_order(sentences, capacity, data):
    target = data.draw(st.integers(2, capacity))
    found = list(single_segments(sentences, target=target, capacity=capacity))
    assert tokens_of(pair.first for pair in found) == tokens_of(sentences)
    assert all(pair.second is None and pair.swapped for pair in found)
    assert all(1 <= pair.num_tokens <= capacity for pair in found)


def test_single_segments_are_whole_sentences_as_long_as_they_fit():
    sentences = sentences_of([[1] * 4, [1] * 4, [1] * 3, [1] * 12, [1]])
    found = single_segments(sentences, target=10, capacity=10)
    assert [pair.num_tokens for pair in found] == [8, 3, 10, 3]


def test_single_segments_stop_at_the_target():
    sentences = sentences_of([[1] * 4] * 5)
    found = single_segments(sentences, target=5, capacity=20)
    assert [pair.num_tokens for pair in found] == [8, 8, 4]

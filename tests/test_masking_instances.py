"""Masking: invariants on random input, and what the 80/10/10 rule gives."""

import pickle
import random
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from albert_zh.masking.instances import (
    MaskingRecipe,
    ReplacePer,
    continuation_ids,
    mask_words,
    ngram_lengths,
    replacement_ids,
    span_lengths,
)
from albert_zh.text.vocab import Vocab

CLS, SEP, MASK = 2, 3, 4
WORDS = MaskingRecipe(
    masked_lm_prob=0.15,
    max_predictions_per_seq=20,
    by_words=True,
    mask_id=MASK,
    special_ids=frozenset((CLS, SEP)),
    random_ids=(5, 6, 7),
)
PAIRS = replace(WORDS, unit_lengths=(0.0, 1.0))


def instance_of(first, second):
    """[CLS] first [SEP] second [SEP] of words of the given lengths, every text token different."""
    token_ids, starts, next_id = [CLS], [True], 100
    for words in (first, second):
        for size in words:
            token_ids += range(next_id, next_id + size)
            starts += [True] + [False] * (size - 1)
            next_id += size
        token_ids.append(SEP)
        starts.append(True)
    return tuple(token_ids), tuple(starts)


segments = st.lists(st.integers(1, 6), min_size=1, max_size=40)
instances = st.builds(instance_of, segments, segments)
seeds = st.integers(0, 2**32)

UNIT_LENGTHS = {
    "words": (1.0,),
    "n-grams": ngram_lengths(3),
    "spans": span_lengths(),
    "pairs alone": (0.0, 1.0),
}
# Some words of `instance_of` have similar ones; all others have none.
SIMILAR = {
    **{(token,): ((1000,), (1001,)) for token in range(100, 400, 2)},
    **{(token, token + 1): ((1002, 1003),) for token in range(100, 400, 3)},
}
TWINS = {token: token + 10_000 for token in range(100, 600)}


@st.composite
def recipes(draw, **fixed):
    """Every way of masking that there is."""
    similar = fixed["similar"] if "similar" in fixed else draw(st.sampled_from([None, SIMILAR]))
    lots = [ReplacePer.WORD, ReplacePer.UNIT] if similar else list(ReplacePer)
    drawn = {
        "masked_lm_prob": draw(st.floats(0.01, 0.99)),
        "max_predictions_per_seq": draw(st.integers(1, 40)),
        "by_words": draw(st.booleans()),
        "unit_lengths": draw(st.sampled_from(list(UNIT_LENGTHS.values()))),
        "replace_per": draw(st.sampled_from(lots)),
        "similar": similar,
        "continuation_ids": draw(st.sampled_from([None, TWINS])),
        "permute": draw(st.booleans()),
    }
    return replace(WORDS, **{**drawn, **fixed})


def words_of(token_ids, starts):
    """Ranges of the words of both segments."""
    begins = [position for position, start in enumerate(starts) if start]
    words = [range(begin, end) for begin, end in pairwise([*begins, len(starts)])]
    return [word for word in words if token_ids[word.start] not in (CLS, SEP)]


def budget_of(token_ids, recipe):
    share = round(len(token_ids) * recipe.masked_lm_prob)
    return min(recipe.max_predictions_per_seq, max(1, share))


def covered_words(token_ids, starts, masked):
    """The words that are covered, each with what the model sees there."""
    positions = set(masked.positions)
    return [
        (word, [masked.token_ids[position] for position in word])
        for word in words_of(token_ids, starts)
        if positions.issuperset(word)
    ]


@given(instances, recipes(), seeds)
def test_covered_positions_are_sorted_and_never_special(instance, recipe, seed):
    token_ids, starts = instance
    masked = mask_words(token_ids, starts, recipe, random.Random(seed))
    assert list(masked.positions) == sorted(set(masked.positions))
    assert not {CLS, SEP} & {token_ids[position] for position in masked.positions}


@given(instances, recipes(), seeds)
def test_tokens_that_are_not_covered_stay(instance, recipe, seed):
    token_ids, starts = instance
    masked = mask_words(token_ids, starts, recipe, random.Random(seed))
    assert len(masked.token_ids) == len(token_ids)
    assert all(
        seen == token or position in masked.positions
        for position, (seen, token) in enumerate(zip(masked.token_ids, token_ids, strict=True))
    )


@given(instances, recipes(continuation_ids=None), seeds)
def test_labels_are_what_stood_at_the_positions(instance, recipe, seed):
    token_ids, starts = instance
    masked = mask_words(token_ids, starts, recipe, random.Random(seed))
    assert masked.labels == tuple(token_ids[position] for position in masked.positions)


@given(instances, recipes(continuation_ids=TWINS), seeds)
def test_hashed_labels_are_twins_in_later_tokens_of_words_of_two_or_three(instance, recipe, seed):
    token_ids, starts = instance
    masked = mask_words(token_ids, starts, recipe, random.Random(seed))
    marked = {
        position
        for word in words_of(token_ids, starts)
        if len(word) in (2, 3)
        for position in word[1:]
    }
    assert masked.labels == tuple(
        TWINS[token_ids[position]] if position in marked else token_ids[position]
        for position in masked.positions
    )


@given(instances, recipes(), seeds)
def test_hashed_labels_change_nothing_that_the_model_sees(instance, recipe, seed):
    plain, hashed = (
        mask_words(*instance, replace(recipe, continuation_ids=twins), random.Random(seed))
        for twins in (None, TWINS)
    )
    assert replace(hashed, labels=plain.labels) == plain


@given(instances, recipes(by_words=True), seeds)
def test_words_are_covered_whole_or_not_at_all(instance, recipe, seed):
    token_ids, starts = instance
    masked = set(mask_words(token_ids, starts, recipe, random.Random(seed)).positions)
    for word in words_of(token_ids, starts):
        if len(word) <= recipe.max_predictions_per_seq:
            assert len(masked & set(word)) in (0, len(word))


@given(instances, recipes(), seeds)
def test_budget_holds_and_something_is_masked(instance, recipe, seed):
    token_ids, starts = instance
    masked = mask_words(token_ids, starts, recipe, random.Random(seed))
    budget = budget_of(token_ids, recipe)
    if recipe.by_words:  # the shortest word is masked even if it exceeds the budget
        shortest = min(map(len, words_of(token_ids, starts)))
        budget = max(budget, min(shortest, recipe.max_predictions_per_seq))
    assert 1 <= len(masked.positions) <= budget * (2 if recipe.permute else 1)


@given(instances, recipes(by_words=False, unit_lengths=(1.0,), permute=False), seeds)
def test_single_tokens_use_up_the_budget(instance, recipe, seed):
    token_ids, starts = instance
    masked = mask_words(token_ids, starts, recipe, random.Random(seed))
    assert len(masked.positions) == min(budget_of(token_ids, recipe), len(token_ids) - 3)


@given(instances, recipes(), seeds)
def test_equal_generators_mask_alike(instance, recipe, seed):
    one, other = (mask_words(*instance, recipe, random.Random(seed)) for _ in range(2))
    assert one == other


@given(instances, recipes(similar=None, permute=False, replace_per=ReplacePer.TOKEN), seeds)
def test_masked_tokens_are_mask_themselves_or_a_random_entry(instance, recipe, seed):
    token_ids, starts = instance
    masked = mask_words(token_ids, starts, recipe, random.Random(seed))
    for position in masked.positions:
        assert masked.token_ids[position] in {MASK, token_ids[position], *recipe.random_ids}


def outcome(word, seen, token_ids):
    """What became of a word."""
    if seen == [token_ids[position] for position in word]:
        return "same"
    if seen == [MASK] * len(word):
        return "mask"
    return "random" if set(seen) <= set(WORDS.random_ids) else "mixed"


@given(
    instances,
    recipes(
        similar=None,
        permute=False,
        by_words=True,
        max_predictions_per_seq=40,
        replace_per=ReplacePer.WORD,
    ),
    seeds,
)
def test_a_lot_per_word_gives_every_word_one_fate(instance, recipe, seed):
    token_ids, starts = instance
    masked = mask_words(token_ids, starts, recipe, random.Random(seed))
    fates = {outcome(*each, token_ids) for each in covered_words(token_ids, starts, masked)}
    assert "mixed" not in fates


@given(segments, seeds)
def test_a_lot_per_unit_gives_every_unit_one_fate(words, seed):
    token_ids, starts = instance_of(words * 2, (1,))
    recipe = replace(PAIRS, replace_per=ReplacePer.UNIT, max_predictions_per_seq=40)
    masked = mask_words(token_ids, starts, recipe, random.Random(seed))
    found = words_of(token_ids, starts)[:-1]
    for first, second in zip(found[::2], found[1::2], strict=True):
        unit = range(first.start, second.stop)
        covered = [position in masked.positions for position in unit]
        if all(covered):
            seen = [masked.token_ids[position] for position in unit]
            assert outcome(unit, seen, token_ids) != "mixed"


@given(instances, recipes(similar=SIMILAR, by_words=True, permute=False), seeds)
def test_similar_words_are_those_of_the_table_and_never_mask(instance, recipe, seed):
    token_ids, starts = instance
    masked = mask_words(token_ids, starts, recipe, random.Random(seed))
    assert MASK not in masked.token_ids
    for word, seen in covered_words(token_ids, starts, masked):
        if len(word) > recipe.max_predictions_per_seq:
            continue  # it fell apart
        tokens = tuple(token_ids[position] for position in word)
        allowed = (tokens, *SIMILAR.get(tokens, ()))
        assert tuple(seen) in allowed or set(seen) <= set(recipe.random_ids)


@given(instances, recipes(permute=True), seeds)
def test_permutation_comes_on_top_and_keeps_the_tokens_it_moves(instance, recipe, seed):
    token_ids, starts = instance
    plain, permuted = (
        mask_words(token_ids, starts, replace(recipe, permute=permute), random.Random(seed))
        for permute in (False, True)
    )
    assert set(plain.positions) <= set(permuted.positions)
    assert all(permuted.token_ids[p] == plain.token_ids[p] for p in plain.positions)
    moved = set(permuted.positions) - set(plain.positions)
    assert len(moved) <= budget_of(token_ids, recipe)
    assert Counter(permuted.token_ids[p] for p in moved) == Counter(token_ids[p] for p in moved)


def many(recipe, *, words=(1,) * 60, times=2_000):
    instance = instance_of(words, words)
    rng = random.Random(1)
    return [(instance[0], mask_words(*instance, recipe, rng)) for _ in range(times)]


def test_80_percent_become_mask_10_stay_10_are_random():
    kinds = Counter()
    for _, masked in many(WORDS):
        for position, label in zip(masked.positions, masked.labels, strict=True):
            seen = masked.token_ids[position]
            kinds["mask" if seen == MASK else "same" if seen == label else seen] += 1
    total = sum(kinds.values())
    assert total == 2_000 * round(123 * 0.15)
    assert kinds["mask"] / total == pytest.approx(0.8, abs=0.01)
    assert kinds["same"] / total == pytest.approx(0.1, abs=0.01)
    for replacement in (5, 6, 7):
        assert kinds[replacement] / total == pytest.approx(0.1 / 3, abs=0.005)


@pytest.mark.parametrize("replace_per", list(ReplacePer))
@pytest.mark.parametrize("lengths", list(UNIT_LENGTHS))
def test_80_10_10_are_the_shares_of_tokens_whoever_draws(lengths, replace_per):
    recipe = replace(WORDS, unit_lengths=UNIT_LENGTHS[lengths], replace_per=replace_per)
    kinds = Counter()
    for _, masked in many(recipe, words=(1, 2, 1, 3) * 8):
        for position, label in zip(masked.positions, masked.labels, strict=True):
            seen = masked.token_ids[position]
            kinds["mask" if seen == MASK else "same" if seen == label else "random"] += 1
    shares = {kind: count / sum(kinds.values()) for kind, count in kinds.items()}
    assert shares == pytest.approx({"mask": 0.8, "same": 0.1, "random": 0.1}, abs=0.015)


@pytest.mark.parametrize("replace_per", [ReplacePer.WORD, ReplacePer.UNIT])
def test_80_percent_become_similar_words_or_random_ones_where_none_is_known(replace_per):
    words = (2,) * 30
    token_ids, starts = instance_of(words, words)
    known = {token_ids[word.start] for word in words_of(token_ids, starts)[::2]}
    recipe = replace(
        PAIRS,
        replace_per=replace_per,
        similar={(token, token + 1): ((1000, 1001), (1002, 1003)) for token in known},
    )
    kinds, without_similar = Counter(), 0
    for _, masked in many(recipe, words=words):
        without_similar += masked.without_similar
        for word, seen in covered_words(token_ids, starts, masked):
            kind = "similar" if seen[0] >= 1000 else outcome(word, seen, token_ids)
            kinds[token_ids[word.start] in known, kind] += 1
    total = sum(kinds.values())
    assert {kind: count / total for kind, count in kinds.items()} == pytest.approx(
        {
            (True, "similar"): 0.4,
            (True, "random"): 0.05,
            (True, "same"): 0.05,
            (False, "random"): 0.45,
            (False, "same"): 0.05,
        },
        abs=0.015,
    )
    assert without_similar / total == pytest.approx(0.4, abs=0.015)


def test_replacement_is_drawn_word_by_word_in_a_unit():
    """With a lot per word, the two words of a unit differ; with one per unit, they do not."""
    both = {
        replace_per: Counter(
            (masked.token_ids[1] == MASK, masked.token_ids[2] == MASK)
            for _, masked in many(
                replace(PAIRS, replace_per=replace_per, masked_lm_prob=0.4), words=(1, 1)
            )
            if 1 in masked.positions
        )
        for replace_per in (ReplacePer.WORD, ReplacePer.UNIT)
    }
    assert set(both[ReplacePer.WORD]) == {(a, b) for a in (True, False) for b in (True, False)}
    assert set(both[ReplacePer.UNIT]) == {(True, True), (False, False)}


def runs(positions):
    """Lengths of stretches without a gap.

    >>> runs([3, 4, 7])
    [2, 1]
    """
    gaps = [
        index for index in range(1, len(positions)) if positions[index] > positions[index - 1] + 1
    ]
    return [end - begin for begin, end in pairwise([0, *gaps, len(positions)])]


@pytest.mark.parametrize("lengths", ["n-grams", "spans", "pairs alone"])
def test_units_have_the_lengths_asked_for(lengths):
    asked = UNIT_LENGTHS[lengths]
    recipe = replace(WORDS, unit_lengths=asked, masked_lm_prob=0.02, max_predictions_per_seq=1_000)
    words = (1,) * 2_500  # few units of many: hardly any two of them touch
    found = Counter()
    for _, masked in many(recipe, words=words, times=100):
        found.update(runs(masked.positions))
    total = sum(found.values())
    for size, share in enumerate(asked, 1):
        assert found[size] / total == pytest.approx(share, abs=0.035)


def test_units_end_at_special_tokens():
    recipe = replace(WORDS, unit_lengths=(0.0, 0.0, 1.0), masked_lm_prob=0.4)
    found = {masked.positions for _, masked in many(recipe, words=(1, 1), times=100)}
    assert found == {(1, 2), (4, 5)}


def test_unit_that_cannot_be_masked_falls_apart_into_words():
    recipe = replace(PAIRS, max_predictions_per_seq=3, masked_lm_prob=0.5)
    found = {masked.positions for _, masked in many(recipe, words=(2, 2), times=100)}
    assert found == {(1, 2), (3, 4), (6, 7), (8, 9)}


def test_shortest_word_is_masked_where_no_unit_fits():
    recipe = replace(WORDS, unit_lengths=(0.0, 0.0, 1.0), masked_lm_prob=0.01)
    found = {masked.positions for _, masked in many(recipe, words=(3, 2, 3), times=100)}
    assert found == {(4, 5)}


def test_permuted_tokens_change_places():
    recipe = replace(WORDS, permute=True, max_predictions_per_seq=3)
    token_ids, masked = many(recipe, words=(1,) * 10, times=1)[0]
    moved = {
        position: masked.token_ids[position]
        for position in masked.positions
        if masked.token_ids[position] not in (MASK, *WORDS.random_ids)
    }
    assert len(masked.positions) == 6
    assert sorted(moved.values()) == sorted(token_ids[position] for position in moved)
    assert any(token != token_ids[position] for position, token in moved.items())


def test_every_word_is_masked_equally_often():
    counts = Counter(position for _, masked in many(WORDS) for position in masked.positions)
    assert len(counts) == 120
    assert all(count == pytest.approx(2_000 * 18 / 120, rel=0.3) for count in counts.values())


@pytest.mark.parametrize("lengths", ["words", "n-grams", "spans"])
def test_idiom_of_four_characters_is_masked_whole(lengths):
    recipe = replace(WORDS, unit_lengths=UNIT_LENGTHS[lengths], masked_lm_prob=0.25)
    idiom = {3, 4, 5, 6}
    found = {
        frozenset(idiom & set(masked.positions))
        for _, masked in many(recipe, words=(1, 1, 4, 1, 1), times=500)
    }
    assert found == {frozenset(), frozenset(idiom)}


def test_idiom_is_left_alone_where_the_budget_is_smaller():
    idiom = {3, 4, 5, 6}  # four do not fit into round(19 * 0.15) = 3
    found = many(WORDS, words=(1, 1, 4, 1, 1), times=500)
    assert not any(idiom & set(masked.positions) for _, masked in found)


def test_word_that_would_exceed_the_budget_is_passed_over():
    recipe = replace(WORDS, masked_lm_prob=0.2)
    token_ids, starts = instance_of((3, 3, 3), (1, 3, 3))  # 19 tokens, a budget of 4
    for seed in range(50):
        masked = mask_words(token_ids, starts, recipe, random.Random(seed))
        assert len(masked.positions) in (3, 4)


def test_shortest_word_is_masked_when_none_fits():
    token_ids, starts = instance_of((3, 2), (4,))
    masked = mask_words(token_ids, starts, replace(WORDS, masked_lm_prob=0.01), random.Random(1))
    assert masked.positions == (4, 5)


def test_word_longer_than_max_predictions_falls_apart():
    token_ids, starts = instance_of((9,), (9,))
    recipe = replace(WORDS, max_predictions_per_seq=2, masked_lm_prob=0.5)
    masked = mask_words(token_ids, starts, recipe, random.Random(1))
    assert len(masked.positions) == 2


def test_nothing_is_masked_where_there_is_no_text():
    masked = mask_words((CLS, SEP, SEP), (True, True, True), WORDS, random.Random(1))
    assert masked.positions == ()


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, float("nan")])
def test_share_outside_0_and_1_is_an_error(share):
    with pytest.raises(ValueError, match="masked_lm_prob must lie between 0 and 1"):
        replace(WORDS, masked_lm_prob=share)


def test_no_predictions_is_an_error():
    with pytest.raises(ValueError, match="max_predictions_per_seq must be at least 1, got 0"):
        replace(WORDS, max_predictions_per_seq=0)


@pytest.mark.parametrize("lengths", [(), (0.5, 0.4), (1.5, -0.5), (float("nan"), 1.0)])
def test_unit_lengths_that_are_no_probabilities_are_an_error(lengths):
    with pytest.raises(ValueError, match="unit_lengths must be probabilities that add up to 1"):
        replace(WORDS, unit_lengths=lengths)


def test_similar_words_for_single_tokens_are_an_error():
    with pytest.raises(ValueError, match="similar words replace whole words, not tokens"):
        replace(WORDS, similar=SIMILAR)


def test_vocabulary_without_replacements_is_an_error():
    with pytest.raises(ValueError, match="random_ids is empty"):
        replace(WORDS, random_ids=())


@pytest.mark.parametrize(
    ("lengths", "message"),
    [
        (lambda: ngram_lengths(0), "n-grams have at least 1 word, got 0"),
        (lambda: span_lengths(longest=0), "spans have at least 1 word, got 0"),
        (lambda: span_lengths(probability=0.0), "between 0 and 1, got 0.0"),
        (lambda: span_lengths(probability=1.0), "between 0 and 1, got 1.0"),
    ],
)
def test_impossible_lengths_are_an_error(lengths, message):
    with pytest.raises(ValueError, match=message):
        lengths()


@pytest.mark.parametrize("longest", [1, 2, 3, 10])
def test_ngram_lengths_are_in_proportion_to_1_over_n(longest):
    shares = ngram_lengths(longest)
    assert sum(shares) == pytest.approx(1)
    assert [share * words / shares[0] for words, share in enumerate(shares, 1)] == pytest.approx(
        [1] * longest
    )
    assert ngram_lengths(longest, favor_shorter=False) == shares[::-1]


def test_recipe_with_everything_in_it_can_be_sent_to_a_worker():
    recipe = replace(PAIRS, replace_per=ReplacePer.UNIT, similar=SIMILAR, continuation_ids=TWINS)
    many(recipe, times=1)
    assert pickle.loads(pickle.dumps(recipe)) == recipe


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["江南"], ["江", "##南"]),
        (["降血糖"], ["降", "##血", "##糖"]),
        (["中华人民"], ["中", "华", "人", "民"]),
        (["江", "南"], ["江", "南"]),
        (["t血"], ["t", "血"]),
        (["江t"], ["江", "t"]),
        (["江㐀"], ["江", "㐀"]),
    ],
    ids=["two", "three", "four stay plain", "two words", "Latin first", "Latin last", "no twin"],
)
def test_hashed_labels_are_those_of_the_published_script(words, expected):
    text = "".join(words)
    characters = list(dict.fromkeys([*text, "字"]))
    twins = [f"##{character}" for character in characters if "\u4e00" <= character <= "\u9fa5"]
    vocab = Vocab(("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *characters, *twins))
    token_ids = [vocab.cls_id, *(vocab.ids[character] for character in text), vocab.sep_id]
    starts = [True, *(index == 0 for word in words for index in range(len(word))), True]
    recipe = replace(
        WORDS,
        by_words=False,  # marking follows the words whatever is masked
        masked_lm_prob=0.99,
        random_ids=(vocab.ids["字"],),
        continuation_ids=continuation_ids(vocab),
    )
    masked = mask_words(token_ids, starts, recipe, random.Random(1))
    assert [vocab.tokens[label] for label in masked.labels] == expected


def test_continuation_ids_are_those_of_the_published_range_that_have_a_twin():
    entries = (
        "一",
        "龥",
        "龦",
        "㐀",
        "字",
        "的",
        "##一",
        "##龥",
        "##龦",
        "##㐀",
        "##字",
        "t",
        "##t",
    )
    vocab = Vocab(("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *entries))
    twins = continuation_ids(vocab)
    assert {vocab.tokens[one]: vocab.tokens[two] for one, two in twins.items()} == {
        "一": "##一",
        "龥": "##龥",
        "字": "##字",
    }


def test_replacements_are_entries_that_text_can_contain():
    special = (
        "[PAD]",
        "[unused1]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        "<S>",
        "<T>",
        "[unused99]",
    )
    never_in_text = ("", "##", "##字", "##㐀", "##\U00020bb7", "##，", "##!")
    text = ("字", "the", "##ing", "[", "<", ">", "##2", "##ー", "unused1", "a>")
    vocab = Vocab((*special, *never_in_text, *text))
    assert [vocab.tokens[index] for index in replacement_ids(vocab)] == list(text)

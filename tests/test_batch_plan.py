"""Batch plans: what divides, and what is said of what does not."""

import pytest

from albert_zh.train.batch_plan import BatchPlan


@pytest.mark.parametrize(
    ("global_batch", "num_replicas", "micro_batch", "expected"),
    [
        (32, 1, None, (32, 1)),
        (32, 2, None, (16, 1)),
        (32, 2, 8, (16, 2)),
        (4096, 8, 1, (512, 512)),
    ],
)
def test_plan_splits_over_replicas_then_micro_batches(
    global_batch, num_replicas, micro_batch, expected
):
    plan = BatchPlan.make(global_batch, num_replicas=num_replicas, micro_batch=micro_batch)
    assert (plan.replica_batch, plan.micro_steps) == expected


@pytest.mark.parametrize(
    ("global_batch", "num_replicas", "micro_batch", "message"),
    [
        (33, 2, None, "train_batch_size 33 does not divide by 2 devices; take 32 or 34"),
        (3, 4, None, "train_batch_size 3 does not divide by 4 devices; take 4"),
        (0, 1, None, "train_batch_size 0 does not divide by 1 devices; take 1"),
        (32, 1, 12, "micro_batch_size 12 does not divide the 32 examples of a step; take 8"),
        (32, 2, 64, "does not divide the 16 examples of a step on each of 2 devices; take 16"),
    ],
)
def test_what_does_not_divide_is_refused_with_what_does(
    global_batch, num_replicas, micro_batch, message
):
    with pytest.raises(ValueError, match=message):
        BatchPlan.make(global_batch, num_replicas=num_replicas, micro_batch=micro_batch)


@pytest.mark.parametrize(("limit", "expected"), [(1000, 48), (48, 48), (47, 24), (7, 6), (1, 1)])
def test_plan_within_takes_the_largest_divisor(limit, expected):
    assert BatchPlan.within(96, num_replicas=2, limit=limit).micro_batch == expected

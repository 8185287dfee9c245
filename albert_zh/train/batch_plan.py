"""Division of the examples of an optimizer step over devices and into micro batches."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class BatchPlan:
    """The split of a global batch over replicas, and of a replica's examples into micro batches.

    ```
    global batch 24   | replica 0            | replica 1            |
    micro batch 4     | 0-3 | 4-7 | 8-11     | 12-15 | 16-19 | 20-23 |    3 micro steps
    ```
    """

    global_batch: int  # examples per optimizer step
    num_replicas: int
    micro_batch: int  # examples that a replica computes at once

    @property
    def replica_batch(self) -> int:
        return self.global_batch // self.num_replicas

    @property
    def micro_steps(self) -> int:
        return self.replica_batch // self.micro_batch

    @classmethod
    def make(
        cls, global_batch: int, *, num_replicas: int, micro_batch: int | None = None
    ) -> "BatchPlan":
        """The plan with micro batches of a given size; by default one micro batch per replica.

        >>> BatchPlan.make(24, num_replicas=2, micro_batch=4).micro_steps
        3

        Raises:
            ValueError: The batch does not divide by the replicas, or their examples by micro_batch.
        """
        replica_batch, rest = divmod(global_batch, num_replicas)
        if rest or not replica_batch:
            raise ValueError(
                f"train_batch_size {global_batch} does not divide by {num_replicas} devices; take "
                f"{_multiples(global_batch, num_replicas)}"
            )
        micro_batch = micro_batch or replica_batch
        if replica_batch % micro_batch:
            each = f" on each of {num_replicas} devices" if num_replicas > 1 else ""
            raise ValueError(
                f"micro_batch_size {micro_batch} does not divide the {replica_batch} examples of "
                f"a step{each}; take {_largest_divisor(replica_batch, micro_batch)}"
            )
        return cls(global_batch, num_replicas, micro_batch)

    @classmethod
    def within(cls, global_batch: int, *, num_replicas: int, limit: int) -> "BatchPlan":
        """The plan with the largest micro batches of at most `limit` examples.

        >>> BatchPlan.within(4096, num_replicas=8, limit=100).micro_batch
        64

        Raises:
            ValueError: The batch does not divide by the replicas.
        """
        whole = cls.make(global_batch, num_replicas=num_replicas)
        micro_batch = _largest_divisor(whole.replica_batch, limit)
        return dataclasses.replace(whole, micro_batch=micro_batch)


def _largest_divisor(number: int, limit: int) -> int:
    return next(size for size in range(min(number, limit), 0, -1) if number % size == 0)


def _multiples(number: int, of: int) -> str:
    """The next smaller and larger multiple of `of`, for an error message."""
    above = (number // of + 1) * of
    return f"{above - of} or {above}" if number > of else str(above)

"""Distribution of a training: one device, the GPUs of a machine, several machines, or a TPU."""

import contextlib
import faulthandler
import re
import signal
import sys
from collections.abc import Callable, Iterator

import tensorflow as tf
from absl import logging

from albert_zh.train.cluster import (
    StrategyOptions,
    TpuAddress,
    Workers,
    same_workers,
    workers_of_environment,
)
from albert_zh.train.devices import advice_on_unused_gpu
from albert_zh.train.rendezvous import await_workers, check_reachable
from albert_zh.util.pipelines import prefetched

# Errors and messages of TensorFlow if a worker is lost. Which one comes depends on the operation.
_LOST_ERRORS = (
    tf.errors.UnavailableError,
    tf.errors.DeadlineExceededError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.InternalError,
)
_LOST_WORDS = re.compile("Collective ops is aborted|CoordinationService|GRPC error information")


def make_strategy(options: StrategyOptions | None = None) -> tf.distribute.Strategy:
    """Connect the devices of the options, and log them.

    Connect workers before TensorFlow computes anything.

    Raises:
        ValueError: The TPU cannot be reached or has another number of cores, the workers cannot be
            connected, TF_CONFIG is malformed or contradicts the options.
        RuntimeError: There are workers to connect, but TensorFlow has computed something already.
    """
    options = options or StrategyOptions()
    workers = same_workers(options.workers, workers_of_environment())
    if options.tpu and workers:
        raise ValueError("a TPU connects its hosts itself; leave out --worker_hosts and TF_CONFIG")
    if options.tpu:
        return _tpu_strategy(options.tpu)
    if advice := advice_on_unused_gpu():
        logging.warning("%s", advice)
    if workers and len(workers.hosts) > 1:
        return connect_workers(workers)
    devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")[:1]
    logging.info("computing on %s", ", ".join(device.name for device in devices))
    if len(devices) > 1:
        return tf.distribute.MirroredStrategy()
    return tf.distribute.get_strategy()


def connect_workers(workers: Workers, *, seconds: float = 120.0) -> tf.distribute.Strategy:
    """Wait for all workers, then connect them.

    Args:
        workers: All workers, and the number of this one.
        seconds: Time to connect once all workers answer; after it the process exits.

    Raises:
        ValueError, RuntimeError: As for `make_strategy`.
    """
    gpus = len(tf.config.list_physical_devices("GPU"))
    await_workers(workers.hosts, workers.index)
    resolver = tf.distribute.cluster_resolver.SimpleClusterResolver(
        tf.train.ClusterSpec({"worker": workers.hosts}),
        task_type="worker",
        task_id=workers.index,
        num_accelerators={"GPU": gpus},
        rpc_layer="grpc",
    )
    logging.info(
        "all %d workers answer; connecting them takes %d s at most", len(workers.hosts), seconds
    )
    # TensorFlow would wait without end for another program at one of the addresses, and would not
    # react to signals.
    faulthandler.dump_traceback_later(seconds, exit=True, file=sys.__stderr__)
    try:
        strategy = _multi_worker_strategy(resolver)
    finally:
        faulthandler.cancel_dump_traceback_later()
    _restore_sigterm()
    # All workers have the same number of batches, so they need not compare at every step.
    strategy.extended.experimental_enable_get_next_as_optional = False
    logging.info(
        "training on %d workers, %d devices in all; this is worker %d with %s",
        len(workers.hosts),
        strategy.num_replicas_in_sync,
        workers.index,
        f"{gpus} GPUs" if gpus else "its CPU",
    )
    return strategy


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """True for the process that writes files."""
    return not is_multi_worker(strategy) or strategy.cluster_resolver.task_id == 0


def is_multi_worker(strategy: tf.distribute.Strategy) -> bool:
    """True if other processes take part."""
    return isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)


def distribute_batches(
    strategy: tf.distribute.Strategy, batches: tf.data.Dataset
) -> tf.data.Dataset | tf.distribute.DistributedDataset:
    """Split the rows of every batch over the replicas.

    ```
    a batch     rows 0 1 2 3 4 5 6 7
    replica          0   1   2   3
    worker             0       1
    ```
    Every worker reads and parses all batches and keeps only its rows. So the order of the data does
    not depend on the number of workers.

    Args:
        strategy: Strategy with the replicas.
        batches: Global batches, the same on all workers; the first axis of a tensor counts rows.

    Raises:
        ValueError: The rows of a batch do not divide by the number of replicas.
    """
    replicas = strategy.num_replicas_in_sync
    if replicas == 1:
        return batches
    rows = tf.nest.flatten(batches.element_spec)[0].shape[0]
    assert rows is not None, "batches need a fixed number of rows: drop or fill the last one"
    if rows % replicas:
        raise ValueError(
            f"a batch of {rows} does not divide by {replicas} devices; change its size"
        )

    on_tpu = isinstance(strategy, tf.distribute.TPUStrategy)
    make_batches = _rebuilder(batches) if on_tpu else lambda: batches

    def worker_batches(context: tf.distribute.InputContext) -> tf.data.Dataset:
        share = rows // context.num_input_pipelines
        first = context.input_pipeline_id * share
        own = make_batches()
        if share < rows:
            own = own.map(
                lambda batch: tf.nest.map_structure(
                    lambda tensor: tensor[first : first + share], batch
                )
            )
        return prefetched(own.rebatch(rows // replicas, drop_remainder=True))

    return strategy.distribute_datasets_from_function(worker_batches)


@contextlib.contextmanager
def report_lost_workers() -> Iterator[None]:
    """Turn TensorFlow's errors about a lost worker into one message.

    TensorFlow notices at once that a process has ended. It takes ten seconds (the heartbeat) to
    notice one that is stopped or cut off.

    Raises:
        ValueError: Another worker is lost.
    """
    try:
        yield
    except _LOST_ERRORS as error:
        if not _LOST_WORDS.search(error.message):
            raise
        logging.debug("TensorFlow's error", exc_info=True)
        raise ValueError(
            "another worker is gone, so this one stops; the other's output says why. Start all "
            "workers again to resume from the last checkpoint"
        ) from None


def _multi_worker_strategy(resolver) -> tf.distribute.MultiWorkerMirroredStrategy:
    try:
        return tf.distribute.MultiWorkerMirroredStrategy(resolver)
    except RuntimeError as error:
        if "program startup" not in str(error):
            raise
        raise RuntimeError(
            "workers are connected before TensorFlow computes anything: call make_strategy first"
        ) from error
    except tf.errors.OpError as error:
        raise ValueError(
            f"the workers cannot be connected: {error.message.splitlines()[0]}; end all of them "
            "and start them again"
        ) from None


def _tpu_strategy(tpu: TpuAddress) -> tf.distribute.Strategy:
    try:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver(
            tpu=tpu.name or "local", zone=tpu.zone, project=tpu.project
        )
        master = resolver.master().removeprefix("grpc://")
        if re.fullmatch(r".+:[0-9]+", master):
            check_reachable(master, timeout=10.0)  # TensorFlow would wait for minutes.
        tf.config.experimental_connect_to_cluster(resolver)
        tf.tpu.experimental.initialize_tpu_system(resolver)
    except (ValueError, RuntimeError, ImportError, OSError, tf.errors.OpError) as error:
        raise ValueError(
            f"cannot reach TPU {tpu.name or 'of this machine'}: {error}; "
            "check --tpu_name, --tpu_zone and --gcp_project"
        ) from None
    _restore_sigterm()
    strategy = tf.distribute.TPUStrategy(resolver)
    cores = strategy.num_replicas_in_sync
    logging.info("computing on a TPU with %d cores", cores)
    if tpu.num_cores and tpu.num_cores != cores:
        raise ValueError(f"the TPU has {cores} cores, --num_tpu_cores says {tpu.num_cores}")
    return strategy


def _restore_sigterm() -> None:
    """Install Python's handler of SIGTERM again; TensorFlow ignores SIGTERM once connected."""
    signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGTERM))


def _rebuilder(batches: tf.data.Dataset) -> Callable[[], tf.data.Dataset]:
    """A function that builds the dataset on the device of its caller: TPU hosts read themselves."""
    graph = tf.raw_ops.DatasetToGraphV2(input_dataset=tf.data.experimental.to_variant(batches))
    return lambda: tf.data.experimental.from_variant(
        tf.raw_ops.DatasetFromGraph(graph_def=graph), batches.element_spec
    )

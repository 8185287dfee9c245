"""Where to train: the device this machine has, or a TPU."""

import dataclasses

import tensorflow as tf
from absl import logging


@dataclasses.dataclass(frozen=True)
class TpuAddress:
    """How to reach a TPU; with everything left out, the one this machine is attached to."""

    name: str | None = None  # of the TPU, or its address: grpc://10.240.1.2:8470
    zone: str | None = None
    project: str | None = None
    num_cores: int | None = None  # expected; None takes what is there


def make_strategy(tpu: TpuAddress | None) -> tf.distribute.Strategy:
    """The TPU's strategy, or that of one local device.

    Raises:
        ValueError: The TPU is not to be found, or has another number of cores.
    """
    if tpu is None:
        devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
        logging.info("device: %s", devices[0].name)
        return tf.distribute.get_strategy()
    try:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver(
            tpu=tpu.name or "local", zone=tpu.zone, project=tpu.project
        )
        tf.config.experimental_connect_to_cluster(resolver)
        tf.tpu.experimental.initialize_tpu_system(resolver)
    except (ValueError, RuntimeError, tf.errors.OpError) as error:
        raise ValueError(
            f"cannot reach TPU {tpu.name or 'of this machine'}: {error}; "
            "check --tpu_name, --tpu_zone and --gcp_project"
        ) from None
    strategy = tf.distribute.TPUStrategy(resolver)
    cores = strategy.num_replicas_in_sync
    logging.info("device: TPU with %d cores", cores)
    if tpu.num_cores and tpu.num_cores != cores:
        raise ValueError(f"the TPU has {cores} cores, --num_tpu_cores says {tpu.num_cores}")
    return strategy

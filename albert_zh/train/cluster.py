"""Addresses of TPUs and workers, from flags and TF_CONFIG. No TensorFlow."""

import dataclasses
import json
import os
import re


@dataclasses.dataclass(frozen=True)
class TpuAddress:
    """Address of a TPU. Default: the TPU of this machine."""

    name: str | None = None  # name or address, such as grpc://10.240.1.2:8470
    zone: str | None = None
    project: str | None = None
    num_cores: int | None = None  # expected number; None accepts any


@dataclasses.dataclass(frozen=True)
class Workers:
    """The processes of one training, started with the same command; worker 0 is the chief."""

    hosts: tuple[str, ...]  # host:port of each worker, in the same order on all of them
    index: int  # number of this worker

    def __post_init__(self):
        for host in self.hosts:
            address = re.fullmatch(r"[^\s:/]+:([0-9]+)", host)
            if not address or not 0 < int(address[1]) < 65536:
                raise ValueError(
                    f"{host!r} is no address of a worker; write host:port, such as 10.0.0.2:2222"
                )
        if len(set(self.hosts)) < len(self.hosts):
            twice = next(host for host in self.hosts if self.hosts.count(host) > 1)
            raise ValueError(f"{twice} is two workers at once; give each a host:port of its own")
        if not 0 <= self.index < len(self.hosts):
            raise ValueError(
                f"there is no worker {self.index} among {len(self.hosts)}; their numbers "
                f"(--task_index) are 0 to {len(self.hosts) - 1}"
            )


@dataclasses.dataclass(frozen=True)
class StrategyOptions:
    """Devices to train on. Default: the workers of TF_CONFIG, else this machine."""

    tpu: TpuAddress | None = None
    workers: Workers | None = None


def parse_workers(worker_hosts: str | None, task_index: int | None) -> Workers | None:
    """Read the workers from the flags.

    >>> parse_workers("10.0.0.1:2222,10.0.0.2:2222", 1)
    Workers(hosts=('10.0.0.1:2222', '10.0.0.2:2222'), index=1)

    Raises:
        ValueError: An address is malformed or occurs twice, no worker has that number, or one of
            the two flags is missing.
    """
    if not worker_hosts and task_index is None:
        return None
    if not worker_hosts:
        raise ValueError("--task_index is the number of a worker; list them in --worker_hosts")
    if task_index is None:
        raise ValueError("--worker_hosts needs --task_index, the number of this worker, from 0")
    return Workers(tuple(host.strip() for host in worker_hosts.split(",")), task_index)


def workers_of_environment() -> Workers | None:
    """The workers of TF_CONFIG; a chief comes first.

    https://www.tensorflow.org/guide/distributed_training#setting_up_the_tf_config_environment_variable
    """
    text = os.environ.get("TF_CONFIG")
    if not text:
        return None
    try:
        config = json.loads(text)
        cluster = config.get("cluster") or {}
        if not cluster:
            return None
        kind, index = config["task"]["type"], int(config["task"]["index"])
        chiefs, workers = list(cluster.get("chief", [])), list(cluster.get("worker", []))
        if set(cluster) - {"chief", "worker"} or kind not in cluster:
            raise ValueError("the tasks of a training are of type chief or worker")
        return Workers((*chiefs, *workers), index + (len(chiefs) if kind == "worker" else 0))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"TF_CONFIG: {error!r}; write it like "
            '{"cluster": {"worker": ["10.0.0.1:2222", "10.0.0.2:2222"]}, '
            '"task": {"type": "worker", "index": 0}}'
        ) from None


def same_workers(flags: Workers | None, environment: Workers | None) -> Workers | None:
    """The workers of flags or environment.

    Raises:
        ValueError: Both name workers, and not the same ones.
    """
    if flags and environment and flags != environment:
        raise ValueError(
            f"--worker_hosts and --task_index say {flags}, TF_CONFIG says {environment}; unset "
            "TF_CONFIG or leave out the flags"
        )
    return flags or environment

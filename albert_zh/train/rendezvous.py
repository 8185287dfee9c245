"""Workers find each other before TensorFlow connects them, which waits for ever and says nothing.

```
worker 0   listens on its port   reaches 1 and 2   frees its port -> TensorFlow listens there
worker 1   listens on its port   reaches 0 and 2   ...
worker 2   (never started)  ->  0 and 1 log whom they await, and give up after ten minutes
```
"""

import socket
import time
from collections.abc import Sequence

from absl import logging

# Queues of clusters start machines minutes apart.
_PATIENCE = 600.0  # seconds
_BETWEEN_LOGS = 30.0  # seconds


def await_workers(hosts: Sequence[str], index: int, *, patience: float = _PATIENCE) -> None:
    """Returns once the ports of all other workers answer.

    Args:
        hosts: host:port of all workers.
        index: Which of them this one is. Its port answers the others meanwhile.
        patience: Seconds.

    Raises:
        ValueError: This worker's port is taken, or some worker did not answer in time.
    """
    port = int(hosts[index].rpartition(":")[2])
    try:
        listener = socket.create_server(("", port), backlog=len(hosts))
    except OSError as error:
        raise ValueError(
            f"worker {index} cannot listen on port {port}: {error.strerror}; is another worker "
            "running there? End it or give a free port in --worker_hosts"
        ) from None
    with listener:
        awaited = {host: "" for host in hosts if host != hosts[index]}
        started, logged = time.monotonic(), -_BETWEEN_LOGS
        while awaited := {host: why for host in awaited if (why := _unreachable(host))}:
            waited = time.monotonic() - started
            if waited > patience:
                raise ValueError(
                    f"after {waited:.0f} s these workers do not answer: {_listed(awaited)}; check "
                    "that they run, that --worker_hosts (or TF_CONFIG) is the same on all workers, "
                    "and that no firewall closes the ports"
                )
            if waited - logged >= _BETWEEN_LOGS:
                logging.info("worker %d waits for %s", index, _listed(awaited))
                logged = waited
            time.sleep(min(1.0, patience / 10))


def _unreachable(host: str) -> str:
    """Why a worker cannot be reached, empty if it can."""
    try:
        check_reachable(host, timeout=5.0)
    except OSError as error:
        return error.strerror or str(error)
    return ""


def check_reachable(host: str, *, timeout: float) -> None:
    """Raises OSError unless something answers at a host:port within `timeout` seconds."""
    name, _, port = host.rpartition(":")
    socket.create_connection((name, int(port)), timeout=timeout).close()


def _listed(awaited: dict[str, str]) -> str:
    return ", ".join(f"{host} ({why})" for host, why in awaited.items())

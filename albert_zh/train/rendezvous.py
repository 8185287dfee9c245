"""Wait for all workers with a time limit and log lines; TensorFlow's own wait has neither.

```
worker 0   listens on its port   reaches 1 and 2   frees its port -> TensorFlow listens there
worker 1   listens on its port   reaches 0 and 2   ...
worker 2   (never started)  ->  0 and 1 log that they wait for 2, and fail after ten minutes
```
"""

import socket
import time
from collections.abc import Sequence

from absl import logging

_BETWEEN_LOGS = 30.0  # seconds


def await_workers(hosts: Sequence[str], index: int, *, patience: float = 600.0) -> None:
    """Return once the ports of all other workers answer.

    Args:
        hosts: host:port of all workers.
        index: Number of this worker. Its port answers the others meanwhile.
        patience: Seconds to wait at most; clusters start machines minutes apart.

    Raises:
        ValueError: This worker's port is in use, or some worker did not answer in time.
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
        missing = {host: "" for host in hosts if host != hosts[index]}
        started, logged = time.monotonic(), -_BETWEEN_LOGS
        while missing := {host: why for host in missing if (why := _connection_error(host))}:
            waited = time.monotonic() - started
            if waited > patience:
                raise ValueError(
                    f"after {waited:.0f} s these workers do not answer: {_listing(missing)}; check "
                    "that they run, that --worker_hosts (or TF_CONFIG) is the same on all workers, "
                    "and that no firewall closes the ports"
                )
            if waited - logged >= _BETWEEN_LOGS:
                logging.info("worker %d waits for %s", index, _listing(missing))
                logged = waited
            time.sleep(min(1.0, patience / 10))


def _connection_error(host: str) -> str:
    """Error message of an attempt to reach a worker; empty if it answers."""
    try:
        check_reachable(host, timeout=5.0)
    except OSError as error:
        return error.strerror or str(error)
    return ""


def check_reachable(host: str, *, timeout: float) -> None:
    """Raise OSError unless something answers at a host:port within `timeout` seconds."""
    name, _, port = host.rpartition(":")
    socket.create_connection((name, int(port)), timeout=timeout).close()


def _listing(missing: dict[str, str]) -> str:
    return ", ".join(f"{host} ({why})" for host, why in missing.items())

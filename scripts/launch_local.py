r"""Start several workers of one script on this machine, to try multi-machine training.

  python scripts/launch_local.py -n 2 run_pretraining.py --input_file='data/tf*.tfrecord' \
      --output_dir=my_albert --bert_config_file=albert_config/albert_config_tiny.json \
      --do_train=True --train_batch_size=64

The workers share the batch: with -n 2, each takes 32 of its 64 rows. Their output lines begin with
[0] and [1]. Ctrl-C is passed on, so that they save and stop together. If one fails, the others are
stopped, and this script exits with its exit code.

After `pip install`, without a clone, the script is the name of a command:

  albert-zh launch-local -n 2 run-pretraining --input_file='records/*' ...

On several machines, run the script itself on each machine, with the same flags but a different
--task_index:

  python run_pretraining.py ... --worker_hosts=10.0.0.1:2222,10.0.0.2:2222 --task_index=0
"""

import argparse
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence

import project  # noqa: F401  # puts albert_zh on Python's path

from albert_zh.toolkit import find_script

_GRACE = 30.0  # seconds that workers have to exit after one of them has failed


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__,
        usage="%(prog)s -n WORKERS script.py [flags of the script]",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "-n", type=int, default=2, metavar="WORKERS", help="number of workers (default 2)"
    )
    parser.add_argument("script", help="script that every worker runs")
    parser.add_argument("flags", nargs=argparse.REMAINDER, help="flags for every worker")
    options = parser.parse_args()
    if options.n < 1:
        parser.error(f"-n {options.n}: at least one worker is needed")
    script = options.script if os.path.isfile(options.script) else find_script(options.script)
    if script is None:
        parser.error(f"there is no script {options.script}")
    sys.exit(launch([script, *options.flags], num_workers=options.n))


def launch(command: Sequence[str], *, num_workers: int) -> int:
    """Run the workers until all have exited.

    Args:
        command: A Python script and its flags.
        num_workers: At least 1.

    Returns:
        0, or the exit code of the first worker that failed (128 + N if signal N killed it).
    """
    hosts = [f"127.0.0.1:{port}" for port in _free_ports(num_workers)]
    workers: list[subprocess.Popen] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, frame: _send(workers, number))
    for index in range(num_workers):
        workers.append(_start(command, hosts, index))
    printers = [
        threading.Thread(target=_print_lines, args=(index, worker))
        for index, worker in enumerate(workers)
    ]
    for printer in printers:
        printer.start()
    code = _wait(workers)
    for printer in printers:
        printer.join()
    return code


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:  # All are open at once, so that the ports differ.
        sockets = [stack.enter_context(socket.create_server(("", 0))) for _ in range(count)]
        return [server.getsockname()[1] for server in sockets]


def _start(command: Sequence[str], hosts: Sequence[str], index: int) -> subprocess.Popen:
    task = {"cluster": {"worker": hosts}, "task": {"type": "worker", "index": index}}
    return subprocess.Popen(
        [sys.executable, *command],
        env={**os.environ, "TF_CONFIG": json.dumps(task), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        # Ctrl-C in a terminal reaches its whole session; workers should get it once, from here.
        start_new_session=True,
    )


def _print_lines(index: int, worker: subprocess.Popen) -> None:
    for line in worker.stdout:
        sys.stdout.write(f"[{index}] {line.rstrip()}\n")
        sys.stdout.flush()


def _wait(workers: Sequence[subprocess.Popen]) -> int:
    while None in (codes := [worker.poll() for worker in workers]):
        failed = [index for index, code in enumerate(codes) if code]
        if failed:
            code = codes[failed[0]]
            print(
                f"worker {failed[0]} failed ({_describe(code)}); stopping the others",
                file=sys.stderr,
            )
            _stop(workers)
            return _exit_code(code)
        time.sleep(0.1)
    return next((_exit_code(code) for code in codes if code), 0)


def _stop(workers: Sequence[subprocess.Popen]) -> None:
    _send(workers, signal.SIGTERM)
    deadline = time.monotonic() + _GRACE
    for worker in workers:
        try:
            worker.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            worker.kill()


def _send(workers: Sequence[subprocess.Popen], number: int) -> None:
    for worker in workers:
        worker.send_signal(number)


def _describe(code: int) -> str:
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def _exit_code(code: int) -> int:
    return 128 - code if code < 0 else code


if __name__ == "__main__":
    main()

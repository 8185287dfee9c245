"""Ends of scripts outside their frame, in one line: Ctrl-C, a Python without the packages.

`albert_zh.cli` imports this module before any package, so it uses only the standard library, and
old Pythons can read it.
"""

import os
import select
import sys

_OLDEST, _NEWEST = (3, 10), (3, 13)  # Pythons that TensorFlow has packages for
_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_SETUP = os.path.join(_ROOT, "scripts", "setup.sh")


def show_in_one_line(kind, error, traceback):
    """Show an exception that nothing catches; for `sys.excepthook`."""
    if issubclass(kind, KeyboardInterrupt):
        print("interrupted", file=sys.stderr)
    elif issubclass(kind, BrokenPipeError) and is_output_closed():
        pass
    elif issubclass(kind, ModuleNotFoundError) and _is_of_a_package(error.name):
        print(
            f"error: {sys.executable} lacks the package {error.name}; {_WAY_OUT}", file=sys.stderr
        )
    else:
        sys.__excepthook__(kind, error, traceback)


def is_output_closed():
    """True if nobody reads standard output any more; what is left to write is then dropped.

    The reader of `... --help | head` ends early.
    """
    poll = select.poll()
    poll.register(sys.stdout.fileno(), 0)
    is_closed = any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))
    if is_closed:
        # Python flushes at its end and would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return is_closed


def _is_of_a_package(module):
    return module is not None and module.partition(".")[0] not in ("albert_zh", "project")


def _version(numbers):
    return ".".join(map(str, numbers[:2]))


if os.path.exists(_SETUP):
    _WAY_OUT = f"run `bash {_SETUP}` and use the Python that it prints"
else:
    _WAY_OUT = "install albert_zh with pip once more, and let it install what albert_zh depends on"
sys.excepthook = show_in_one_line
if sys.version_info < _OLDEST:
    sys.exit(
        f"error: {sys.executable} is Python {_version(sys.version_info)}, and albert_zh needs "
        f"{_version(_OLDEST)} to {_version(_NEWEST)}; {_WAY_OUT}"
    )

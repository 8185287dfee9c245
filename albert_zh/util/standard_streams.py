"""Standard streams that are open, whatever this process was started with.

A shell's `>&-`, and some programs that start others in the background, close standard input, output
or error. Python then has None for `sys.stdout`, and the next file or pipe that anything opens gets
the number 1, so that a print of a library or of a worker process lands in it.

`albert_zh.cli` and `albert_zh.toolkit` import this module before anything else, so it uses only the
standard library, and old Pythons can read it.
"""

import os
import sys


def _open_closed():
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # The lowest free number, which is this one.
            os.set_inheritable(number, True)  # for the programs that this one starts
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, mode, closefd=False))


_open_closed()

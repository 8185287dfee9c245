"""Ctrl-C while modules are imported: one line, at once. `cli` imports this before anything else.

Extension modules turn a KeyboardInterrupt during their import into errors of their own (numpy's
says that the installation is broken), and some packages swallow it. So there the process ends
without raising it; nothing is in work yet. Everywhere else Ctrl-C raises KeyboardInterrupt, as
usual.
"""

import os
import signal
from types import FrameType

_IMPORT = "<frozen importlib._bootstrap>"


def _interrupt(number: int, frame: FrameType | None) -> None:
    signal_frame = frame
    while frame:
        if frame.f_code.co_filename == _IMPORT:
            os.write(2, b"interrupted\n")
            os._exit(128 + number)
        frame = frame.f_back
    signal.default_int_handler(number, signal_frame)


# Not where somebody else handles Ctrl-C or it is ignored, as in background jobs of a shell.
if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, _interrupt)

"""The frame every script runs in: flags are parsed, mistakes of the user become one line."""

import logging as standard_logging
import sys
from collections.abc import Callable

from absl import app, logging

from albert_zh.util.allocator import keep_freed_memory


def run(main: Callable[[], None]) -> None:
    """Parses the command line and calls `main()`; the way a script ends:

    ```
    if __name__ == "__main__":
        cli.run(main)
    ```
    A ValueError or OSError (bad input, missing file, full disk) is shown as `error: ...` and the
    exit code is 1. `--verbosity=1` shows the traceback too. Ctrl-C ends it with code 130.
    """
    keep_freed_memory()
    logging.set_verbosity(logging.INFO)  # A later --verbosity on the command line wins.
    # TensorFlow says everything twice, on its own handler and on absl's, and little for users.
    standard_logging.getLogger("tensorflow").setLevel(standard_logging.WARNING)

    def guarded(arguments: list[str]) -> None:
        if len(arguments) > 1:
            raise app.UsageError(
                f"unexpected argument {arguments[1]!r}; write flags as --name=value"
            )
        try:
            main()
        except (ValueError, OSError) as error:
            logging.debug("where the error was raised", exc_info=True)
            print(f"error: {error}", file=sys.stderr)
            sys.exit(1)
        except KeyboardInterrupt:
            print("interrupted", file=sys.stderr)
            sys.exit(130)

    app.run(guarded)

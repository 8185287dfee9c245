"""Frame of every script: flags become options, and mistakes of the user become one line.

A script states its flags as option classes (see `flags`) and ends like this:

```
def main(options: TrainOptions) -> None:
    from albert_zh.training import train  # TensorFlow: only now that the flags are right

    train(options)


if __name__ == "__main__":
    cli.run(main, TrainOptions, needs_tensorflow=True)
```
`--help`, a wrong flag and a wrong path are answered before TensorFlow is imported, which takes
seconds. So what needs TensorFlow is imported in `main`, and the rest on top.
"""

from albert_zh.util import standard_streams  # noqa: F401  # Before what writes to them.

# isort: split
from albert_zh.util import uncaught  # Before the packages, which may be missing.

# isort: split
from albert_zh.util import interruption  # noqa: F401  # Before what takes its time to import.

# isort: split
import faulthandler
import logging as standard_logging
import shutil
import sys
from collections.abc import Callable, Mapping

from absl import logging

from albert_zh.flags import help_text, parse_flags
from albert_zh.util.allocator import keep_freed_memory
from albert_zh.util.error_text import is_tensorflow_error, one_line
from albert_zh.util.near_names import did_you_mean
from albert_zh.util.tensorflow_start import import_tensorflow

_HELP = {"--help", "-help", "-h", "--helpshort", "--helpfull"}
_HELP_OF_LOGGING = """\
Logging flags:

  --verbosity=N (default: 0)
      -1: warnings and errors; 0: also progress; 1: also details and tracebacks.
"""


def command(commands: Mapping[str, tuple], *, default: str) -> tuple:
    """The work that the first word of the command line chooses: `script.py average --output_dir=x`.

    Args:
        commands: Word -> main function and option classes, for `run`.
        default: Word of a command line without one.
    """
    name = default
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-"):
        name = sys.argv.pop(1)
    if name not in commands:
        hint = did_you_mean(name, commands) or f"; choose one of {', '.join(commands)}"
        print(f"error: unknown command {name!r}{hint}", file=sys.stderr)
        sys.exit(1)
    return commands[name]


def run(
    main: Callable[..., None],
    *option_classes: type,
    needs_tensorflow: bool = False,
    answers: Mapping[str, Callable[[], str]] | None = None,
) -> None:
    """Read the command line and call `main` with one object per option class.

    Options that have a method `check` are checked first; it raises if a file that a flag names is
    missing or damaged.

    A ValueError, OSError or error of TensorFlow (bad input, missing file, full disk) is shown as
    `error: ...` and the exit code is 1. `--verbosity=1` shows the traceback too. Ctrl-C ends the
    script with code 130.

    Args:
        main: The script's work.
        option_classes: Classes of its arguments, in their order.
        needs_tensorflow: Whether `main` imports TensorFlow; its noise is kept from the user.
        answers: Flags that, like `--help`, make the script print a text and end; the first line of
            the function's docstring is their help.
    """
    logging.use_absl_handler()
    logging.set_verbosity(logging.INFO)  # A later --verbosity on the command line wins.
    # TensorFlow logs everything twice, on its own handler and on absl's, and little of it helps.
    standard_logging.getLogger("tensorflow").setLevel(standard_logging.WARNING)
    faulthandler.enable()  # A crash of a library shows where it was called.
    try:
        asked = [answer for flag, answer in (answers or {}).items() if f"--{flag}" in sys.argv[1:]]
        if _HELP & set(sys.argv[1:]):
            description = sys.modules[main.__module__].__doc__ or ""
            print(_help(description, option_classes, answers or {}))
        elif asked:
            print(asked[0]())
        else:
            options = parse_flags(sys.argv, *option_classes)
            for each in options:
                if hasattr(each, "check"):
                    each.check()
            keep_freed_memory()
            if needs_tensorflow:
                import_tensorflow()
            main(*options)
        sys.stdout.flush()
    except Exception as error:
        if not (isinstance(error, ValueError | OSError) or is_tensorflow_error(error)):
            raise
        if isinstance(error, BrokenPipeError) and uncaught.is_output_closed():
            sys.exit(1)
        logging.debug("where the error was raised", exc_info=True)
        print(f"error: {one_line(error)}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)


def _help(
    description: str,
    option_classes: tuple[type, ...],
    answers: Mapping[str, Callable[[], str]],
) -> str:
    flags = help_text(*option_classes, width=min(100, shutil.get_terminal_size().columns))
    others = "\n".join(
        f"  --{flag}\n      {answer.__doc__.splitlines()[0]}" for flag, answer in answers.items()
    )
    others = f"Flags that print something and end:\n\n{others}" if others else ""
    parts = [description.strip(), flags.strip(), others, _HELP_OF_LOGGING.strip()]
    return "\n\n".join(filter(None, parts))

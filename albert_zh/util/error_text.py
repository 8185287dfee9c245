"""One line for an error of the operating system or of TensorFlow: path, reason, way out.

```
{{function_node __wrapped__SaveV2 ...}} out/model.ckpt-0.tmp...; No space left on device [Op:SaveV2]
    -> out/model.ckpt-0.tmp...: No space left on device; make room there, or choose another place
```
No TensorFlow: its errors are known by what they hold.
"""

import contextlib
import errno
import os
import re
from collections.abc import Iterator

_OTHER_PLACE = "choose another place"
_WAYS_OUT = {
    errno.ENOENT: "check the path",
    errno.ENOTDIR: "a file is where a folder should be; check the path",
    errno.EISDIR: "a folder is where a file should be; remove it, or name a file",
    errno.EEXIST: f"move away what is there, or {_OTHER_PLACE}",
    errno.EACCES: f"change its permissions, or {_OTHER_PLACE}",
    errno.EPERM: f"change its permissions, or {_OTHER_PLACE}",
    errno.EROFS: _OTHER_PLACE,
    errno.ENOSPC: f"make room there, or {_OTHER_PLACE}",
    errno.EDQUOT: f"make room there, or {_OTHER_PLACE}",
    errno.EFBIG: f"make room there, or {_OTHER_PLACE}; ulimit -f may limit files",
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.EIO: f"the disk or the network fails; {_OTHER_PLACE}",
}
_NUMBERS = {os.strerror(number): number for number in _WAYS_OUT}
# Code of TensorFlow's ResourceExhaustedError: of memory, unless it names a file.
_EXHAUSTED = 8
# A text from a file, quoted by `repr`; the apostrophe of a word opens no quotation.
_LONG_QUOTATION = re.compile(r"""(?<!\w)(['"])((?:(?!\1).){100})(?:(?!\1).){100,}\1(?!\w)""")
_SHOW_MORE = "--verbosity=1 shows where it came from"


def is_tensorflow_error(error: BaseException) -> bool:
    """True for a `tf.errors.OpError`."""
    return any(
        each.__name__ == "OpError" and each.__module__.startswith("tensorflow")
        for each in type(error).__mro__
    )


def reason(error: BaseException) -> str:
    """The reason of an error about a file, without its path, and the way out.

    >>> reason(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "out/a"))
    'No space left on device; make room there, or choose another place'
    """
    _, text, number = _parts(error)
    return f"{text}; {_WAYS_OUT[number]}" if number in _WAYS_OUT else text


def one_line(error: BaseException) -> str:
    """The error in one line, with the first 100 characters of a text of 200 or more it quotes.

    >>> one_line(FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), "nosuch.json"))
    'nosuch.json: No such file or directory; check the path'
    """
    return _LONG_QUOTATION.sub(r"\1\2...\1", _one_line(error))


def _one_line(error: BaseException) -> str:
    path, _, _ = _parts(error)
    if path:
        return f"{path}: {reason(error)}"
    if not is_tensorflow_error(error):
        return reason(error)
    if error.error_code == _EXHAUSTED:
        return f"out of memory ({reason(error)}); lower --micro_batch_size, or set --recompute=True"
    return f"{type(error).__name__} in TensorFlow: {reason(error)}; {_SHOW_MORE}"


@contextlib.contextmanager
def arguments_for_flags(*names: str) -> Iterator[None]:
    """Reword an error for a caller in Python, who has arguments of these names and no flags.

    >>> with arguments_for_flags("labels"):
    ...     raise ValueError("give the classes with --labels")
    Traceback (most recent call last):
    ValueError: give the classes with labels=...
    """
    try:
        yield
    except (ValueError, OSError) as error:
        if len(error.args) == 1:
            flag = rf"--({'|'.join(names)})\b(=?)"
            text = re.sub(flag, lambda match: f"{match[1]}={'' if match[2] else '...'}", str(error))
            error.args = (text,)
        raise


def _parts(error: BaseException) -> tuple[str, str, int | None]:
    """Path, reason and number of the reason; without a path, all is the reason."""
    if is_tensorflow_error(error):
        text = re.sub(r"\{\{.*?\}\} ?|\[Op:\w+\]", "", error.message).strip().split("\n")[0].strip()
        path, _, last = text.rpartition("; ")
        for words, number in _NUMBERS.items():
            if last.startswith(words):
                return path, words, number
        return "", text, None
    if not isinstance(error, OSError) or error.errno is None:
        return "", str(error), None
    path = error.filename
    path = os.fsdecode(path) if isinstance(path, str | bytes | os.PathLike) else ""
    return path, error.strerror or str(error), error.errno

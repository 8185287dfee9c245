"""Lines of text in, answers out: of a file, of a pipe, or of a person at a prompt.

```
我的手机丢了<tab>手机不见了      ->  {"text_a": "我的手机丢了", "text_b": ..., "probability": 0.97}
```
A pipe gets the answer to a line when it has written the line, and not only after a thousand.
"""

import contextlib
import json
import os
import queue
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import IO, Any

from absl import logging

from albert_zh.serving.options import StreamOptions
from albert_zh.util.files import atomic_write, read_lines
from albert_zh.util.progress import Progress

Texts = tuple[str, ...]
Answer = Mapping[str, Any]
# Answers of texts; an error names the text that it is about.
Answerer = Callable[[Sequence[Texts]], Sequence[Answer]]

_BATCH = 256
_CHUNK = 2**16  # bytes read at once
STANDARD_INPUT = "-"
_END = object()
_OBJECTS = "; run_classifier.py --do_predict=True --model=MODEL --input_file=FILE reads objects"


def answer_all(
    options: StreamOptions,
    answer: Answerer,
    show: Callable[[Answer], str],
    *,
    prompt: str,
    together: bool = False,
) -> None:
    """Answer the texts that flags name, in their order.

    Args:
        options: The flags.
        answer: Answers some texts at once.
        show: An answer as lines for people.
        prompt: For a person at a terminal.
        together: Read all lines first, and answer them at once.

    Raises:
        ValueError: A line cannot be read or answered; names it. On standard output the lines before
            it are answered; a file is written whole or not at all.
    """
    with _output(options.output_file) as file:
        write = _writer(options.output_format, file, show)
        if options.text is not None:
            write(_answer(answer, [(1, _texts(options.text, options.input_format))], "--text"))
        elif options.input_file in (None, STANDARD_INPUT) and sys.stdin.isatty() and not together:
            _converse(answer, write, options.input_format, prompt)
        else:
            source = options.input_file or STANDARD_INPUT
            with contextlib.ExitStack() as stack:
                progress = None  # Answers on standard output show it themselves.
                if options.output_file:
                    progress = stack.enter_context(Progress(description="answer", unit="text"))
                batches: Iterable = read_batches(source, options.input_format)
                if together:
                    batches = [[line for batch in batches for line in batch]]
                for batch in batches:
                    write(_answer(answer, batch, _name(source)))
                    if progress is not None:
                        progress.advance(len(batch))


def read_batches(
    source: str, form: str, *, keep_empty: bool = False
) -> Iterator[list[tuple[int, Texts]]]:
    """Numbered texts of a file or of standard input (`-`); what is there, 256 lines at most.

    It waits only where there is no line at all.

    Args:
        source: Path of the file, or `-`.
        form: As of `StreamOptions.input_format`.
        keep_empty: Empty lines are texts, too; otherwise they are passed over, with a warning.

    Raises:
        ValueError: A line is malformed; names it.
    """
    name = _name(source)
    lines: queue.Queue = queue.Queue(4 * _BATCH)
    threading.Thread(target=_fill, args=(lines, source), daemon=True).start()
    is_open, num_empty = True, 0
    while is_open:
        found = [lines.get()]
        with contextlib.suppress(queue.Empty):
            while len(found) < _BATCH and found[-1] is not _END:
                found.append(lines.get_nowait())
        batch, error = [], None
        for item in found:
            if item is _END:
                is_open = False
            elif isinstance(item, Exception):
                is_open, error = False, item
            elif not item[1].strip() and not keep_empty:
                num_empty += 1
            else:
                try:
                    batch.append((item[0], _texts(item[1], form)))
                except ValueError as problem:
                    is_open, error = False, ValueError(f"{name}, line {item[0]}: {problem}")
                    break
        if batch:
            yield batch
        if error is not None:
            raise error
    if num_empty:
        logging.warning("%s: %d empty lines were passed over", name, num_empty)


def _name(source: str) -> str:
    return "standard input" if source == STANDARD_INPUT else source


def _fill(lines: queue.Queue, source: str) -> None:
    try:
        read = _standard_lines() if source == STANDARD_INPUT else read_lines(source)
        for numbered in enumerate(read, start=1):
            lines.put(numbered)
        lines.put(_END)
    except (ValueError, OSError) as error:
        lines.put(error)


def _standard_lines() -> Iterator[str]:
    for number, line in enumerate(_raw_standard_lines(), start=1):
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r")
        except UnicodeDecodeError as error:
            raise ValueError(
                f"standard input, line {number}: byte {error.start} is not UTF-8; convert the "
                "text, for example with iconv -f GB18030 -t UTF-8"
            ) from None


def _raw_standard_lines() -> Iterator[bytes]:
    """Lines without their ends.

    Not by `sys.stdin.buffer`: Python aborts where it ends while a thread waits in it for a line.
    """
    parts: list[bytes] = []
    while chunk := os.read(sys.stdin.fileno(), _CHUNK):
        first, *others = chunk.split(b"\n")
        parts.append(first)
        for part in others:
            yield b"".join(parts)
            parts = [part]
    if last := b"".join(parts):
        yield last


def _texts(line: str, form: str) -> Texts:
    """The texts of a line.

    >>> _texts("a\\tb", "lines"), _texts('["a\\\\tb", "c"]', "jsonl"), _texts('"a"', "jsonl")
    (('a', 'b'), ('a\\tb', 'c'), ('a',))
    """
    if form == "lines":
        return tuple(line.split("\t"))
    try:
        value = json.loads(line)
    except ValueError as error:
        raise ValueError(f"it is no JSON: {error}") from None
    texts = tuple(value) if isinstance(value, list) else (value,)
    if not texts or not all(isinstance(text, str) for text in texts):
        raise ValueError(
            f"{line[:60]} is neither a string nor a list of strings"
            + (_OBJECTS if isinstance(value, dict) else "")
        )
    return texts


def _answer(answer: Answerer, batch: Sequence[tuple[int, Texts]], name: str) -> Iterable[Answer]:
    try:
        return answer([texts for _, texts in batch])
    except ValueError:
        if len(batch) == 1:
            raise
    return _one_by_one(answer, batch, name)


def _one_by_one(
    answer: Answerer, batch: Sequence[tuple[int, Texts]], name: str
) -> Iterator[Answer]:
    """The answers up to the text that has none, and then the error, with its line."""
    for number, texts in batch:
        try:
            yield from answer([texts])
        except ValueError as error:
            raise ValueError(f"{name}, line {number}: {error}") from None


def _converse(answer: Answerer, write: Callable, form: str, prompt: str) -> None:
    """Answer a person, line by line, until the end of the input (Ctrl-D)."""
    with contextlib.suppress(ImportError):
        import readline  # noqa: F401  # input() then keeps a history, and moves the cursor
    while True:
        try:
            line = input(prompt)
        except EOFError:
            print()
            return
        if line.strip():
            try:
                write(answer([_texts(line, form)]))
            except ValueError as error:
                print(error)


@contextlib.contextmanager
def _output(path: str | None) -> Iterator[IO[str]]:
    if path is None:
        yield sys.stdout
    else:
        with atomic_write(path, "w") as file:
            yield file


def _writer(
    form: str, file: IO[str], show: Callable[[Answer], str]
) -> Callable[[Iterable[Answer]], None]:
    """Writes answers; the header of a table before the first."""
    has_header = False

    def write(answers: Iterable[Answer]) -> None:
        nonlocal has_header
        for each in answers:
            if form == "jsonl":
                print(json.dumps(each, ensure_ascii=False), file=file)
            elif form == "tsv":
                if not has_header:
                    print(*each, sep="\t", file=file)
                    has_header = True
                print(*map(_cell, each.values()), sep="\t", file=file)
            else:
                print(show(each), file=file)
        file.flush()

    return write


def _cell(value: Any) -> str:
    """A cell of a table; what has parts, or a tab or a line end, as JSON."""
    if isinstance(value, str) and not set(value) & set("\t\r\n"):
        return value
    return json.dumps(value, ensure_ascii=False)

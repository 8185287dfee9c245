"""Vectors of a stream of texts in one NumPy file, whose length is known only at the end."""

import io
from collections.abc import Callable, Sequence

import numpy as np

from albert_zh.serving.options import StreamOptions
from albert_zh.serving.streams import STANDARD_INPUT, Texts, read_batches
from albert_zh.util.files import atomic_write
from albert_zh.util.progress import Progress


def encode_to_array(
    options: StreamOptions, vectors: Callable[[Sequence[Texts]], np.ndarray]
) -> None:
    """Write the vectors of all texts as a .npy file `[N, D] float32`; memory does not grow.

    Row N belongs to line N: an empty line is a text without words.

    Args:
        options: The flags that name the texts and the file.
        vectors: `[B, D]` of some texts.

    Raises:
        ValueError: A line cannot be read; names it.
    """
    source = options.input_file or STANDARD_INPUT
    with (
        atomic_write(options.output_file, "wb") as file,
        Progress(description="encode", unit="text") as progress,
    ):
        count, width = 0, 0
        batches = read_batches(source, options.input_format, keep_empty=True)
        if options.text is not None:
            batches = iter([[(1, (options.text,))]])
        for batch in batches:
            found = vectors([texts for _, texts in batch])
            if not count:
                width = found.shape[1]
                file.write(_header(0, width))
            file.write(np.ascontiguousarray(found, np.float32).tobytes())
            count += len(found)
            progress.advance(len(found))
        if not count:
            raise ValueError(f"{source} has no text")
        file.seek(0)
        file.write(_header(count, width))


def _header(count: int, width: int) -> bytes:
    """The first bytes of the file; as many for any count, since NumPy leaves it room to grow."""
    buffer = io.BytesIO()
    facts = {"descr": "<f4", "fortran_order": False, "shape": (count, width)}
    np.lib.format.write_array_header_1_0(buffer, facts)
    return buffer.getvalue()

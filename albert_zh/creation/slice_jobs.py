"""First stage of building: workers turn corpus slices into sorted slices of records."""

import contextlib
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from albert_zh.corpus.duplicates import DuplicateFilter
from albert_zh.corpus.reading import CorpusReader
from albert_zh.corpus.slices import CorpusSlice, SliceSizes, slice_corpus
from albert_zh.creation.maker import RecordMaker
from albert_zh.creation.sorted_slices import SliceHeader, read_header, write_slice
from albert_zh.creation.work_directory import slice_path
from albert_zh.util.process_pool import run_jobs
from albert_zh.util.progress import Progress


def make_slices(
    reader: CorpusReader,
    maker: RecordMaker,
    directory: str,
    *,
    num_workers: int,
    sizes: SliceSizes,
    duplicates: DuplicateFilter,
) -> dict[str, SliceHeader]:
    """Make the records of all documents.

    Returns:
        The headers of the files by their paths, in the order of the corpus.
    """
    maker.load()  # Before the workers are forked: they share it.
    header_of: dict[int, SliceHeader] = {}
    position_after: dict[int, int] = {-1: 0}  # of the reader, by slice

    def jobs() -> Iterator[CorpusSlice]:
        for corpus_slice in slice_corpus(duplicates(reader), sizes):
            position_after[corpus_slice.number] = reader.position
            yield corpus_slice

    with _corpus_progress(reader) as advance:
        results = run_jobs(_SliceJob(maker, directory), jobs(), num_workers=num_workers)
        for number, header in results:
            header_of[number] = header
            advance(position_after[number] - position_after[number - 1], header)
    return {slice_path(directory, number): header_of[number] for number in sorted(header_of)}


@dataclass(frozen=True)
class _SliceJob:
    """The work on one corpus slice."""

    maker: RecordMaker
    directory: str

    def __call__(self, corpus_slice: CorpusSlice) -> tuple[int, SliceHeader]:
        path = slice_path(self.directory, corpus_slice.number)
        header, text = read_header(path), corpus_slice.fingerprint
        if header is None or header.text != text:
            result = self.maker(corpus_slice)
            header = write_slice(path, result.records, text=text, counts=result.counts)
        return corpus_slice.number, header


@contextlib.contextmanager
def _corpus_progress(reader: CorpusReader) -> Iterator[Callable[[int, SliceHeader], None]]:
    started, totals = time.monotonic(), Counter()
    with Progress(
        description="making instances", unit="B", total=reader.total, scaled=True
    ) as progress:

        def advance(num_bytes: int, header: SliceHeader) -> None:
            totals.update(header.counts)
            rate = totals["documents"] / max(1e-3, time.monotonic() - started)
            progress.advance(
                num_bytes, **{"documents/s": rate, "instances": f"{totals['instances']:,}"}
            )

        yield advance

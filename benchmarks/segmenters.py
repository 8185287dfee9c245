"""Compare the segmenters: their speed, and the share of words that agree with jieba's.

  python benchmarks/segmenters.py --input_file=corpus.txt

Words are compared with those of the package jieba, whose speed is shown too. In each round every
segmenter takes all lines in turn, on one core; the best round counts. The second table is of words
with a Chinese character alone: of a segmenter's words they are the ones that masking joins.
"""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from project import ROOT, cli

from albert_zh.flags import option
from albert_zh.text.encoding import has_chinese
from albert_zh.util.files import expand_patterns, read_lines
from albert_zh.words.jieba_segmenter import jieba_tokenizer
from albert_zh.words.segmenters import load_segmenter
from albert_zh.words.word_starts import Segmenter, Span

SAMPLE = ROOT / "data" / "news_zh_1.txt"
_ROUNDS = 3
_REFERENCE = "package jieba"
_COLUMNS = "{:<15}{:>14}{:>12}{:>14}{:>14}{:>14}"


@dataclass(frozen=True)
class BenchmarkOptions:
    """Flags of the comparison."""

    input_file: str = option(str(SAMPLE), "Text, UTF-8: a comma-separated list of files or globs.")


@dataclass(frozen=True)
class Measured:
    """One segmenter's words of every line, and the seconds they took."""

    spans: list[list[Span]]
    seconds: float

    @property
    def num_words(self) -> int:
        return sum(map(len, self.spans))


def main(options: BenchmarkOptions) -> None:
    lines = _lines(expand_patterns(options.input_file))
    segmenters = {_REFERENCE: _package_jieba()}
    segmenters |= {name: load_segmenter(name) for name in ("jieba", "rjieba")}
    measured = measure(segmenters, lines)
    characters = sum(map(len, lines))
    print(f"{len(lines):,} lines, {characters:,} characters")
    print_table(measured, characters=characters)
    print_table(
        {name: _with_chinese(one, lines) for name, one in measured.items()}, characters=characters
    )


def print_table(measured: Mapping[str, Measured], *, characters: int) -> None:
    print(_COLUMNS.format("", "characters/s", "words", "are jieba's", "of jieba's", "lines alike"))
    for name, one in measured.items():
        shares = agreement(one, measured[_REFERENCE])
        speed = characters / one.seconds
        print(_COLUMNS.format(name, f"{speed:,.0f}", f"{one.num_words:,}", *shares))


def measure(segmenters: Mapping[str, Segmenter], lines: Sequence[str]) -> dict[str, Measured]:
    seconds = dict.fromkeys(segmenters, math.inf)
    for _ in range(_ROUNDS):
        for name, segmenter in segmenters.items():
            started = time.process_time()
            for line in lines:
                segmenter(line)
            seconds[name] = min(seconds[name], time.process_time() - started)
    return {
        name: Measured([segmenter(line) for line in lines], seconds[name])
        for name, segmenter in segmenters.items()
    }


def agreement(one: Measured, reference: Measured) -> list[str]:
    """Shares of its words that are the reference's, of the reference's that are its, of lines."""
    pairs = list(zip(one.spans, reference.spans, strict=True))
    shared = sum(len(set(spans) & set(expected)) for spans, expected in pairs)
    alike = sum(spans == expected for spans, expected in pairs)
    parts = ((shared, one.num_words), (shared, reference.num_words), (alike, len(pairs)))
    return [f"{part / whole if whole else 1:.2%}" for part, whole in parts]


def _with_chinese(one: Measured, lines: Sequence[str]) -> Measured:
    spans = [
        [(start, end) for start, end in words if has_chinese(line[start:end])]
        for words, line in zip(one.spans, lines, strict=True)
    ]
    return Measured(spans, one.seconds)


def _package_jieba() -> Segmenter:
    tokenizer = jieba_tokenizer()
    return lambda text: [(start, end) for _, start, end in tokenizer.tokenize(text)]


def _lines(paths: Sequence[str]) -> list[str]:
    lines = [line.strip() for path in paths for line in read_lines(path)]
    lines = [line for line in lines if line]
    if not lines:
        raise ValueError(f"there is no text in {', '.join(paths)}")
    return lines


if __name__ == "__main__":
    cli.run(main, BenchmarkOptions)

"""Compare the segmenters: their speed, and the share of words that agree with jieba's.

  python benchmarks/segmenters.py --input_file=corpus.txt

Words are compared with those of the package jieba, whose speed is shown too. In each round, each
segmenter in turn segments all lines on one core; the best round counts. The second table is only
about words with a Chinese character, because masking joins the tokens of no other words.
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
class Segmentation:
    """Words of every line by one segmenter, and the seconds that it took."""

    spans: list[list[Span]]
    seconds: float

    @property
    def num_words(self) -> int:
        return sum(map(len, self.spans))


def main(options: BenchmarkOptions) -> None:
    lines = _lines(expand_patterns(options.input_file))
    segmenters = {_REFERENCE: _package_jieba()}
    segmenters |= {name: load_segmenter(name) for name in ("jieba", "rjieba")}
    results = measure(segmenters, lines)
    characters = sum(map(len, lines))
    print(f"{len(lines):,} lines, {characters:,} characters")
    print_table(results, characters=characters)
    chinese = {name: _only_chinese(result, lines) for name, result in results.items()}
    print_table(chinese, characters=characters)


def print_table(results: Mapping[str, Segmentation], *, characters: int) -> None:
    print(_COLUMNS.format("", "characters/s", "words", "precision", "recall", "equal lines"))
    for name, result in results.items():
        shares = agreement(result, results[_REFERENCE])
        speed = characters / result.seconds
        print(_COLUMNS.format(name, f"{speed:,.0f}", f"{result.num_words:,}", *shares))


def measure(segmenters: Mapping[str, Segmenter], lines: Sequence[str]) -> dict[str, Segmentation]:
    seconds = dict.fromkeys(segmenters, math.inf)
    for _ in range(_ROUNDS):
        for name, segmenter in segmenters.items():
            started = time.process_time()
            for line in lines:
                segmenter(line)
            seconds[name] = min(seconds[name], time.process_time() - started)
    return {
        name: Segmentation([segmenter(line) for line in lines], seconds[name])
        for name, segmenter in segmenters.items()
    }


def agreement(result: Segmentation, reference: Segmentation) -> list[str]:
    """Precision and recall of the words, and the share of lines with equal words."""
    pairs = list(zip(result.spans, reference.spans, strict=True))
    shared = sum(len(set(spans) & set(expected)) for spans, expected in pairs)
    equal = sum(spans == expected for spans, expected in pairs)
    parts = ((shared, result.num_words), (shared, reference.num_words), (equal, len(pairs)))
    return [f"{part / whole if whole else 1:.2%}" for part, whole in parts]


def _only_chinese(result: Segmentation, lines: Sequence[str]) -> Segmentation:
    """The words with a Chinese character."""
    spans = [
        [(start, end) for start, end in words if has_chinese(line[start:end])]
        for words, line in zip(result.spans, lines, strict=True)
    ]
    return Segmentation(spans, result.seconds)


def _package_jieba() -> Segmenter:
    tokenizer = jieba_tokenizer()
    return lambda text: [(start, end) for _, start, end in tokenizer.tokenize(text)]


def _lines(paths: Sequence[str]) -> list[str]:
    lines = [line.strip() for path in paths for line in read_lines(path)]
    lines = [line for line in lines if line]
    if not lines:
        raise ValueError(f"{', '.join(paths)}: no text")
    return lines


if __name__ == "__main__":
    cli.run(main, BenchmarkOptions)

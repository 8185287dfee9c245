"""Parts of a Markdown page: headings, tables, links, blocks of code."""

import dataclasses
import itertools
import pathlib
import re
import shlex

ROOT = pathlib.Path(__file__).parent.parent
CHINESE = ".zh.md"


@dataclasses.dataclass(frozen=True)
class Block:
    """A block of code."""

    language: str
    lines: tuple[str, ...]
    note: str | None  # of a comment before it: <!-- NOTE -->


@dataclasses.dataclass(frozen=True)
class Page:
    """A page without its prose."""

    path: pathlib.Path
    headings: tuple[tuple[int, str], ...]  # level and text
    tables: tuple[tuple[tuple[str, ...], ...], ...]  # cells of rows
    blocks: tuple[Block, ...]
    links: tuple[str, ...]

    @property
    def anchors(self) -> list[str]:
        """Names of its headings in addresses, as GitHub makes them."""
        kept = (re.sub(r"[^\w\- ]", "", text.lower()) for _, text in self.headings)
        return [text.replace(" ", "-") for text in kept]


def english_pages() -> list[pathlib.Path]:
    """The pages that people read in their language, from the root."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    return [path for path in pages if not path.name.endswith(CHINESE)]


def chinese(path: pathlib.Path) -> pathlib.Path:
    """The Chinese page that belongs to an English one."""
    return path.with_name(path.stem + CHINESE)


def read_page(path: pathlib.Path) -> Page:
    """Read a page."""
    headings, tables, blocks, prose, note = [], [], [], [], None
    lines = iter(path.read_text(encoding="utf-8").splitlines())
    was_row = False
    for line in lines:
        if line.lstrip().startswith("```"):
            inside = list(itertools.takewhile(lambda each: each.strip() != "```", lines))
            blocks.append(Block(line.strip()[3:], tuple(inside), note))
            note, was_row = None, False
            continue
        if found := re.fullmatch(r"<!-- (.*) -->", line):
            note = found[1]
        elif line.startswith("#"):
            level = len(line) - len(line.lstrip("#"))
            headings.append((level, line[level:].strip()))
        elif line.startswith("|"):
            assert line.endswith("|"), line
            cells = tuple(cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1])
            if was_row:
                tables[-1].append(cells)
            else:
                tables.append([cells])
        was_row = line.startswith("|")
        prose.append(line)
    text = "\n".join(prose)
    assert not re.search(r"\]\[|^\[[^]]+\]:", text, re.MULTILINE), "write [text](address)"
    links = re.findall(r"\]\(([^)\s]+)", text)
    return Page(path, tuple(headings), tuple(map(tuple, tables)), tuple(blocks), tuple(links))


def without_comment(line: str) -> str:
    """A line of a script without what stands behind #."""
    return re.sub(r"(^|\s)#.*", "", line).rstrip()


def code_of(cell: str) -> list[str]:
    """What a text holds between backticks."""
    return re.findall(r"`([^`]+)`", cell)


def numbers_of(cell: str) -> list[str]:
    """Numbers of a text with units in Latin letters, sorted; not those in Chinese characters.

    >>> numbers_of("167 MB and 1.4 s, 3 words, 98 %")
    ['1.4', '167MB', '3', '98%']
    """
    found = re.findall(r"(\d[\d.,:]*\d|\d)(?: ?([KMG]i?B|[KMG]|ms|%|[GT]FLOP)(?![A-Za-z]))?", cell)
    return sorted(map("".join, found))


def commands_of(block: Block) -> list[str]:
    """The commands of a script, each in one line without its comment."""
    joined = "\n".join(map(without_comment, block.lines)).replace("\\\n", " ")
    return [re.sub(r"\s+", " ", line).strip() for line in joined.splitlines() if line.strip()]


def script_of(command: str) -> tuple[str, list[str]] | None:
    """The script of ours and its arguments that a command runs; None if it runs something else."""
    words = shlex.split(command.removesuffix("&"))
    if words[0] == "nohup":
        words = words[1:]
    if words[0] not in ("python3", "$PYTHON"):
        return None
    if words[1] == "scripts/launch_local.py":
        words = words[3:]  # behind -n 2
    return words[1], words[2:]

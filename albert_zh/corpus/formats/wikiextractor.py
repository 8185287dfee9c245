"""Output of WikiExtractor: one element a document, its title on the first line.

```
<doc id="1" url="..." title="春">⏎春⏎⏎春天来了。⏎⏎花开了。⏎</doc>⏎      [春 春天来了。 花开了。]
```
"""

import html
import re
from collections.abc import Iterable, Iterator

from albert_zh.corpus.formats.format import BadText, ReadContext, Skip
from albert_zh.corpus.formats.joining import join_lines
from albert_zh.corpus.formats.text import text_lines
from albert_zh.corpus.streams import TextStream

_BEGIN = re.compile(r"<doc\s.*(?<!</doc)>")  # A title may hold a >.
_END = "</doc>"
_QUOTED = 20  # characters of a line in a message


def read_wikiextractor(stream: TextStream, context: ReadContext) -> Iterator[list[str]]:
    """Documents of a file that WikiExtractor wrote.

    Text outside the elements, an element without end and a file without any are bad text.
    """
    lines = _lines_of_documents(text_lines(stream, context), stream.name, context.skip)
    return join_lines(lines, context.counts)


def _lines_of_documents(groups: Iterable[list[str]], name: str, skip: Skip) -> Iterator[list[str]]:
    """The lines with a blank one at each border of documents, and no other.

    >>> list(_lines_of_documents([['<doc id="1">', "春", "", "1 &lt; 2", "</doc>"]], "a", print))
    [['', '春', '1 < 2', '']]
    """
    has_elements = is_inside = False
    for group in groups:
        kept = []
        for line in filter(None, group):
            if _BEGIN.fullmatch(line):
                if is_inside:
                    skip(_without_end(name))
                has_elements = is_inside = True
                kept.append("")
            elif line == _END and is_inside:
                is_inside = False
                kept.append("")
            elif is_inside:
                kept.append(html.unescape(line).strip())
            elif has_elements:
                problem = f"{name}: {line[:_QUOTED]!r} is outside the elements <doc ...>"
                skip(BadText(f"{problem}; {_REPAIR}", "lines_outside_doc"))
            else:
                problem = f"{name} does not begin with an element <doc ...> of WikiExtractor"
                raise BadText(f"{problem}; leave out --input_format", "files_without_doc")
        yield kept
    if is_inside:
        skip(_without_end(name))


_REPAIR = "get the file again or repair it, or leave out such text with --on_bad_text=skip"


def _without_end(name: str) -> BadText:
    problem = f"{name}: </doc> is missing after the last line of a document; {_REPAIR}"
    return BadText(problem, "documents_without_end")

"""Output of WikiExtractor: one element a document, its title on the first line.

```
<doc id="1" url="..." title="春">⏎春⏎⏎春天来了。⏎⏎花开了。⏎</doc>⏎      [春 春天来了。 花开了。]
```
"""

import html
import re
from collections.abc import Iterable, Iterator

from albert_zh.corpus.formats.format import ReadContext
from albert_zh.corpus.formats.joining import join_lines
from albert_zh.corpus.formats.text import text_lines
from albert_zh.corpus.streams import TextStream

_BORDER = re.compile(r"<doc\s.*>|</doc>")


def read_wikiextractor(stream: TextStream, context: ReadContext) -> Iterator[list[str]]:
    """Documents of a file that WikiExtractor wrote."""
    return join_lines(map(_lines_of_documents, text_lines(stream, context)), context.counts)


def _lines_of_documents(lines: Iterable[str]) -> list[str]:
    """The lines with a blank one at each border of documents, and no other.

    >>> _lines_of_documents(['<doc id="1">', "春", "", "1 &lt; 2", "</doc>"])
    ['', '春', '1 < 2', '']
    """
    return [
        "" if _BORDER.fullmatch(line) else html.unescape(line).strip() for line in lines if line
    ]

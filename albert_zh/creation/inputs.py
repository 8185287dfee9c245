"""Input files of a run, without what this program wrote among them.

```
corpus/  a.txt  b.jsonl  records.tfrecord  manifest.json  records.tfrecord.unfinished/
         a.txt  b.jsonl                                                              are read
```
Without this rule, a corpus folder that also takes the records could be used only once: the next
run, or the run that resumes, would read the records as text.
"""

import functools
import os

from albert_zh.corpus.paths import expand_inputs
from albert_zh.creation.outputs import Outputs
from albert_zh.creation.work_directory import is_work_directory
from albert_zh.records.manifest import MANIFEST, RecordSet, read_manifest


def find_inputs(patterns: str, outputs: Outputs | None = None) -> list[str]:
    """Expand a list of input files, see `expand_inputs`, and leave out records.

    Args:
        patterns: The list.
        outputs: The records that are to be written.
    """

    @functools.cache
    def record_sets(directory: str) -> list[RecordSet]:
        try:
            return read_manifest(directory)
        except ValueError:
            return []  # Another program has a file of the same name.

    def is_output(path: str) -> bool:
        directory, name = os.path.split(os.path.abspath(path))
        if outputs and directory == outputs.directory and outputs.owns(name):
            return True
        if os.path.isdir(path):
            return is_work_directory(path)
        sets = record_sets(directory)
        return bool(sets) and (name == MANIFEST or any(each.shard(name) for each in sets))

    return expand_inputs(patterns, is_output=is_output)

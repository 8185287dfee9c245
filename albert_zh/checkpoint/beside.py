"""Files of a model that lie beside its checkpoint, so that they need not be named.

```
models/albert_tiny/   albert_model.ckpt.*   albert_config.json        vocab.txt
albert_tiny_zh/       albert_model.ckpt.*   albert_config_tiny.json   vocab.txt
google, Chinese       model.ckpt-best.*     albert_config.json        vocab_chinese.txt
google, English       model.ckpt-best.*     albert_config.json        30k-clean.model
```
"""

import fnmatch
import os

_CONFIGURATIONS = "albert_config*.json"
# Names of vocabularies, by flag: ours and google's. The first that is there is meant.
_VOCABULARIES = (
    ("spm_model_file", "spm.model"),
    ("vocab_file", "vocab.txt"),
    ("vocab_file", "vocab_chinese.txt"),
    ("spm_model_file", "30k-clean.model"),
)


def files_beside(checkpoint: str) -> dict[str, str]:
    """Flags, and the files for them: `bert_config_file`, `vocab_file` or `spm_model_file`.

    What is not there, or not sure, is left out.

    Args:
        checkpoint: A checkpoint, or its folder.
    """
    folder = _folder(checkpoint)
    names = _names(folder)
    configurations = fnmatch.filter(names, _CONFIGURATIONS)
    if "albert_config.json" in names:
        configurations = ["albert_config.json"]
    files = {}
    if len(configurations) == 1:
        files["bert_config_file"] = configurations[0]
    for flag, name in _VOCABULARIES:
        if name in names:
            files[flag] = name
            break
    return {flag: os.path.join(folder, name) for flag, name in files.items()}


def files_in(directory: str) -> dict[str, str]:
    """The same in a directory, which may be new: then there are none."""
    return files_beside(os.path.join(directory, ""))


def known_files(output_dir: str, init_checkpoint: str | None) -> dict[str, str]:
    """Files of the model of a run: those in its directory, else those beside its first checkpoint.

    Configuration and vocabulary are looked for one by one; a kill may have left one alone.

    Args:
        output_dir: Directory of the run, which may be new.
        init_checkpoint: A checkpoint, or its folder.
    """
    own = files_in(output_dir)
    initial = files_beside(init_checkpoint) if init_checkpoint else {}
    kinds = {flag for flag, _ in _VOCABULARIES}
    if own.keys() & kinds:  # A model has one vocabulary, of either kind.
        initial = {flag: path for flag, path in initial.items() if flag not in kinds}
    return initial | own


def vocabularies_beside(checkpoint: str) -> list[str]:
    """All vocabulary files of usual names beside a checkpoint, or in its folder.

    Beside a SentencePiece model, too, where `files_beside` names the model alone.
    """
    folder = _folder(checkpoint)
    names = _names(folder)
    usual = [name for flag, name in _VOCABULARIES if flag == "vocab_file"]
    return [os.path.join(folder, name) for name in usual if name in names]


# Object stores need TensorFlow, which takes seconds to import.


def _folder(checkpoint: str) -> str:
    return checkpoint if _is_folder(checkpoint) else os.path.dirname(checkpoint)


def _is_folder(path: str) -> bool:
    if "://" not in path:
        return os.path.isdir(path)
    import tensorflow as tf

    return tf.io.gfile.isdir(path)


def _names(folder: str) -> list[str]:
    if not _is_folder(folder or "."):
        return []
    if "://" not in folder:
        return os.listdir(folder or ".")
    import tensorflow as tf

    return tf.io.gfile.listdir(folder)

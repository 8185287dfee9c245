"""Published models: their table, and their archives, good and hostile ones."""

import io
import pathlib
import re
import stat
import subprocess
import sys
import tarfile
import zipfile

import pytest

from albert_zh.checkpoint.beside import files_beside
from albert_zh.checkpoint.paths import find_checkpoint
from albert_zh.config import ModelConfig
from albert_zh.download.datasets import download_dataset
from albert_zh.download.listing import list_models
from albert_zh.download.models import MODELS, download_model, find_model, flags_for

ROOT = pathlib.Path(__file__).parent.parent

# Files of archives as users of them list them, or name them in commands.
SMALL = {
    "albert_small_zh_google/albert_config_small_google.json": b"{}",
    "albert_small_zh_google/albert_model.ckpt.data-00000-of-00001": b"weights",
    "albert_small_zh_google/albert_model.ckpt.index": b"index",
    "albert_small_zh_google/albert_model.ckpt.meta": b"graph",
    "albert_small_zh_google/checkpoint": b"note",
    "albert_small_zh_google/vocab.txt": b"[PAD]",
}
GOOGLE_CHINESE = {
    "albert_base/albert_config.json": b"{}",
    "albert_base/model.ckpt-best.data-00000-of-00001": b"weights",
    "albert_base/model.ckpt-best.index": b"index",
    "albert_base/model.ckpt-best.meta": b"graph",
    "albert_base/vocab_chinese.txt": b"[PAD]",
}
GOOGLE_ENGLISH = {
    **GOOGLE_CHINESE,
    "albert_base/30k-clean.model": b"pieces",
    "albert_base/30k-clean.vocab": b"pieces",
}
del GOOGLE_ENGLISH["albert_base/vocab_chinese.txt"]


def zip_of(files: dict[str, bytes], *, modes: dict[str, int] | None = None) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = (modes or {}).get(name, stat.S_IFREG | 0o644) << 16
            archive.writestr(info, data)
    return content.getvalue()


def tar_of(files: dict[str, bytes], *, types: dict[str, bytes] | None = None, mode="w:gz") -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode=mode) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.type = (types or {}).get(name, tarfile.REGTYPE)
            if info.type == tarfile.REGTYPE:
                info.size = len(data)
            else:
                info.linkname = data.decode()
            archive.addfile(info, io.BytesIO(data))
    return content.getvalue()


def download(tmp_path: pathlib.Path, model: str, content: bytes) -> pathlib.Path:
    """Make the folder of a model from an archive with this content."""
    (tmp_path / "archive").write_bytes(content)
    folder = tmp_path / "models" / "new"
    download_model(model, folder=str(folder), url=str(tmp_path / "archive"))
    return folder


@pytest.mark.parametrize(
    ("model", "files", "flags"),
    [
        (
            "albert_small_zh_google",
            SMALL,
            "--init_checkpoint={0}/albert_model.ckpt "
            "--bert_config_file={0}/albert_config_small_google.json --vocab_file={0}/vocab.txt",
        ),
        (
            "google_albert_base_zh",
            GOOGLE_CHINESE,
            "--init_checkpoint={0}/model.ckpt-best --bert_config_file={0}/albert_config.json "
            "--vocab_file={0}/vocab_chinese.txt",
        ),
        (
            "albert_base_v1",
            GOOGLE_ENGLISH,
            "--init_checkpoint={0}/model.ckpt-best --bert_config_file={0}/albert_config.json "
            "--spm_model_file={0}/30k-clean.model",
        ),
    ],
)
@pytest.mark.parametrize("pack", [zip_of, tar_of, lambda files: tar_of(files, mode="w")])
def test_files_of_a_model_are_found_whatever_their_names(tmp_path, model, files, flags, pack):
    folder = download(tmp_path, model, pack(files))
    assert flags_for(str(folder)) == flags.format(folder)
    given = dict(flag.removeprefix("--").split("=") for flag in flags.format(folder).split())
    # Other scripts need only the folder.
    assert find_checkpoint(str(folder)) == given.pop("init_checkpoint")
    assert files_beside(str(folder)) == given
    assert len(list(folder.iterdir())) == 4
    assert [path.name for path in folder.parent.iterdir()] == ["new"]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (zip_of({**SMALL, "../vocab.txt": b"x"}), r"the path '\.\./vocab\.txt', which leads out"),
        (zip_of({**SMALL, "a/../../x": b"x"}), "which leads out of its folder"),
        (zip_of({**SMALL, "/etc/x": b"x"}), "which leads out of its folder"),
        (zip_of({**SMALL, "C:/x": b"x"}), "which leads out of its folder"),
        (zip_of({**SMALL, "..\\x": b"x"}), "which leads out of its folder"),
        (tar_of({**SMALL, "../vocab.txt": b"x"}), "which leads out of its folder"),
        (tar_of({**SMALL, "/etc/x": b"x"}), "which leads out of its folder"),
        (
            zip_of({**SMALL, "link": b"/etc/passwd"}, modes={"link": stat.S_IFLNK | 0o777}),
            "holds the link 'link'; files are expected",
        ),
        (
            zip_of({**SMALL, "pipe": b""}, modes={"pipe": stat.S_IFIFO | 0o644}),
            "holds the special file 'pipe'",
        ),
        (
            tar_of({**SMALL, "a/vocab.txt": b"/etc/passwd"}, types={"a/vocab.txt": b"2"}),
            "holds the link 'a/vocab.txt'",
        ),
        (tar_of({**SMALL, "hard": b"/etc/passwd"}, types={"hard": b"1"}), "holds the link 'hard'"),
        (tar_of({**SMALL, "device": b""}, types={"device": b"3"}), "holds the special file"),
        (tar_of({**SMALL, "pipe": b""}, types={"pipe": b"6"}), "holds the special file 'pipe'"),
        (zip_of({**SMALL, "b/vocab.txt": b"x"}), "holds several files vocab.txt"),
        (zip_of({}), r"holds 0 files \*config\*\.json"),
        (tar_of({}), r"holds 0 files \*config\*\.json"),
        (zip_of({**SMALL, "albert_small_zh_google/vocab.txt": b""}), "vocab.txt is empty"),
        (tar_of(SMALL)[:-1], "is not a complete tar.gz archive"),
        (tar_of(SMALL)[:-100], "is not a complete tar.gz archive"),
        (tar_of(SMALL)[:-8] + bytes(8), "is not a complete tar.gz archive"),
        (tar_of(SMALL, mode="w")[:600], "is not a complete tar archive"),
        (zip_of(SMALL)[:-1], "is not a complete zip archive"),
        (b"<!DOCTYPE html><html>quota exceeded</html>", "is a page for a browser"),
        (b"\n<HTML>", "is a page for a browser"),
        (b"", "is neither a zip nor a tar.gz archive"),
        (b"\x7fELF", "is neither a zip nor a tar.gz archive"),
    ],
    # A tar.gz holds the time at which it was made; processes have to agree on the names of tests.
    ids=lambda value: value if isinstance(value, str) else "archive",
)
def test_bad_archives_leave_nothing_behind(tmp_path, content, complaint):
    (tmp_path / "models").mkdir()
    with pytest.raises(ValueError, match=complaint) as caught:
        download(tmp_path, "albert_small_zh_google", content)
    assert str(caught.value).endswith("; nothing was kept")
    assert not list((tmp_path / "models").iterdir())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["archive", "models"]


def test_archive_with_backslashes_is_unpacked_as_if_they_were_slashes(tmp_path):
    files = {name.replace("/", "\\"): content for name, content in SMALL.items()}
    folder = download(tmp_path, "albert_small_zh_google", zip_of({**files, "empty\\": b""}))
    assert (folder / "vocab.txt").read_bytes() == b"[PAD]"
    assert len(list(folder.iterdir())) == 4


def test_archive_with_a_password_is_refused(tmp_path):
    content = bytearray(zip_of(SMALL))
    for place in (match.start() for match in re.finditer(rb"PK\x03\x04|PK\x01\x02", content)):
        content[place + (6 if content[place + 2] == 3 else 8)] |= 1  # bit for encryption
    with pytest.raises(ValueError, match=r"cannot be unpacked here \(.*password"):
        download(tmp_path, "albert_small_zh_google", bytes(content))


def test_another_model_than_the_published_one_is_refused(tmp_path):
    with pytest.raises(ValueError, match="has 6 bytes, the published one 760,289; nothing"):
        download(tmp_path, "albert_base_v2", tar_of(GOOGLE_ENGLISH))


def test_readme_has_the_table_of_the_models():
    assert list_models() in (ROOT / "README.md").read_text(encoding="utf-8")


def test_list_needs_no_other_flag():
    script = ROOT / "scripts" / "download.py"
    done = subprocess.run([sys.executable, script, "--list"], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == (f"{list_models()}\n", "")


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_rows_name_an_archive_and_a_configuration_of_their_lineage(model):
    assert re.fullmatch(
        r"https://storage\.googleapis\.com/(albert_zh/\w+\.zip|albert_models/\w+\.tar\.gz)",
        model.url,
    )
    path = ROOT / "albert_config" / model.config
    assert ModelConfig.from_json_file(str(path)).lineage == model.lineage


def test_every_archive_has_one_name():
    assert len({model.url for model in MODELS.values()}) == len(MODELS)


def test_unknown_model_proposes_near_names():
    with pytest.raises(ValueError, match="unknown model 'albert_base_v3'; did you mean"):
        find_model("albert_base_v3")
    with pytest.raises(ValueError, match="unknown model 'bert'; --list shows all"):
        find_model("bert")


def test_task_without_published_files_says_so():
    with pytest.raises(ValueError, match="sentence_pair has no published files"):
        download_dataset("sentence_pair", folder="x")

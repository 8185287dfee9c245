"""models/albert_tiny: the files are whole, and the model knows Chinese."""

import json
import pathlib
import re

import pytest
from small_pretraining import create_records, history

import albert_zh
from albert_zh.checkpoint.checksums import check_checksums
from albert_zh.checkpoint.paths import find_checkpoint
from albert_zh.config import ModelConfig
from albert_zh.pretraining.options import PretrainingOptions
from albert_zh.pretraining.run import pretrain
from albert_zh.text.vocab import Vocab

ROOT = pathlib.Path(__file__).parent.parent
MODEL = ROOT / "models" / "albert_tiny"


def test_files_are_those_of_the_checksums_and_small():
    check_checksums(str(MODEL))
    assert find_checkpoint(str(MODEL)) == str(MODEL / "albert_model.ckpt")
    assert sum(path.stat().st_size for path in MODEL.iterdir()) < 10e6


def test_it_has_the_published_sizes_and_our_vocabulary():
    theirs = json.loads((ROOT / "albert_config" / "albert_config_tiny.json").read_text())
    ours = ModelConfig.from_json_file(str(MODEL / "albert_config.json"))
    assert ours == ModelConfig.from_dict(theirs)
    vocabularies = (
        Vocab.load(str(folder / "vocab.txt")) for folder in (MODEL, ROOT / "albert_config")
    )
    assert len({vocabulary.fingerprint for vocabulary in vocabularies}) == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [("这个问题我不[MASK]道怎么回答。", "知"), ("今天天气很[MASK]，我们去公园散步吧。", "好")],
)
def test_it_fills_in_what_people_would(text, expected):
    model = albert_zh.load(str(MODEL))
    ((candidates,),) = model.fill([text], top_k=1)
    assert [each.token for each in candidates] == [expected]


@pytest.mark.parametrize("place", [100, 300, 490])
def test_it_reads_as_well_at_every_position(place):
    model = albert_zh.load(str(MODEL))
    news = (ROOT / "data" / "news_zh_1.txt").read_text(encoding="utf-8")
    before = "".join(re.findall("[\u4e00-\u9fff，。]", news))[:place]
    ((candidates,),) = model.fill([f"{before}。这个问题我不[MASK]道怎么回答。"], top_k=1)
    assert candidates[0].token == "知"
    assert candidates[0].probability > 0.9


def test_pretraining_goes_on_with_nothing_but_its_folder(tmp_path):
    news, vocab = str(ROOT / "data" / "news_zh_1.txt"), str(MODEL / "vocab.txt")
    lengths = {"max_seq_length": 64, "max_predictions_per_seq": 10}
    records = create_records(news, vocab, str(tmp_path / "news.tfrecord"), **lengths)
    pretrain(
        PretrainingOptions(
            init_checkpoint=str(MODEL),
            input_file=records,
            eval_input_file=records,
            output_dir=str(tmp_path / "out"),
            do_train=True,
            train_batch_size=4,
            num_train_steps=1,
            num_warmup_steps=0,
            eval_batch_size=32,
            max_eval_steps=3,
            peak_flops=1e12,
        )
    )
    before, *_ = history(tmp_path / "out")
    assert before["step"] == 0
    assert before["validation_masked_lm_accuracy_mask"] > 0.15  # text that it never saw
    assert before["validation_masked_lm_loss"] < 5

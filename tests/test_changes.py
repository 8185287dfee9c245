"""scripts/test_changes.py: the three changes of ALBERT, by numbers."""

import re

import small
from processes import run_script

SCRIPT = "scripts/test_changes.py"


def test_numbers_are_those_of_the_formulas(tmp_path):
    sizes = {"vocab_size": 21128, "embedding_size": 8, "hidden_size": 32, "num_hidden_layers": 3}
    config = small.write_config(tmp_path, **sizes, intermediate_size=64, num_attention_heads=2)
    done = run_script(SCRIPT, f"--bert_config_file={config}")
    assert done.returncode == 0, done.stderr
    # 4 kernels of attention, 2 of the feed-forward network, their biases and 2 normalisations.
    layer = 4 * (32 * 32 + 32) + 32 * 64 + 64 + 64 * 32 + 32 + 4 * 32
    found = re.findall(r"([\d,]{4,})(?: parameters|  [\d.]+ times)", done.stdout)
    counts = [int(each.replace(",", "")) for each in found]
    assert counts == [21128 * 32, 21128 * 8 + 8 * 32 + 32, 3 * layer, layer]
    told = [int(each) for each in re.findall(r"alone tell (\d+) %", done.stdout)]
    assert told[0] > told[1] + 3
    assert told[1] <= 53


def test_text_without_pairs_is_refused(tmp_path):
    text = tmp_path / "text.txt"
    for content, message in (
        ("春天来了。\n", "has 1 documents"),
        ("春。\n\n夏。\n", "two sentences"),
    ):
        text.write_text(content, "utf-8")
        done = run_script(SCRIPT, f"--input_file={text}")
        assert (done.returncode, message in done.stderr) == (1, True), done.stderr
    missing = run_script(SCRIPT, f"--input_file={tmp_path}/nothing")
    assert "there is no such file" in missing.stderr

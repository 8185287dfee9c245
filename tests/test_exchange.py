"""Exchange with transformers: names, layouts, outputs, round trips, damaged and foreign folders.

Where TRANSFORMERS_PYTHON names a Python with torch and transformers, its outputs are compared.
"""

import builtins
import json
import os
import pathlib
import subprocess

import numpy as np
import pytest
import safetensors.numpy
from goldens import GoldenCase
from processes import run_script
from test_tokenizers import train as train_sentencepiece
from tokenizers import Tokenizer

from albert_zh.checkpoint.files import read_arrays, read_shapes, write_checkpoint
from albert_zh.checkpoint.meta import CheckpointMeta, TaskMeta
from albert_zh.checkpoint.vocabulary_check import vocabulary_identity
from albert_zh.config import ModelConfig, Pooling
from albert_zh.exchange import google_form, mindspore_file, unigram_file
from albert_zh.exchange.architectures import ARCHITECTURES, architecture_of_pretrained
from albert_zh.exchange.from_transformers import import_folder as import_options
from albert_zh.exchange.from_transformers import read_model
from albert_zh.exchange.messages import message_class
from albert_zh.exchange.names import encoder_pairs, to_theirs
from albert_zh.exchange.options import FromTransformersOptions
from albert_zh.exchange.to_transformers import write_folder
from albert_zh.export.check import largest_differences, varied_batches
from albert_zh.export.formats import transformers as transformers_format
from albert_zh.export.options import ToTransformersOptions
from albert_zh.export.source import inputs_of, load_source
from albert_zh.inference.kinds import KIND_MODELS
from albert_zh.model.heads.pretraining import PretrainingModel
from albert_zh.model.scope import named_variables
from albert_zh.text.sentencepieces import SentencePieceTokenizer
from albert_zh.text.vocab import Vocab

PYTHON = os.environ.get("TRANSFORMERS_PYTHON")
LABELS = {
    "classification": ("no", "perhaps", "yes"),
    "regression": (),
    "tagging": ("LOC", "PER"),
    "reading": (),
    "choice": ("0", "1"),
}
CASES = ("google", "brightmart_postln", "google_fast_groups2", "google_groups2_inner2")


def small_config(lineage="google", **changes) -> ModelConfig:
    values = {
        "vocab_size": 60,
        "embedding_size": 8,
        "hidden_size": 32,
        "num_hidden_layers": 3,
        "num_attention_heads": 2,
        "intermediate_size": 48,
        "max_position_embeddings": 40,
        "initializer_range": 0.3,  # lively outputs
    }
    return ModelConfig(**{**values, "lineage": lineage, **changes})


def write_model(
    directory,
    config,
    *,
    kind=None,
    pooling=Pooling.POOLED,
    model=None,
    seed=3,
    num_texts=None,
    labels=None,
    vocab_file=None,
) -> str:
    """A checkpoint of a random model, biases and scales included, and its vocabulary.

    Without `vocab_file` it is made up: special tokens, and Chinese characters in their order.
    """
    directory = pathlib.Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    entries = special + [chr(0x4E00 + number) for number in range(config.vocab_size - 5)]
    if vocab_file:
        entries = Vocab.load(vocab_file).tokens
    (directory / "vocab.txt").write_text("\n".join(entries) + "\n", encoding="utf-8")
    task = None
    if kind:
        task = TaskMeta(
            "task", labels or LABELS[kind], 24, pooling, True, kind=kind, num_texts=num_texts
        )
        model = KIND_MODELS[kind].build(config, task, seed=seed)
    model = model or PretrainingModel(config, seed=seed)
    random = np.random.default_rng(seed)
    arrays = {
        name: variable.numpy() + (0.1 * random.normal(size=variable.shape)).astype(np.float32)
        for name, variable in named_variables(model).items()
    }
    vocabulary = vocabulary_identity(Vocab(tuple(entries)))
    meta = CheckpointMeta(config=config, vocabulary=vocabulary, task=task)
    write_checkpoint(str(directory / "model.ckpt"), arrays, meta.to_json())
    return str(directory)


def write_theirs(run, folder):
    os.makedirs(folder)
    write_folder(load_source(run), str(folder))
    return str(folder)


def import_folder(folder, output_dir):
    return import_options(FromTransformersOptions(model_dir=folder, output_dir=output_dir))


def outputs_of(run):
    source = load_source(run)
    batches = varied_batches(source.config, inputs_of(source.functions(source.model)))
    return batches, [source.outputs(batch) for batch in batches]


def read_back(folder):
    return transformers_format.load(str(folder))


# --- outputs ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [None, *LABELS])
@pytest.mark.parametrize("lineage", ["google", "brightmart", "google_fast"])
def test_folder_read_back_gives_the_outputs_of_the_checkpoint(lineage, kind, tmp_path):
    run = write_model(tmp_path / "run", small_config(lineage), kind=kind)
    batches, expected = outputs_of(run)
    differences = largest_differences(
        batches, expected, read_back(write_theirs(run, tmp_path / "theirs"))
    )
    assert max(differences.values()) < 1e-5, differences


@pytest.mark.skipif(not PYTHON, reason="TRANSFORMERS_PYTHON names no Python with transformers")
@pytest.mark.parametrize("kind", [None, *LABELS])
@pytest.mark.parametrize("lineage", ["google", "brightmart", "google_fast"])
def test_outputs_equal_those_of_transformers_both_ways(lineage, kind, tmp_path):
    run = write_model(tmp_path / "run", small_config(lineage), kind=kind)
    source = load_source(run)
    batch = varied_batches(source.config, inputs_of(source.functions(source.model)))[2]
    theirs = their_outputs(write_theirs(run, tmp_path / "theirs"), batch, tmp_path, again="again")
    if kind is None:  # Theirs are scores of all tokens.
        rows = np.arange(len(batch["input_ids"]))[:, None]
        chosen = theirs["prediction_logits"][rows, batch["masked_lm_positions"]]
        theirs = {**theirs, "masked_lm_logits": chosen}
    names_of = {"regression": {"values": "logits"}, "tagging": {"tag_logits": "logits"}}
    compared = set()
    for import_first in (False, True):
        if import_first:  # what transformers wrote, as a model here
            import_folder(str(tmp_path / "again"), str(tmp_path / "back"))
            source = load_source(str(tmp_path / "back"))
        for name, value in source.outputs(batch).items():
            name = names_of.get(kind, {}).get(name, name)
            if name in theirs:
                expected = theirs[name].reshape(value.shape)
                np.testing.assert_allclose(value, expected, atol=1e-5, rtol=1e-5, err_msg=name)
                compared.add((import_first, name))
    heads = {"logits", "start_logits", "masked_lm_logits"}
    assert {first for first, name in compared if name in heads} == {False, True}


def their_outputs(folder, batch, tmp_path, *, again):
    np.savez(tmp_path / "inputs.npz", **batch)
    script = pathlib.Path(__file__).parent / "transformers_outputs.py"
    paths = [folder, tmp_path / "inputs.npz", tmp_path / "outputs.npz", tmp_path / again]
    subprocess.run([PYTHON, script, *map(str, paths)], check=True, timeout=300)
    with np.load(tmp_path / "outputs.npz") as arrays:
        return dict(arrays)


@pytest.mark.parametrize("case_name", CASES)
def test_published_weights_keep_their_outputs(case_name, tmp_path):
    case = GoldenCase(case_name)
    model = PretrainingModel(case.config)
    run = write_model(tmp_path / "run", case.config, model=model)
    batches, expected = outputs_of(run)
    differences = largest_differences(
        batches, expected, read_back(write_theirs(run, tmp_path / "theirs"))
    )
    assert max(differences.values()) < 1e-5, differences


# --- names and layouts --------------------------------------------------------------------------


def published(name):
    with open(pathlib.Path(__file__).parent / "published_names.json", encoding="utf-8") as file:
        return json.load(file)[name]["weights"]


with open(pathlib.Path(__file__).parent / "published_names.json", encoding="utf-8") as file:
    PUBLISHED = list(json.load(file))


def config_for(stored) -> ModelConfig:
    """A configuration for published names and shapes, as far as they depend on it."""
    words = stored["bert/embeddings/word_embeddings"]
    lineage = "brightmart" if "bert/embeddings/word_embeddings_2" in stored else "google"
    hidden = stored["bert/pooler/dense/bias"][0]
    inner = next(
        shape for name, shape in stored.items() if name.endswith("intermediate/dense/bias")
    )
    return small_config(
        lineage,
        vocab_size=words[0],
        embedding_size=words[1],
        hidden_size=hidden,
        num_attention_heads=1,
        intermediate_size=inner[0],
    )


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_layout_converts_without_a_name_left_over(name):
    stored = published(name)
    config = config_for(stored)
    arrays = {each: np.zeros(shape, np.float32) for each, shape in stored.items()}
    google = google_form.to_google_form(arrays, config)
    architecture = architecture_of_pretrained(google)
    if "output_weights" in google:
        architecture = ARCHITECTURES["AlbertForSequenceClassification"]
    pairs = architecture.pairs(google_form.google_config(config))
    assert {pair.ours for pair in pairs} == set(google)
    assert len(to_theirs(google, pairs)) == len(pairs)


def test_names_and_layouts_are_those_of_transformers(tmp_path):
    folder = write_theirs(write_model(tmp_path / "run", small_config()), tmp_path / "theirs")
    tensors = safetensors.numpy.load_file(os.path.join(folder, "model.safetensors"))
    layer = "albert.encoder.albert_layer_groups.0.albert_layers.0."
    dense = {
        "albert.encoder.embedding_hidden_mapping_in": (32, 8),
        "albert.pooler": (32, 32),
        **{layer + f"attention.{name}": (32, 32) for name in ("query", "key", "value", "dense")},
        layer + "ffn": (48, 32),
        layer + "ffn_output": (32, 48),
        "predictions.dense": (8, 32),
        "sop_classifier.classifier": (2, 32),
    }
    norms = {
        "albert.embeddings.LayerNorm": 8,
        layer + "attention.LayerNorm": 32,
        layer + "full_layer_layer_norm": 32,
        "predictions.LayerNorm": 8,
    }
    expected = {f"{name}.weight": shape for name, shape in dense.items()}
    expected |= {f"{name}.bias": shape[:1] for name, shape in dense.items()}
    expected |= {
        f"{name}.{part}": (size,) for name, size in norms.items() for part in ("weight", "bias")
    }
    expected |= {
        "albert.embeddings.word_embeddings.weight": (60, 8),
        "albert.embeddings.position_embeddings.weight": (40, 8),
        "albert.embeddings.token_type_embeddings.weight": (2, 8),
        "predictions.bias": (60,),
    }
    assert {name: array.shape for name, array in tensors.items()} == expected
    with safetensors.safe_open(os.path.join(folder, "model.safetensors"), "np") as file:
        assert file.metadata() == {"format": "pt"}
    with open(os.path.join(folder, "config.json"), encoding="utf-8") as file:
        values = json.load(file)
    assert values["hidden_act"] == "gelu_pytorch_tanh"
    assert values["layer_norm_eps"] == 1e-12
    assert values["architectures"] == ["AlbertForPreTraining"]


def test_grouped_kernel_gives_what_its_dense_one_gives():
    random = np.random.default_rng(0)
    kernel, x = random.normal(size=[4, 6, 3]), random.normal(size=[5, 12])
    rows = x.reshape(5, 4, 3)
    expected = np.einsum("rig,iog->rgo", rows, kernel).reshape(5, 18)
    np.testing.assert_allclose(x @ google_form.dense_kernel(kernel), expected)


def test_layers_in_groups_are_refused_where_the_two_sides_count_differently():
    refused = set()
    for layers in range(1, 49):
        for groups in range(1, layers + 1):
            config = small_config(num_hidden_layers=layers, num_hidden_groups=groups)
            try:
                encoder_pairs(config)
            except ValueError:
                refused.add((layers, groups))
    assert len(refused) == 24
    assert {(12, 1), (12, 4), (24, 2)}.isdisjoint(refused)
    layers, groups = min(refused)
    with pytest.raises(ValueError, match="no weights make the two equal"):
        encoder_pairs(small_config(num_hidden_layers=layers, num_hidden_groups=groups))
    with pytest.raises(ValueError, match="num_hidden_groups 3 exceeds num_hidden_layers 2"):
        encoder_pairs(small_config(num_hidden_layers=2, num_hidden_groups=3))


# --- round trips --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [None, *LABELS])
def test_google_model_comes_back_bit_for_bit(kind, tmp_path):
    run = write_model(tmp_path / "run", small_config(), kind=kind)
    import_folder(write_theirs(run, tmp_path / "theirs"), str(tmp_path / "back"))
    before, after = load_source(run), load_source(str(tmp_path / "back"))
    assert (after.config, after.task) == (before.config, before.task)
    assert after.tokenizer.vocab == before.tokenizer.vocab
    stored = read_shapes(before.prefix)
    assert read_shapes(after.prefix) == stored
    for name, array in read_arrays(before.prefix, stored).items():
        np.testing.assert_array_equal(read_arrays(after.prefix, [name])[name], array)


def test_brightmart_model_comes_back_with_embeddings_of_the_hidden_size(tmp_path):
    run = write_model(tmp_path / "run", small_config("brightmart"), kind="classification")
    folder = write_theirs(run, tmp_path / "theirs")
    config = read_model(folder).config
    assert (config.lineage, config.embedding_size, config.maps_embeddings) == ("google", 32, False)

    path = os.path.join(folder, "model.safetensors")
    tensors = safetensors.numpy.load_file(path)  # as training there changes it
    tensors["albert.encoder.embedding_hidden_mapping_in.bias"][3] = 0.5
    safetensors.numpy.save_file(tensors, path)
    import_folder(folder, str(tmp_path / "back"))
    back = load_source(str(tmp_path / "back"))
    assert back.config.maps_embeddings
    batches, expected = outputs_of(str(tmp_path / "back"))
    assert max(largest_differences(batches, expected, read_back(folder)).values()) < 1e-6
    assert max(largest_differences(batches, outputs_of(run)[1], read_back(folder)).values()) > 1e-3
    again = read_back(write_theirs(str(tmp_path / "back"), tmp_path / "again"))
    assert max(largest_differences(batches, expected, again).values()) < 1e-6


def test_parts_that_a_class_lacks_get_start_values_and_are_named(tmp_path):
    run = write_model(tmp_path / "run", small_config())
    folder = write_theirs(run, tmp_path / "theirs")
    change_json(folder, architectures=["AlbertForMaskedLM"])
    path = os.path.join(folder, "model.safetensors")
    tensors = safetensors.numpy.load_file(path)
    lacking = {
        name: array
        for name, array in tensors.items()
        if not name.startswith(("albert.pooler", "sop_classifier"))
    }
    # Versions differ in what they repeat.
    words = lacking["albert.embeddings.word_embeddings.weight"]
    lacking |= {
        "predictions.decoder.weight": words,
        "predictions.decoder.bias": lacking["predictions.bias"],
    }
    lacking["albert.embeddings.position_ids"] = np.arange(40)[None]
    safetensors.numpy.save_file(lacking, path)
    _, told = import_folder(folder, str(tmp_path / "back"))
    assert "bert/pooler/dense/kernel" in told
    assert "cls/seq_relationship/output_weights" in told
    source, batch = load_source(str(tmp_path / "back")), outputs_of(run)[0][1]
    expected = load_source(run).outputs(batch)["masked_lm_logits"]
    np.testing.assert_array_equal(source.outputs(batch)["masked_lm_logits"], expected)

    lacking["predictions.decoder.weight"] = words + 1
    safetensors.numpy.save_file(lacking, path)
    with pytest.raises(ValueError, match=r"decoder.weight differs from"):
        read_model(folder)


def test_encoder_alone_is_written_and_read(tmp_path):
    run = write_model(
        tmp_path / "run", small_config("brightmart"), kind="classification", pooling=Pooling.MEAN
    )
    with pytest.raises(ValueError, match=r"reads the mean of all tokens.*--head=encoder"):
        write_theirs(run, tmp_path / "refused")
    source = load_source(run, is_encoder=True)
    os.mkdir(tmp_path / "theirs")
    assert write_folder(source, str(tmp_path / "theirs")).name == "AlbertModel"
    batch = varied_batches(source.config)[2]
    found = read_back(tmp_path / "theirs")(batch)
    for name, value in source.outputs(batch).items():
        np.testing.assert_allclose(found[name], value, atol=1e-5)
    headed = write_theirs(
        write_model(tmp_path / "other", small_config(), kind="tagging"), tmp_path / "b"
    )
    model = read_model(headed, without_head=True)
    assert model.task is None
    assert not any(name.startswith("output_") for name in model.arrays)


def test_tags_in_another_order_are_put_into_ours(tmp_path):
    run = write_model(tmp_path / "run", small_config(), kind="tagging")
    folder = write_theirs(run, tmp_path / "theirs")
    order = [4, 0, 1, 3, 2]  # of theirs
    ours = ["O", "B-LOC", "I-LOC", "B-PER", "I-PER"]
    table = {str(place): ours[number] for place, number in enumerate(order)}
    change_json(folder, id2label=table, albert_zh=None)
    path = os.path.join(folder, "model.safetensors")
    tensors = safetensors.numpy.load_file(path)
    for part in ("weight", "bias"):
        tensors[f"classifier.{part}"] = tensors[f"classifier.{part}"][order]
    safetensors.numpy.save_file(tensors, path)
    back = read_model(folder)
    assert back.task.labels == ("PER", "LOC")
    expected = read_arrays(load_source(run).prefix, ["output_weights"])["output_weights"]
    np.testing.assert_array_equal(back.arrays["output_weights"], expected[[0, 3, 4, 1, 2]])
    change_json(folder, id2label={**table, "0": "E-PER"})
    with pytest.raises(ValueError, match="are not O, B-TYPE and I-TYPE"):
        read_model(folder)


def change_json(folder, name="config.json", **changes):
    path = pathlib.Path(folder) / name
    values = {**json.loads(path.read_text(encoding="utf-8")), **changes}
    values = {key: value for key, value in values.items() if value is not None}
    path.write_text(json.dumps(values, ensure_ascii=False), encoding="utf-8")


# --- tokenizers ---------------------------------------------------------------------------------

TEXTS = [
    "hello world of 19, 20 birds",
    "  Hello\tÇa  19,20 \u3000 1,9\x1cB ",
    "我 喜欢\ufe0f语言 ①½ ﬁ e\u0301",
    "",
    ",",
    "19,",
]


@pytest.mark.parametrize("do_lower_case", [True, False])
def test_written_sentencepiece_tokenizer_gives_our_ids(do_lower_case, tmp_path):
    (tmp_path / "spm.model").write_bytes(train_sentencepiece())
    path = str(tmp_path / "spm.model")
    ours = SentencePieceTokenizer.load(path, do_lower_case=do_lower_case)
    content = json.dumps(unigram_file.content(path, do_lower_case=do_lower_case))
    theirs = Tokenizer.from_str(content)
    characters = "hello wrd19,20 我喜AÉé\u0301\ufe0f\u3000"
    random = np.random.default_rng(0)
    texts = TEXTS + ["".join(random.choice(list(characters), 12)) for _ in range(300)]
    different = [
        text
        for text in texts
        if ours.encode(text).ids != theirs.encode(text, add_special_tokens=False).ids
    ]
    assert len(different) <= 3, different  # ties
    vocab = ours.vocab
    pair = theirs.encode("hello", "birds")
    assert pair.ids[0] == vocab.cls_id
    assert pair.ids.count(vocab.sep_id) == 2
    assert pair.type_ids == sorted(pair.type_ids)


def test_sentencepiece_model_travels_both_ways(tmp_path):
    (tmp_path / "spm.model").write_bytes(train_sentencepiece())
    size = len(SentencePieceTokenizer.load(str(tmp_path / "spm.model")).vocab)
    run = write_model(tmp_path / "run", small_config(vocab_size=size))
    meta = tmp_path / "run" / "model.ckpt.meta.json"
    values = json.loads(meta.read_text(encoding="utf-8"))
    del values["vocabulary"]
    meta.write_text(json.dumps(values), encoding="utf-8")
    (tmp_path / "run" / "vocab.txt").unlink()
    os.rename(tmp_path / "spm.model", tmp_path / "run" / "spm.model")
    folder = write_theirs(run, tmp_path / "theirs")
    assert {"tokenizer.json", "spiece.model"} <= set(os.listdir(folder))
    import_folder(folder, str(tmp_path / "back"))
    text = TEXTS[0]
    back = load_source(str(tmp_path / "back"))
    assert back.tokenizer.encode(text).ids == load_source(run).tokenizer.encode(text).ids

    os.unlink(os.path.join(folder, "spiece.model"))
    with pytest.raises(ValueError, match=r"give the SentencePiece model.*--spm_model_file"):
        import_folder(folder, str(tmp_path / "again"))
    assert not (tmp_path / "again").exists()


def test_vocabulary_in_a_tokenizer_file_is_read(tmp_path):
    run = write_model(tmp_path / "run", small_config())
    folder = write_theirs(run, tmp_path / "theirs")
    entries = Vocab.load(os.path.join(folder, "vocab.txt")).tokens
    os.unlink(os.path.join(folder, "vocab.txt"))
    with pytest.raises(FileNotFoundError, match=r"holds no vocab.txt, tokenizer.json or"):
        import_folder(folder, str(tmp_path / "a"))
    table = {"type": "WordPiece", "vocab": {entry: n for n, entry in enumerate(entries)}}
    path = os.path.join(folder, "tokenizer.json")
    for content in ({"model": table}, {"model": {**table, "vocab": {"[PAD]": 0, "x": 2}}}):
        with open(path, "w", encoding="utf-8") as file:
            json.dump(content, file)
        if len(content["model"]["vocab"]) > 2:
            import_folder(folder, str(tmp_path / "back"))
            assert Vocab.load(str(tmp_path / "back" / "vocab.txt")).tokens == entries
        else:
            with pytest.raises(ValueError, match="the ids of its entries are not 0 to 1"):
                import_folder(folder, str(tmp_path / "b"))


# --- files of tensors ---------------------------------------------------------------------------


def mindspore_content(tensors, *, size=1000):
    """A checkpoint of MindSpore, with large tensors in parts."""
    checkpoint = message_class("Checkpoint", mindspore_file.MESSAGES)()
    for name, array in tensors.items():
        data = array.astype("<f4").tobytes()
        for begin in range(0, len(data), size):
            value = checkpoint.value.add(tag=name)
            value.tensor.dims.extend(array.shape)
            value.tensor.tensor_type = "Float32"
            value.tensor.tensor_content = data[begin : begin + size]
    step = checkpoint.value.add(tag="step_num")
    step.tensor.dims.append(0)
    step.tensor.tensor_type = "Int64"
    return checkpoint.SerializeToString()


def test_checkpoint_of_mindspore_is_read(tmp_path):
    run = write_model(tmp_path / "run", small_config())
    folder = write_theirs(run, tmp_path / "theirs")
    expected = read_model(folder).arrays
    path = os.path.join(folder, "model.safetensors")
    tensors = safetensors.numpy.load_file(path)
    renamed = {
        name.replace("LayerNorm.weight", "LayerNorm.gamma")
        .replace("LayerNorm.bias", "LayerNorm.beta")
        .replace("embeddings.weight", "embeddings.embedding_table"): array
        for name, array in tensors.items()
    }
    assert len(set(renamed) - set(tensors)) > 5
    os.unlink(path)
    content = mindspore_content(renamed)
    for damaged in (content[:-3], b"no checkpoint", b""):
        pathlib.Path(folder, "albert.ckpt").write_bytes(damaged)
        with pytest.raises(ValueError, match=r"no checkpoint of MindSpore|do not fit"):
            read_model(folder)
    pathlib.Path(folder, "albert.ckpt").write_bytes(content)
    found = read_model(folder)
    assert found.file == "albert.ckpt"
    for name, array in expected.items():
        np.testing.assert_array_equal(found.arrays[name], array)


def test_model_in_parts_is_read_and_a_missing_part_named(tmp_path):
    folder = write_theirs(write_model(tmp_path / "run", small_config()), tmp_path / "theirs")
    expected = read_model(folder).arrays
    path = os.path.join(folder, "model.safetensors")
    tensors = safetensors.numpy.load_file(path)
    os.unlink(path)
    names = sorted(tensors)
    parts = {"a.safetensors": names[::2], "b.safetensors": names[1::2]}
    for part, chosen in parts.items():
        safetensors.numpy.save_file({n: tensors[n] for n in chosen}, os.path.join(folder, part))
    index = {"weight_map": {n: part for part, chosen in parts.items() for n in chosen}}
    with open(path + ".index.json", "w", encoding="utf-8") as file:
        json.dump(index, file)
    for name, array in read_model(folder).arrays.items():
        np.testing.assert_array_equal(array, expected[name])
    os.unlink(os.path.join(folder, "b.safetensors"))
    with pytest.raises(FileNotFoundError, match=r"lists b.safetensors, which is missing"):
        read_model(folder)
    index["weight_map"][names[0]] = "../a.safetensors"
    with open(path + ".index.json", "w", encoding="utf-8") as file:
        json.dump(index, file)
    with pytest.raises(ValueError, match="not a file beside it"):
        read_model(folder)


def test_damaged_safetensors_are_refused(tmp_path):
    folder = write_theirs(write_model(tmp_path / "run", small_config()), tmp_path / "theirs")
    path = pathlib.Path(folder, "model.safetensors")
    content = path.read_bytes()
    longer_header = (10**12).to_bytes(8, "little") + content[8:]
    for damaged in (b"", content[:5], content[:200], content[:-1], longer_header, b"\0" * 100):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"model.safetensors is damaged: .*; fetch it again"):
            read_model(folder)
    for dtype in ("float16", "float64"):
        tensors = safetensors.numpy.load(content)
        path.write_bytes(safetensors.numpy.save({n: a.astype(dtype) for n, a in tensors.items()}))
        assert all(array.dtype == np.float32 for array in read_model(folder).arrays.values())


def test_pickle_is_never_loaded_without_pytorch(tmp_path, monkeypatch):
    folder = write_theirs(write_model(tmp_path / "run", small_config()), tmp_path / "theirs")
    os.unlink(os.path.join(folder, "model.safetensors"))
    with pytest.raises(FileNotFoundError, match=r"holds no model.safetensors and no"):
        read_model(folder)
    pathlib.Path(folder, "pytorch_model.bin").write_bytes(b"cos\nsystem\n(S'touch x'\ntR.")
    imported = builtins.__import__

    def no_torch(name, *args, **kwargs):
        if name == "torch":
            raise ImportError(name)
        return imported(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", no_torch)
    with pytest.raises(ValueError, match=r"is a pickle, .*install torch, or .*save_pretrained"):
        read_model(folder)


# --- models that have no equal ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_type": "bert"}, "model_type is 'bert'; only albert"),
        ({"hidden_act": "gelu"}, 'hidden_act is "gelu", the exact form'),
        ({"hidden_act": "mish"}, "hidden_act 'mish' is none of"),
        ({"layer_norm_eps": 1e-5}, "layer_norm_eps is 1e-05"),
        ({"position_embedding_type": "relative_key"}, "position_embedding_type"),
        ({"architectures": ["AlbertForTranslation"]}, "architectures are AlbertForTranslation"),
        ({"architectures": None}, "architectures are not named"),
        ({"intermediate_size": 50}, "do not fit its config.json"),
        ({"num_hidden_groups": 2}, "missing    albert.encoder.albert_layer_groups.1"),
        ({"architectures": ["AlbertModel"]}, "unused"),
        ({"id2label": {"0": "a", "1": "a", "2": "b"}}, "each needs a name of its own"),
        ({"problem_type": "multi_label_classification"}, "several labels at once"),
    ],
)
def test_foreign_model_is_refused(changes, message, tmp_path):
    run = write_model(tmp_path / "run", small_config(), kind="classification")
    folder = write_theirs(run, tmp_path / "theirs")
    read_model(folder)
    change_json(folder, **changes)
    with pytest.raises(ValueError, match=message):
        import_folder(folder, str(tmp_path / "back"))
    assert not (tmp_path / "back").exists()


def test_folder_without_configuration_or_with_an_output_in_the_way_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"holds no config.json"):
        import_folder(str(tmp_path), str(tmp_path / "back"))
    folder = write_theirs(write_model(tmp_path / "run", small_config()), tmp_path / "theirs")
    with pytest.raises(FileExistsError, match="is not empty"):
        import_folder(folder, str(tmp_path / "run"))
    with open(os.path.join(folder, "vocab.txt"), "a", encoding="utf-8") as file:
        file.write("词\n")
    with pytest.raises(ValueError, match=r"61 entries, .* vocab_size 60"):
        import_folder(folder, str(tmp_path / "back"))
    assert sorted(os.listdir(tmp_path)) == ["run", "theirs"]


def test_pre_ln_model_is_refused_with_the_reason(tmp_path):
    case = GoldenCase("brightmart_preln")
    run = write_model(tmp_path / "run", case.config, model=PretrainingModel(case.config))
    with pytest.raises(ValueError, match=r"the model is pre-LN: .* no weights make the two equal"):
        write_theirs(run, tmp_path / "theirs")


def test_second_vocabulary_is_refused_and_renamed_labels_keep_the_task(tmp_path):
    run = write_model(tmp_path / "run", small_config(), kind="classification")
    folder = write_theirs(run, tmp_path / "theirs")
    options = FromTransformersOptions(
        model_dir=folder,
        output_dir=str(tmp_path / "back"),
        vocab_file=os.path.join(run, "vocab.txt"),
    )
    with pytest.raises(ValueError, match="has a vocabulary of its own"):
        import_options(options)
    change_json(folder, id2label={"0": "a", "1": "b", "2": "c"})
    task = read_model(folder).task
    assert (task.labels, task.max_seq_length, task.name) == (("a", "b", "c"), 24, "task")


# --- the script ---------------------------------------------------------------------------------


def convert(*flags):
    return run_script("scripts/convert_checkpoint.py", *flags)


def test_script_goes_there_and_back(tmp_path):
    run = write_model(tmp_path / "run", small_config("brightmart"), kind="classification")
    theirs, back = tmp_path / "theirs", tmp_path / "back"
    there = convert("to_transformers", f"--checkpoint={run}", f"--output_dir={theirs}")
    assert there.returncode == 0, there.stderr
    assert "AlbertForSequenceClassification of transformers" in there.stdout
    assert "read back, it differs from the checkpoint by" in there.stdout
    done = convert("from_transformers", f"--model_dir={theirs}", f"--output_dir={back}")
    assert done.returncode == 0, done.stderr
    assert "from AlbertForSequenceClassification in" in done.stdout
    assert load_source(str(back)).task.labels == LABELS["classification"]
    options = ToTransformersOptions(checkpoint=run, output_dir=str(theirs))
    with pytest.raises(FileExistsError, match="is not empty; choose a new one"):
        options.check()

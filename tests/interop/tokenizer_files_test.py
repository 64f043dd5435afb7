"""A tokenizer goes along to every format, and others read it as we do."""

import dataclasses
import importlib.util
import json
import os
import pathlib
import re

import numpy as np
import pytest

from interop import (
    formats,
    graph_tokenizer,
    hugging_face,
    keras_hub,
    onnx_model,
    tf1,
    tokenizer_files,
)
from tests import albert_text, project, roberta_text, tiny
from tests.interop import berts
from text import tokenization, vocabularies
from tools import conversion, convert_checkpoint

os.environ.setdefault("HF_HUB_OFFLINE", "1")
# Of ALBERT's rules transformers lacks that of a digit and its comma, has one of
# its own for quotes, and begins a word behind a symbol of the user's.
_OTHERWISE = re.compile(r"""\d,|``|''|["(\-.–£€]\w""")
_OF_FAMILIES = {"albert": "sentencepiece", "roberta": "byte_pairs"}


@pytest.fixture(params=["albert", "roberta"])
def model(request, tmp_path_factory):
    """A tiny model with the tokenizer that its family is published with."""
    folder = tmp_path_factory.mktemp("tokenizer")
    if request.param == "albert":
        albert_text.write_model(folder)
    else:
        roberta_text.write_model(folder)
    vocabulary = vocabularies.read(vocabularies.find_in(str(folder)))
    config = tiny.config(request.param, vocab_size=len(vocabulary))
    return dataclasses.replace(
        berts.model(config, "encoder"),
        tokenizer=dict(vocabulary.files),
        do_lower_case=request.param == "albert",
    )


def _ours(directory, model):
    vocabulary = vocabularies.read(vocabularies.find_in(str(directory)))
    tokenizer = tokenization.Tokenizer(vocabulary, model.do_lower_case)
    return lambda line: tokenizer.tokenize(line)[0].tolist()


def _convert(source, output, to, **flags):
    return conversion.convert(
        convert_checkpoint.ConvertConfig(
            from_=str(source), to=to, output_dir=str(output), **flags
        )
    )


def test_it_goes_round_and_comes_back_as_it_was(tmp_path, model):
    tf1.export(str(tmp_path / "a"), model)
    kind = _OF_FAMILIES[model.config.model_type]
    assert tokenizer_files.kind(model.tokenizer) == kind
    for number, to in enumerate(("huggingface", "tf1")):
        source = tmp_path / chr(ord("a") + number)
        target = tmp_path / chr(ord("b") + number)
        _convert(source, target, to, do_lower_case=model.do_lower_case)
        for name, data in model.tokenizer.items():
            assert (target / name).read_bytes() == data
        assert not (target / "vocab.txt").exists()
    found = formats.read(str(tmp_path / "c"), do_lower_case=model.do_lower_case)
    assert found.do_lower_case == model.do_lower_case
    assert found.tokenizer == model.tokenizer


def test_transformers_makes_the_same_ids(tmp_path, model):
    transformers = pytest.importorskip("transformers")
    hugging_face.export(str(tmp_path), model)
    theirs = transformers.AutoTokenizer.from_pretrained(str(tmp_path))
    ours = _ours(tmp_path, model)
    lines = [line.strip() for line in project.sample_lines()]
    if model.do_lower_case:
        lines = [x for x in lines if not _OTHERWISE.search(x)]
    assert len(lines) > 550
    for line in lines:
        found = theirs(line, add_special_tokens=False)["input_ids"]
        assert found == ours(line), line


def test_a_pair_has_the_layout_of_transformers(tmp_path, model):
    transformers = pytest.importorskip("transformers")
    hugging_face.export(str(tmp_path), model)
    theirs = transformers.AutoTokenizer.from_pretrained(str(tmp_path))
    vocabulary = vocabularies.read(vocabularies.find_in(str(tmp_path)))
    ours, roles = _ours(tmp_path, model), vocabulary.roles
    between = [roles.sep] * vocabulary.layout.num_between
    assert theirs("one text", "another")["input_ids"] == [
        roles.cls, *ours("one text"), *between, *ours("another"), roles.sep
    ]  # fmt: skip
    assert theirs.mask_token_id == roles.mask
    assert theirs.pad_token_id == vocabulary.padding_id


@pytest.mark.parametrize(
    "head", ["encoder", "masked_lm", "sequence_classification"]
)
def test_a_preset_of_keras_hub_makes_the_same_ids(tmp_path, model, head):
    models = pytest.importorskip("keras_hub").models
    tuned = berts.model(model.config, head)
    values = {name: np.zeros_like(x) for name, x in tuned.values.items()}
    model = dataclasses.replace(
        tuned,
        values=values,
        tokenizer=model.tokenizer,
        do_lower_case=model.do_lower_case,
    )
    keras_hub.export(str(tmp_path / "preset"), model)
    found = keras_hub.read(str(tmp_path / "preset"))
    assert found.tokenizer == model.tokenizer
    tokenizer_files.write(str(tmp_path), model.tokenizer)
    ours = _ours(tmp_path, model)
    theirs = models.Tokenizer.from_preset(str(tmp_path / "preset"))
    lines = [line.strip() for line in project.sample_lines()[:200]]
    if model.do_lower_case:  # They leave it to others to prepare the text.
        lines = [x for x in lines if not any(map(str.isdigit, x))]
        given = [albert_text.preprocess(line) for line in lines]
    else:
        given = lines
    for line, text in zip(lines, given, strict=True):
        assert np.asarray(theirs(text)).tolist() == ours(line), line


def test_keras_hub_says_which_kind_it_has_no_place_for(tmp_path, model, caplog):
    pytest.importorskip("keras_hub")
    size = model.config.vocab_size
    bert = dataclasses.replace(
        berts.model(tiny.config("bert", vocab_size=size), "encoder"),
        tokenizer=model.tokenizer,
    )
    keras_hub.export(str(tmp_path), bert)
    names = " and ".join(model.tokenizer)
    assert f"KerasHub's BERT takes no {names}, which is left out" in caplog.text
    assert not keras_hub.read(str(tmp_path)).tokenizer


def test_a_flag_names_another_than_lies_beside_the_model(tmp_path, model):
    vocab_txt = berts.model(model.config, "encoder")
    tf1.export(str(tmp_path / "a"), vocab_txt)
    assert formats.read(str(tmp_path / "a")).tokenizer.keys() == {"vocab.txt"}
    folder = tmp_path / "tokenizer"
    folder.mkdir()
    tokenizer_files.write(str(folder), model.tokenizer)
    _convert(tmp_path / "a", tmp_path / "b", "tf1", tokenizer=str(folder))
    found = formats.read(str(tmp_path / "b"))
    assert found.tokenizer == model.tokenizer
    assert found.do_lower_case == model.do_lower_case
    with pytest.raises(ValueError, match="--spm_model_file=.*no model of Sent"):
        _convert(
            tmp_path / "a",
            tmp_path / "c",
            "tf1",
            spm_model_file=str(tmp_path / "a/vocab.txt"),
        )


def test_a_server_reads_text_where_the_graph_can(tmp_path, model, caplog):
    pytest.importorskip("tensorflow_text")
    tf1.export(str(tmp_path / "a"), model)
    report = _convert(
        tmp_path / "a",
        tmp_path / "b",
        "saved_model",
        max_seq_length=12,
        do_lower_case=model.do_lower_case,
    )
    assert report["largest_difference"] < 1e-5
    files = {f"assets.extra/{name}" for name in model.tokenizer}
    assert files < report["to"]["sha256"].keys()
    told = conversion.describe(
        convert_checkpoint.ConvertConfig(
            from_="a", to="saved_model", output_dir="b"
        ),
        report,
    )
    if model.do_lower_case:
        assert "pairs sequence_output" in report["differences"]
        assert "with tensorflow-text" in report["computed_by"]["to"]
        assert "token ids only" not in told
        return
    assert not any(" " in name for name in report["differences"])
    assert "byte-level BPE cannot be in a graph" in told
    assert "takes token ids alone, as vocab.json and merges.txt" in caplog.text


def test_a_server_without_tensorflow_text_takes_ids(model, monkeypatch):
    assert not graph_tokenizer.libraries({"vocab.txt": b""})
    if not model.do_lower_case:
        return
    assert graph_tokenizer.libraries(model.tokenizer) == ["tensorflow_text"]
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    found = graph_tokenizer.refusal(model.tokenizer)
    assert "pip install --no-deps tensorflow-text" in found


def test_a_file_of_onnx_has_it_beside(tmp_path, model):
    for library in ("tf2onnx", "onnxruntime"):
        pytest.importorskip(library)
    onnx_model.export(str(tmp_path), model)
    assert tokenizer_files.read(str(tmp_path)) == model.tokenizer


def test_published_names_and_forms_are_found(tmp_path, model):
    contents = dict(model.tokenizer)
    if "spiece.model" in contents:
        data = contents["spiece.model"]
        (tmp_path / "30k-clean.model").write_bytes(data)
        assert tokenizer_files.read(str(tmp_path)) == contents
        return
    tokenizers = pytest.importorskip("tokenizers")
    tokenizer_files.write(str(tmp_path), contents)
    plain = roberta_text.plain(str(tmp_path))
    assert isinstance(plain, tokenizers.ByteLevelBPETokenizer)
    alone = tmp_path / "alone"
    alone.mkdir()
    plain.save(str(alone / "tokenizer.json"))
    assert tokenizer_files.read(str(alone)) == contents


def test_what_cannot_be_read_is_named_and_left_out(tmp_path, caplog):
    assert tokenizer_files.read(str(tmp_path)) == {}
    pathlib.Path(tmp_path, "spiece.model").write_bytes(b"\x0a\x02nothing")
    assert tokenizer_files.read(str(tmp_path)) == {}
    assert "its tokenizer is left out: --tokenizer=" in caplog.text


def test_text_that_is_read_otherwise_is_a_warning(tmp_path, model, caplog):
    hugging_face.export(str(tmp_path), model)
    hugging_face.read(str(tmp_path))
    path = tmp_path / "tokenizer_config.json"
    values = json.loads(path.read_text())
    assert values.pop("model_max_length") == model.config.num_positions
    assert values == (
        {
            "tokenizer_class": "AlbertTokenizer",
            "do_lower_case": True,
            "remove_space": True,
            "keep_accents": False,
        }
        if model.do_lower_case
        else {"tokenizer_class": "RobertaTokenizer", "add_prefix_space": False}
    )
    assert "text is read here as" not in caplog.text
    key = "keep_accents" if model.do_lower_case else "add_prefix_space"
    path.write_text(json.dumps(values | {key: True}))
    hugging_face.read(str(tmp_path))
    assert f"{key} is True, and text is read here as with False" in caplog.text

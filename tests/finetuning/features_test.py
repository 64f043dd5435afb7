"""Features of texts, against transformers and by google-research's form."""

import json

import numpy as np
import pytest
import tensorflow as tf

from finetuning import features, features_config
from interop import hugging_face
from tests.finetuning import tiny_task
from tests.interop import berts

TEXTS = "w1 w2 w3\nw4 w5 ||| w6 w7 w8\n\nw9 unknown\n"
TOKENS = [
    "[CLS] w1 w2 w3 [SEP]",
    "[CLS] w4 w5 [SEP] w6 w7 w8 [SEP]",
    "[CLS] [SEP]",
    "[CLS] w9 [UNK] [SEP]",
]


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    path = tmp_path_factory.mktemp("features")
    tiny_task.write_inputs(path)
    write_model(path)
    (path / "texts.txt").write_text(TEXTS)
    return path


def write_model(directory):
    hugging_face.export(str(directory / "model"), berts.bert())


def run(directory, name, **settings):
    config = features_config.FeaturesConfig(
        input_file=str(directory / "texts.txt"),
        output_file=str(directory / name),
        bert_config_file=str(directory / "model/config.json"),
        vocab_file=str(directory / "vocab.txt"),
        init_checkpoint=str(directory / "model"),
        max_seq_length=16,
        batch_size=3,
        **settings,
    )
    features.run(config)
    path = directory / name
    if config.is_arrays:
        with np.load(path) as arrays:
            return dict(arrays)
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_the_lines_are_those_of_google_research(directory):
    lines = run(directory, "all.jsonl", layers="-1,-2")
    assert [line["linex_index"] for line in lines] == [0, 1, 2, 3]
    for line, tokens in zip(lines, TOKENS, strict=True):
        assert [x["token"] for x in line["features"]] == tokens.split()
        for feature in line["features"]:
            assert [x["index"] for x in feature["layers"]] == [-1, -2]
            assert len(feature["layers"][0]["values"]) == 32


def test_the_values_are_those_of_transformers(directory):
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    lines = run(directory, "values.jsonl", layers="all")
    rows = (directory / "vocab.txt").read_text().split("\n")
    model = transformers.BertModel.from_pretrained(directory / "model").eval()
    for line, tokens in zip(lines, TOKENS, strict=True):
        ids = torch.tensor([[rows.index(x) for x in tokens.split()]])
        segments = (ids == 3).cumsum(1) - (ids == 3).long()
        with torch.no_grad():
            states = model(
                ids, token_type_ids=segments, output_hidden_states=True
            ).hidden_states[1:]
        for place, feature in enumerate(line["features"]):
            for layer, state in zip(feature["layers"], states, strict=True):
                np.testing.assert_allclose(
                    layer["values"], state[0, place], atol=1e-5
                )


def test_layers_are_combined_and_tokens_pooled(directory):
    whole = run(directory, "whole.npz", layers="-2,-1")
    assert whole["values"].shape == (19, 2, 32)
    np.testing.assert_array_equal(whole["starts"], [0, 5, 13, 15, 19])
    texts = np.split(whole["values"], whole["starts"][1:-1])
    pooled = {
        name: run(directory, f"{name}.npz", layers="-2,-1", pooling=name)[
            "values"
        ]
        for name in ("cls", "mean", "max")
    }
    for row, (values, tokens) in enumerate(zip(texts, TOKENS, strict=True)):
        is_word = [x not in ("[CLS]", "[SEP]") for x in tokens.split()]
        words = values[is_word]
        np.testing.assert_allclose(pooled["cls"][row], values[0], atol=1e-5)
        for name, function in (("mean", np.mean), ("max", np.max)):
            wanted = function(words, axis=0) if len(words) else 0 * values[0]
            np.testing.assert_allclose(pooled[name][row], wanted, atol=1e-5)
    for name, wanted in (
        ("sum", whole["values"].sum(axis=1)),
        ("mean", whole["values"].mean(axis=1)),
        ("concat", whole["values"].reshape(19, 64)),
    ):
        found = run(directory, f"c_{name}.npz", layers="-2,-1", combine=name)[
            "values"
        ]
        np.testing.assert_allclose(found, wanted, atol=1e-5)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"layers": "-3"}, "numbers from -2 to 1, or all"),
        ({"layers": "last"}, "numbers from -2 to 1, or all"),
    ],
)
def test_wrong_settings_are_told(directory, settings, message):
    with pytest.raises(ValueError, match=message):
        run(directory, "wrong.jsonl", **settings)
    assert not tf.io.gfile.exists(str(directory / "wrong.jsonl"))

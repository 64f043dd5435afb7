"""The other layout of albert_zh is read as a BERT that computes the same."""

import json

import numpy as np
import pytest

from interop import formats, outputs, tf1
from storage import tensors
from tests import tiny
from tests.interop import berts

_WORDS = "bert/embeddings/word_embeddings"
_NARROW = 8


def _write(path, **keys):
    """Writes such a checkpoint; returns its tensors."""
    rng = np.random.default_rng(5)
    values = {
        name.replace("layer_0", "layer_shared"): value
        for name, value in berts.bert(num_hidden_layers=1).values.items()
    }
    for name, shape in (
        (_WORDS, (tiny.VOCAB_SIZE, _NARROW)),
        (_WORDS + "_2", (_NARROW, tiny.WIDTH)),
    ):
        values[name] = rng.normal(0, 0.3, shape).astype(np.float32)
    tensors.write(str(path / "albert_model.ckpt"), values)
    config = tiny.CONFIG | {"embedding_size": _NARROW} | keys
    (path / "albert_config_tiny.json").write_text(json.dumps(config))
    return values


def test_it_computes_what_transformers_does_of_the_two_factors(tmp_path):
    transformers = pytest.importorskip("transformers")
    torch = pytest.importorskip("torch")
    values = _write(tmp_path, num_hidden_layers=3)
    model = formats.read(str(tmp_path / "albert_model.ckpt"))
    assert model.config == tiny.config(num_hidden_layers=3)
    batch = outputs.fixed_batch(model.config)
    ours = outputs.of_ours(model, batch)
    theirs = transformers.BertModel(
        transformers.BertConfig(
            **tiny.CONFIG | {"hidden_act": "gelu_new", "num_hidden_layers": 3}
        )
    ).eval()
    with torch.no_grad():
        for name, parameter in theirs.named_parameters():
            name = "bert/" + name.replace(".", "/")
            for number in range(3):
                name = name.replace(f"layer/{number}/", "layer_shared/")
            if "LayerNorm" in name:
                name = name.replace("weight", "gamma").replace("bias", "beta")
            name = name.replace("_embeddings/weight", "_embeddings")
            name = name.replace("weight", "kernel")
            if name != _WORDS:
                value = values[name]
                kernel = name.endswith("/kernel")
                parameter.copy_(torch.tensor(value.T if kernel else value))
        out = theirs(
            inputs_embeds=torch.tensor(
                values[_WORDS][batch["input_ids"]] @ values[_WORDS + "_2"]
            ),
            attention_mask=torch.tensor(batch["input_mask"]).long(),
            token_type_ids=torch.tensor(batch["segment_ids"]).long(),
        )
    found = outputs.differences(
        ours,
        {
            "sequence_output": out.last_hidden_state.numpy(),
            "pooled_output": out.pooler_output.numpy(),
        },
        batch,
    )
    assert len(found) == 2 and max(found.values()) < 1e-5, found


def test_a_part_that_is_a_layers_own_stays_its_own(tmp_path):
    values = _write(tmp_path)
    shared = "bert/encoder/layer_shared/output/dense/bias"
    bias = values.pop(shared)
    for number in range(2):
        name = shared.replace("shared", str(number))
        values[name] = bias + number
    tensors.write(str(tmp_path / "albert_model.ckpt"), values)
    found = tf1.read(str(tmp_path)).values
    for number in range(2):
        name = shared.replace("shared", str(number))
        np.testing.assert_array_equal(found[name], bias + number)
    # What --init_checkpoint takes of it is the same.
    prefix = str(tmp_path / "albert_model.ckpt")
    weights = formats.read_weights(prefix, tiny.config()).values
    assert weights.keys() == found.keys()


def test_what_is_normalised_before_is_refused(tmp_path):
    _write(tmp_path, ln_type="preln")
    with pytest.raises(ValueError, match='ln_type is "preln"; only layers th'):
        tf1.read(str(tmp_path))


def test_of_several_configs_the_user_names_one(tmp_path):
    _write(tmp_path)
    (tmp_path / "albert_config_large.json").write_text("{}")
    with pytest.raises(ValueError, match="holds 2 configs, albert_config_lar"):
        tf1.read(str(tmp_path))
    path = str(tmp_path / "albert_config_tiny.json")
    assert tf1.read(str(tmp_path), config_file=path).head == "pretraining"

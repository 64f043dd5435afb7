"""Checkpoints of TensorFlow 1, made by a graph as google-research/bert makes
them; transformers computes the same model by itself.
"""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from interop import outputs, tf1, variables
from storage import tensors
from tests import project, tiny
from tests.interop import berts

_STEP = 1234


def _save_graph(prefix, arrays):
    """Saves variables of a TensorFlow 1 graph, as its Saver does."""
    tf1_api = tf.compat.v1
    with tf.Graph().as_default(), tf1_api.Session() as session:
        for name, value in arrays.items():
            scope, _, last = name.rpartition("/")
            with tf1_api.variable_scope(scope or tf1_api.get_variable_scope()):
                tf1_api.get_variable(last, initializer=value)
        session.run(tf1_api.global_variables_initializer())
        tf1_api.train.Saver().save(session, str(prefix))


def _write_beside(directory, model):
    (directory / "bert_config.json").write_text(model.config.to_json())
    (directory / "vocab.txt").write_bytes(model.tokenizer["vocab.txt"])


def _slots(model):
    rng = np.random.default_rng(1)
    return {"global_step": np.int64(_STEP)} | {
        f"{name}/{slot}": rng.normal(size=value.shape).astype(np.float32)
        for name, value in model.values.items()
        for slot in ("adam_m", "adam_v")
    }


def _load_by_hand(transformers, torch, values, config):
    """The same weights in transformers, names and all written out anew."""
    their_config = transformers.BertConfig(
        **{name: getattr(config, name) for name in tiny.CONFIG}
        | {"hidden_act": "gelu_new", "layer_norm_eps": 1e-12}
    )
    reference = transformers.BertForPreTraining(their_config).eval()
    rest = dict(values)
    with torch.no_grad():
        for name, parameter in reference.named_parameters():
            ours = name.replace(".layer.", ".layer_").replace(".", "/")
            if "LayerNorm" in ours:
                ours = ours.replace("weight", "gamma").replace("bias", "beta")
            elif ours.startswith("cls/seq_relationship"):
                ours = ours.replace("weight", "output_weights")
                ours = ours.replace("/bias", "/output_bias")
            elif ours == "cls/predictions/bias":
                ours = "cls/predictions/output_bias"
            elif ours.endswith("_embeddings/weight"):
                ours = ours.removesuffix("/weight")
            ours = ours.replace("/weight", "/kernel")
            value = rest.pop(ours)
            is_kernel = ours.endswith("/kernel")
            parameter.copy_(torch.tensor(value.T if is_kernel else value))
    assert not rest
    return reference


def test_a_graphs_checkpoint_computes_what_transformers_does(tmp_path):
    transformers = pytest.importorskip("transformers")
    torch = pytest.importorskip("torch")
    model = berts.bert()
    _save_graph(tmp_path / "bert_model.ckpt", model.values)
    _write_beside(tmp_path, model)
    found = tf1.read(str(tmp_path / "bert_model.ckpt"))
    berts.assert_same(found, model)
    batch = outputs.fixed_batch(model.config)
    ours = outputs.of_ours(found, batch)
    reference = _load_by_hand(transformers, torch, model.values, model.config)
    with torch.no_grad():
        theirs = reference(
            input_ids=torch.tensor(batch["input_ids"]).long(),
            attention_mask=torch.tensor(batch["input_mask"]).long(),
            token_type_ids=torch.tensor(batch["segment_ids"]).long(),
            output_hidden_states=True,
        )
        pooled = reference.bert.pooler(theirs.hidden_states[-1])
    differences = outputs.differences(
        ours,
        {
            "sequence_output": theirs.hidden_states[-1].numpy(),
            "pooled_output": pooled.numpy(),
            "masked_lm_logits": theirs.prediction_logits.numpy(),
            "next_sentence_logits": theirs.seq_relationship_logits.numpy(),
        },
        batch,
    )
    assert len(differences) == 4
    assert max(differences.values()) < 1e-5, differences


def test_a_graph_of_tensorflow_1_restores_what_we_write(tmp_path):
    model = berts.bert()
    prefix = tf1.export(str(tmp_path), model)
    tf1_api = tf.compat.v1
    with tf.Graph().as_default(), tf1_api.Session() as session:
        restored = {
            name: tf1_api.get_variable(name.replace("/", "_"), value.shape)
            for name, value in model.values.items()
        }
        # How google-research/bert takes --init_checkpoint.
        saver = tf1_api.train.Saver(restored)
        saver.restore(session, prefix)
        for name, variable in restored.items():
            np.testing.assert_array_equal(
                session.run(variable), model.values[name]
            )


@pytest.mark.parametrize("head", variables.HEADS)
def test_a_round_trip_changes_no_bit(tmp_path, head):
    model = berts.bert(head)
    tf1.export(str(tmp_path), model)
    names_no_task = head in ("token_classification", "multiple_choice")
    found = tf1.read(str(tmp_path), head=head if names_no_task else None)
    berts.assert_same(found, model)


def test_slots_and_step_are_kept_when_asked(tmp_path):
    model = berts.bert()
    state = _slots(model)
    (tmp_path / "trained").mkdir()
    _save_graph(
        tmp_path / "trained/model.ckpt-1234",
        model.values | state,
    )
    _write_beside(tmp_path / "trained", model)
    found = tf1.read(str(tmp_path / "trained"))
    berts.assert_same(found, model)
    assert found.state.keys() == state.keys()
    for keep_state in (False, True):
        out = tmp_path / f"kept_{keep_state}"
        prefix = tf1.export(str(out), found, keep_state=keep_state)
        names = {name for name, _ in tf.train.list_variables(prefix)}
        wanted = model.values.keys() | (state.keys() if keep_state else set())
        assert names == wanted
    again = tf1.read(str(out))
    for name, value in state.items():
        np.testing.assert_array_equal(again.state[name], value)


def test_older_names_are_brought_up_to_date(tmp_path):
    model = berts.bert()
    older = {
        (name + slot)
        .replace("/kernel", "/weights")
        .replace("dense/bias", "dense/biases"): value
        for name, value in model.values.items()
        for slot in ("", "/adam_m")
    }
    assert any("dense/biases/adam_m" in name for name in older)
    _save_graph(tmp_path / "bert_model.ckpt", older)
    _write_beside(tmp_path, model)
    found = tf1.read(str(tmp_path))
    berts.assert_same(found, model)
    assert found.state.keys() == {n + "/adam_m" for n in model.values}


def test_a_narrow_model_is_read(tmp_path):
    # 312 wide in 12 heads of 26, as CLUE's smallest.
    model = berts.bert(
        hidden_size=312, num_attention_heads=12, intermediate_size=1248
    )
    _save_graph(tmp_path / "bert_model.ckpt", model.values)
    _write_beside(tmp_path, model)
    berts.assert_same(tf1.read(str(tmp_path)), model)


_KEY = "bert/encoder/layer_1/attention/self/key/kernel"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda v: v.pop(_KEY), rf"{_KEY} \[32, 32\] is missing"),
        (
            lambda v: v.update({_KEY: np.zeros((32, 8), np.float32)}),
            rf"{_KEY} has shape \[32, 8\], the config wants \[32, 32\]",
        ),
        (
            lambda v: v.update({"bert/adapter/up": np.zeros(3, np.float32)}),
            r"bert/adapter/up \[3\] has no place in this model",
        ),
        (
            lambda v: v.pop("cls/seq_relationship/output_bias"),
            r"cls/seq_relationship/output_weights \[2, 32\] has no place",
        ),
    ],
)
def test_a_tensor_that_does_not_fit_is_named(tmp_path, change, error):
    model = berts.bert()
    values = dict(model.values)
    change(values)
    tensors.write(str(tmp_path / "bert_model.ckpt"), values)
    _write_beside(tmp_path, model)
    with pytest.raises(ValueError, match=error):
        tf1.read(str(tmp_path))


def test_a_config_that_does_not_fit_is_refused(tmp_path):
    model = berts.bert()
    tf1.export(str(tmp_path), model)
    config = dataclasses.replace(model.config, num_hidden_layers=3)
    (tmp_path / "bert_config.json").write_text(config.to_json())
    with pytest.raises(ValueError, match="and 8 more") as error:
        tf1.read(str(tmp_path))
    assert "bert/encoder/layer_2/" in str(error.value)


def test_a_file_that_ends_too_early_is_named_with_a_tensor(tmp_path):
    prefix = tf1.export(str(tmp_path), berts.bert())
    path = tmp_path / "bert_model.ckpt.data-00000-of-00001"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match=rf"{prefix} is damaged at cls/seq"):
        tf1.read(str(tmp_path))


def test_a_checkpoint_of_objects_is_refused(tmp_path):
    prefix = tf.train.Checkpoint(a=tf.Variable(1.0)).write(str(tmp_path / "x"))
    with pytest.raises(ValueError, match="object-based"):
        tf1.read_tensors(prefix)


def test_where_nothing_is_an_error_says_what_was_looked_for(tmp_path):
    with pytest.raises(ValueError, match="neither the prefix"):
        tf1.find(str(tmp_path))
    with pytest.raises(ValueError, match=r"there is no .*no\.ckpt\.index"):
        tf1.find(str(tmp_path / "no.ckpt"))


def test_what_is_left_of_a_killed_writer_is_no_checkpoint(tmp_path):
    model = berts.bert()
    tf1.export(str(tmp_path), model)
    index = tmp_path / "bert_model.ckpt.index"
    index.rename(tmp_path / "bert_model.ckpt.tmp.index")
    with pytest.raises(ValueError, match="neither the prefix"):
        tf1.find(str(tmp_path))
    tf1.export(str(tmp_path), model)
    berts.assert_same(tf1.read(str(tmp_path)), model)


def test_the_published_vocabulary_travels_byte_by_byte(tmp_path):
    path = project.vocabulary("zh")
    with open(path, "rb") as file:
        rows = file.read()
    model = dataclasses.replace(berts.bert(), tokenizer={"vocab.txt": rows})
    tf1.export(str(tmp_path), model)
    assert (tmp_path / "vocab.txt").read_bytes() == rows

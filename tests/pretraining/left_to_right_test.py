"""What is told left to right: against PyTorch, and by what a token may see."""

import json
import shutil

import numpy as np
import pytest
import tensorflow as tf

from interop import tf1
from modeling import families
from pretraining import left_to_right
from pretraining.config import PretrainingConfig
from pretraining.left_to_right import LeftToRight
from pretraining.symptoms import Symptoms
from tests import tiny
from tests.data import unmasked
from tests.finetuning import tiny_task
from tests.pretraining import tiny_job, torch_reference
from tests.pretraining.torch_reference import NO_DROPOUT
from training import compilation, gradients

_LONG = 80  # More than are scored at a time, and no multiple of it.


def _batch(size, seed=0):
    return tiny.batch(size, seed, num_tokens=_LONG)


def _objective(**changes):
    architecture = tiny.config(
        **{"max_position_embeddings": _LONG, "is_decoder": True}
        | NO_DROPOUT
        | changes
    )
    return LeftToRight(architecture, seed=5)


def _whole(batch):
    """The tokens without masks, by a loop."""
    ids = batch["input_ids"].copy()
    for row in range(len(ids)):
        for at, word, weight in zip(
            *(
                batch[f"masked_lm_{x}"][row]
                for x in ("positions", "ids", "weights")
            ),
            strict=True,
        ):
            if weight:
                ids[row, at] = word
    return ids


def _tensors(batch):
    return {name: tf.constant(x) for name, x in batch.items()}


def test_words_that_were_masked_are_put_back():
    batch = _batch(9)
    found = left_to_right.whole_ids(_tensors(batch))
    assert (batch["input_ids"] != _whole(batch)).any()
    np.testing.assert_array_equal(found, _whole(batch))


@pytest.mark.parametrize("family", ["bert", "roberta", "roformer"])
def test_a_token_sees_nothing_to_its_right(family):
    config = tiny.config(family, is_decoder=True, **NO_DROPOUT)
    encoder = families.make_encoder(config, "glorot_uniform")
    batch = tiny.batch(3)
    ids = batch["input_ids"]
    other = ids.copy()
    other[:, 5:] = 1 + (ids[:, 5:] + 7) % (tiny.VOCAB_SIZE - 1)
    segments = np.zeros_like(ids)
    one, two = (
        encoder(tf.constant(x), tf.constant(batch["input_mask"]), segments)
        for x in (ids, other)
    )
    np.testing.assert_allclose(
        one.sequence_output[:, :5], two.sequence_output[:, :5], atol=1e-6
    )
    # The last token, which has seen the text, speaks for it.
    assert np.abs(one.pooled_output - two.pooled_output).max() > 1e-2
    last = batch["input_mask"].sum(1) - 1
    rows = one.sequence_output.numpy()[np.arange(3), last]
    np.testing.assert_allclose(
        one.pooled_output,
        encoder.pooler(tf.constant(rows[:, None])),
        atol=1e-6,
    )


def test_packed_sequences_are_told_as_if_apart():
    objective = _objective(max_position_embeddings=160)
    apart = tiny.batch(4, seed=2, num_tokens=20)
    lengths = apart["input_mask"].sum(1)
    starts = np.cumsum([0, *lengths])[:-1].astype(np.int32)
    is_real = apart["input_mask"] > 0

    def row(values):
        return np.pad(values, (0, _LONG - len(values)))[None].astype(np.int32)

    at = (apart["masked_lm_positions"] + starts[:, None]).reshape(1, -1)
    weights = apart["masked_lm_weights"].reshape(1, -1)
    packed = {
        "input_ids": row(apart["input_ids"][is_real]),
        "input_mask": row(np.repeat(np.arange(1, 5), lengths)),
        "segment_ids": row(apart["segment_ids"][is_real]),
        "masked_lm_positions": (at * (weights > 0)).astype(np.int32),
        "masked_lm_ids": apart["masked_lm_ids"].reshape(1, -1),
        "masked_lm_weights": weights,
        "next_sentence_positions": starts[None],
    }
    one, other = (
        objective.compute_terms(_tensors(x), None) for x in (apart, packed)
    )
    for name, term in one.items():
        assert term.denominator == other[name].denominator
        np.testing.assert_allclose(
            term.numerator, other[name].numerator, rtol=1e-5
        )
    assert one["lm_loss"].denominator == lengths.sum() - 4


def test_no_array_holds_the_scores_of_all_tokens():
    objective, num_rows = _objective(), 4
    batch = _tensors(_batch(num_rows))
    graph = (
        tf.function(
            lambda: gradients.compute(
                objective.compute_terms,
                batch,
                objective.saved,
                make_seed=lambda part: tf.constant(5, tf.uint32),
                num_parts=1,
            )[0]
        )
        .get_concrete_function()
        .graph
    )
    sizes = [
        x.shape.num_elements() // tiny.VOCAB_SIZE
        for operation in graph.get_operations()
        for x in operation.outputs
        if x.shape.rank and x.shape[-1] == tiny.VOCAB_SIZE
    ]
    # 79 of each row are told: 32, 32 and 15 at a time.
    assert {num_rows * n for n in (15, 32)} <= set(sizes)
    assert max(sizes) == num_rows * 32


def _torch_loss(model, batch):
    ids = _whole({name: x.numpy() for name, x in batch.items()})
    ids = batch["input_ids"].new_tensor(ids).long()
    batch = batch | {"input_ids": ids}
    # Theirs are shifted in the model.
    labels = ids.masked_fill(batch["input_mask"] == 0, -100)
    return torch_reference.run(model, batch, labels=labels).loss


@pytest.fixture
def twins():
    """Returns the objective, and transformers' model with its weights."""
    pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    objective = _objective()
    theirs = transformers.BertConfig(
        **tiny.CONFIG
        | NO_DROPOUT
        | {
            "hidden_act": "gelu_new",
            "max_position_embeddings": _LONG,
            "is_decoder": True,
        }
    )
    model = transformers.BertLMHeadModel(theirs)
    weights = {v.path: v.numpy() for v in objective.saved}
    return objective, torch_reference.Reference(model, _torch_loss, weights)


def test_loss_and_gradients_are_those_of_pytorch(twins):
    objective, reference = twins
    batch = _batch(6, seed=4)
    with tf.GradientTape() as tape:
        term = objective.compute_terms(_tensors(batch), None)["lm_loss"]
        loss = term.numerator / term.denominator
    found = tape.gradient(loss, [v.value for v in objective.saved])
    wanted = reference.gradients(batch)
    differences = {
        v.path: np.abs(tf.convert_to_tensor(g) - wanted[v.path]).max()
        for v, g in zip(objective.saved, found, strict=True)
    }
    print(f"largest difference: {max(differences.values()):.1e}")
    assert max(differences.values()) < 1e-5, differences


@pytest.mark.parametrize(
    ("num_steps", "compile_step", "bound"),
    [(1, compilation.nothing, 1e-5), (20, compilation.whole, 1e-4)],
)
def test_steps_equal_pytorch(twins, num_steps, compile_step, bound):
    difference = torch_reference.largest_difference(
        *twins, [_batch(8, seed) for seed in range(num_steps)], compile_step
    )
    print(f"{num_steps} steps, {compile_step.__name__}: {difference:.1e}")
    assert difference < bound


def _write_inputs(directory):
    tiny_job.write_inputs(directory)
    config = tiny.CONFIG | {"num_hidden_layers": 1, "is_decoder": True}
    (directory / "bert.json").write_text(json.dumps(config))


_FLAGS = {"objective": "left_to_right", "use_nsp": False}


def test_a_run_goes_on_bit_for_bit_and_is_fine_tuned(tmp_path):
    _write_inputs(tmp_path)
    settings = _FLAGS | {"num_train_steps": 4, "save_checkpoints_steps": 2}
    results = tiny_job.run(tmp_path, "whole", do_eval=True, **settings)
    assert results["loss"] == results["lm_loss"] > 0
    shutil.copytree(tmp_path / "whole", tmp_path / "stopped")
    for path in (tmp_path / "stopped").glob("model.ckpt-4.*"):
        path.unlink()
    tiny_job.run(tmp_path, "stopped", **settings)
    wanted = tiny_job.tensors(tmp_path / "whole", 4)
    found = tiny_job.tensors(tmp_path / "stopped", 4)
    assert found.keys() == wanted.keys()
    for name, tensor in wanted.items():
        np.testing.assert_array_equal(found[name], tensor)
    export = tmp_path / "whole" / "export"
    assert tf1.read(str(export)).config.is_decoder
    tiny_task.write_inputs(tmp_path)
    # Another view of the text than the one it was trained with.
    with pytest.raises(ValueError, match="has is_decoder=True, .* False: "):
        tiny_task.run(tmp_path, "both", init_checkpoint=str(export))
    shutil.copy(export / "bert_config.json", tmp_path / "bert.json")
    results = tiny_task.run(
        tmp_path, "tuned", init_checkpoint=str(export), num_train_epochs=1.0
    )
    assert 0 <= results["eval_accuracy"] <= 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"use_nsp": True}, "left_to_right learns nothing of pairs: give --no"),
        ({"mask_unit": "span"}, "masks no words, so that --mask_unit=span"),
        ({"objective": "masked_lm"}, "is_decoder is true, and a masked word"),
        ({"objective": "span_boundary"}, "is_decoder is true, and a masked"),
        ({"bert_config_file": "both.json"}, 'not say "is_decoder": true'),
    ],
)
def test_flags_of_other_objectives_are_refused(tmp_path, changes, words):
    _write_inputs(tmp_path)
    (tmp_path / "both.json").write_text(json.dumps(tiny.CONFIG))
    if "bert_config_file" in changes:
        changes = {"bert_config_file": str(tmp_path / "both.json")}
    if "mask_unit" in changes:
        # The flag would be refused for records that are masked already.
        unmasked.write(tmp_path / "train.tfrecord", 20)
    with pytest.raises(ValueError, match=words):
        tiny_job.run(tmp_path, "out", **_FLAGS | changes)
    assert not list((tmp_path / "out").glob("model.ckpt*"))


def test_a_sick_run_is_told_by_its_loss_of_words(monkeypatch, caplog):
    monkeypatch.setattr(
        "pretraining.symptoms.guesses", lambda *args: (4.0, 0.5)
    )
    config = PretrainingConfig(
        input_file="a",
        bert_config_file="b",
        output_dir="c",
        do_train=True,
        **_FLAGS,
    )
    Symptoms(config, [], None).look(20_000, {"lm_loss": 4.5})
    assert "A SICK RUN? lm_loss 4.500 at step 20000 is not below" in caplog.text

"""SpanBERT's objective against its formula in NumPy, and against PyTorch."""

import json
import math
import shutil

import numpy as np
import pytest
import tensorflow as tf

from interop import tf1
from modeling import span_boundary as head
from pretraining.span_boundary import SpanBoundary
from tests import tiny
from tests.data import built
from tests.pretraining import tiny_job, torch_reference
from tests.pretraining.torch_reference import NO_DROPOUT
from training import compilation

_LONG = 64


def _spans(masked, length):
    """SpanBERT's spans of a row: [(first, last)], the outermost left out.

    Args:
        masked: positions of the masked words.
        length: tokens of the row, [CLS] and [SEP] included.
    """
    spans = []
    for at in sorted(masked):
        if spans and spans[-1][1] + 1 == at:
            spans[-1][1] = at
        else:
            spans.append([at, at])
    return [(a, b) for a, b in spans if a - 1 > 0 and b + 1 < length - 1]


def _batch(size, seed=0, num_predictions=32, num_tokens=_LONG):
    """A batch of long and short spans, some side by side or at a border."""
    rng = np.random.default_rng(seed)
    batch = tiny.batch(size, seed, num_tokens=num_tokens)
    positions = np.zeros((size, num_predictions), np.int32)
    weights = np.zeros((size, num_predictions), np.float32)
    for row, length in enumerate(batch["input_mask"].sum(1)):
        masked = set()
        if row == 0:
            masked |= set(range(3, 3 + 24))  # Longer than there are places.
        while len(masked) < num_predictions - 10:
            first = rng.integers(1, length - 1)
            masked |= set(range(first, min(first + rng.integers(1, 5), length)))
            masked -= {length - 1}
            if rng.random() < 0.3:
                break
        masked = sorted(masked)[:num_predictions]
        positions[row, : len(masked)] = masked
        weights[row, : len(masked)] = 1
    ids = rng.integers(1, tiny.VOCAB_SIZE, positions.shape)
    return batch | {
        "masked_lm_positions": positions,
        "masked_lm_ids": (ids * weights).astype(np.int32),
        "masked_lm_weights": weights,
    }


def _asked(batch):
    """Returns [(row, slot, left, right, place)] of words that are asked for."""
    found = []
    for row, length in enumerate(batch["input_mask"].sum(1)):
        places = batch["masked_lm_positions"][row]
        is_masked = batch["masked_lm_weights"][row] > 0
        slots = {int(p): i for i, p in enumerate(places) if is_masked[i]}
        for first, last in _spans(slots, length):
            found += [
                (row, slots[at], first - 1, last + 1, at - first)
                for at in range(first, min(last, first + 19) + 1)
            ]
    return found


def test_boundaries_are_those_of_the_runs_of_masked_words():
    for seed in range(20):
        batch = _batch(6, seed)
        found = head.boundaries(
            *(
                tf.constant(batch[name])
                for name in (
                    "masked_lm_positions",
                    "masked_lm_weights",
                    "input_mask",
                )
            )
        )
        wanted = _asked(batch)
        assert wanted
        weights = np.zeros_like(batch["masked_lm_weights"])
        for row, slot, *where in wanted:
            weights[row, slot] = 1
            got = [int(x[row, slot]) for x in found[:3]]
            assert got == where
        np.testing.assert_array_equal(found.weights, weights)


def test_a_row_of_several_sequences_is_so_many_rows():
    one = _batch(5, seed=3, num_tokens=24, num_predictions=16)
    lengths = one["input_mask"].sum(1)
    starts = np.cumsum([0, *lengths])[:-1]
    numbers = np.repeat(np.arange(1, 6), lengths)[None].astype(np.int32)
    numbers = np.pad(numbers, [[0, 0], [0, 3]])
    weights = one["masked_lm_weights"]
    packed = head.boundaries(
        tf.constant(
            ((one["masked_lm_positions"] + starts[:, None]) * (weights > 0))
            .astype(np.int32)
            .reshape(1, -1)
        ),
        tf.constant(weights.reshape(1, -1)),
        tf.constant(numbers),
    )
    apart = head.boundaries(
        tf.constant(one["masked_lm_positions"]),
        tf.constant(weights),
        tf.constant(one["input_mask"]),
    )
    is_asked = apart.weights.numpy() > 0
    assert is_asked.sum() > 5
    np.testing.assert_array_equal(
        packed.weights.numpy().reshape(is_asked.shape) > 0, is_asked
    )
    shift = {"left": starts[:, None], "right": starts[:, None], "place": 0}
    for name, by in shift.items():
        np.testing.assert_array_equal(
            getattr(packed, name).numpy().reshape(is_asked.shape)[is_asked],
            (getattr(apart, name).numpy() + by)[is_asked],
        )


def _gelu(x):
    return x * 0.5 * (1 + np.vectorize(math.erf)(x / 2**0.5))


def _norm(x, weights, name):
    centred = x - x.mean(-1, keepdims=True)
    z = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-12)
    return z * weights[f"{name}/gamma"] + weights[f"{name}/beta"]


def test_the_loss_is_that_of_the_formula():
    objective = _objective()
    batch = _batch(6, seed=4)
    features = {k: tf.constant(x) for k, x in batch.items()}
    terms = objective.compute_terms(features, None)
    x = objective.encoder(
        *(features[n] for n in ("input_ids", "input_mask", "segment_ids"))
    ).sequence_output.numpy()
    weights = {v.path: v.numpy().astype(float) for v in objective.saved}
    scope = "cls/pair_target_predictions"
    mlp = f"{scope}/mlp_layer_norm"
    total, right = 0.0, 0
    asked = _asked(batch)
    for row, slot, left, after, place in asked:
        h = np.concatenate(
            [
                x[row, left],
                x[row, after],
                weights[f"{scope}/position_embeddings"][place],
            ]
        )
        for n in (1, 2):
            linear = f"{mlp}/linear{n}"
            h = h @ weights[f"{linear}/kernel"] + weights[f"{linear}/bias"]
            h = _norm(_gelu(h), weights, f"{mlp}/layer_norm{n}")
        logits = weights["bert/embeddings/word_embeddings"] @ h
        logits = logits + weights[f"{scope}/output_bias"]
        label = batch["masked_lm_ids"][row, slot]
        total += np.log(np.exp(logits).sum()) - logits[label]
        right += logits.argmax() == label
    loss, accuracy = (terms[f"span_boundary_{x}"] for x in ("loss", "accuracy"))
    assert loss.denominator == accuracy.denominator == len(asked) > 20
    # SpanBERT's: divided by the number of words and 1.
    assert loss.epsilon == 1 and loss.weight == 1 and loss.in_loss
    assert float(loss.numerator) == pytest.approx(total, rel=1e-5)
    assert float(accuracy.numerator) == right


def _objective(use_nsp=False):
    architecture = tiny.config(max_position_embeddings=_LONG, **NO_DROPOUT)
    return SpanBoundary(architecture, use_nsp=use_nsp, seed=5)


def _torch_head(torch, width, vocab_size):
    """SpanBERT's head, by its names."""
    part = torch.nn.Module()
    part.position_embeddings = torch.nn.Embedding(20, 200)
    mlp = part.mlp_layer_norm = torch.nn.Module()
    mlp.linear1 = torch.nn.Linear(2 * width + 200, width)
    mlp.layer_norm1 = torch.nn.LayerNorm(width, eps=1e-12)
    mlp.linear2 = torch.nn.Linear(width, width)
    mlp.layer_norm2 = torch.nn.LayerNorm(width, eps=1e-12)
    part.bias = torch.nn.Parameter(torch.zeros(vocab_size))
    return part


def _torch_loss(model, batch):
    import torch

    out = torch_reference.run(model, batch, output_hidden_states=True)
    states, part = out.hidden_states[-1], model.cls.pair_target_predictions
    asked = _asked({name: x.numpy() for name, x in batch.items()})
    rows, slots, left, after, place = torch.tensor(asked).T
    places = part.position_embeddings(place)
    x = torch.cat((states[rows, left], states[rows, after], places), -1)
    mlp = part.mlp_layer_norm
    x = mlp.layer_norm1(torch.nn.functional.gelu(mlp.linear1(x)))
    x = mlp.layer_norm2(torch.nn.functional.gelu(mlp.linear2(x)))
    words = model.get_input_embeddings().weight
    nll = torch.nn.functional.cross_entropy(
        x @ words.T + part.bias,
        batch["masked_lm_ids"][rows, slots].long(),
        reduction="sum",
    )
    masked = torch_reference.masked_lm_loss(out.prediction_logits, batch)
    pairs = torch.nn.functional.cross_entropy(
        out.seq_relationship_logits, batch["next_sentence_labels"].long()
    )
    return masked + nll / (len(asked) + 1) + pairs


@pytest.fixture
def twins():
    """Returns the objective, and a model of PyTorch with its weights."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    objective = _objective(use_nsp=True)
    model = transformers.BertForPreTraining(
        transformers.BertConfig(
            **tiny.CONFIG
            | NO_DROPOUT
            | {"hidden_act": "gelu_new", "max_position_embeddings": _LONG},
        )
    )
    model.cls.pair_target_predictions = _torch_head(
        torch, tiny.WIDTH, tiny.VOCAB_SIZE
    )
    weights = {v.path: v.numpy() for v in objective.saved}
    return objective, torch_reference.Reference(model, _torch_loss, weights)


def test_gradients_are_those_of_pytorch(twins):
    objective, reference = twins
    batch = _batch(6, seed=4)
    with tf.GradientTape() as tape:
        terms = objective.compute_terms(
            {k: tf.constant(x) for k, x in batch.items()}, None
        )
        loss = tf.add_n(
            [
                x.numerator / (x.denominator + x.epsilon)
                for x in terms.values()
                if x.in_loss
            ]
        )
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
        *twins,
        [_batch(8, seed) for seed in range(num_steps)],
        compile_step,
    )
    print(f"{num_steps} steps, {compile_step.__name__}: {difference:.1e}")
    assert difference < bound


def _write_inputs(directory, masking):
    """Builds records and a config; returns the flags of a run on them."""
    lengths = {"max_seq_length": 48, "max_predictions_per_seq": 10}
    built.build_only(
        directory,
        masking=masking,
        mask_unit="span" if masking == "static" else "word",
        pair_task="none",
        dupe_factor=1,
        **lengths,
    )
    changes = {
        "vocab_size": len((directory / "vocab.txt").read_text().splitlines()),
        "max_position_embeddings": 48,
        "num_hidden_layers": 1,
    }
    (directory / "bert.json").write_text(json.dumps(tiny.CONFIG | changes))
    drawn = {"mask_unit": "span", "do_whole_word_mask": True}
    return {
        "objective": "span_boundary",
        "input_file": str(directory / "records"),
        "eval_input_file": str(directory / "records"),
        "use_nsp": False,
        "num_train_steps": 4,
        "save_checkpoints_steps": 2,
        "do_eval": True,
        **lengths,
        **(drawn if masking == "dynamic" else {}),
    }


@pytest.mark.parametrize("masking", ["static", "dynamic"])
def test_a_run_goes_on_bit_for_bit_and_leaves_a_plain_bert(tmp_path, masking):
    settings = _write_inputs(tmp_path, masking)
    results = tiny_job.run(tmp_path, "whole", **settings)
    assert results["span_boundary_loss"] > 0
    assert results["loss"] == pytest.approx(
        results["masked_lm_loss"] + results["span_boundary_loss"]
    )
    shutil.copytree(tmp_path / "whole", tmp_path / "stopped")
    for path in (tmp_path / "stopped").glob("model.ckpt-4.*"):
        path.unlink()
    tiny_job.run(tmp_path, "stopped", **settings)
    wanted = tiny_job.tensors(tmp_path / "whole", 4)
    found = tiny_job.tensors(tmp_path / "stopped", 4)
    assert found.keys() == wanted.keys()
    for name, tensor in wanted.items():
        np.testing.assert_array_equal(found[name], tensor)
    of_head = {n for n in wanted if "/pair_target_predictions/" in n}
    assert "cls/pair_target_predictions/position_embeddings" in of_head
    exported = tf1.read(str(tmp_path / "whole" / "export"))
    assert exported.head == "pretraining"
    assert not of_head & exported.values.keys()
    for name, value in exported.values.items():
        np.testing.assert_array_equal(value, wanted[name])

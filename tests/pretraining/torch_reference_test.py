"""Training steps equal those of an independent model in PyTorch.

`transformers`' BertForPreTraining computes the gradients; the loss and the
update of google-research/bert are written out below.
"""

import numpy as np
import pytest
import tensorflow as tf

from pretraining import masked_lm
from tests import tiny
from training import compilation, optimizer, schedules, step

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

_PEAK, _NUM_TRAIN_STEPS, _NUM_WARMUP_STEPS = 1e-3, 30, 4
_NO_DROPOUT = {
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
}


def _our_name(theirs):
    """Translates `bert.encoder.layer.0.output.dense.weight` and the like."""
    if theirs == "cls.predictions.bias":
        return "cls/predictions/output_bias"
    if theirs.startswith("cls.seq_relationship."):
        return f"cls/seq_relationship/output_{theirs.split('.')[-1]}".replace(
            "output_weight", "output_weights"
        )
    name = theirs.replace(".layer.", ".layer_").replace(".", "/")
    if "LayerNorm" in name:
        return name.replace("weight", "gamma").replace("bias", "beta")
    if name.endswith("_embeddings/weight"):
        return name.removesuffix("/weight")
    return name.replace("weight", "kernel")


def _to_ours(name, array):
    is_kernel = name.endswith("/kernel")
    return array.T if is_kernel else array


class _Reference:
    """BertForPreTraining under google-research/bert's optimizer."""

    def __init__(self, weights):
        config = transformers.BertConfig(
            **tiny.CONFIG
            | _NO_DROPOUT
            | {"hidden_act": "gelu_new", "layer_norm_eps": 1e-12},
        )
        self.model = transformers.BertForPreTraining(config).train()
        self.parameters = {
            _our_name(name): parameter
            for name, parameter in self.model.named_parameters()
        }
        assert self.parameters.keys() == weights.keys()
        with torch.no_grad():
            for name, parameter in self.parameters.items():
                parameter.copy_(torch.tensor(_to_ours(name, weights[name])))
        self.m = {name: 0.0 for name in weights}
        self.v = {name: 0.0 for name in weights}

    def weights(self):
        return {
            name: _to_ours(name, parameter.detach().numpy())
            for name, parameter in self.parameters.items()
        }

    def loss(self, batch):
        batch = {name: torch.tensor(value) for name, value in batch.items()}
        out = self.model(
            input_ids=batch["input_ids"].long(),
            attention_mask=batch["input_mask"].long(),
            token_type_ids=batch["segment_ids"].long(),
        )
        positions = batch["masked_lm_positions"].long()
        logits = torch.gather(
            out.prediction_logits,
            1,
            positions[..., None].expand(-1, -1, tiny.VOCAB_SIZE),
        )
        nll = torch.nn.functional.cross_entropy(
            logits.transpose(1, 2),
            batch["masked_lm_ids"].long(),
            reduction="none",
        )
        weights = batch["masked_lm_weights"]
        masked_lm_loss = (weights * nll).sum() / (weights.sum() + 1e-5)
        return masked_lm_loss + torch.nn.functional.cross_entropy(
            out.seq_relationship_logits, batch["next_sentence_labels"].long()
        )

    def train(self, batch, at):
        self.model.zero_grad()
        self.loss(batch).backward()
        rate = _PEAK * (1 - at / _NUM_TRAIN_STEPS)
        if at < _NUM_WARMUP_STEPS:
            rate = _PEAK * at / _NUM_WARMUP_STEPS
        gradients = {n: p.grad for n, p in self.parameters.items()}
        norm = sum((g**2).sum() for g in gradients.values()) ** 0.5
        with torch.no_grad():
            for name, parameter in self.parameters.items():
                g = gradients[name] / max(norm, 1.0)
                self.m[name] = 0.9 * self.m[name] + 0.1 * g
                self.v[name] = 0.999 * self.v[name] + 0.001 * g**2
                update = self.m[name] / (self.v[name] ** 0.5 + 1e-6)
                if "LayerNorm" not in name and "bias" not in name:
                    update = update + 0.01 * parameter
                parameter -= rate * update


def _largest_difference(num_steps, compile_step):
    """Trains both; returns the largest difference of any weight."""
    objective = masked_lm.MaskedLm(
        tiny.config(**_NO_DROPOUT), use_nsp=True, seed=5
    )
    adam = optimizer.AdamWeightDecay(
        schedules.Schedule(
            peak=_PEAK,
            num_train_steps=_NUM_TRAIN_STEPS,
            num_warmup_steps=_NUM_WARMUP_STEPS,
        )
    )
    adam.build(objective.saved)
    # From a step after warm-up's first, whose rate is 0.
    adam.iterations.assign(1)
    reference = _Reference({v.path: v.numpy() for v in objective.saved})
    batches = [tiny.batch(8, seed) for seed in range(num_steps)]
    for at, batch in enumerate(batches, start=1):
        reference.train(batch, at)
    devices = tf.distribute.get_strategy()
    totals = step.Totals((*objective.term_names, *step.STEP_TERMS))
    train_step = step.make_train_step(
        devices,
        objective.compute_terms,
        adam,
        objective.saved,
        totals,
        seed=1,
    )
    run_steps = step.make_run_steps(
        devices, train_step, totals, compile_step=compile_step
    )
    stacked = {
        name: np.concatenate([batch[name] for batch in batches])
        for name in batches[0]
    }
    dataset = tf.data.Dataset.from_tensor_slices(stacked)
    run_steps(
        iter(dataset.batch(8, drop_remainder=True)),
        tf.constant(num_steps, tf.int64),
    )
    theirs = reference.weights()
    return max(
        np.abs(v.numpy() - theirs[v.path]).max() for v in objective.saved
    )


@pytest.mark.parametrize(
    ("num_steps", "compile_step", "bound"),
    [
        (1, compilation.nothing, 1e-5),
        (20, compilation.whole, 1e-4),
        (2, compilation.all_but_products, 1e-5),
    ],
)
def test_steps_equal_pytorch(num_steps, compile_step, bound):
    difference = _largest_difference(num_steps, compile_step)
    print(f"{num_steps} steps, {compile_step.__name__}: {difference:.1e}")
    assert difference < bound

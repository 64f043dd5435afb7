"""Trains a model in PyTorch as a step of ours trains its twin.

`transformers` computes the gradients; the update of google-research/bert is
written out below.
"""

import numpy as np
import tensorflow as tf

from training import optimizer, schedules, step

PEAK, NUM_TRAIN_STEPS, NUM_WARMUP_STEPS = 1e-3, 30, 4
NO_DROPOUT = {
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
}


def our_name(theirs):
    """Translates `bert.encoder.layer.0.output.dense.weight` and the like."""
    if theirs.endswith("predictions.bias"):
        return theirs.replace(".", "/").removesuffix("bias") + "output_bias"
    if theirs.startswith("cls.seq_relationship."):
        return f"cls/seq_relationship/output_{theirs.split('.')[-1]}".replace(
            "output_weight", "output_weights"
        )
    name = theirs.replace(".layer.", ".layer_").replace(".", "/")
    if "LayerNorm/" in name or "/layer_norm" in name:
        return name.replace("weight", "gamma").replace("bias", "beta")
    if name.endswith("_embeddings/weight"):
        return name.removesuffix("/weight")
    return name.replace("weight", "kernel")


def _to_ours(name, array):
    is_kernel = name.endswith("/kernel")
    return array.T if is_kernel else array


def _is_decayed(name):
    return not any(x in name for x in ("LayerNorm", "layer_norm", "bias"))


class Reference:
    """A model of PyTorch under google-research/bert's optimizer.

    Args:
        model: its parameters have transformers' names.
        loss: maps the model and {feature: tensor} to a scalar.
        weights: {our name: array} to begin with.
    """

    def __init__(self, model, loss, weights):
        import torch

        self.model, self.loss = model.train(), loss
        self.parameters = {
            our_name(name): parameter
            for name, parameter in model.named_parameters()
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

    def gradients(self, batch):
        """Returns {our name: array} of the loss of a batch."""
        import torch

        batch = {name: torch.tensor(value) for name, value in batch.items()}
        self.model.zero_grad()
        self.loss(self.model, batch).backward()
        return {
            name: _to_ours(name, parameter.grad.numpy())
            for name, parameter in self.parameters.items()
        }

    def train(self, batch, at):
        import torch

        self.gradients(batch)
        rate = PEAK * (1 - at / NUM_TRAIN_STEPS)
        if at < NUM_WARMUP_STEPS:
            rate = PEAK * at / NUM_WARMUP_STEPS
        gradients = {n: p.grad for n, p in self.parameters.items()}
        norm = sum((g**2).sum() for g in gradients.values()) ** 0.5
        with torch.no_grad():
            for name, parameter in self.parameters.items():
                g = gradients[name] / max(norm, 1.0)
                self.m[name] = 0.9 * self.m[name] + 0.1 * g
                self.v[name] = 0.999 * self.v[name] + 0.001 * g**2
                update = self.m[name] / (self.v[name] ** 0.5 + 1e-6)
                if _is_decayed(name):
                    update = update + 0.01 * parameter
                parameter -= rate * update


def masked_lm_loss(logits, batch):
    """Returns google-research/bert's loss of the masked words."""
    import torch

    positions = batch["masked_lm_positions"].long()
    at = positions[..., None].expand(-1, -1, logits.shape[-1])
    nll = torch.nn.functional.cross_entropy(
        torch.gather(logits, 1, at).transpose(1, 2),
        batch["masked_lm_ids"].long(),
        reduction="none",
    )
    weights = batch["masked_lm_weights"]
    return (weights * nll).sum() / (weights.sum() + 1e-5)


def run(model, batch, **options):
    """Returns what a model of transformers makes of a batch."""
    return model(
        input_ids=batch["input_ids"].long(),
        attention_mask=batch["input_mask"].long(),
        token_type_ids=batch["segment_ids"].long(),
        **options,
    )


def largest_difference(objective, reference, batches, compile_step):
    """Trains both on the batches; returns the largest difference of a weight.

    `reference` begins with the weights of `objective`.
    """
    adam = optimizer.AdamWeightDecay(
        schedules.Schedule(
            peak=PEAK,
            num_train_steps=NUM_TRAIN_STEPS,
            num_warmup_steps=NUM_WARMUP_STEPS,
        )
    )
    adam.build(objective.saved)
    # From a step after warm-up's first, whose rate is 0.
    adam.iterations.assign(1)
    for at, batch in enumerate(batches, start=1):
        reference.train(batch, at)
    totals = step.Totals((*objective.term_names, *step.STEP_TERMS))
    train_step = step.make_train_step(
        tf.distribute.get_strategy(),
        objective.compute_terms,
        adam,
        objective.saved,
        totals,
        seed=1,
    )
    run_steps = step.make_run_steps(
        tf.distribute.get_strategy(),
        train_step,
        totals,
        compile_step=compile_step,
    )
    stacked = {
        name: np.concatenate([batch[name] for batch in batches])
        for name in batches[0]
    }
    dataset = tf.data.Dataset.from_tensor_slices(stacked)
    size = len(batches[0]["input_ids"])
    run_steps(
        iter(dataset.batch(size, drop_remainder=True)),
        tf.constant(len(batches), tf.int64),
    )
    theirs = reference.weights()
    return max(
        np.abs(v.numpy() - theirs[v.path]).max() for v in objective.saved
    )

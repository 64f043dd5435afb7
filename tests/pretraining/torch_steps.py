"""Models of transformers beside ours: of one's weights, and by one optimizer.

The update is google-research/bert's, written out.
"""

import numpy as np
import tensorflow as tf

from interop import hugging_face, variables
from tests import tiny
from training import compilation, optimizer, schedules, step

NO_DROPOUT = {
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
}
_PEAK, _NUM_TRAIN_STEPS, _NUM_WARMUP_STEPS = 1e-3, 30, 4


def model_of(directory, config, values, head):
    """Returns the model of transformers that has these values."""
    portable = variables.PortableModel(config=config, head=head, values=values)
    hugging_face.export(str(directory), portable)
    its_class = portable.family.hugging_face.classes()[head]
    return its_class.from_pretrained(
        str(directory), attn_implementation="eager"
    )


class Reference:
    """Trains parameters of PyTorch under our names.

    Args:
        config: of the model.
        model: of transformers.
        head: of the model.
        more: {our name: (parameter, whether it is transposed)} beside it.
    """

    def __init__(self, config, model, head, more):
        prefix = variables.family_of(config).hugging_face.prefix
        # A bare encoder of transformers has its names without a prefix.
        of_model = {
            name if head != "encoder" else prefix + name: x
            for name, x in model.named_parameters()
        }
        self.parameters = {
            ours: (of_model[theirs], is_transposed)
            for ours, (theirs, is_transposed) in hugging_face._rows(
                config, head
            ).items()
            if theirs in of_model
        } | more
        self.m = dict.fromkeys(self.parameters, 0.0)
        self.v = dict.fromkeys(self.parameters, 0.0)

    def weights(self):
        return {
            name: x.detach().numpy().T if is_transposed else x.detach().numpy()
            for name, (x, is_transposed) in self.parameters.items()
        }

    def train(self, torch, loss, at):
        for parameter, _ in self.parameters.values():
            parameter.grad = None
        loss.backward()
        rate = _PEAK * (1 - at / _NUM_TRAIN_STEPS)
        if at < _NUM_WARMUP_STEPS:
            rate = _PEAK * at / _NUM_WARMUP_STEPS
        # A pooler that nobody reads has no gradient.
        moved = {
            name: x
            for name, (x, _) in self.parameters.items()
            if x.grad is not None
        }
        norm = sum((x.grad**2).sum() for x in moved.values()) ** 0.5
        with torch.no_grad():
            for name, x in moved.items():
                g = x.grad / max(norm, 1.0)
                self.m[name] = 0.9 * self.m[name] + 0.1 * g
                self.v[name] = 0.999 * self.v[name] + 0.001 * g**2
                update = self.m[name] / (self.v[name] ** 0.5 + 1e-6)
                if "LayerNorm" not in name and "bias" not in name:
                    update = update + 0.01 * x
                x -= rate * update


def train_ours(objective, batches, compile_step=compilation.nothing):
    """Trains an objective on batches, at the rates of `Reference` from 1 on."""
    adam = optimizer.AdamWeightDecay(
        schedules.Schedule(
            peak=_PEAK,
            num_train_steps=_NUM_TRAIN_STEPS,
            num_warmup_steps=_NUM_WARMUP_STEPS,
        )
    )
    adam.build(objective.saved)
    adam.iterations.assign(1)
    devices = tf.distribute.get_strategy()
    totals = step.Totals((*objective.term_names, *step.STEP_TERMS))
    train_step = step.make_train_step(
        devices,
        objective.compute_terms,
        adam,
        objective.trained,
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
    rows = tf.data.Dataset.from_tensor_slices(stacked)
    size = len(batches[0]["input_ids"])
    run_steps(
        iter(rows.batch(size, drop_remainder=True)),
        tf.constant(len(batches), tf.int64),
    )


def batches(number):
    """Returns batches of uneven rows, of one segment as DistilBERT reads."""
    found = [tiny.batch(8, seed) for seed in range(number)]
    zeros = np.zeros_like(found[0]["segment_ids"])
    return [batch | {"segment_ids": zeros} for batch in found]

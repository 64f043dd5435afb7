"""Trains on N virtual CPU devices and saves the weights and the sums.

python -m tests.pretraining.replicas_program N OUTPUT.npz

A program, since devices are fixed when TensorFlow starts.
"""

import sys

import numpy as np
import tensorflow as tf

from pretraining import masked_lm
from tests import tiny
from training import optimizer, step

_NUM_STEPS = 6
_BATCH_SIZE = 8


def _dataset():
    batches = [tiny.batch(_BATCH_SIZE, seed) for seed in range(_NUM_STEPS)]
    stacked = {
        name: np.concatenate([batch[name] for batch in batches])
        for name in batches[0]
    }
    dataset = tf.data.Dataset.from_tensor_slices(stacked)
    return dataset.batch(_BATCH_SIZE, drop_remainder=True)


def main(num_replicas, output):
    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0],
        [tf.config.LogicalDeviceConfiguration()] * num_replicas,
    )
    devices = tf.distribute.get_strategy()
    if num_replicas > 1:
        devices = tf.distribute.MirroredStrategy(
            [f"CPU:{i}" for i in range(num_replicas)]
        )
    config = tiny.config(
        hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0
    )
    with devices.scope():
        objective = masked_lm.MaskedLm(config, use_nsp=True, seed=1)
        adam = optimizer.AdamWeightDecay(1e-3)
        adam.build(objective.variables)
        totals = step.Totals((*objective.term_names, *step.STEP_TERMS))
        eval_totals = step.Totals(objective.term_names)
    run_steps = step.make_run_steps(
        devices,
        objective.compute_terms,
        adam,
        objective.variables,
        totals,
        seed=1,
        jit_compile=False,
    )
    batches = devices.experimental_distribute_dataset(_dataset())
    run_steps(iter(batches), tf.constant(_NUM_STEPS, tf.int64))
    evaluate_steps = step.make_evaluate_steps(
        devices, objective.compute_terms, eval_totals
    )
    evaluate_steps(iter(batches), tf.constant(_NUM_STEPS, tf.int64))
    np.savez(
        output,
        step=adam.iterations.numpy(),
        **{f"weight {v.path}": v.numpy() for v in objective.variables},
        **{f"train {k}": np.array(v) for k, v in totals.read().items()},
        **{f"eval {k}": np.array(v) for k, v in eval_totals.read().items()},
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])

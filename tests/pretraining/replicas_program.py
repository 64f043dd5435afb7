"""Trains on N virtual CPU devices and saves the weights and the sums.

python -m tests.pretraining.replicas_program \
    N NUM_PARTS OUTPUT.npz [HOW [OPTIMIZER [OBJECTIVE TEACHER]]]

HOW is the function of `training.compilation` that is used, "nothing" unless
given, OPTIMIZER a key of `training.optimizers.OPTIMIZERS`, "bert_adam",
OBJECTIVE one of `pretraining.objectives.OBJECTIVES`, "masked_lm".

With TF_CONFIG in the environment it is one of several workers. A program, since
devices are fixed when TensorFlow starts.
"""

import sys

import numpy as np
import tensorflow as tf

from pretraining import objectives
from pretraining.config import PretrainingConfig
from tests import tiny
from training import (
    compilation,
    config,
    loss_scale,
    optimizers,
    step,
    strategy,
)

_NUM_STEPS = 11
_BAD_STEP = 4
_BATCH_SIZE = 8
_RATE = 1e-3


def _dataset(context, batches):
    """This worker's rows of every batch, in batches of a replica."""
    rows = {
        name: np.concatenate(
            [
                np.array_split(batch[name], context.num_input_pipelines)[
                    context.input_pipeline_id
                ]
                for batch in batches
            ]
        )
        for name in batches[0]
    }
    per_replica = context.get_per_replica_batch_size(_BATCH_SIZE)
    dataset = tf.data.Dataset.from_tensor_slices(rows)
    # Workers keep static shapes only where the data never ends.
    return dataset.batch(per_replica, drop_remainder=True).repeat()


def _make_devices(num_replicas):
    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0],
        [tf.config.LogicalDeviceConfiguration()] * num_replicas,
    )
    if num_replicas == 1:
        return strategy.create()
    return tf.distribute.MirroredStrategy(
        [f"CPU:{i}" for i in range(num_replicas)]
    )


def _run(devices, make_steps, batches):
    distributed = devices.distribute_datasets_from_function(
        lambda context: _dataset(context, batches)
    )
    make_steps(iter(distributed), tf.constant(len(batches), tf.int64))


def _make_objective(name, teacher_dir):
    is_decoder = name == "left_to_right"
    is_electra = name == "replaced_token"
    shape = {
        "num_hidden_layers": 1,
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
        "is_decoder": is_decoder,
    }
    flags = PretrainingConfig(
        input_file="",
        bert_config_file="",
        output_dir="",
        do_train=True,
        max_seq_length=tiny.NUM_TOKENS,
        seed=1,
        objective=name,
        use_nsp=teacher_dir is None and not is_decoder and not is_electra,
        teacher_dir=teacher_dir,
        **{"generator_hidden_size": 0.5} if is_electra else {},
    )
    architecture = tiny.config("electra" if is_electra else "bert", **shape)
    return objectives.make(flags, architecture, "none")


def main(
    num_replicas,
    num_parts,
    output,
    how="nothing",
    name="bert_adam",
    objective_name="masked_lm",
    teacher_dir=None,
):
    devices = _make_devices(num_replicas)
    with devices.scope():
        objective = _make_objective(objective_name, teacher_dir)
        settings = config.OptimizerSettings(optimizer=name)
        optimizer = optimizers.make(settings, _RATE, objective)
        scale = loss_scale.LossScale()
        lengths = objective.term_lengths
        totals = step.Totals((*objective.term_names, *step.STEP_TERMS), lengths)
        eval_totals = step.Totals(objective.term_names, lengths)
    train_step = step.make_train_step(
        devices,
        objective.compute_terms,
        optimizer,
        objective.saved,
        totals,
        seed=1,
        num_parts=num_parts,
        loss_scale=scale,
    )
    batches = [tiny.batch(_BATCH_SIZE, seed) for seed in range(_NUM_STEPS)]
    evaluate_steps = step.make_evaluate_steps(
        devices, objective.compute_terms, eval_totals
    )
    _run(devices, evaluate_steps, batches)
    # Seen by one replica only, skipped by all.
    batches[_BAD_STEP]["masked_lm_weights"][0, 0] = np.nan
    run_steps = step.make_run_steps(
        devices, train_step, totals, compile_step=getattr(compilation, how)
    )
    _run(devices, run_steps, batches)
    state = optimizer.slots() | scale.variables()
    np.savez(
        output,
        step=optimizer.iterations.numpy(),
        **{f"weight {v.path}": v.numpy() for v in objective.saved},
        **{f"slot {k}": v.numpy() for k, v in state.items()},
        **{f"train {k}": np.array(v) for k, v in totals.read().items()},
        **{f"eval {k}": np.array(v) for k, v in eval_totals.read().items()},
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:])

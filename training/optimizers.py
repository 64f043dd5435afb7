"""The choice of an optimizer, and a change of it between runs."""

import math
from collections.abc import Callable
from typing import Any

import tensorflow as tf
from absl import logging
from keras.optimizers.schedules import LearningRateSchedule

from storage import tensors
from training.adafactor import Adafactor
from training.config import OptimizerSettings
from training.lamb import Lamb
from training.muon import Muon
from training.objective import Objective
from training.optimizer import AdamWeightDecay, Optimizer

# Peaks above this, as 1.76e-3 in published recipes, are meant for LAMB; at a
# width of 768, and higher for narrower models.
_HIGHEST_ADAM_RATE = 5e-4
_WIDTH = 768
_HIGHEST_MUON_RATE = 2e-2
_FOR_LAMB = "are usually meant for --optimizer=lamb and large batches"
_MARK = "optimizer/"


def _adam(settings: OptimizerSettings, objective: Objective) -> dict[str, Any]:
    # The published default of every optimizer but BERT's own is to correct.
    is_corrected = settings.bias_correction
    if is_corrected is None:
        is_corrected = settings.optimizer != "bert_adam"
    return {
        "beta_1": settings.adam_beta1,
        "beta_2": settings.adam_beta2,
        "epsilon": settings.adam_epsilon,
        "bias_correction": is_corrected,
    }


def _muon(settings: OptimizerSettings, objective: Objective) -> dict[str, Any]:
    # What is fast in bfloat16 trains in it.
    is_low = objective.mixed_precision == "bfloat16"
    return _adam(settings, objective) | {
        "is_matrix": objective.is_layers_matrix,
        "products": "bfloat16" if is_low else "float32",
    }


# {--optimizer: (its class, its own arguments)}
OPTIMIZERS: dict[str, tuple[type[Optimizer], Callable[..., dict[str, Any]]]] = {
    "bert_adam": (AdamWeightDecay, _adam),
    "adamw": (AdamWeightDecay, _adam),
    "lamb": (Lamb, _adam),
    "adafactor": (Adafactor, lambda settings, objective: {}),
    "muon": (Muon, _muon),
}


def make(
    settings: OptimizerSettings,
    schedule: LearningRateSchedule,
    objective: Objective,
) -> Optimizer:
    """Returns the built optimizer of what an objective trains."""
    optimizer_class, arguments_of = OPTIMIZERS[settings.optimizer]
    optimizer = optimizer_class(
        learning_rate=schedule,
        decay=settings.weight_decay,
        rate_factor=layer_factor(settings.layerwise_lr_decay, objective),
        **arguments_of(settings, objective),
    )
    optimizer.build(objective.trained)
    return optimizer


def warn_of_high_rate(
    settings: OptimizerSettings, objective: Objective
) -> None:
    """Warns of a peak that is meant for another optimizer."""
    limit, reason = {
        "bert_adam": (_HIGHEST_ADAM_RATE * _WIDTH / objective.width, _FOR_LAMB),
        "adamw": (_HIGHEST_ADAM_RATE * _WIDTH / objective.width, _FOR_LAMB),
        "muon": (_HIGHEST_MUON_RATE, "are not known to help"),
    }.get(settings.optimizer, (math.inf, ""))
    if settings.learning_rate > limit:
        logging.warning(
            "--learning_rate=%g is high for --optimizer=%s and a width of %s: "
            "peaks above %.2g %s",
            settings.learning_rate,
            settings.optimizer,
            objective.width,
            limit,
            reason,
        )


def layer_factor(decay: float, objective: Objective) -> Callable[[str], float]:
    """Returns ELECTRA's rule for the rates of layers, a function of the path.

    The factor is 1 for what is highest in the model, and `decay` times that of
    the layer above for each layer below (Clark et al. 2020, optimization.py).
    """
    return lambda path: decay ** (
        objective.head_depth - objective.depth_of(path)
    )


def mark(name: str) -> dict[str, tf.Variable]:
    """Returns {name: variable}, by which a checkpoint tells its optimizer.

    The default has no mark: its checkpoints have no more than those of
    google-research/bert.
    """
    if name == "bert_adam":
        return {}
    return {_MARK + name: tf.Variable(1, trainable=False, dtype=tf.int32)}


def refuse_change(checkpoint: str, name: str) -> None:
    """Raises ValueError if `checkpoint` is of another optimizer.

    Args:
        checkpoint: a prefix; a damaged one is of no optimizer.
        name: the optimizer of this run.
    """
    try:
        names = tensors.shapes(checkpoint)
    except tensors.DamagedError:
        return
    marks = [t.removeprefix(_MARK) for t in names if t.startswith(_MARK)]
    saved = marks[0] if marks else "bert_adam"
    if saved != name:
        raise ValueError(
            f"{checkpoint} was trained with --optimizer={saved}, not {name}: "
            f"set --optimizer={saved} to go on with it, or another "
            "--output_dir and --init_checkpoint to start from its weights"
        )

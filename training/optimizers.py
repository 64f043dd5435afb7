"""The choice of an optimizer, and a change of it between runs."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf
from absl import logging

from storage import tensors
from training.adafactor import Adafactor
from training.config import OptimizerSettings
from training.lamb import Lamb
from training.objective import Objective
from training.optimizer import AdamWeightDecay, Optimizer
from training.schedules import Schedule

# Peaks above this, as 1.76e-3 in published recipes, are meant for LAMB.
_HIGHEST_ADAM_RATE = 5e-4
_MARK = "optimizer/"


def _adam(settings: OptimizerSettings) -> dict[str, Any]:
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


# {--optimizer: (its class, its own arguments)}
OPTIMIZERS: dict[str, tuple[type[Optimizer], Callable[..., dict[str, Any]]]] = {
    "bert_adam": (AdamWeightDecay, _adam),
    "adamw": (AdamWeightDecay, _adam),
    "lamb": (Lamb, _adam),
    "adafactor": (Adafactor, lambda settings: {}),
}


def make(
    settings: OptimizerSettings, schedule: Schedule, objective: Objective
) -> Optimizer:
    """Returns the built optimizer of what an objective trains."""
    if (
        settings.optimizer in ("bert_adam", "adamw")
        and settings.learning_rate > _HIGHEST_ADAM_RATE
    ):
        logging.warning(
            "--learning_rate=%g is high for --optimizer=%s: peaks above %g are "
            "usually meant for --optimizer=lamb and large batches",
            settings.learning_rate,
            settings.optimizer,
            _HIGHEST_ADAM_RATE,
        )
    optimizer_class, arguments_of = OPTIMIZERS[settings.optimizer]
    optimizer = optimizer_class(
        learning_rate=schedule,
        decay=settings.weight_decay,
        rate_factor=layer_factor(settings.layerwise_lr_decay, objective),
        **arguments_of(settings),
    )
    optimizer.build(objective.trained)
    return optimizer


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

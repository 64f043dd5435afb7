"""The choice of an optimizer, its flags, and a change of it between runs."""

import dataclasses
from collections.abc import Callable
from typing import Annotated, Any, Literal

import tensorflow as tf
from absl import logging

from settings.flag import Flag, Settings
from storage import tensors
from training.adafactor import Adafactor
from training.lamb import Lamb
from training.objective import Objective
from training.optimizer import AdamWeightDecay, Optimizer
from training.schedules import Schedule

# Peaks above this, as 1.76e-3 in published recipes, are meant for LAMB.
_HIGHEST_ADAM_RATE = 5e-4
_MARK = "optimizer/"


@dataclasses.dataclass(frozen=True, kw_only=True)
class OptimizerSettings(Settings):
    """The flags that say how weights follow from gradients."""

    learning_rate: Annotated[
        float, Flag("The peak of the learning rate.", "positive")
    ] = 5e-5
    warmup_proportion: Annotated[
        float | None,
        Flag(
            "Share of all steps in which the learning rate rises from 0.",
            "share",
        ),
    ] = None
    lr_schedule: Annotated[
        Literal[
            "linear",
            "linear_from_peak",
            "polynomial",
            "cosine",
            "constant",
            "one_cycle",
            "wsd",
        ],
        "How the learning rate goes on after the warm-up; linear is "
        "google-research/bert's, linear_from_peak Hugging Face's, wsd stays at "
        "the peak and falls at the end.",
    ] = "linear"
    optimizer: Annotated[
        Literal["bert_adam", "adamw", "lamb", "adafactor"],
        "bert_adam is google-research/bert's Adam without bias correction; "
        "adamw is steadier on small sets (Mosbach et al. 2021); lamb is for "
        "large batches and rates.",
    ] = "bert_adam"
    bias_correction: Annotated[
        bool | None,
        "Whether Adam's moments are corrected for their start at 0; without "
        "this flag as published: not for bert_adam, for adamw and lamb.",
    ] = None
    weight_decay: Annotated[
        float,
        Flag(
            "Decay of weights but layer norms and biases, times the rate.",
            "not_negative",
        ),
    ] = 0.01
    adam_beta1: Annotated[
        float, Flag("Decay of the mean of gradients.", "below_1")
    ] = 0.9
    adam_beta2: Annotated[
        float, Flag("Decay of the mean of their squares.", "below_1")
    ] = 0.999
    adam_epsilon: Annotated[
        float, Flag("Added to the root of the mean of squares.", "positive")
    ] = 1e-6
    layerwise_lr_decay: Annotated[
        float,
        Flag(
            "Factor of the learning rate from each layer to the one below, as "
            "in ELECTRA; 1 is off.",
            "positive",
        ),
    ] = 1.0
    clip_norm: Annotated[
        float,
        Flag(
            "Largest norm of the gradient of all weights; 0 is no limit.",
            "not_negative",
        ),
    ] = 1.0
    gradient_accumulation_steps: Annotated[
        int,
        Flag(
            "Parts that --train_batch_size is computed in, one after another, "
            "to save memory; the result is that of the whole batch.",
            "positive",
        ),
    ] = 1


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

"""The choice of an optimizer, and a change of it between runs."""

import re

import tensorflow as tf
from absl import logging

from storage import tensors
from training import adafactor, lamb, optimizer

# Peaks above this, as 1.76e-3 in published recipes, are meant for LAMB.
_HIGHEST_ADAM_RATE = 5e-4
_MARK = "optimizer/"
_LAYER = re.compile(r"/encoder/layer_(\d+)/")


def _bert_adam(config, settings):
    return optimizer.AdamWeightDecay(
        bias_correction=config.bias_correction is True,
        **_adam(config),
        **settings,
    )


def _adamw(config, settings):
    return optimizer.AdamWeightDecay(
        bias_correction=config.bias_correction is not False,
        **_adam(config),
        **settings,
    )


def _lamb(config, settings):
    return lamb.Lamb(
        bias_correction=config.bias_correction is not False,
        **_adam(config),
        **settings,
    )


def _adafactor(config, settings):
    return adafactor.Adafactor(**settings)


def _adam(config):
    return {
        "beta_1": config.adam_beta1,
        "beta_2": config.adam_beta2,
        "epsilon": config.adam_epsilon,
    }


_OPTIMIZERS = {
    "bert_adam": _bert_adam,
    "adamw": _adamw,
    "lamb": _lamb,
    "adafactor": _adafactor,
}


def make(config, schedule, variables):
    """Returns the built optimizer that the settings ask for.

    Args:
        config: has optimizer, learning_rate, weight_decay, layerwise_lr_decay,
            bias_correction, adam_beta1, adam_beta2 and adam_epsilon.
        schedule: the learning rate, a `schedules.Schedule`.
        variables: the variables to train.
    """
    if (
        config.optimizer in ("bert_adam", "adamw")
        and config.learning_rate > _HIGHEST_ADAM_RATE
    ):
        logging.warning(
            "--learning_rate=%g is high for --optimizer=%s: peaks above %g are "
            "usually meant for --optimizer=lamb and large batches",
            config.learning_rate,
            config.optimizer,
            _HIGHEST_ADAM_RATE,
        )
    made = _OPTIMIZERS[config.optimizer](
        config,
        {
            "learning_rate": schedule,
            "decay": config.weight_decay,
            "rate_factor": layer_factor(
                config.layerwise_lr_decay, _num_layers(variables)
            ),
        },
    )
    made.build(variables)
    return made


def layer_factor(decay, num_layers):
    """Returns ELECTRA's rule for the rates of layers, a function of the path.

    The factor is decay ^ (num_layers + 2 - depth), the depth being 0 for the
    embeddings, i + 1 for layer i, num_layers + 2 for the heads (Clark et al.
    2020, optimization.py), and num_layers + 1 for the pooler, which ELECTRA has
    not.
    """

    def factor(path):
        layer = _LAYER.search(path)
        if layer:
            depth = int(layer[1]) + 1
        elif "/embeddings/" in path:
            depth = 0
        elif "/pooler/" in path:
            depth = num_layers + 1
        else:
            depth = num_layers + 2
        return decay ** (num_layers + 2 - depth)

    return factor


def _num_layers(variables):
    layers = [_LAYER.search(variable.path) for variable in variables]
    return max([int(layer[1]) + 1 for layer in layers if layer], default=0)


def mark(name):
    """Returns {name: variable}, by which a checkpoint tells its optimizer.

    The default has no mark: its checkpoints have no more than those of
    google-research/bert.
    """
    if name == "bert_adam":
        return {}
    return {_MARK + name: tf.Variable(1, trainable=False, dtype=tf.int32)}


def refuse_change(checkpoint, name):
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

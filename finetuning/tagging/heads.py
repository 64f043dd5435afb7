"""The heads of run_ner.py."""

from collections.abc import Callable

import keras

from finetuning.tagging.config import TaggingConfig
from modeling import crf, layer_features, task_heads
from modeling.config import BertConfig

HEADS: dict[str, Callable[..., keras.Layer]] = {
    "softmax": lambda config, initializer, count, rules, *size: (
        task_heads.TokenHead(config, initializer, count)
    ),
    "crf": lambda config, initializer, count, rules, *size: crf.CrfHead(
        config, initializer, count, rules
    ),
    "bilstm": crf.BilstmHead,
    "bilstm_crf": crf.BilstmCrfHead,
}


def make(
    settings: TaggingConfig,
    config: BertConfig,
    initializer: keras.Initializer,
    num_labels: int,
    rules: crf.Rules | None,
) -> keras.Layer:
    """Returns the head that the flags ask for.

    Args:
        settings: of the run.
        config: of the encoder.
        initializer: of the head's kernels.
        num_labels: how many labels there are.
        rules: which labels may follow one another, for a chain.

    Raises:
        ValueError: the encoder has fewer layers than are asked for.
    """
    features = None
    if settings.head_layers:
        features = layer_features.LayerFeatures(config, settings.head_layers)
        config = features.output_config
    head = HEADS[settings.ner_head](
        *(config, initializer, num_labels, rules),
        *(settings.lstm_size, settings.lstm_layers),
    )
    if features:
        return layer_features.FeaturesHead(features, head)
    return head

"""What can be known to be wrong before anything is computed."""

import tensorflow as tf

from finetuning.config import FinetuningConfig
from finetuning.features_config import FeaturesConfig
from interop import bert_config, start
from modeling.config import BertConfig
from text import case, vocabularies
from training import strategy


def read_bert_config(config: FinetuningConfig | FeaturesConfig) -> BertConfig:
    """Reads --bert_config_file and checks it against the other flags."""
    architecture = start.read_config(
        config.bert_config_file, max_seq_length=config.max_seq_length
    )
    vocabulary = vocabularies.load(config)
    num_rows = len(vocabulary)
    if num_rows > architecture.vocab_size:
        raise ValueError(
            f"--{config.vocabulary_flag}={config.vocabulary_path} has "
            f"{num_rows} rows, "
            f"{config.bert_config_file} has vocab_size="
            f"{architecture.vocab_size}: they are not of one model. "
            f"{bert_config.offer(config, num_rows)}"
        )
    case.check(vocabulary, config.do_lower_case)
    if isinstance(config, FinetuningConfig):
        decay = config.layerwise_lr_decay
        start.check_layers_are_apart(
            config.bert_config_file,
            architecture,
            {
                "unfreeze_top_layers": config.unfreeze_top_layers,
                "layerwise_lr_decay": decay if decay != 1 else None,
            },
        )
    return architecture


def check_batch_sizes(
    config: FinetuningConfig, devices: tf.distribute.Strategy
) -> None:
    """Checks that replicas and their parts can share a batch evenly."""
    strategy.check_batch_sizes(
        devices,
        {
            "train_batch_size": config.train_batch_size,
            "eval_batch_size": config.eval_batch_size,
            "predict_batch_size": config.predict_batch_size,
        },
        train_batch_size=config.gradient_accumulation_steps,
    )

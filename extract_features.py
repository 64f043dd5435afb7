"""Writes what the layers of a BERT make of texts.

python extract_features.py --input_file=texts.txt --output_file=features.jsonl \
    --bert_config_file=model/bert_config.json --vocab_file=model/vocab.txt \
    --init_checkpoint=model/bert_model.ckpt --layers=-1,-2,-3,-4
"""

import config_flags
from finetuning import look
from finetuning.features_config import FeaturesConfig
from storage import tensorflow_start


def run(config: FeaturesConfig) -> None:
    """Looks at the files, and only then imports what takes seconds."""
    look.at_features(config)
    with tensorflow_start.quiet():
        from finetuning import features
    features.run(config)


if __name__ == "__main__":
    config_flags.run(run, FeaturesConfig)

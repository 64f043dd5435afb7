"""Writes what the layers of a BERT make of texts.

python extract_features.py --input_file=texts.txt --output_file=features.jsonl \
    --bert_config_file=model/bert_config.json --vocab_file=model/vocab.txt \
    --init_checkpoint=model/bert_model.ckpt --layers=-1,-2,-3,-4
"""

import os

# TensorFlow's C++ code tells of every kernel it prepares; read at its import.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import config_flags  # noqa: E402
from finetuning import features, features_config  # noqa: E402

if __name__ == "__main__":
    config_flags.run(features.run, features_config.FeaturesConfig)

"""Pretrains BERT on the records that create_pretraining_data wrote.

python run_pretraining.py --bert_config_file=configs/bert_tiny.json \
    --input_file='records/*.tfrecord' --output_dir=output/tiny \
    --do_train --do_eval
"""

import os

# TensorFlow's C++ code tells of every kernel it prepares; read at its import.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import config_flags  # noqa: E402
from pretraining import config, train  # noqa: E402

if __name__ == "__main__":
    config_flags.run(train.run, config.PretrainingConfig)

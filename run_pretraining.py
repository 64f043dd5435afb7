"""Pretrains BERT on the records that create_pretraining_data wrote.

python run_pretraining.py --bert_config_file=configs/bert_tiny.json \
    --input_file='records/*.tfrecord' --output_dir=output/tiny \
    --do_train --do_eval
"""

import config_flags
from pretraining import look
from pretraining.config import PretrainingConfig
from storage import tensorflow_start


def run(config: PretrainingConfig) -> None:
    """Looks at the files, and only then imports what takes seconds."""
    look.at_files(config)
    with tensorflow_start.quiet():
        from pretraining import train
    train.run(config)


if __name__ == "__main__":
    config_flags.run(run, PretrainingConfig)

"""Pretrains BERT on the records that create_pretraining_data wrote.

python run_pretraining.py --bert_config_file=configs/bert_tiny.json \
    --input_file='records/*.tfrecord' --output_dir=output/tiny \
    --do_train --do_eval
"""

import config_flags
from pretraining import config, train

if __name__ == "__main__":
    config_flags.run(train.run, config.PretrainingConfig)

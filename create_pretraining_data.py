"""Turns text into the TFRecord files that run_pretraining.py trains on.

python create_pretraining_data.py --input_file=corpus/*.txt \\
    --output_file=records.tfrecord --vocab_file=vocab/zh_en_8k.txt --t2s
"""

import config_flags
from data import config
from data.building import build

if __name__ == "__main__":
    config_flags.run(build.build, config.BuildConfig)

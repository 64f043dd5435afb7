"""Turns text into the TFRecord files that run_pretraining.py trains on.

python create_pretraining_data.py --input_file=corpus/*.txt \\
    --output_file=records.tfrecord --vocab_file=vocab/zh_en_8k.txt --t2s
"""

import config_flags
from data.config import BuildConfig


def run(config: BuildConfig) -> None:
    """Imports what brings Numba only once the flags are right."""
    from data.building import build

    build.build(config)


if __name__ == "__main__":
    config_flags.run(run, BuildConfig)

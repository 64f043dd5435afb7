"""Turns text into the TFRecord files that run_pretraining.py trains on.

python create_pretraining_data.py --input_file=corpus/*.txt \\
    --output_file=records.tfrecord --vocab_file=vocab/zh_en_8k.txt --t2s
"""

import dataclasses
import os

import config_flags
from data.config import BuildConfig
from storage import inputs
from text import vocabularies

_SAMPLES = os.path.join(os.path.dirname(__file__), "samples", "heldout")


def run(config: BuildConfig) -> None:
    """Looks at the files, and only then imports what brings Numba."""
    inputs.look(config.input_file, "input_file")
    vocabularies.find(config)
    from data.building import build
    from text import compiled

    compiled.warm_up(
        "building", lambda folder: build.build(_few(config, folder))
    )
    build.build(config)


def _few(config: BuildConfig, folder: str) -> BuildConfig:
    """Returns the settings of a build of the samples, which takes a second."""
    return dataclasses.replace(
        config,
        input_file=_SAMPLES,
        output_file=os.path.join(folder, "few.tfrecord"),
        encoding="UTF-8",
        dupe_factor=1,
        shard_megabytes=0,
        engine="local",
    )


if __name__ == "__main__":
    config_flags.run(run, BuildConfig)

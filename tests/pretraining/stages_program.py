"""Runs a small job that grows, on N virtual CPU devices.

python -m tests.pretraining.stages_program N DIRECTORY OUTPUT

The inputs are in DIRECTORY, OUTPUT goes there. A program, since devices are
fixed when TensorFlow starts.
"""

import pathlib
import sys

from tests.pretraining import tiny_job
from tests.pretraining.replicas_program import _make_devices
from training import strategy

STAGES = "12x8x1:.34,16x4x2:.33,16x4:.33"
NUM_STEPS = 6
_NAMES = ("short", "train")


def main(num_replicas, directory, output):
    devices = _make_devices(num_replicas)
    strategy.create = lambda settings: devices
    short, long = (
        f"{directory}/{name}.tfrecord" for name in ("short", "train")
    )
    tiny_job.run(
        pathlib.Path(directory),
        output,
        stages=STAGES,
        input_file=f"{short};{long};{long}",
        bert_config_file=f"{directory}/bert_plain.json",
        num_train_steps=NUM_STEPS,
        do_eval=True,
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])

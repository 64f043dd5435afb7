"""Trains the two tasks of several_test.py on N virtual CPU devices.

python -m tests.finetuning.classification.several_program N DIRECTORY

A program, since devices are fixed when TensorFlow starts.
"""

import pathlib
import sys

from finetuning.classification import several
from tests.finetuning import replicas_program
from tests.finetuning.classification import several_test


def main(num_replicas, directory):
    replicas_program.use_devices(num_replicas)
    several.run(
        several_test.config_of(
            pathlib.Path(directory), "replicas", predict_batch_size=4
        )
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])

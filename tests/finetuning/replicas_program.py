"""Fine-tunes a tiny classifier on N virtual CPU devices.

python -m tests.finetuning.replicas_program N DIRECTORY OUTPUT_DIR

DIRECTORY has the model and the texts. With TF_CONFIG in the environment it is
one of several workers. A program, since devices are fixed when TensorFlow
starts.
"""

import pathlib
import sys

import tensorflow as tf

from finetuning.classification import task
from tests.finetuning.classification import tiny_classifier
from training import strategy


def use_devices(number):
    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0],
        [tf.config.LogicalDeviceConfiguration()] * number,
    )
    devices = tf.distribute.MirroredStrategy(
        [f"CPU:{i}" for i in range(number)]
    )
    strategy.create = lambda _: devices


def main(num_replicas, directory, output_dir):
    if num_replicas > 1:
        use_devices(num_replicas)
    task.run(
        tiny_classifier.settings(
            pathlib.Path(directory),
            data_dir=directory,
            output_dir=output_dir,
            seeds="1,2",
            do_train=True,
            do_eval=True,
            do_predict=True,
            keep_best=True,
            early_stopping=2,
            num_train_epochs=6,
            soft_labels=f"{directory}/soft.tsv",
            predict_batch_size=4,
        )
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])

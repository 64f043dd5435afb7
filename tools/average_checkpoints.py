"""Averages the weights of the last checkpoints of a run.

python -m tools.average_checkpoints --model_dir=output/bert_base --last=5 \\
    --output_file=output/averaged/bert_model.ckpt

Near the end of training the mean is often a little better than each of them
(Izmailov et al. 2018). It holds no optimizer: start from it with
--init_checkpoint.
"""

import dataclasses
import os
from typing import Annotated

import numpy as np
import tensorflow as tf

import config_flags
from storage import file_io
from training import checkpoint


@dataclasses.dataclass(frozen=True, kw_only=True)
class AverageConfig:
    """Every setting of average_checkpoints."""

    model_dir: Annotated[str, "The --output_dir of a training."]
    output_file: Annotated[str, "The prefix to write, .../bert_model.ckpt."]
    last: Annotated[int, "How many of the newest checkpoints to average."] = 5

    def __post_init__(self):
        if self.last < 1:
            raise ValueError(f"--last must be positive, got {self.last}")


def average(config):
    """Writes the mean of the weights; returns a line for the reader.

    Raises:
        ValueError: there are fewer checkpoints, or they do not fit together.
    """
    steps = checkpoint.saved_steps(config.model_dir)[-config.last :]
    if len(steps) < config.last:
        raise ValueError(
            f"--model_dir={config.model_dir} has {len(steps)} checkpoint(s), "
            f"--last={config.last} asks for more; train with a larger "
            "--keep_checkpoint_max"
        )
    readers = [
        tf.train.load_checkpoint(
            os.path.join(config.model_dir, f"model.ckpt-{step}")
        )
        for step in steps
    ]
    shapes = [reader.get_variable_to_shape_map() for reader in readers]
    names = sorted(n for n in shapes[0] if not checkpoint.is_state(n))
    for step, other in zip(steps, shapes, strict=True):
        wrong = [n for n in names if other.get(n) != shapes[0][n]]
        if wrong:
            raise ValueError(
                f"model.ckpt-{step} has {wrong[0]} in shape "
                f"{other.get(wrong[0])}, model.ckpt-{steps[0]} in shape "
                f"{shapes[0][wrong[0]]}: they are of different models"
            )
    file_io.make_directory(os.path.dirname(config.output_file) or ".")
    checkpoint.write(
        config.output_file, {name: _mean(readers, name) for name in names}
    )
    return (
        f"{config.output_file}: the mean of the steps "
        f"{', '.join(map(str, steps))}; {len(names)} tensors"
    )


def _mean(readers, name):
    first = readers[0].get_tensor(name)
    values = [reader.get_tensor(name).astype(np.float64) for reader in readers]
    return np.mean(values, axis=0).astype(first.dtype)


if __name__ == "__main__":
    config_flags.run(lambda config: print(average(config)), AverageConfig)

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

import config_flags
from settings.flag import Flag, Settings
from storage import file_io, tensorflow_start


@dataclasses.dataclass(frozen=True, kw_only=True)
class AverageConfig(Settings):
    """Every setting of average_checkpoints."""

    model_dir: Annotated[str, "The --output_dir of a training."]
    output_file: Annotated[str, "The prefix to write, .../bert_model.ckpt."]
    last: Annotated[
        int,
        Flag("How many of the newest checkpoints to average.", "positive"),
    ] = 5


def average(config: AverageConfig) -> str:
    """Writes the mean of the weights; returns a line for the reader.

    Raises:
        ValueError: there are fewer checkpoints, or they do not fit together.
    """
    if not file_io.is_directory(config.model_dir):
        raise ValueError(f"--model_dir: no folder {config.model_dir!r}")
    with tensorflow_start.quiet():
        from storage import tensors
        from training import checkpoint

    steps = checkpoint.saved_steps(config.model_dir)[-config.last :]
    if len(steps) < config.last:
        raise ValueError(
            f"--model_dir={config.model_dir} has {len(steps)} checkpoint(s), "
            f"--last={config.last} asks for more; train with a larger "
            "--keep_checkpoint_max"
        )
    file_io.check_output(config.output_file, "output_file")
    prefixes = [
        os.path.join(config.model_dir, f"model.ckpt-{step}") for step in steps
    ]
    shapes = [tensors.shapes(prefix) for prefix in prefixes]
    names = sorted(n for n in shapes[0] if not tensors.is_state(n, shapes[0]))
    for step, other in zip(steps, shapes, strict=True):
        wrong = [n for n in names if other.get(n) != shapes[0][n]]
        if wrong:
            raise ValueError(
                f"model.ckpt-{step} has {wrong[0]} in shape "
                f"{other.get(wrong[0])}, model.ckpt-{steps[0]} in shape "
                f"{shapes[0][wrong[0]]}: they are of different models"
            )
    values = _mean(prefixes, names)
    bad = tensors.not_finite(values)
    if bad:
        raise ValueError(
            f"the mean of the steps {', '.join(map(str, steps))}: "
            f"{tensors.describe_not_finite(bad)}"
        )
    checkpoint.write(config.output_file, values)
    return (
        f"{config.output_file}: the mean of the steps "
        f"{', '.join(map(str, steps))}; {len(names)} tensors"
    )


def _mean(prefixes, names):
    """Returns {name: mean}, of one checkpoint after another in memory."""
    from storage import tensors

    sums, kinds = {}, {}
    for prefix in prefixes:
        for name, value in tensors.read(prefix, names).items():
            kinds[name] = value.dtype
            sums[name] = sums.get(name, 0) + value.astype(np.float64)
    return {
        name: (total / len(prefixes)).astype(kinds[name])
        for name, total in sums.items()
    }


if __name__ == "__main__":
    config_flags.run(lambda config: print(average(config)), AverageConfig)

"""The settings of every program that trains."""

import dataclasses
from typing import Annotated

from settings.flag import Flag
from training.optimizers import OptimizerSettings
from training.strategy import DeviceSettings


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunSettings(OptimizerSettings, DeviceSettings):
    """The flags of every program that trains."""

    output_dir: Annotated[
        str,
        Flag(
            "Where checkpoints, metrics, scores and predictions are written.",
            decides="nothing",
        ),
    ]
    do_train: Annotated[bool, Flag("Whether to train.", decides="nothing")] = (
        False
    )
    do_eval: Annotated[
        bool,
        Flag(
            "Whether to evaluate the newest model, after training.",
            decides="nothing",
        ),
    ] = False
    train_batch_size: Annotated[
        int,
        Flag("Sequences a training step, over all replicas.", "positive"),
    ] = 32
    eval_batch_size: Annotated[
        int,
        Flag(
            "Sequences an evaluation step, over all replicas.",
            "positive",
            decides="nothing",
        ),
    ] = 8
    save_checkpoints_steps: Annotated[
        int, Flag("Steps between checkpoints.", "positive", decides="nothing")
    ] = 1000
    keep_checkpoint_max: Annotated[
        int,
        Flag(
            "How many of the newest checkpoints to keep; 0 keeps all.",
            "not_negative",
            decides="nothing",
        ),
    ] = 5
    iterations_per_loop: Annotated[
        int,
        Flag(
            "Most steps run on the device without asking the host.",
            "positive",
            decides="nothing",
        ),
    ] = 1000
    eval_every_steps: Annotated[
        int,
        Flag(
            "Steps between evaluations during training; 0 is none.",
            "not_negative",
            decides="nothing",
        ),
    ] = 0
    max_bad_steps: Annotated[
        int,
        Flag(
            "The run ends after so many steps in a row that were skipped, for "
            "a loss or a gradient that is no number.",
            "positive",
            decides="nothing",
        ),
    ] = 20
    seed: Annotated[
        int,
        Flag(
            "Decides first weights, the order of the data, and dropout.",
            "not_negative",
        ),
    ] = 12345

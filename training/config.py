"""The settings of every program that trains, and of their devices.

They import no TensorFlow: flags are read before it is.
"""

import dataclasses
from typing import Annotated, Literal

from settings.flag import Flag, Settings

Device = Literal["auto", "cpu", "gpu"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class GpuSettings(Settings):
    """The flag that every program has that computes."""

    device: Annotated[
        Device,
        Flag(
            "auto takes the GPUs there are, else the CPU, but refuses the CPU "
            "beside an NVIDIA card that cannot be used. cpu takes the CPU; "
            "gpu insists on a GPU, of whatever kind. A TPU goes before.",
            decides="nothing",
        ),
    ] = "auto"


@dataclasses.dataclass(frozen=True, kw_only=True)
class DeviceSettings(GpuSettings):
    """The flags that say what is computed where, and how precisely."""

    mixed_precision: Annotated[
        Literal["bfloat16", "float16", "none"] | None,
        "What matrices are multiplied in; weights, norms, softmax and loss are "
        "float32 always. Without this flag bfloat16 where the device is fast "
        "at it, else none.",
    ] = None
    use_tpu: Annotated[
        bool,
        Flag(
            "Whether to compute on a TPU; without it GPU or CPU.",
            decides="nothing",
        ),
    ] = False
    tpu_name: Annotated[
        str | None,
        Flag(
            "The Cloud TPU to compute on: its name, or grpc://host:port of "
            "each of its hosts, joined by commas. Implies --use_tpu.",
            decides="nothing",
        ),
    ] = None
    tpu_zone: Annotated[
        str | None,
        Flag(
            "The zone of the named Cloud TPU; that of this machine without it.",
            decides="nothing",
        ),
    ] = None
    gcp_project: Annotated[
        str | None,
        Flag(
            "The project of the named Cloud TPU; this machine's without it.",
            decides="nothing",
        ),
    ] = None
    master: Annotated[
        str | None,
        Flag("Older name for the address of the TPU.", decides="nothing"),
    ] = None
    num_tpu_cores: Annotated[
        int,
        Flag(
            "Accepted for older scripts; the TPU itself says how many.",
            "positive",
            decides="nothing",
        ),
    ] = 8


@dataclasses.dataclass(frozen=True, kw_only=True)
class OptimizerSettings(Settings):
    """The flags that say how weights follow from gradients."""

    learning_rate: Annotated[
        float, Flag("The peak of the learning rate.", "positive")
    ] = 5e-5
    warmup_proportion: Annotated[
        float | None,
        Flag(
            "Share of all steps in which the learning rate rises from 0.",
            "share",
        ),
    ] = None
    lr_schedule: Annotated[
        Literal[
            "linear",
            "linear_from_peak",
            "polynomial",
            "cosine",
            "constant",
            "one_cycle",
            "wsd",
        ],
        "How the learning rate goes on after the warm-up; linear is "
        "google-research/bert's, linear_from_peak Hugging Face's, wsd stays at "
        "the peak and falls at the end.",
    ] = "linear"
    optimizer: Annotated[
        Literal["bert_adam", "adamw", "lamb", "adafactor", "muon"],
        "bert_adam is google-research/bert's Adam without bias correction; "
        "adamw is steadier on small sets (Mosbach et al. 2021); lamb is for "
        "large batches and rates; muon orthogonalises the updates of the "
        "layers' matrices and is adamw for all else.",
    ] = "bert_adam"
    bias_correction: Annotated[
        bool | None,
        "Whether Adam's moments are corrected for their start at 0; without "
        "this flag as published: not for bert_adam, for all others.",
    ] = None
    weight_decay: Annotated[
        float,
        Flag(
            "Decay of weights but layer norms and biases, times the rate.",
            "not_negative",
        ),
    ] = 0.01
    adam_beta1: Annotated[
        float, Flag("Decay of the mean of gradients.", "below_1")
    ] = 0.9
    adam_beta2: Annotated[
        float, Flag("Decay of the mean of their squares.", "below_1")
    ] = 0.999
    adam_epsilon: Annotated[
        float, Flag("Added to the root of the mean of squares.", "positive")
    ] = 1e-6
    layerwise_lr_decay: Annotated[
        float,
        Flag(
            "Factor of the learning rate from each layer to the one below, as "
            "in ELECTRA; 1 is off.",
            "positive",
        ),
    ] = 1.0
    clip_norm: Annotated[
        float,
        Flag(
            "Largest norm of the gradient of all weights; 0 is no limit.",
            "not_negative",
        ),
    ] = 1.0
    gradient_accumulation_steps: Annotated[
        int,
        Flag(
            "Parts that --train_batch_size is computed in, one after another, "
            "to save memory; the result is that of the whole batch.",
            "positive",
        ),
    ] = 1


@dataclasses.dataclass(frozen=True, kw_only=True)
class StudentSettings(Settings):
    """How a student reads what its teacher says (Hinton et al. 2015)."""

    distillation_temperature: Annotated[
        float,
        Flag(
            "What the logits of teacher and student are divided by before "
            "their softmax: above 1 the teacher's doubts count more. The loss "
            "is multiplied by its square.",
            "positive",
        ),
    ] = 2.0


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

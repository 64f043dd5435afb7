"""Every setting of run_pretraining, in the order a reader meets them."""

import dataclasses
from typing import Annotated, Literal

from data.config import MaskingConfig
from settings import bounds


@dataclasses.dataclass(frozen=True, kw_only=True)
class PretrainingConfig(MaskingConfig):
    """The flags of google-research/bert's run_pretraining, and a few more."""

    bert_config_file: Annotated[
        str, "The bert_config.json that gives the model's shape."
    ]
    input_file: Annotated[
        str,
        "Records to train on, from create_pretraining_data: a comma list of "
        "files, globs and directories, local or gs://.",
    ]
    output_dir: Annotated[str, "Where checkpoints and metrics are written."]
    eval_input_file: Annotated[
        str | None,
        "Records to evaluate on; without it, those of --input_file, which "
        "says little about other text.",
    ] = None
    init_checkpoint: Annotated[
        str | None,
        "A checkpoint whose weights to start from: a prefix such as "
        ".../bert_model.ckpt, or a directory of google-research/bert, Hanlin, "
        "Hugging Face or KerasHub. A checkpoint in --output_dir goes before "
        "it.",
    ] = None
    allow_partial_init: Annotated[
        bool,
        "Whether --init_checkpoint may lack variables of the encoder, which "
        "then start from random numbers, or have more of them.",
    ] = False
    vocab_file: Annotated[
        str | None,
        "The vocabulary that the records were built with, for export/ of "
        "--output_dir; looked for where it may be without this flag.",
    ] = None
    max_seq_length: Annotated[
        int, "Tokens a sequence; the value the records were built with."
    ] = 128
    use_nsp: Annotated[
        bool, "Whether next sentence prediction is part of the loss."
    ] = True
    do_train: Annotated[bool, "Whether to train."] = False
    do_eval: Annotated[
        bool, "Whether to evaluate the newest checkpoint, after training."
    ] = False
    train_batch_size: Annotated[
        int, "Sequences a training step, over all replicas."
    ] = 32
    eval_batch_size: Annotated[
        int, "Sequences an evaluation step, over all replicas."
    ] = 8
    learning_rate: Annotated[float, "The peak of Adam's learning rate."] = 5e-5
    num_train_steps: Annotated[
        int, "The global step at which training ends, however often it stops."
    ] = 100_000
    num_warmup_steps: Annotated[
        int, "Steps over which the learning rate rises from 0."
    ] = 10_000
    warmup_proportion: Annotated[
        float | None,
        "Share of --num_train_steps to warm up in; goes before "
        "--num_warmup_steps.",
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
    poly_power: Annotated[float, "The power of --lr_schedule=polynomial."] = 1.0
    wsd_decay_share: Annotated[
        float, "Share of --num_train_steps in which --lr_schedule=wsd falls."
    ] = 0.1
    optimizer: Annotated[
        Literal["bert_adam", "adamw", "lamb", "adafactor"],
        "bert_adam is google-research/bert's Adam without bias correction; "
        "lamb is for large batches and rates.",
    ] = "bert_adam"
    bias_correction: Annotated[
        bool | None,
        "Whether Adam's moments are corrected for their start at 0; without "
        "this flag as published: not for bert_adam, for adamw and lamb.",
    ] = None
    weight_decay: Annotated[
        float, "Decay of weights but layer norms and biases, times the rate."
    ] = 0.01
    adam_beta1: Annotated[float, "Decay of the mean of gradients."] = 0.9
    adam_beta2: Annotated[float, "Decay of the mean of their squares."] = 0.999
    adam_epsilon: Annotated[
        float, "Added to the root of the mean of squares."
    ] = 1e-6
    layerwise_lr_decay: Annotated[
        float,
        "Factor of the learning rate from each layer to the one below, as in "
        "ELECTRA; 1 is off.",
    ] = 1.0
    clip_norm: Annotated[
        float, "Largest norm of the gradient of all weights; 0 is no limit."
    ] = 1.0
    gradient_accumulation_steps: Annotated[
        int,
        "Parts that --train_batch_size is computed in, one after another, to "
        "save memory; the result is that of the whole batch.",
    ] = 1
    mixed_precision: Annotated[
        Literal["bfloat16", "float16", "none"] | None,
        "What matrices are multiplied in; weights, norms, softmax and loss are "
        "float32 always. Without this flag bfloat16 where the device is fast "
        "at it, else none.",
    ] = None
    recompute: Annotated[
        bool,
        "Whether the backward pass computes the inside of each layer again "
        "instead of keeping it: less memory for a third more arithmetic.",
    ] = False
    save_checkpoints_steps: Annotated[int, "Steps between checkpoints."] = 1000
    keep_checkpoint_max: Annotated[
        int, "How many of the newest checkpoints to keep; 0 keeps all."
    ] = 5
    iterations_per_loop: Annotated[
        int, "Most steps run on the device without asking the host."
    ] = 1000
    max_eval_steps: Annotated[int, "Most evaluation steps."] = 100
    eval_every_steps: Annotated[
        int,
        "Steps between evaluations during training, on --eval_input_file; 0 is "
        "none.",
    ] = 0
    keep_best_metric: Annotated[
        Literal[
            "loss",
            "masked_lm_loss",
            "masked_lm_accuracy",
            "next_sentence_loss",
            "next_sentence_accuracy",
        ]
        | None,
        "Keeps the checkpoint that the evaluations of --eval_every_steps find "
        "best by this number, in best/ of --output_dir.",
    ] = None
    peak_teraflops: Annotated[
        float | None,
        "Most TFLOP/s of all devices together, to report which share of it "
        "the model's arithmetic is; without this flag that of the TPU or GPU, "
        "where it is known.",
    ] = None
    max_bad_steps: Annotated[
        int,
        "The run ends after so many steps in a row that were skipped, for a "
        "loss or a gradient that is no number.",
    ] = 20
    seed: Annotated[
        int, "Decides first weights, the order of records, and dropout."
    ] = 12345
    use_tpu: Annotated[
        bool, "Whether to train on a TPU; without it GPU or CPU."
    ] = False
    tpu_name: Annotated[
        str | None,
        "The Cloud TPU to train on: its name, or grpc://host:port. Implies "
        "--use_tpu.",
    ] = None
    tpu_zone: Annotated[str | None, "The zone of the Cloud TPU."] = None
    gcp_project: Annotated[str | None, "The project of the Cloud TPU."] = None
    master: Annotated[str | None, "Older name for the address of the TPU."] = (
        None
    )
    num_tpu_cores: Annotated[
        int, "Accepted for older scripts; the TPU itself says how many."
    ] = 8

    def __post_init__(self):
        if not (self.do_train or self.do_eval):
            raise ValueError("set --do_train, --do_eval or both")
        self._check_best()
        bounds.check(
            self,
            positive=_POSITIVE,
            not_negative=_NOT_NEGATIVE,
            shares=_SHARES,
        )
        for name in ("adam_beta1", "adam_beta2"):
            if getattr(self, name) == 1:
                raise ValueError(f"--{name} must be below 1, got 1.0")

    def _check_best(self):
        metric = self.keep_best_metric
        if metric and not self.eval_every_steps:
            raise ValueError(
                f"--keep_best_metric={metric} needs evaluations: set "
                "--eval_every_steps"
            )
        if metric and metric.startswith("next_") and not self.use_nsp:
            raise ValueError(
                f"--keep_best_metric={metric} does not exist with "
                "--use_nsp=false"
            )


_POSITIVE = (
    "max_seq_length",
    "max_predictions_per_seq",
    "train_batch_size",
    "eval_batch_size",
    "learning_rate",
    "num_train_steps",
    "save_checkpoints_steps",
    "iterations_per_loop",
    "max_eval_steps",
    "poly_power",
    "adam_epsilon",
    "layerwise_lr_decay",
    "gradient_accumulation_steps",
    "max_bad_steps",
    "peak_teraflops",
    "num_tpu_cores",
)
_NOT_NEGATIVE = (
    "num_warmup_steps",
    "keep_checkpoint_max",
    "eval_every_steps",
    "seed",
    "weight_decay",
    "clip_norm",
)
_SHARES = (
    "masked_lm_prob",
    "warmup_proportion",
    "wsd_decay_share",
    "adam_beta1",
    "adam_beta2",
)

"""The settings that all fine-tuning programs share."""

import dataclasses
from typing import Annotated, Literal

from finetuning import inherited
from settings import bounds


@dataclasses.dataclass(frozen=True, kw_only=True)
class FinetuningConfig:
    """One field, one flag; names and defaults of google-research/bert."""

    bert_config_file: Annotated[
        str, "The shape of the model: a bert_config.json."
    ]
    vocab_file: Annotated[str, "The vocabulary the model was trained with."]
    output_dir: Annotated[
        str, "Where checkpoints, scores and predictions are written."
    ]
    init_checkpoint: Annotated[
        str | None,
        "The pretrained model to start from: a prefix such as "
        ".../bert_model.ckpt, or a directory of google-research/bert, Hanlin, "
        "Hugging Face or KerasHub. A checkpoint in --output_dir goes before "
        "it.",
    ] = None
    allow_partial_init: Annotated[
        bool,
        "Whether --init_checkpoint may lack variables of the encoder, which "
        "then start from random numbers, or have more of them.",
    ] = False
    do_lower_case: Annotated[
        bool,
        "Whether the model is uncased; accents go with case. Without this flag "
        "what the model's own files, or its folder's name, say.",
    ] = True
    t2s: Annotated[
        bool,
        "Whether the model reads traditional Chinese as simplified (OpenCC), "
        "as one does that was pretrained with --t2s; answers and entities stay "
        "in the characters of the text.",
    ] = False
    do_train: Annotated[bool, "Whether to train."] = False
    do_eval: Annotated[bool, "Whether to score the model, after training."] = (
        False
    )
    do_predict: Annotated[bool, "Whether to predict without labels."] = False
    train_batch_size: Annotated[
        int, "Rows a training step, over all replicas."
    ] = 32
    eval_batch_size: Annotated[
        int, "Rows an evaluation step, over all replicas."
    ] = 8
    predict_batch_size: Annotated[
        int, "Rows a prediction step, over all replicas."
    ] = 8
    learning_rate: Annotated[float, "The peak of the learning rate."] = 5e-5
    num_train_epochs: Annotated[
        float, "How often each training row is seen."
    ] = 3.0
    warmup_proportion: Annotated[
        float, "Share of the steps in which the learning rate rises from 0."
    ] = 0.1
    lr_schedule: Annotated[
        Literal["linear", "linear_from_peak", "cosine", "constant"],
        "How the learning rate goes on after the warm-up: linear is "
        "google-research/bert's, linear_from_peak Hugging Face's.",
    ] = "linear"
    optimizer: Annotated[
        Literal["bert_adam", "adamw", "lamb", "adafactor"],
        "bert_adam is google-research/bert's Adam without bias correction; "
        "adamw is steadier on small sets (Mosbach et al. 2021).",
    ] = "bert_adam"
    bias_correction: Annotated[
        bool | None,
        "Whether Adam's moments are corrected for their start at 0; without "
        "this flag not for bert_adam, for adamw and lamb.",
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
    freeze_encoder: Annotated[bool, "Whether to train the head alone."] = False
    unfreeze_top_layers: Annotated[
        int,
        "With --freeze_encoder: how many of the top layers are trained after "
        "all, and with them the pooler.",
    ] = 0
    mixed_precision: Annotated[
        Literal["bfloat16", "none"] | None,
        "What matrices are multiplied in; weights, norms, softmax and loss are "
        "float32 always. Without this flag bfloat16 where the device is fast "
        "at it, else none.",
    ] = None
    group_by_length: Annotated[
        bool,
        "Whether batches are made of rows of like length, which saves padding; "
        "not on a TPU, where all batches are of one shape.",
    ] = True
    save_checkpoints_steps: Annotated[int, "Steps between checkpoints."] = 1000
    keep_checkpoint_max: Annotated[
        int, "How many of the newest checkpoints to keep; 0 keeps all."
    ] = 2
    iterations_per_loop: Annotated[
        int, "Most steps run on the device without asking the host."
    ] = 1000
    eval_every_steps: Annotated[
        int,
        "Steps between evaluations during training; 0 is once an epoch where "
        "--keep_best or --early_stopping asks for them, else none.",
    ] = 0
    keep_best: Annotated[
        bool,
        "Whether the checkpoint that the evaluations during training find best "
        "is kept in best/ and is the one that is evaluated and predicts.",
    ] = False
    early_stopping: Annotated[
        int,
        "Training ends after so many evaluations in a row without a better "
        "score; 0 is never.",
    ] = 0
    max_bad_steps: Annotated[
        int,
        "The run ends after so many steps in a row that were skipped, for a "
        "loss or a gradient that is no number.",
    ] = 20
    strict: Annotated[
        bool, "Whether a row that cannot be used is an error, not left out."
    ] = False
    seed: Annotated[
        int, "Decides the head's first weights, the order, and dropout."
    ] = 12345
    seeds: Annotated[
        str | None,
        "Several seeds, as 1,2,3: a run of each in seed_N of --output_dir, "
        "their mean and deviation, and the best one's results.",
    ] = None
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
        bounds.check(
            self,
            positive=_POSITIVE,
            not_negative=_NOT_NEGATIVE,
            shares=_SHARES,
        )
        for name in ("adam_beta1", "adam_beta2"):
            if getattr(self, name) == 1:
                raise ValueError(f"--{name} must be below 1, got 1.0")
        if self.unfreeze_top_layers and not self.freeze_encoder:
            raise ValueError("--unfreeze_top_layers needs --freeze_encoder")

    def settled(self, given):
        """Returns the settings with what the model says of its own.

        Args:
            given: names of the flags that were given.
        """
        return inherited.settle(self, given)


_POSITIVE = (
    "train_batch_size",
    "eval_batch_size",
    "predict_batch_size",
    "learning_rate",
    "num_train_epochs",
    "save_checkpoints_steps",
    "iterations_per_loop",
    "layerwise_lr_decay",
    "gradient_accumulation_steps",
    "max_bad_steps",
    "adam_epsilon",
    "num_tpu_cores",
)
_NOT_NEGATIVE = (
    "weight_decay",
    "clip_norm",
    "unfreeze_top_layers",
    "keep_checkpoint_max",
    "eval_every_steps",
    "early_stopping",
    "seed",
)
_SHARES = ("warmup_proportion", "adam_beta1", "adam_beta2")

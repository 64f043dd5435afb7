"""The settings of every program that takes a model from elsewhere."""

import dataclasses
from typing import Annotated

from settings.flag import Flag, Settings


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModelSettings(Settings):
    """The flags that say what shape a model has, and its first weights."""

    bert_config_file: Annotated[
        str,
        Flag(
            "The shape of the model: a bert_config.json, or the config.json "
            "of Hugging Face.",
            decides="content",
        ),
    ]
    init_checkpoint: Annotated[
        str | None,
        "The model whose weights to start from: a prefix such as "
        ".../bert_model.ckpt, or a directory of google-research/bert, Hanlin, "
        "Hugging Face or KerasHub. Where a program trains, a checkpoint in "
        "--output_dir goes before it.",
    ] = None
    allow_partial_init: Annotated[
        bool,
        "Whether --init_checkpoint may lack variables of the encoder, which "
        "are then random, or have more of them.",
    ] = False

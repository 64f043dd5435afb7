"""The settings of extract_features.py."""

import dataclasses
from typing import Annotated, Literal

from settings import bounds
from text import case

_SHORTEST = 3


@dataclasses.dataclass(frozen=True, kw_only=True)
class FeaturesConfig:
    """Names and defaults of google-research/bert's extract_features.py."""

    input_file: Annotated[
        str, "Texts, one a line; two texts of a pair have ' ||| ' between them."
    ]
    output_file: Annotated[
        str, "JSON lines; or NumPy arrays, where the name ends in .npz."
    ]
    bert_config_file: Annotated[
        str, "The shape of the model: a bert_config.json."
    ]
    vocab_file: Annotated[str, "The vocabulary the model was trained with."]
    init_checkpoint: Annotated[
        str,
        "The model: a prefix such as .../bert_model.ckpt, or a directory of "
        "google-research/bert, Hanlin, Hugging Face or KerasHub.",
    ]
    allow_partial_init: Annotated[
        bool,
        "Whether --init_checkpoint may lack variables of the encoder, whose "
        "features are then random, or have more of them.",
    ] = False
    layers: Annotated[
        str, "Numbers of layers, from -1, the last one, on; or all."
    ] = "-1,-2,-3,-4"
    combine: Annotated[
        Literal["none", "sum", "mean", "concat"],
        "What to make of several layers; none keeps each.",
    ] = "none"
    pooling: Annotated[
        Literal["none", "cls", "mean", "max"],
        "What to make of the tokens of a text: none keeps each, cls takes the "
        "first, mean and max are over all but [CLS] and [SEP].",
    ] = "none"
    do_lower_case: Annotated[
        bool,
        "Whether the model is uncased; accents go with case. Without this flag "
        "what the model's own files, or its folder's name, say.",
    ] = True
    t2s: Annotated[
        bool, "Whether the model reads traditional Chinese as simplified."
    ] = False
    max_seq_length: Annotated[
        int, "Tokens of a text; what is longer is cut."
    ] = 128
    batch_size: Annotated[int, "Texts computed at once."] = 32
    mixed_precision: Annotated[
        Literal["bfloat16", "none"] | None,
        "What matrices are multiplied in; without this flag float32.",
    ] = "none"
    use_tpu: Annotated[bool, "Whether to compute on a TPU."] = False
    tpu_name: Annotated[str | None, "The Cloud TPU; implies --use_tpu."] = None
    tpu_zone: Annotated[str | None, "The zone of the Cloud TPU."] = None
    gcp_project: Annotated[str | None, "The project of the Cloud TPU."] = None
    master: Annotated[str | None, "Older name for the address of the TPU."] = (
        None
    )
    num_tpu_cores: Annotated[int, "Accepted for older scripts."] = 8
    use_one_hot_embeddings: Annotated[
        bool, "Accepted for older scripts; it makes no difference."
    ] = False

    def __post_init__(self):
        bounds.check(self, positive=("batch_size", "num_tpu_cores"))
        if self.max_seq_length < _SHORTEST:
            raise ValueError(
                f"--max_seq_length must be at least {_SHORTEST} ([CLS], [SEP] "
                f"and [SEP]), got {self.max_seq_length}"
            )

    def settled(self, given):
        """Returns the settings with the case that the model is of.

        Args:
            given: names of the flags that were given.
        """
        return case.settle(
            self,
            given,
            (self.init_checkpoint, self.vocab_file, self.bert_config_file),
        )

    @property
    def is_arrays(self):
        return self.output_file.endswith(".npz")

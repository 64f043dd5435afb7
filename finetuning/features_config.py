"""The settings of extract_features.py."""

import dataclasses
from collections.abc import Collection
from typing import Annotated, Literal, Self

from interop.config import ModelSettings
from settings.flag import Flag
from text import case
from text.config import TextSettings
from training.config import DeviceSettings

_SHORTEST = 3


@dataclasses.dataclass(frozen=True, kw_only=True)
class FeaturesConfig(ModelSettings, TextSettings, DeviceSettings):
    """Names and defaults of google-research/bert's extract_features.py."""

    input_file: Annotated[
        str, "Texts, one a line; two texts of a pair have ' ||| ' between them."
    ]
    output_file: Annotated[
        str, "JSON lines; or NumPy arrays, where the name ends in .npz."
    ]
    # Required here: features of random weights are of use to nobody.
    init_checkpoint: str = dataclasses.field()
    layers: Annotated[
        str, "Numbers of layers, from -1, the last one, on; or all."
    ] = "-1,-2,-3,-4"
    combine: Annotated[
        Literal["none", "sum", "mean", "concat"],
        "What to make of several layers; none keeps each.",
    ] = "none"
    pooling: Annotated[
        Literal["none", "cls", "mean", "mean_all", "max"],
        "What to make of the tokens of a text: none keeps each, cls takes the "
        "first, mean and max are over all but [CLS] and [SEP], mean_all is "
        "over these, too, as sentence-transformers has it.",
    ] = "none"
    normalize: Annotated[
        bool,
        "Whether vectors are made of length 1, so that a product of two "
        "is their cosine.",
    ] = False
    batch_size: Annotated[int, Flag("Texts computed at once.", "positive")] = 32
    mixed_precision: Annotated[
        Literal["bfloat16", "none"] | None,
        "What matrices are multiplied in; without this flag float32.",
    ] = "none"
    use_one_hot_embeddings: Annotated[
        bool, "Accepted for older scripts; it makes no difference."
    ] = False

    def __post_init__(self):
        super().__post_init__()
        if self.max_seq_length < _SHORTEST:
            raise ValueError(
                f"--max_seq_length must be at least {_SHORTEST} ([CLS], [SEP] "
                f"and [SEP]), got {self.max_seq_length}"
            )

    def settled(self, given: Collection[str]) -> Self:
        """Returns the settings with the case that the model is of.

        Args:
            given: names of the flags that were given.
        """
        return case.settle(
            self,
            given,
            (self.init_checkpoint, self.vocabulary_path, self.bert_config_file),
        )

    @property
    def is_arrays(self) -> bool:
        return self.output_file.endswith(".npz")

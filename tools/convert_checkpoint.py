"""Converts a BERT from one library's files to another's, and proves it.

python -m tools.convert_checkpoint --from=chinese_L-12_H-768_A-12 \\
    --to=huggingface --output_dir=bert_base_chinese

The same batch goes through both sides, by the libraries themselves where they
are installed. conversion.json, written last, says how close they came.
"""

import dataclasses
from collections.abc import Collection
from typing import Annotated, ClassVar, Literal, Self

import config_flags
from interop import look
from settings.flag import Flag
from storage import tensorflow_start
from text import case
from text.config import VocabularySettings


@dataclasses.dataclass(frozen=True, kw_only=True)
class ConvertConfig(VocabularySettings):
    """Every setting of convert_checkpoint.

    The vocabulary is that beside the checkpoint, unless a flag names another.
    """

    wants_vocabulary: ClassVar[bool] = False

    from_: Annotated[
        str,
        "The model: the prefix of a TensorFlow checkpoint, such as "
        ".../bert_model.ckpt, or a directory of google-research/bert, Hanlin, "
        "Hugging Face or KerasHub.",
    ]
    to: Annotated[
        Literal["tf1", "huggingface", "keras_hub", "saved_model", "onnx"],
        "Whose files to write: tf1 is the form of google-research/bert, "
        "saved_model that of TensorFlow Serving, which takes text, onnx a file "
        "that takes ids.",
    ]
    output_dir: Annotated[str, "Where to; must be empty or not exist."]
    bert_config_file: Annotated[
        str | None, "The bert_config.json, where none is beside the checkpoint."
    ] = None
    do_lower_case: Annotated[
        bool,
        "Whether the model is uncased; without this flag what files beside it, "
        "or the name of its folder, say.",
    ] = True
    head: Annotated[
        Literal[
            "encoder",
            "masked_lm",
            "pretraining",
            "sequence_classification",
            "token_classification",
            "multiple_choice",
            "question_answering",
        ]
        | None,
        "What the model is for: names a classifier's kind, which a TensorFlow "
        "checkpoint does not say, or leaves the rest of the heads out. By "
        "default all go that the model has.",
    ] = None
    keep_optimizer: Annotated[
        bool, "Whether optimizer slots and the step go along, to tf1."
    ] = False
    max_seq_length: Annotated[
        int | None,
        Flag(
            "Most tokens of a text, to saved_model; as many as the model has "
            "positions without this flag.",
            "positive",
        ),
    ] = None
    padding: Annotated[
        Literal["longest", "max_length"],
        "How far texts are padded, to saved_model: to the longest of a batch "
        "or to --max_seq_length.",
    ] = "longest"
    max_difference: Annotated[
        float,
        Flag(
            "The largest difference of outputs that passes as the same.",
            "positive",
        ),
    ] = 1e-4

    def __post_init__(self):
        super().__post_init__()
        if self.keep_optimizer and self.to != "tf1":
            raise ValueError(
                f"--keep_optimizer goes with --to=tf1, got --to={self.to}"
            )
        if self.max_seq_length and self.to != "saved_model":
            raise ValueError(
                f"--max_seq_length={self.max_seq_length} goes with "
                f"--to=saved_model, got --to={self.to}"
            )

    def settled(self, given: Collection[str]) -> Self:
        """Returns the settings with the case that the model is of."""
        return case.settle(self, given, (self.from_, self.vocabulary_path))


def run(config: ConvertConfig) -> None:
    """Converts, and prints what became of it."""
    look.check_weights(config.from_, "from")
    with tensorflow_start.quiet():
        from tools import conversion
    print(conversion.describe(config, conversion.convert(config)))


if __name__ == "__main__":
    config_flags.run(run, ConvertConfig)

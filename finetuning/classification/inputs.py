"""What the encoder reads of examples: texts, choices, or whole long texts."""

from collections.abc import Sequence

import numpy as np

from finetuning.classification import long_texts, rows
from finetuning.classification.config import ClassifierConfig
from finetuning.classification.examples import Example
from text.tokenization import Tokenizer
from text.vocab import Vocabulary


def make(
    config: ClassifierConfig,
    kind: str,
    examples: Sequence[Example],
    tokenizer: Tokenizer,
    vocabulary: Vocabulary,
) -> dict[str, np.ndarray]:
    """Returns the int32 `FEATURES` of examples.

    N examples of C choices are [N, C, T], others [N, T]; with --long_text they
    are as `long_texts.make` has them.

    Args:
        config: of the run.
        kind: of labels, a key of `kinds.KINDS`.
        examples: N of them.
        tokenizer: of the vocabulary.
        vocabulary: knows the special tokens.

    Raises:
        ValueError: --long_text and an example of several texts.
    """
    if config.long_text != "none":
        return long_texts.make(
            examples,
            tokenizer,
            vocabulary,
            chunk_length=config.max_seq_length,
            max_chunks=config.max_chunks,
            truncation=config.truncation,
        )
    features = rows.make(
        [pair for example in examples for pair in example.pairs],
        tokenizer,
        vocabulary,
        max_seq_length=config.max_seq_length,
        truncation=config.truncation,
    )
    if kind != "choice":
        return features
    shape = (len(examples), len(examples[0].pairs), config.max_seq_length)
    return {name: value.reshape(shape) for name, value in features.items()}

"""First values of variables that need not be random or zero.

A model that knows nothing of the context guesses words by their frequency. With
an output bias of 0 it has to learn these frequencies first, through weights
meant for something else, as Adam moves a bias by at most the rate a step. With
log frequencies in the bias its first loss is the entropy of the words.

A model whose positions begin as random rows learns of each alone which rows are
next to it. Among sinusoids (Vaswani et al. 2017, 3.5) a neighbour is everywhere
the same turn away, so that one matrix finds it at all positions.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from data import token_counts
from data.feeding import input_pipeline
from data.feeding.input_pipeline import Parse
from data.feeding.record_files import RecordFile

# The output bias of BERT's masked-LM head, in `Objective.initialised`.
OUTPUT_BIAS = "cls/predictions/output_bias"

# Where no manifest has counts, masked words of so many records are counted.
_NUM_RECORDS = 16_384
_BATCH_RECORDS = 64
# Wavelengths go from 2 pi to nearly this times 2 pi. At 10,000, which is for
# any length, half of the columns hardly change over some hundred positions.
_LONGEST = 300.0
# The root of the mean square; above the 0.02 of words, as it is what has to be
# found first.
_POSITION_SIZE = 0.05
# Added to each count: words that were not met are rare, not impossible.
_SMOOTHING = 0.5


def set_output_bias(
    bias: Any, files: Sequence[RecordFile], parse: Parse, seed: int
) -> str:
    """Sets the bias over the words to the log of how frequent they are.

    Args:
        bias: a variable [V].
        files: the records of the training.
        parse: from `input_pipeline.parser`.
        seed: decides which records are looked at, where no manifest has counts.

    Returns:
        What the log says of it. All workers of a training set the same.
    """
    (vocab_size,) = bias.shape
    manifests = [file.manifest for file in files]
    counts = token_counts.of_manifests(manifests, vocab_size)
    source = "of the records' text"
    if counts is None:
        counts, num_records = _masked_words(files, parse, seed, vocab_size)
        source = (
            f"masked in {num_records:,} records, as a manifest has no counts"
        )
    bias.assign(log_frequencies(counts))
    return (
        f"output bias at the log frequency of {int(counts.sum()):,} words "
        f"{source}"
    )


def log_frequencies(counts: np.ndarray) -> np.ndarray:
    """Returns the logs of the shares of words, float32 [V]."""
    smooth = counts + _SMOOTHING
    return np.log(smooth / smooth.sum()).astype(np.float32)


def set_positions(table: Any, first: int = 0) -> str:
    """Sets the positions, a variable [P, E], to sinusoids; returns as above.

    Rows before `first`, which are nobody's, stay as they are.
    """
    num_rows, width = table.shape
    waves = sinusoids(num_rows - first, width)
    table.assign(np.concatenate([np.asarray(table)[:first], waves]))
    return "positions at sinusoids"


def sinusoids(num_positions: int, width: int) -> np.ndarray:
    """Returns float32 [num_positions, width], the sines left, cosines right.

    An odd width has one sine more.
    """
    column = np.arange(-(-width // 2))
    angle = np.arange(num_positions)[:, None] / _LONGEST ** (2 * column / width)
    waves = np.concatenate([np.sin(angle), np.cos(angle)], axis=1)[:, :width]
    return (_POSITION_SIZE * 2**0.5 * waves).astype(np.float32)


def _masked_words(files, parse, seed, vocab_size):
    """Counts the masked words of some records; returns how many these are."""
    num_records = min(_NUM_RECORDS, sum(file.num_records for file in files))
    batch_size = min(_BATCH_RECORDS, num_records)
    num_batches = num_records // batch_size
    batches = input_pipeline.training_batches(
        files, parse=parse, batch_size=batch_size, seed=seed
    ).take(num_batches)
    counts = np.zeros(vocab_size)
    for batch in batches.as_numpy_iterator():
        counts += np.bincount(
            batch["masked_lm_ids"].ravel(),
            batch["masked_lm_weights"].ravel(),
            minlength=vocab_size,
        )
    return counts, num_batches * batch_size

"""Rows of whole texts: chunks one behind another, as `modeling.long_texts`.

Shapes: N texts, C chunks, T tokens of a chunk.
"""

from collections.abc import Sequence

import numpy as np
from absl import logging

from finetuning.classification.examples import Example
from finetuning.classification.rows import first_part
from text.tokenization import Tokenizer
from text.vocab import Vocabulary


def make(
    examples: Sequence[Example],
    tokenizer: Tokenizer,
    vocabulary: Vocabulary,
    *,
    chunk_length: int,
    max_chunks: int,
    truncation: str,
) -> dict[str, np.ndarray]:
    """Returns the int32 [N, C*T] of `FEATURES`, and logs what was cut.

    Args:
        examples: of single texts.
        tokenizer: of the vocabulary.
        vocabulary: knows the special tokens.
        chunk_length: T, with [CLS] and [SEP].
        max_chunks: the most that C may be.
        truncation: what is kept of a text that has more.

    Raises:
        ValueError: an example has several texts; names it.
    """
    tokens, starts = tokenizer.tokenize("\n".join(map(_text_of, examples)))
    lengths = np.diff(starts)
    room = chunk_length - vocabulary.layout.num_special(False)
    kept = np.minimum(lengths, room * max_chunks)
    _log(lengths, kept, room, max_chunks, chunk_length, truncation)
    num_chunks = np.maximum(-(-kept // room), 1)
    shape = (len(examples), num_chunks.max() * chunk_length)
    input_ids = np.full(shape, vocabulary.padding_id, np.int32)
    input_mask = np.zeros(shape, np.int32)
    row = np.repeat(np.arange(len(kept)), kept)
    place = np.arange(len(row)) - np.repeat(np.cumsum(kept) - kept, kept)
    is_head = place < np.repeat(first_part(kept, truncation), kept)
    left_out = np.repeat(lengths - kept, kept)
    found = (
        np.repeat(starts[:-1], kept) + place + np.where(is_head, 0, left_out)
    )
    column = place // room * chunk_length + 1 + place % room
    input_ids[row, column] = tokens[found]
    input_mask[row, column] = 1
    row = np.repeat(np.arange(len(kept)), num_chunks)
    before = np.repeat(np.cumsum(num_chunks) - num_chunks, num_chunks)
    number = np.arange(len(row)) - before
    size = np.clip(np.repeat(kept, num_chunks) - number * room, 0, room)
    for special, column in (
        (vocabulary.roles.cls, number * chunk_length),
        (vocabulary.roles.sep, number * chunk_length + 1 + size),
    ):
        input_ids[row, column] = special
        input_mask[row, column] = 1
    return {
        "input_ids": input_ids,
        "input_mask": input_mask,
        "segment_ids": np.zeros(shape, np.int32),
    }


def _text_of(example):
    (first, second), *others = example.pairs
    if others or second is not None:
        raise ValueError(
            f"{example.place}: a pair of texts; --long_text is for single ones"
        )
    return first.replace("\n", " ")


def _log(lengths, kept, room, max_chunks, chunk_length, truncation):
    is_cut = lengths > kept
    if not is_cut.any():
        return
    logging.warning(
        "%s of %s texts are longer than --max_chunks=%s of --max_seq_length=%s"
        ": %s of %s tokens are left out (--truncation=%s); the longest text "
        "would be %s chunks",
        f"{int(is_cut.sum()):,}",
        f"{len(lengths):,}",
        max_chunks,
        chunk_length,
        f"{int((lengths - kept).sum()):,}",
        f"{int(lengths.sum()):,}",
        truncation,
        -(-int(lengths.max()) // room),
    )

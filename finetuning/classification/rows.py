"""Texts as rows of token ids, laid out as the vocabulary has it.

As google-research/bert has it, a pair of three and two tokens with
--max_seq_length=9:

    input_ids      [CLS] a a a [SEP] b b [SEP] [PAD]
    input_mask       1   1 1 1   1   1 1   1     0
    segment_ids      0   0 0 0   0   1 1   1     0

Shapes: N examples, C pairs of an example, R = N * C pairs, T tokens.
"""

from collections.abc import Sequence

import numpy as np
from absl import logging

from text.compiled import njit
from text.tokenization import Tokenizer
from text.vocab import Layout, Vocabulary

# Of 510 tokens the first 128 are kept (Sun et al. 2019, 5.3.1).
_HEAD_SHARE = (128, 510)
_HEADS = {
    "head": lambda kept: kept,
    "tail": lambda kept: kept * 0,
    "head_tail": lambda kept: kept * _HEAD_SHARE[0] // _HEAD_SHARE[1],
}


def make(
    pairs: Sequence[tuple[str, str | None]],
    tokenizer: Tokenizer,
    vocabulary: Vocabulary,
    *,
    max_seq_length: int,
    truncation: str,
) -> dict[str, np.ndarray]:
    """Returns the int32 [R, T] of `FEATURES`, and logs what was cut.

    Args:
        pairs: texts; the second one may be None.
        tokenizer: of the vocabulary.
        vocabulary: knows the special tokens.
        max_seq_length: T.
        truncation: what is kept of a long text, a key of `_HEADS`.
    """
    texts = [text or "" for pair in pairs for text in pair]
    if any("\n" in text for text in texts):
        texts = [text.replace("\n", " ") for text in texts]
    tokens, starts = tokenizer.tokenize("\n".join(texts))
    lengths = np.diff(starts).reshape(-1, 2)
    kept = truncate(lengths, max_seq_length, vocabulary.layout)
    _log_cuts(lengths, kept, max_seq_length, truncation)
    shape = (len(pairs), max_seq_length)
    input_ids = np.full(shape, vocabulary.padding_id, np.int32)
    segment_ids = np.zeros(shape, np.int32)
    ends = _fill(
        tokens,
        starts,
        kept,
        first_part(kept, truncation),
        (vocabulary.roles.cls, vocabulary.roles.sep, *vocabulary.layout),
        input_ids,
        segment_ids,
    )
    return {
        "input_ids": input_ids,
        "input_mask": (np.arange(max_seq_length) < ends[:, None]).astype(
            np.int32
        ),
        "segment_ids": segment_ids,
    }


def first_part(kept: np.ndarray, truncation: str) -> np.ndarray:
    """Returns how many of the tokens that are kept are a text's first ones.

    Args:
        kept: how many tokens of each text are kept, of any shape.
        truncation: a key of `_HEADS`; the other tokens are its last ones.
    """
    return _HEADS[truncation](kept)


def truncate(
    lengths: np.ndarray, max_seq_length: int, layout: Layout
) -> np.ndarray:
    """Returns how many tokens of two texts are kept, [R, 2].

    The longer text, or the second one of equal ones, loses its last token
    until both fit; this computes where that ends. A second text without tokens
    takes no [SEP].
    Source: google-research/bert, run_classifier.py, _truncate_seq_pair.
    """
    first, second = lengths[:, 0], lengths[:, 1]
    special = (layout.num_special(True), layout.num_special(False))
    room = np.maximum(max_seq_length - np.where(second > 0, *special), 0)
    half = np.where(second > 0, room // 2, 0)
    return np.stack(
        [
            np.minimum(first, np.maximum(room - half, room - second)),
            np.minimum(second, np.maximum(half, room - first)),
        ],
        axis=1,
    )


@njit()
def _fill(tokens, starts, kept, heads, special, input_ids, segment_ids):
    """Writes the rows; returns how long each is."""
    cls, sep, num_between, second_segment = special
    ends = np.empty(len(kept), np.int64)
    for row in range(len(kept)):
        input_ids[row, 0] = cls
        place = 1
        for number in range(2):
            count = kept[row, number]
            if number and not count:
                break
            text = 2 * row + number
            head = heads[row, number]
            tail = starts[text + 1] - count
            begin = place
            if number:
                # One [SEP] stands there already.
                input_ids[row, place : place + num_between - 1] = sep
                place += num_between - 1
            for index in range(count):
                source = starts[text] if index < head else tail
                input_ids[row, place] = tokens[source + index]
                place += 1
            input_ids[row, place] = sep
            place += 1
            segment_ids[row, begin:place] = number * second_segment
        ends[row] = place
    return ends


def _log_cuts(lengths, kept, max_seq_length, truncation):
    num_cut = int((lengths.sum(axis=1) > kept.sum(axis=1)).sum())
    if not num_cut:
        return
    longest = int((lengths.sum(axis=1) + (lengths > 0).sum(axis=1)).max()) + 1
    share = num_cut / len(lengths)
    logging.info(
        "%s of %s rows (%.0f%%) are cut to --max_seq_length=%s; the longest "
        "has %s tokens",
        f"{num_cut:,}",
        f"{len(lengths):,}",
        100 * share,
        max_seq_length,
        f"{longest:,}",
    )
    if share > 0.25:
        other = (
            ""
            if truncation == "head_tail"
            else (", or try --truncation=head_tail, which keeps the end, too")
        )
        logging.warning(
            "more than a quarter of the rows are cut: raise --max_seq_length "
            "if memory allows%s",
            other,
        )

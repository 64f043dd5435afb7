"""Sentence pairs with their masks, drawn as google-research/bert draws them.

Source: google-research/bert, create_pretraining_data.py,
create_instances_from_document. The order of the random draws is its own, so
that the same seed gives the same pairs and masks.

An instance is kept as a recipe: where its two segments lie in the corpus, and
what its masks put where. Truncation takes tokens off the ends only, so that a
segment stays a run of the corpus.
"""

import collections

import numpy as np

from data import masking as masks
from data import mersenne
from text.compiled import njit

Corpus = collections.namedtuple(
    "Corpus",
    [
        "ids",  # int32 [tokens]: all sentences, one behind the other
        "sentences",  # int64 [sentences + 1]: where each begins in ids
        "documents",  # int64 [documents + 1]: where each begins in sentences
    ],
)

Recipes = collections.namedtuple(
    "Recipes",
    [
        "segments",  # int64 [N, 2]: where A and B begin in Corpus.ids
        "lengths",  # uint16 [N, 2]: tokens of A and B
        "is_random_next",  # bool [N]
        "num_masks",  # uint16 [N]
        "mask_positions",  # uint16 [masks]: all instances' one after another
        "mask_ids",  # int32 [masks]: the token that stands there instead
    ],
)

Rules = collections.namedtuple(
    "Rules", ["max_seq_length", "short_seq_prob", "cls_id", "sep_id", "masking"]
)

_TRIES_FOR_OTHER_DOCUMENT = 10


@njit()
def draw(corpus, order, first, last, rules, state):
    """Draws the instances of documents `order[first:last]`.

    Args:
        corpus: a `Corpus`.
        order: int64 [documents]: the shuffled documents.
        first, last: the part of `order` to go through.
        rules: `Rules`.
        state: the generator, see `mersenne`; it moves on.

    Returns:
        `Recipes`.
    """
    max_masks = rules.masking.max_predictions_per_seq
    out = Recipes(
        np.empty((64, 2), np.int64),
        np.empty((64, 2), np.uint16),
        np.empty(64, np.bool_),
        np.empty(64, np.uint16),
        np.empty(64 * max_masks, np.uint16),
        np.empty(64 * max_masks, np.int32),
    )
    row = np.empty(rules.max_seq_length, np.int32)
    starts = np.empty(rules.max_seq_length + 1, np.int32)
    picked = np.empty(rules.max_seq_length + 1, np.int32)
    places = np.empty((2, max_masks), np.int32)
    chunk = np.empty(2, np.int64)
    size = 0
    total_masks = 0
    for index in range(first, last):
        chunk[:] = corpus.documents[order[index] : order[index] + 2]
        target = _target_length(rules, state)
        while chunk[0] < chunk[1]:
            a, a_end, b, b_end, is_random = _draw_pair(
                corpus, order, index, chunk, target, state
            )
            a, a_end, b, b_end = _truncate(
                a, a_end, b, b_end, rules.max_seq_length - 3, state
            )
            if size == len(out.num_masks):
                out = _grown(out)
            num_tokens = assemble(corpus.ids, a, a_end, b, b_end, rules, row)
            num_masks = masks.draw_masks(
                row,
                num_tokens,
                a_end - a + 1,
                rules.masking,
                state,
                starts,
                picked,
                places,
            )
            out.segments[size] = a, b
            out.lengths[size] = a_end - a, b_end - b
            out.is_random_next[size] = is_random
            out.num_masks[size] = num_masks
            end = total_masks + num_masks
            out.mask_positions[total_masks:end] = places[0, :num_masks]
            out.mask_ids[total_masks:end] = places[1, :num_masks]
            total_masks = end
            size += 1
    return _trimmed(out, size, total_masks)


@njit()
def _target_length(rules, state):
    """Tokens a pair should reach; now and then short, as in fine-tuning."""
    longest = rules.max_seq_length - 3
    if mersenne.random(state) < rules.short_seq_prob:
        return mersenne.randint(state, 2, longest)
    return longest


@njit()
def _draw_pair(corpus, order, index, chunk, target, state):
    """Draws the next pair of a document.

    Args:
        chunk: int64: [0] the sentence to begin with, moved to where the next
            pair begins; [1] the end of the document.

    Returns:
        (a, a_end, b, b_end, is_random_next): the segments as runs of tokens.
    """
    sentences = corpus.sentences
    begin, end = chunk[0], chunk[0] + 1
    a = sentences[begin]
    while end < chunk[1] and sentences[end] - a < target:
        end += 1
    middle = begin + 1
    if end - begin >= 2:
        middle = begin + mersenne.randint(state, 1, end - begin - 1)
    a_end = sentences[middle]
    if end - begin == 1 or mersenne.random(state) < 0.5:
        b, b_end = _random_segment(
            corpus, order, index, target - (a_end - a), state
        )
        # What was not used goes back to the stream.
        chunk[0] = middle
        return a, a_end, b, b_end, True
    chunk[0] = end
    return a, a_end, a_end, sentences[end], False


@njit()
def _random_segment(corpus, order, index, target, state):
    """Sentences of another document, at least one and `target` tokens."""
    other = index
    for _ in range(_TRIES_FOR_OTHER_DOCUMENT):
        other = mersenne.randint(state, 0, len(order) - 1)
        if other != index:
            break
    first = corpus.documents[order[other]]
    last = corpus.documents[order[other] + 1]
    begin = first + mersenne.randint(state, 0, last - first - 1)
    end = begin + 1
    b = corpus.sentences[begin]
    while end < last and corpus.sentences[end] - b < target:
        end += 1
    return b, corpus.sentences[end]


@njit()
def _truncate(a, a_end, b, b_end, max_tokens, state):
    """Takes tokens off the longer segment, front or back, until both fit."""
    while (a_end - a) + (b_end - b) > max_tokens:
        is_front = mersenne.random(state) < 0.5
        if a_end - a > b_end - b:
            a, a_end = (a + 1, a_end) if is_front else (a, a_end - 1)
        else:
            b, b_end = (b + 1, b_end) if is_front else (b, b_end - 1)
    return a, a_end, b, b_end


@njit()
def assemble(ids, a, a_end, b, b_end, rules, row):
    """Writes `[CLS] A [SEP] B [SEP]` to `row`; returns the number of tokens."""
    num_a, num_b = a_end - a, b_end - b
    row[0] = rules.cls_id
    row[1 : 1 + num_a] = ids[a:a_end]
    row[1 + num_a] = rules.sep_id
    row[2 + num_a : 2 + num_a + num_b] = ids[b:b_end]
    row[2 + num_a + num_b] = rules.sep_id
    return 3 + num_a + num_b


@njit()
def _grown(out):
    """The same recipes with room for twice as many."""
    size, num_masks = len(out.num_masks), len(out.mask_ids)
    segments = np.empty((2 * size, 2), np.int64)
    lengths = np.empty((2 * size, 2), np.uint16)
    is_random_next = np.empty(2 * size, np.bool_)
    counts = np.empty(2 * size, np.uint16)
    positions = np.empty(2 * num_masks, np.uint16)
    ids = np.empty(2 * num_masks, np.int32)
    segments[:size] = out.segments
    lengths[:size] = out.lengths
    is_random_next[:size] = out.is_random_next
    counts[:size] = out.num_masks
    positions[:num_masks] = out.mask_positions
    ids[:num_masks] = out.mask_ids
    return Recipes(segments, lengths, is_random_next, counts, positions, ids)


@njit()
def _trimmed(out, size, num_masks):
    return Recipes(
        out.segments[:size].copy(),
        out.lengths[:size].copy(),
        out.is_random_next[:size].copy(),
        out.num_masks[:size].copy(),
        out.mask_positions[:num_masks].copy(),
        out.mask_ids[:num_masks].copy(),
    )


def join(parts):
    """Returns several `Recipes` as one."""
    return Recipes(*map(np.concatenate, zip(*parts, strict=True)))

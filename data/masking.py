"""Which tokens are masked, and what stands in their place.

Source: google-research/bert, create_pretraining_data.py,
create_masked_lm_predictions; Devlin et al. 2019, section 3.1.
"""

import collections

import numpy as np

from data import mersenne
from text.compiled import njit

Masking = collections.namedtuple(
    "Masking",
    [
        "masked_lm_prob",
        "max_predictions_per_seq",
        "whole_word",
        "mask_id",
        "replacement_ids",  # int32: what a random word is drawn from
        "is_continuation",  # bool [V]: the rows that begin with ##
    ],
)


@njit()
def draw_masks(row, num_tokens, sep, masking, state, starts, picked, places):
    """Draws the masks of one sequence, in the order of google-research/bert.

    Args:
        row: int32, `[CLS] A [SEP] B [SEP]`.
        num_tokens: length of the sequence in `row`.
        sep: position of the first [SEP].
        masking: a `Masking`.
        state: the generator, see `mersenne`.
        starts: int32 scratch, at least `num_tokens` + 1: where words begin.
        picked: int32 scratch, as long: order of the words.
        places: int32 [2, max_predictions_per_seq]: filled with positions and
            the ids that stand there, in ascending order of position.

    Returns:
        The number of masked tokens; with whole words it may be 0, as a word
        that does not fit in is left out and not cut.
    """
    num_words = _find_words(row, num_tokens, sep, masking, starts, picked)
    mersenne.shuffle(state, picked[:num_words])
    wanted = max(1, int(round(num_tokens * masking.masked_lm_prob)))
    wanted = min(masking.max_predictions_per_seq, wanted)
    num_masks = 0
    for word in picked[:num_words]:
        if num_masks >= wanted:
            break
        # A word is a run of tokens but for the one that goes on after [SEP].
        num_pieces = starts[word + 1] - starts[word]
        if starts[word] < sep < starts[word + 1]:
            num_pieces -= 1
        if num_masks + num_pieces > wanted:
            continue
        for position in range(starts[word], starts[word + 1]):
            if position == sep:
                continue
            places[0, num_masks] = position
            places[1, num_masks] = _draw_token(row[position], masking, state)
            num_masks += 1
    _sort(places, num_masks)
    return num_masks


@njit()
def _find_words(row, num_tokens, sep, masking, starts, picked):
    """Writes where the candidates begin; [CLS] and [SEP] begin none."""
    num_words = 0
    for position in range(1, num_tokens - 1):
        if position == sep:
            continue
        continues = (
            masking.whole_word and masking.is_continuation[row[position]]
        )
        if num_words == 0 or not continues:
            starts[num_words] = position
            picked[num_words] = num_words
            num_words += 1
    starts[num_words] = num_tokens - 1
    return num_words


@njit()
def _draw_token(token, masking, state):
    """80 % [MASK], 10 % the token itself, 10 % a random word."""
    if mersenne.random(state) < 0.8:
        return masking.mask_id
    if mersenne.random(state) < 0.5:
        return token
    ids = masking.replacement_ids
    return ids[mersenne.randint(state, 0, len(ids) - 1)]


@njit()
def _sort(places, num_masks):
    """Sorts the first columns by position; few of them, so by insertion."""
    for i in range(1, num_masks):
        position, token = places[0, i], places[1, i]
        j = i
        while j > 0 and places[0, j - 1] > position:
            places[0, j] = places[0, j - 1]
            places[1, j] = places[1, j - 1]
            j -= 1
        places[0, j] = position
        places[1, j] = token


def make(config, vocabulary):
    """Returns the `Masking` that the flags and the vocabulary ask for."""
    return Masking(
        config.masked_lm_prob,
        config.max_predictions_per_seq,
        config.do_whole_word_mask,
        np.int32(vocabulary.ids["[MASK]"]),
        vocabulary.replacement_ids,
        vocabulary.is_continuation,
    )

"""Which tokens are masked, and what stands in their place.

Sources: google-research/bert, create_pretraining_data.py,
create_masked_lm_predictions, and Devlin et al. 2019, section 3.1 (word);
google-research/albert, create_pretraining_data.py, and Lan et al. 2020, section
4.1 (ngram); Joshi et al. 2020, section 3.1 (span); Cui et al. 2020, section 3
(macbert).
"""

import collections

import numpy as np

from data.building import mersenne, similar_words
from text.compiled import njit

WORD, NGRAM, SPAN, MACBERT = range(4)
_HIDE, _KEEP, _CHANGE = range(3)
# Instead of the id of a token that stays what it is.
KEPT = -1
UNITS = {"word": WORD, "ngram": NGRAM, "span": SPAN, "macbert": MACBERT}

# How likely a run is of 1, 2, ... words. SpanBERT's is the geometric
# distribution of 0.2, cut off at 10 and scaled to a sum of 1: 3.8 on average.
_WEIGHTS = {
    "word": [1.0],
    "ngram": [1 / n for n in (1, 2, 3)],
    "span": [0.2 * 0.8 ** (n - 1) for n in range(1, 11)],
    "macbert": [0.4, 0.3, 0.2, 0.1],
}

Masking = collections.namedtuple(
    "Masking",
    [
        "masked_lm_prob",
        "max_predictions_per_seq",
        "unit",  # one of UNITS
        "run_lengths",  # float64: how likely at most 1, 2, ... words are masked
        "whole_word",
        "joins_across_sep",  # a piece that begins B goes with A's last word
        "mask_id",
        "replacement_ids",  # int32: what a random word is drawn from
        "similar",  # `similar_words.SimilarWords`
    ],
)


@njit()
def draw_masks(
    row, begins, num_tokens, sep, masking, state, starts, picked, drawn, places
):
    """Draws the masks of one sequence.

    Those of single words come in the order of google-research/bert.

    Args:
        row: int32, `[CLS] A [SEP] B [SEP]`, or `[CLS] A [SEP]`. Only similar
            words look at it.
        begins: as long: whether a word begins at a position. Only whole words
            look at it.
        num_tokens: length of the sequence in `row`.
        sep: position of the first [SEP].
        masking: a `Masking`.
        state: the generator, see `mersenne`.
        starts: int32 scratch, at least `num_tokens` + 1: where words begin.
        picked: int32 scratch, as long: order of the words.
        drawn: int32 [2, max_predictions_per_seq]: scratch.
        places: as large: filled with positions and the ids that stand there,
            or `KEPT`, in ascending order of position.

    Returns:
        The number of masked tokens; with whole words it may be 0, as a word
        that does not fit in is left out and not cut.
    """
    wanted = max(1, int(round(num_tokens * masking.masked_lm_prob)))
    wanted = min(masking.max_predictions_per_seq, wanted)
    if masking.unit == WORD and not masking.whole_word:
        num_masks = _mask_tokens(
            num_tokens, sep, masking, state, picked, wanted, drawn
        )
        _sort(drawn, num_masks, places)
        return num_masks
    num_words = _find_words(begins, num_tokens, sep, masking, starts, picked)
    picked = picked[:num_words]
    mersenne.shuffle(state, picked)
    if masking.unit == WORD:
        num_masks = _mask_words(
            sep, masking, state, starts, picked, wanted, drawn
        )
    else:
        num_masks = _mask_runs(
            row, sep, masking, state, starts, picked, wanted, drawn
        )
    _sort(drawn, num_masks, places)
    return num_masks


@njit()
def _mask_tokens(num_tokens, sep, masking, state, picked, wanted, drawn):
    """Masks words of one token, as almost everybody does: the short way."""
    mask_id, ids = masking.mask_id, masking.replacement_ids
    num_first = sep - 1
    for k in range(num_first):
        picked[k] = k + 1
    num_words = num_tokens - 2 - (sep < num_tokens - 1)
    for k in range(num_first, num_words):
        picked[k] = k + 2
    mersenne.shuffle(state, picked[:num_words])
    num_masks = min(wanted, num_words)
    for k in range(num_masks):
        drawn[0, k] = picked[k]
        drawn[1, k] = _stand_in(_draw_choice(state), mask_id, ids, state)
    return num_masks


@njit()
def _find_words(begins, num_tokens, sep, masking, starts, picked):
    """Writes where the candidates begin; [CLS] and [SEP] begin none."""
    num_words = 0
    for position in range(1, num_tokens - 1):
        if position == sep:
            continue
        continues = masking.whole_word and not begins[position]
        if position == sep + 1 and not masking.joins_across_sep:
            continues = False
        if num_words == 0 or not continues:
            starts[num_words] = position
            picked[num_words] = num_words
            num_words += 1
    starts[num_words] = num_tokens - 1
    return num_words


@njit()
def _mask_words(sep, masking, state, starts, picked, wanted, drawn):
    mask_id, ids = masking.mask_id, masking.replacement_ids
    num_masks = 0
    for word in picked:
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
            drawn[0, num_masks] = position
            drawn[1, num_masks] = _stand_in(
                _draw_choice(state), mask_id, ids, state
            )
            num_masks += 1
    return num_masks


@njit()
def _mask_runs(row, sep, masking, state, starts, picked, wanted, drawn):
    mask_id, ids = masking.mask_id, masking.replacement_ids
    is_masked = np.zeros(len(picked), np.bool_)
    num_masks = 0
    for first in picked:
        if num_masks >= wanted:
            break
        if is_masked[first]:
            continue
        longest = _draw_length(masking, state)
        last = _run_end(
            starts, sep, is_masked, first, longest, wanted - num_masks
        )
        is_masked[first:last] = True
        choice = _draw_choice(state) if masking.unit == SPAN else _HIDE
        for word in range(first, last):
            begin, end = starts[word], _word_end(starts, word, sep)
            similar = -1
            if masking.unit == MACBERT:
                choice = _draw_choice(state)
                if choice == _HIDE:
                    choice = _CHANGE
                    similar = similar_words.draw(
                        masking.similar, row[begin:end], state
                    )
            for position in range(begin, end):
                if masking.unit == NGRAM:
                    choice = _draw_choice(state)
                if similar >= 0:
                    token = masking.similar.ids[similar + position - begin]
                else:
                    token = _stand_in(choice, mask_id, ids, state)
                drawn[0, num_masks] = position
                drawn[1, num_masks] = token
                num_masks += 1
    return num_masks


@njit()
def _draw_length(masking, state):
    """How many words to mask at once."""
    drawn = mersenne.random(state)
    length = 1
    while length < len(masking.run_lengths):
        if drawn < masking.run_lengths[length - 1]:
            break
        length += 1
    return length


@njit()
def _run_end(starts, sep, is_masked, first, longest, room):
    """The word before which a run that begins with `first` must end.

    That is at most `longest` words on, at the end of the segment, before a
    masked word, or where the next word finds no room.
    """
    begin = starts[first]
    for word in range(first, min(first + longest, len(is_masked))):
        is_in_b = begin < sep < starts[word]
        end = _word_end(starts, word, sep)
        if is_in_b or is_masked[word] or end - begin > room:
            return word
    return min(first + longest, len(is_masked))


@njit()
def _word_end(starts, word, sep):
    end = starts[word + 1]
    return sep if starts[word] < sep < end else end


@njit()
def _draw_choice(state):
    """What to do with a token, a word or a run: 80, 10 and 10 %."""
    if mersenne.random(state) < 0.8:
        return _HIDE
    if mersenne.random(state) < 0.5:
        return _KEEP
    return _CHANGE


@njit()
def _stand_in(choice, mask_id, ids, state):
    """[MASK], the token itself, or a random word."""
    if choice == _HIDE:
        return mask_id
    if choice == _KEEP:
        return KEPT
    return ids[mersenne.randint(state, 0, len(ids) - 1)]


@njit()
def _sort(drawn, num_masks, places):
    """Sorts the columns by position: each goes behind all those below it."""
    for k in range(num_masks):
        place = 0
        for other in range(num_masks):
            place += drawn[0, other] < drawn[0, k]
        places[0, place] = drawn[0, k]
        places[1, place] = drawn[1, k]


def make(config, vocabulary):
    """Returns the `Masking` that a `BuildConfig` and a vocabulary ask for.

    Raises:
        ValueError: --similar_words is not such a file, or no random words are
            left.
    """
    return Masking(
        float(config.masked_lm_prob),
        config.max_predictions_per_seq,
        UNITS[config.mask_unit],
        run_lengths(config.mask_unit),
        config.do_whole_word_mask,
        config.mask_unit == "word" and config.word_segmenter == "none",
        np.int32(vocabulary.roles.mask),
        _replacement_ids(config, vocabulary),
        similar_words.load(config, vocabulary),
    )


def run_lengths(unit):
    """How likely at most 1, 2, ... words are masked at once, float64."""
    weights = np.cumsum(_WEIGHTS[unit])
    return weights / weights[-1]


def _replacement_ids(config, vocabulary):
    ids = vocabulary.replacement_ids
    if config.random_words == "no_specials":
        ids = ids[~np.isin(ids, vocabulary.special_ids)]
    if not len(ids):
        raise ValueError(
            f"{vocabulary.path}: --random_words={config.random_words} leaves "
            f"none of its {len(vocabulary)} rows to draw from; set "
            "--random_words=all"
        )
    return ids

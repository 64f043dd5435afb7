"""Draws which tokens are masked, and what stands in their place.

The laws are those of `data.laws`. Here they mask whole words (a word begins
where `begins` is 1), 4 of 7 tokens:

    position        0    1     2     3    4  5    6
    row           [CLS] play ##ing [SEP]  a  b  [SEP]
    begins          1    1     0     1    1  1    1

    starts        1  4  5  6    the words 0, 1 and 2 begin there; then the end
    picked        0  2  1       the words in the order in which they are masked
    drawn         1  2  5  4    positions: those of word 0, of word 2, of word 1
                  M -1  a  M    what stands there: [MASK], KEPT, a random a
    places        1  2  4  5    the same by position, as a record wants them
                  M -1  M  a

[SEP] is part of no word: word 0 ends before it, though word 1 begins at 4.

Source: google-research/bert, create_masked_lm_predictions.
"""

import collections

import numpy as np

from data import laws
from data.building import mersenne, similar_words
from data.config import BuildConfig
from text.compiled import njit
from text.vocab import Vocabulary

_HIDE, _KEEP, _CHANGE = range(3)
# Marks a masked position whose token stays what it is.
KEPT = -1

Masking = collections.namedtuple(
    "Masking",
    [
        "masked_lm_prob",
        "max_predictions_per_seq",
        "run_lengths",  # these three are those of `laws.Law`
        "draws_for",
        "takes_similar",
        "whole_word",
        "num_between",  # [SEP]s between A and B, as `vocab.Layout` has it
        "joins_across_sep",  # a piece that begins B goes with A's last word
        "stand_ins",  # `StandIns`
        "similar",  # `similar_words.SimilarWords`
    ],
)


StandIns = collections.namedtuple(
    "StandIns",
    [
        "hidden",  # the share of the masks that [MASK] hides
        "kept_of_rest",  # the share of the others that stay as they are
        "mask_id",
        "random_ids",  # int32: what a random word is drawn from
    ],
)

Scratch = collections.namedtuple(
    "Scratch",
    [
        "row",  # int32: the sequence itself. Only similar words look at it.
        "begins",  # bool: where words begin. Only whole words look at it.
        "starts",  # int32 [1 more]: the positions of words, and the end
        "picked",  # int32: the numbers of the words, shuffled
        "drawn",  # int32 [2, most]: positions, and the ids that stand there
        "places",  # as large: the same, by position
    ],
)


@njit()
def draw_masks(num_tokens, sep, masking, state, scratch):
    """Draws the masks of one sequence.

    Those of single words come in the order of google-research/bert.

    Args:
        num_tokens: tokens of the sequence.
        sep: position of the first [SEP].
        masking: a `Masking`.
        state: the generator, see `mersenne`.
        scratch: a `Scratch`, with `row` and `begins` as far as they are looked
            at; `places` is filled with positions and the ids that stand there,
            or `KEPT`, in ascending order of position.

    Returns:
        The number of masked tokens; with whole words it may be 0, as a word
        that does not fit in is left out and not cut.
    """
    wanted = max(1, int(round(num_tokens * masking.masked_lm_prob)))
    wanted = min(masking.max_predictions_per_seq, wanted)
    row, begins, starts, picked, drawn, places = scratch
    is_single = len(masking.run_lengths) == 1
    if is_single and not masking.whole_word:
        num_masks = _mask_tokens(
            num_tokens, sep, masking, state, picked, wanted, drawn
        )
        _sort(drawn, num_masks, places)
        return num_masks
    num_words = _find_words(begins, num_tokens, sep, masking, starts, picked)
    words = picked[:num_words]
    mersenne.shuffle(state, words)
    if is_single:
        num_masks = _mask_words(
            sep, masking, state, starts, words, wanted, drawn
        )
    else:
        num_masks = _mask_runs(
            row, sep, masking, state, starts, words, wanted, drawn
        )
    _sort(drawn, num_masks, places)
    return num_masks


@njit()
def _mask_tokens(num_tokens, sep, masking, state, picked, wanted, drawn):
    """Masks words of one token, as almost everybody does: the short way."""
    stand_ins, num_between = masking.stand_ins, masking.num_between
    num_first = sep - 1
    for k in range(num_first):
        picked[k] = k + 1
    num_words = num_tokens - 2 - num_between * (sep < num_tokens - 1)
    for k in range(num_first, num_words):
        picked[k] = k + 1 + num_between
    mersenne.shuffle(state, picked[:num_words])
    num_masks = min(wanted, num_words)
    for k in range(num_masks):
        drawn[0, k] = picked[k]
        choice = _draw_choice(stand_ins, state)
        drawn[1, k] = _stand_in(choice, stand_ins, state)
    return num_masks


@njit()
def _find_words(begins, num_tokens, sep, masking, starts, picked):
    """Writes where the candidates begin; [CLS] and [SEP] begin none."""
    num_words = 0
    for position in range(1, num_tokens - 1):
        if sep <= position < sep + masking.num_between:
            continue
        continues = masking.whole_word and not begins[position]
        is_in_b = position == sep + masking.num_between
        if is_in_b and not masking.joins_across_sep:
            continues = False
        if num_words == 0 or not continues:
            starts[num_words] = position
            picked[num_words] = num_words
            num_words += 1
    starts[num_words] = num_tokens - 1
    return num_words


@njit()
def _mask_words(sep, masking, state, starts, picked, wanted, drawn):
    stand_ins, num_between = masking.stand_ins, masking.num_between
    num_masks = 0
    for word in picked:
        if num_masks >= wanted:
            break
        # A word is a run of tokens but for the one that goes on after [SEP].
        num_pieces = starts[word + 1] - starts[word]
        if starts[word] < sep < starts[word + 1]:
            num_pieces -= num_between
        if num_masks + num_pieces > wanted:
            continue
        for position in range(starts[word], starts[word + 1]):
            if sep <= position < sep + num_between:
                continue
            drawn[0, num_masks] = position
            choice = _draw_choice(stand_ins, state)
            drawn[1, num_masks] = _stand_in(choice, stand_ins, state)
            num_masks += 1
    return num_masks


@njit()
def _mask_runs(row, sep, masking, state, starts, picked, wanted, drawn):
    stand_ins = masking.stand_ins
    is_masked = np.zeros(len(picked), np.bool_)
    num_masks = 0
    for first in picked:
        if num_masks >= wanted:
            break
        if is_masked[first]:
            continue
        longest = _draw_length(masking.run_lengths, state)
        room = wanted - num_masks
        last = _run_end(starts, sep, is_masked, first, longest, room)
        is_masked[first:last] = True
        choice = _HIDE
        if masking.draws_for == laws.RUN:
            choice = _draw_choice(stand_ins, state)
        for word in range(first, last):
            begin, end = starts[word], _word_end(starts, word, sep)
            similar = -1
            if masking.draws_for == laws.WORD:
                choice = _draw_choice(stand_ins, state)
            if masking.takes_similar and choice == _HIDE:
                choice = _CHANGE  # unless there is a similar word
                ids = row[begin:end]
                similar = similar_words.draw(masking.similar, ids, state)
            for position in range(begin, end):
                if masking.draws_for == laws.TOKEN:
                    choice = _draw_choice(stand_ins, state)
                if similar >= 0:
                    token = masking.similar.ids[similar + position - begin]
                else:
                    token = _stand_in(choice, stand_ins, state)
                drawn[0, num_masks] = position
                drawn[1, num_masks] = token
                num_masks += 1
    return num_masks


@njit()
def _draw_length(run_lengths, state):
    """How many words to mask at once."""
    return 1 + np.searchsorted(run_lengths, mersenne.random(state), "right")


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


@njit(inline="always")
def _draw_choice(stand_ins, state):
    """What to do with a token, a word or a run."""
    if mersenne.random(state) < stand_ins.hidden:
        return _HIDE
    if mersenne.random(state) < stand_ins.kept_of_rest:
        return _KEEP
    return _CHANGE


@njit(inline="always")
def _stand_in(choice, stand_ins, state):
    """[MASK], the token itself, or a random word."""
    if choice == _HIDE:
        return stand_ins.mask_id
    if choice == _KEEP:
        return KEPT
    ids = stand_ins.random_ids
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


def make(config: BuildConfig, vocabulary: Vocabulary) -> Masking:
    """Returns how the flags of a build ask to mask.

    Raises:
        ValueError: --similar_words is not such a file, or no random words are
            left.
    """
    law = laws.LAWS[config.mask_unit]
    stand_ins = StandIns(
        law.shares[0],
        law.kept_of_rest,
        np.int32(vocabulary.roles.mask),
        vocabulary.random_ids(config.random_words),
    )
    return Masking(
        float(config.masked_lm_prob),
        config.max_predictions_per_seq,
        law.run_lengths,
        law.draws_for,
        law.takes_similar,
        config.do_whole_word_mask,
        vocabulary.layout.num_between,
        law.is_single and config.word_segmenter == "none",
        stand_ins,
        similar_words.load(config, vocabulary),
    )

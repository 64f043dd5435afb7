"""Notes which tokens of a corpus are in a record, and why pairs have no choice.

Truncation takes tokens off the ends of a pair, and the next pass may have them
in another one. What is lost is what no record of any pass holds. A bit for each
token says whether one does; here pairs hold tokens 0 to 2 and 4 to 5 of seven:

    token      0 1 2 3 4 5 6
    bits       1 1 1 0 1 1 0      tokens 3 and 6 are lost

A sentence that is collected alone leaves no choice: `nsp` pairs it with a
random segment, `sop` leaves it out. Why it was alone is one of `ALONE`.
"""

import collections

import numpy as np

from text.compiled import njit

Marks = collections.namedtuple(
    "Marks",
    [
        "in_record",  # uint64 [tokens / 64]: a bit for each token
        "alone",  # int64 [kinds of ALONE]: sentences collected alone
    ],
)
# Why a sentence was collected alone:
ALONE = (
    "long",  # it fills a sequence by itself
    "short_target",  # it fills a short one, see --short_seq_prob
    "single",  # its document has no other
    "last",  # its document ends with it, the others were used up
)
NUM_SPECIAL = 3  # Of a pair: [CLS] and a [SEP] behind each segment.
_LONG, _SHORT_TARGET, _SINGLE, _LAST = range(len(ALONE))
_BITS = 64


def no_marks(num_tokens: int) -> Marks:
    """Returns the marks of a corpus before anything is drawn from it."""
    return Marks(
        np.zeros(-(-num_tokens // _BITS), np.uint64),
        np.zeros(len(ALONE), np.int64),
    )


def counts(marks: Marks, num_tokens: int) -> dict[str, int]:
    """Returns what there is to count after all passes: {name: int}."""
    found = {"num_lost_tokens": num_tokens - _num_bits(marks.in_record)}
    for name, number in zip(ALONE, marks.alone.tolist(), strict=True):
        found[f"num_alone_{name}"] = number
    return found


@njit()
def mark(bits, begin, end):
    """Sets the bits of tokens `begin` to `end`."""
    if begin == end:
        return
    first, last = begin >> 6, (end - 1) >> 6
    ones = ~np.uint64(0)
    head = ones << np.uint64(begin & 63)
    tail = ones >> np.uint64(63 - ((end - 1) & 63))
    if first == last:
        bits[first] |= head & tail
        return
    bits[first] |= head
    bits[first + 1 : last] = ones
    bits[last] |= tail


@njit()
def _num_bits(bits):
    number = 0
    for word in bits:
        while word:
            word &= word - np.uint64(1)
            number += 1
    return number


@njit()
def note_alone(sentences, chunk, target, longest, alone):
    """Counts the next sentence if it is collected alone, by the reason.

    Args:
        sentences: of a `Corpus`.
        chunk: int64 [4]: what is left of a document, see `instances`.
        target: tokens at which no further sentence is collected.
        longest: the most that there may be.
        alone: int64 [kinds of ALONE].
    """
    begin = chunk[0]
    length = sentences[begin + 1] - sentences[begin]
    is_last = begin + 1 == chunk[1]
    if length >= longest:
        alone[_LONG] += 1
    elif not is_last and length >= target:
        alone[_SHORT_TARGET] += 1
    elif is_last and begin == chunk[3]:
        alone[_SINGLE] += 1
    elif is_last:
        alone[_LAST] += 1

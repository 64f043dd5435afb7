"""Keeps instances as recipes: what writes them again, a hundred bytes each.

A recipe is a row of uint16, "words" in this file. A pair of two tokens each, A
at token 70,000 of the corpus and B at token 9, with two of at most three masks:

    word    0     1    2  3    4   5    6      7    8 9 10    11    12   13
          4464    1    9  0    2   2    0      2    2 5  0     4  65535   0
          -----------------  ------  -----  -----  ------  ----------------
          A = 1 << 16 | 4464 tokens  label  masks  where   what stands there
          B = 0 << 16 | 9    of A, B               they are

At position 2 stands [MASK], which has the id 4; at position 5 stands what stood
there before, which all bits set say. Where the vocabulary has 65,536 rows or
more, the upper halves of the ids follow in three more words.
"""

import bisect
import itertools
import tempfile
from collections.abc import Iterator, Sequence

import numpy as np

from text.compiled import njit

NUM_A, NUM_B, LABEL, NUM_MASKS = range(4, 8)
_HEAD = 8
_ONE_WORD = 1 << 16
_TWO_WORDS = 1 << 32
_ROWS_A_READ = 1 << 16
_WORDS_A_CACHE_LINE = 32


def num_words(max_masks: int, vocab_size: int) -> int:
    """Columns of a row with room for `max_masks` masks."""
    return _HEAD + (2 + (vocab_size >= _ONE_WORD)) * max_masks


@njit()
def write(row, a, b, num_a, num_b, label, places, num_masks, max_masks):
    """Writes a recipe; `places` is int32 [2, max_masks], see masking."""
    row[0] = a & 0xFFFF
    row[1] = a >> 16
    row[2] = b & 0xFFFF
    row[3] = b >> 16
    row[NUM_A] = num_a
    row[NUM_B] = num_b
    row[LABEL] = label
    row[NUM_MASKS] = num_masks
    ids = _HEAD + max_masks
    for k in range(num_masks):
        row[_HEAD + k] = places[0, k]
        row[ids + k] = places[1, k] & 0xFFFF
    # The row is longer only where ids have upper halves.
    if len(row) > ids + max_masks:
        for k in range(num_masks):
            row[ids + max_masks + k] = places[1, k] >> 16


def sizes(rows: np.ndarray, num_special: int) -> np.ndarray:
    """Returns the tokens and masks of sequences, uint16 [n, 2].

    Args:
        rows: uint16 [n, words].
        num_special: how many of the tokens of a pair are in no segment; of
            one segment two are.
    """
    special = np.where(rows[:, NUM_B], num_special, 2).astype(np.uint16)
    tokens = rows[:, NUM_A] + rows[:, NUM_B] + special
    return np.stack([tokens, rows[:, NUM_MASKS]], axis=1)


@njit()
def segments(row):
    """Returns (a, a_end, b, b_end): both segments as runs of the corpus."""
    a = np.int64(row[0]) | np.int64(row[1]) << 16
    b = np.int64(row[2]) | np.int64(row[3]) << 16
    return a, a + np.int64(row[NUM_A]), b, b + np.int64(row[NUM_B])


@njit()
def mask(row, k, max_masks):
    """Returns (position, id that stands there or -1) of mask `k`."""
    ids = _HEAD + max_masks
    token = np.int64(row[ids + k])
    kept = _ONE_WORD - 1
    if len(row) > ids + max_masks:
        token |= np.int64(row[ids + max_masks + k]) << 16
        kept = _TWO_WORDS - 1
    return np.int64(row[_HEAD + k]), -1 if token == kept else token


@njit()
def assemble(ids, a, a_end, b, b_end, rules, row):
    """Writes `[CLS] A [SEP] B [SEP]`, or `[CLS] A [SEP]`, to `row`.

    Between A and B are as many [SEP] as the rules have. Returns the number of
    tokens.
    """
    num_a, num_b = a_end - a, b_end - b
    row[0] = rules.cls_id
    row[1 : 1 + num_a] = ids[a:a_end]
    row[1 + num_a] = rules.sep_id
    if num_b == 0:
        return 2 + num_a
    first = 1 + num_a + rules.num_between
    row[1 + num_a : first] = rules.sep_id
    row[first : first + num_b] = ids[b:b_end]
    row[first + num_b] = rules.sep_id
    return first + num_b + 1


@njit()
def assemble_begins(corpus, a, a_end, b, b_end, rules, begins):
    """Writes at which positions of the sequence words begin."""
    sep = a_end - a + 1
    first = sep + rules.num_between
    begins[1:sep] = corpus.begins[a:a_end]
    begins[sep:first] = True
    begins[first : first + b_end - b] = corpus.begins[b:b_end]


@njit()
def second_segment(row, rules, num_tokens):
    """The position from which on the segment ids are 1."""
    return np.int64(row[NUM_A]) + 2 if rules.second_segment else num_tokens


@njit()
def touch(corpus, rows, chosen):
    """Reads what some sequences are made from, for the waits to overlap.

    They lie all over the corpus. Read one by one while they are encoded, each
    would wait for memory by itself.
    """
    # One value of each cache line is enough. The values are summed up, as the
    # compiler would drop reads that nothing depends on.
    read = np.int64(0)
    for instance in chosen:
        for k in range(0, rows.shape[1], _WORDS_A_CACHE_LINE):
            read += rows[instance, k]
    for instance in chosen:
        a, a_end, b, b_end = segments(rows[instance])
        for place in range(a, a_end, _WORDS_A_CACHE_LINE):
            read += corpus.ids[place]
        for place in range(b, b_end, _WORDS_A_CACHE_LINE):
            read += corpus.ids[place]
    return read & 0xFF


class Store:
    """The recipes of a shard: in memory up to a limit, then in a file.

    Their number grows with dupe_factor; memory does not.
    """

    def __init__(
        self, words: int, max_bytes: int, directory: str | None = None
    ):
        """Sets the limit.

        Args:
            words: columns of a row.
            max_bytes: memory to use.
            directory: where the file is made that is used beyond it; it is
                gone with the process.
        """
        self.num_words = words
        num_rows = max(1, max_bytes // (2 * words))
        self._buffer = np.empty((num_rows, words), np.uint16)
        self._directory = directory
        self._file = None
        self._size = 0
        self._num_written = 0

    def __len__(self) -> int:
        return self._num_written + self._size

    def append(self, rows: np.ndarray) -> None:
        """Adds copies of `rows`, uint16 [n, words]."""
        while len(rows):
            if self._size == len(self._buffer):
                self._write_out()
            part = rows[: len(self._buffer) - self._size]
            self._buffer[self._size : self._size + len(part)] = part
            self._size += len(part)
            rows = rows[len(part) :]

    def in_order(
        self, order: np.ndarray, starts: Sequence[int]
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yields all recipes in an order that is given.

        Args:
            order: uint32 [recipes]: which recipe comes at each place.
            starts: the places where records begin, ascending, and the end;
                the recipes of a record come together, for which memory must
                have room.

        Yields:
            (rows, chosen): rows in memory, and which of them come now, in
            order, int64 [n]. The rows change with the next pair.
        """
        if self._file is None:
            yield self._buffer[: self._size], order
            return
        # The file is parted into files that fit in memory, each of the recipes
        # of a stretch of `order`. Their rows are sought at random places, and
        # that is fast in memory alone.
        self._write_out()
        cuts = _cuts(starts, len(self._buffer))
        groups = [order[a:b] for a, b in itertools.pairwise(cuts)]
        for wanted, file in zip(groups, self._parted(groups), strict=True):
            # The rows of a file stand in the order in which they were added.
            rows = self._buffer[: len(wanted)]
            file.seek(0)
            file.readinto(rows)
            file.close()
            yield rows, _ranks(wanted)

    def _write_out(self):
        if self._file is None:
            self._file = self._open()
        self._file.write(self._buffer[: self._size])
        self._num_written += self._size
        self._size = 0

    def _parted(self, groups):
        """Returns one file for each group of recipes."""
        group_of = np.empty(self._num_written, np.uint16)
        for number, group in enumerate(groups):
            group_of[group] = number
        files = [self._open() for _ in groups]
        self._file.seek(0)
        for first in range(0, self._num_written, _ROWS_A_READ):
            numbers = group_of[first : first + _ROWS_A_READ]
            rows = np.empty((len(numbers), self.num_words), np.uint16)
            self._file.readinto(rows)
            # Sorted by file, so that each file gets a slice; stable, so that
            # rows keep the order in which they were added.
            rows = rows[np.argsort(numbers, kind="stable")]
            ends = np.cumsum(np.bincount(numbers, minlength=len(files)))
            for file, part in zip(
                files, np.split(rows, ends[:-1]), strict=True
            ):
                file.write(part)
        self._file.close()
        return files

    def _open(self):
        return tempfile.TemporaryFile(dir=self._directory, buffering=1 << 20)


def _cuts(starts, size):
    """Parts `starts` where at most `size` are reached; returns the places."""
    cuts = [0]
    while cuts[-1] < starts[-1]:
        last = bisect.bisect_right(starts, cuts[-1] + size) - 1
        cuts.append(int(starts[last]))
        assert cuts[-1] > cuts[-2], f"a record of more than {size} recipes"
    return cuts


def _ranks(values):
    """Returns the place of each of the values, all different, among them."""
    ranks = np.empty(len(values), np.int64)
    ranks[np.argsort(values)] = np.arange(len(values))
    return ranks

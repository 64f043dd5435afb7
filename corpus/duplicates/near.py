"""Finds documents that are nearly an earlier one, by their signatures.

Band after band, documents whose rows agree make a group. In it each document is
compared, by all its values, with the group's representatives: those before it
that are near to no representative. What is near makes a pair. In the end the
documents are gone through in their order: one that makes a pair with an
earlier one that stays is left out.

    documents 0 1 2 3, pairs (0, 1) (1, 2) (0, 3): 1 and 3 go, and 2 stays, as
    that to which it is near has gone.

So what is left out is near to a document that stays, and nothing depends on how
the documents are cut into shards. Memory: 9 bytes a document and 8 a pair, and
what `memory_bytes` says.
"""

import math
from collections.abc import Iterator, Sequence

import numpy as np

from corpus.duplicates import folding, minhash
from text.compiled import njit

_MEMORY_BYTES = 1 << 28
# Bytes for a document while a band is sorted.
_ENTRY_BYTES = 24
# A group of more has many templates: what is near to none of these stays.
_MAX_REPRESENTATIVES = 64
_NUM_BITS = 32


def find_near(
    shards: Sequence[np.ndarray],
    is_kept: np.ndarray,
    threshold: float,
    memory_bytes: int = _MEMORY_BYTES,
) -> np.ndarray:
    """Finds the documents that are nearly an earlier one that stays.

    Args:
        shards: what `minhash.signatures` returned of each shard, in the order
            of the corpus; the arrays may be mapped from files.
        is_kept: bool [documents of all shards]: whether it is there at all, as
            it is no exact copy.
        threshold: the least Jaccard similarity, as estimated.
        memory_bytes: about how much memory to use beside the result.

    Returns:
        int64 [documents of all shards]: the number of the first document that
        stays and that it is near to, or -1.
    """
    corpus = _Corpus(shards, is_kept, memory_bytes)
    pairs = np.empty(0, np.uint64)
    num_values = math.prod(corpus.bands)
    # Less a little, as 0.7 * 10 is 7.000000000000001 elsewhere.
    needed = math.ceil(threshold * num_values - 1e-6)
    for band in range(corpus.bands.num_bands):
        for documents, groups in corpus.members(band):
            found = _compare(corpus, documents, groups, needed)
            pairs = np.union1d(pairs, found)
    near = np.full(len(is_kept), -1, np.int64)
    _resolve(pairs, near)
    return near


class _Corpus:
    """The signatures of all shards, by the numbers of their documents."""

    def __init__(self, shards, is_kept, memory_bytes):
        sizes = [shard.shape[1] for shard in shards]
        self.starts = np.cumsum([0, *sizes])
        if self.starts[-1] != len(is_kept):
            raise ValueError(
                f"{self.starts[-1]} documents have signatures and "
                f"{len(is_kept)} are asked for"
            )
        if len(is_kept) >> _NUM_BITS:
            raise ValueError(
                f"near duplicates are found among less than 2**{_NUM_BITS} "
                f"documents, got {len(is_kept)}"
            )
        self.shards = shards
        self.is_kept = is_kept
        shape = shards[0].shape if shards else (0, 0, 0)
        self.bands = minhash.Bands(shape[0], shape[2])
        self.num_slices = 1 + len(is_kept) * _ENTRY_BYTES // memory_bytes
        row_bytes = 4 * math.prod(self.bands)
        self.piece_size = 1 + memory_bytes // max(1, row_bytes)

    def members(self, band: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yields the documents that agree in a band with others.

        Yields:
            (documents int64 [n], groups int64 [n]): numbers of documents, a
            group of a band behind another, ascending in each.
        """
        for part in range(self.num_slices):
            entries = [np.empty(0, np.uint64)]
            for start, shard in zip(self.starts, self.shards, strict=False):
                kept = self.is_kept[start : start + shard.shape[1]]
                rows = np.asarray(shard[band])
                slices = np.uint64(self.num_slices), np.uint64(part)
                entries.append(_entries(rows, kept, start, *slices))
            sorted_entries = np.concatenate(entries)
            del entries
            sorted_entries.sort()
            yield _groups(sorted_entries)

    def signatures(self, documents: np.ndarray) -> np.ndarray:
        """Returns the signatures of some documents; uint16 [n, values]."""
        found = np.empty((len(documents), *self.bands), np.uint16)
        order = np.argsort(documents)
        cuts = np.searchsorted(documents[order], self.starts)
        for i in np.flatnonzero(np.diff(cuts)):
            places = order[cuts[i] : cuts[i + 1]]
            rows = self.shards[i][:, documents[places] - self.starts[i]]
            found[places] = rows.transpose(1, 0, 2)
        return found.reshape(len(documents), -1)


def _compare(corpus, documents, groups, needed):
    """Returns the pairs in groups: uint64, the later document above the other.

    Piece by piece, the representatives of a group that goes on standing again
    before its next documents.
    """
    parts = [np.empty(0, np.uint64)]
    carried = np.empty(0, np.int64)
    for begin in range(0, len(documents), corpus.piece_size):
        end = begin + corpus.piece_size
        piece = np.concatenate([carried, documents[begin:end]])
        first = np.full(len(carried), groups[begin])
        owners = np.concatenate([first, groups[begin:end]])
        pairs, last = _compare_piece(
            piece, owners, corpus.signatures(piece), needed
        )
        parts.append(pairs)
        goes_on = end < len(groups) and groups[end] == owners[-1]
        carried = piece[last] if goes_on else carried[:0]
    return np.unique(np.concatenate(parts))


@njit()
def _entries(rows, is_kept, start, num_slices, part):
    """Returns the entries of a band in a slice of the hashes; uint64.

    The upper half of an entry is of the hash of its rows, the lower half the
    document's number, so that they sort by both.
    """
    found = np.empty(len(rows), np.uint64)
    size = 0
    for i in range(len(rows)):
        state = np.uint64(0)
        is_none = True
        for value in rows[i]:
            is_none &= value == minhash.NONE
            state = folding.mix(state + np.uint64(value) + np.uint64(1))
        low = state & np.uint64((1 << _NUM_BITS) - 1)
        if is_kept[i] and not is_none and low % num_slices == part:
            found[size] = (state ^ low) | np.uint64(start + i)
            size += 1
    return found[:size].copy()


@njit()
def _groups(entries):
    """Returns the documents of groups of two or more, and their groups."""
    bits = np.uint64(_NUM_BITS)
    documents = np.empty(len(entries), np.int64)
    groups = np.empty(len(entries), np.int64)
    size = 0
    for i in range(len(entries)):
        key = entries[i] >> bits
        after = i + 1 < len(entries) and entries[i + 1] >> bits == key
        before = i > 0 and entries[i - 1] >> bits == key
        if before or after:
            documents[size] = entries[i] & np.uint64((1 << _NUM_BITS) - 1)
            groups[size] = key
            size += 1
    return documents[:size].copy(), groups[:size].copy()


@njit()
def _compare_piece(documents, groups, signatures, needed):
    """Returns the pairs, and the places of the last group's representatives."""
    pairs = []
    places = np.empty(_MAX_REPRESENTATIVES, np.int64)
    size = 0
    for i in range(len(documents)):
        if i > 0 and groups[i] != groups[i - 1]:
            size = 0
        is_near = False
        for place in places[:size]:
            if _num_equal(signatures[i], signatures[place]) >= needed:
                later = np.uint64(documents[i]) << np.uint64(_NUM_BITS)
                pairs.append(later | np.uint64(documents[place]))
                is_near = True
        if not is_near and size < _MAX_REPRESENTATIVES:
            places[size] = i
            size += 1
    found = np.empty(len(pairs), np.uint64)
    for i in range(len(pairs)):
        found[i] = pairs[i]
    return found, places[:size].copy()


@njit()
def _num_equal(a, b):
    found = 0
    for i in range(len(a)):
        found += a[i] == b[i]
    return found


@njit()
def _resolve(pairs, near):
    """Fills in the first document that stays and that each is near to.

    Args:
        pairs: uint64, ascending: by the later document, then the earlier one.
        near: int64 [documents], -1.
    """
    for pair in pairs:
        later = np.int64(pair >> np.uint64(_NUM_BITS))
        earlier = np.int64(pair & np.uint64((1 << _NUM_BITS) - 1))
        if near[earlier] == -1 and near[later] == -1:
            near[later] = earlier

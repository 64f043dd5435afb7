"""Finds lines that stand in many documents of a corpus of many shards.

Each shard is summed up by itself: which lines it has, by a hash, and in how
many documents each. The sums are merged slice by slice of the space of hashes,
so that memory does not grow with the number of shards. Then each shard drops
the lines that were found, but in the first document of all that has them.

Lines are the same if their letters and digits are, folded, with each number as
a 0: page 3 and page 12 are one line. Short ones are never repeated: a line of a
dialogue or a poem may stand anywhere.

Origin: CCNet (Wenzek et al., 2020) for the folding and for paragraphs as what
is compared; C4 keeps the first of each repeated span.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from corpus.document import Document
from corpus.duplicates import folding
from corpus.tally import Tally
from text.compiled import njit

# The hash of lines that are never repeated.
NEVER = 0
# Shorter lines are never repeated: ten Chinese characters, twenty letters.
_MIN_WIDTH = 20
_MERGE_BYTES = 1 << 28
# Bytes for a hash while it is merged: itself, its count, shard and place.
_ENTRY_BYTES = 48
_LINE_END = 0x0A


class LineHashes(NamedTuple):
    """The lines of documents; those of document i are `starts[i:i + 2]`."""

    hashes: np.ndarray  # uint64 [lines]
    starts: np.ndarray  # int64 [documents + 1]


class LineCounts(NamedTuple):
    """The different lines of a shard."""

    hashes: np.ndarray  # uint64 [different lines], ascending
    documents: np.ndarray  # uint32: in how many documents each stands


class Repeated(NamedTuple):
    """The lines that stand in many documents of the corpus."""

    hashes: np.ndarray  # uint64 [repeated lines], ascending
    documents: np.ndarray  # int64: in how many documents each stands
    first_shard: np.ndarray  # int32: the first shard that has it


def hash_lines(texts: Sequence[str]) -> LineHashes:
    """Returns a hash of each line, "\\n" between them, of each text."""
    hashes = [np.empty(0, np.uint64)]
    num_lines = [np.zeros(1, np.int64)]
    for codes, starts in folding.blocks(texts):
        found, counts = _hash_lines(codes, starts, folding.table())
        hashes.append(found)
        num_lines.append(counts)
    return LineHashes(
        np.concatenate(hashes), np.cumsum(np.concatenate(num_lines))
    )


@njit()
def _hash_lines(codes, starts, table):
    """Returns the hashes and, for each text, how many of them are its own."""
    num_texts = len(starts) - 1
    size = num_texts
    for code in codes:
        size += code == _LINE_END
    hashes = np.empty(size, np.uint64)
    counts = np.empty(num_texts, np.int64)
    size = 0
    for i in range(num_texts):
        before = size
        begin = starts[i]
        for place in range(starts[i], starts[i + 1] + 1):
            if place == starts[i + 1] or codes[place] == _LINE_END:
                hashes[size] = _hash_line(codes, begin, place, table)
                size += 1
                begin = place + 1
        counts[i] = size - before
    return hashes, counts


@njit()
def _hash_line(codes, begin, end, table):
    width = 0
    state = np.uint64(0)
    was_digit = False
    for place in range(begin, end):
        value = folding.folded(codes[place], table)
        if value == 0:
            continue
        is_digit = value & folding.IS_DIGIT != 0
        if is_digit and was_digit:
            continue
        was_digit = is_digit
        if is_digit:
            value = folding.IS_DIGIT
        width += 2 if value & folding.IS_UNIT else 1
        state = folding.mix(state + np.uint64(value))
    if width < _MIN_WIDTH:
        return np.uint64(NEVER)
    return state


def count(lines: LineHashes, is_kept: np.ndarray | None = None) -> LineCounts:
    """Returns in how many documents of a shard each of its lines stands.

    Args:
        lines: of `hash_lines`, of all documents of the shard.
        is_kept: bool [documents]: which of them count; all if None. A text that
            is there ten times would else have ten of each of its lines.
    """
    owners = _owners(lines)
    counts = lines.hashes != NEVER
    if is_kept is not None:
        counts &= is_kept[owners]
    hashes, owners = lines.hashes[counts], owners[counts]
    order = np.argsort(hashes, kind="stable")
    hashes, owners = hashes[order], owners[order]
    # Owners of the same line ascend, so that one document's stand together.
    is_new = _differs(hashes) | _differs(owners)
    found, documents = np.unique(hashes[is_new], return_counts=True)
    return LineCounts(found, documents.astype(np.uint32))


def _owners(lines):
    """The document of each line; int64 [lines]."""
    num_lines = np.diff(lines.starts)
    return np.repeat(np.arange(len(num_lines)), num_lines)


def _differs(values):
    """Whether each value is another than that before it; bool [values]."""
    found = np.ones(len(values), bool)
    np.not_equal(values[1:], values[:-1], out=found[1:])
    return found


def find_repeated(
    shards: Sequence[LineCounts],
    min_documents: int,
    memory_bytes: int = _MERGE_BYTES,
) -> Repeated:
    """Finds the lines that stand in many documents.

    Args:
        shards: what `count` returned of each, in the order of the corpus; the
            arrays may be mapped from files.
        min_documents: in how many documents a line stands that is repeated.
        memory_bytes: about how much memory to use beside the result.
    """
    size = sum(len(shard.hashes) for shard in shards)
    num_slices = max(1, math.ceil(size * _ENTRY_BYTES / memory_bytes))
    bounds = [(i << 64) // num_slices for i in range(1, num_slices)]
    cuts = [
        [0, *np.searchsorted(shard.hashes, np.array(bounds, np.uint64)), None]
        for shard in shards
    ]
    parts = [
        _merge(
            [
                LineCounts(*(x[cut[i] : cut[i + 1]] for x in shard))
                for shard, cut in zip(shards, cuts, strict=True)
            ],
            min_documents,
        )
        for i in range(num_slices)
    ]
    return Repeated(*map(np.concatenate, zip(*parts, strict=True)))


def _merge(shards: Sequence[LineCounts], min_documents: int) -> Repeated:
    empty = LineCounts(np.empty(0, np.uint64), np.empty(0, np.uint32))
    hashes = np.concatenate([x.hashes for x in (*shards, empty)])
    documents = np.concatenate([x.documents for x in (*shards, empty)])
    sizes = np.array([len(x.hashes) for x in shards], np.int64)
    numbers = np.repeat(np.arange(len(shards), dtype=np.int32), sizes)
    # Stable, so that the first of equal lines is that of the first shard.
    order = np.argsort(hashes, kind="stable")
    hashes, documents = hashes[order], documents[order]
    begins = np.flatnonzero(_differs(hashes))
    if not len(begins):
        return Repeated(hashes, documents.astype(np.int64), numbers)
    sums = np.add.reduceat(documents, begins, dtype=np.int64)
    begins, sums = begins[sums >= min_documents], sums[sums >= min_documents]
    return Repeated(hashes[begins], sums, numbers[order[begins]])


def repeats(
    repeated: Repeated,
    shard: int,
    lines: LineHashes,
    is_kept: np.ndarray | None = None,
) -> np.ndarray:
    """Says which lines of a shard to drop.

    Args:
        repeated: of `find_repeated`.
        shard: the number of the shard, from 0 on.
        lines: of all documents of the shard.
        is_kept: as `count` got it.

    Returns:
        bool [lines]: whether the line is repeated, and its document counts and
        is not the first one that has it. That one keeps it as often as it
        stands there.
    """
    if not len(repeated.hashes):
        return np.zeros(len(lines.hashes), bool)
    places = np.searchsorted(repeated.hashes, lines.hashes)
    places = np.minimum(places, len(repeated.hashes) - 1)
    found = repeated.hashes[places] == lines.hashes
    owners = _owners(lines)
    if is_kept is not None:
        found &= is_kept[owners]
    first = np.full(len(repeated.hashes), len(lines.starts))
    np.minimum.at(first, places[found], owners[found])
    # Elsewhere no document of this shard is the first.
    first[repeated.first_shard != shard] = -1
    return found & (first[places] != owners)


def without(
    documents: Iterable[Document],
    lines: LineHashes,
    is_dropped: np.ndarray,
    tally: Tally,
) -> Iterator[Document]:
    """Yields documents without the lines that are dropped, which are noted.

    Args:
        documents: those that `lines` was made of.
        lines: of `hash_lines`.
        is_dropped: of `repeats`; bool [lines].
        tally: takes note of each line.
    """
    for i, document in enumerate(documents):
        marks = is_dropped[lines.starts[i] : lines.starts[i + 1]]
        if not marks.any():
            yield document
            continue
        kept = []
        for line, mark in zip(document.text.split("\n"), marks, strict=True):
            if mark:
                tally.note("line_repeated", line, document.source)
            else:
                kept.append(line)
        yield document._replace(text="\n".join(kept))

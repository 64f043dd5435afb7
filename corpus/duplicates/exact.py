"""Finds documents whose text is that of an earlier one, blanks aside.

A document is 16 bytes: 128 bits of BLAKE2b, of which two are never equal by
chance (of 10 billion documents, one time in 10 ** 19).
"""

import hashlib
import math
from collections.abc import Sequence

import numpy as np

_MEMORY_BYTES = 1 << 28
# Bytes for a document while it is sorted: digest, number, order and copies.
_ENTRY_BYTES = 80


def digests(texts: Sequence[str]) -> np.ndarray:
    """Returns the digest of each text without its blanks; uint64 [texts, 2]."""
    found = b"".join(map(_digest, texts))
    return np.frombuffer(found, np.uint64).reshape(-1, 2)


def _digest(text):
    data = "".join(text.split()).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(data, digest_size=16).digest()


def find_exact(
    shards: Sequence[np.ndarray], memory_bytes: int = _MEMORY_BYTES
) -> np.ndarray:
    """Finds the documents that are copies of earlier ones.

    Args:
        shards: what `digests` returned of each shard, in the order of the
            corpus; the arrays may be mapped from files.
        memory_bytes: about how much memory to use beside the result.

    Returns:
        int64 [documents of all shards]: the number of the first document with
        the same text, or -1 for that one itself. 8 bytes a document.
    """
    starts = np.cumsum([0, *map(len, shards)])
    copies = np.full(starts[-1], -1, np.int64)
    num_slices = max(1, math.ceil(len(copies) * _ENTRY_BYTES / memory_bytes))
    for i in range(num_slices):
        numbers = [np.empty(0, np.int64)]
        found = [np.empty((0, 2), np.uint64)]
        for start, shard in zip(starts, shards, strict=False):
            chosen = np.flatnonzero(shard[:, 0] % np.uint64(num_slices) == i)
            numbers.append(chosen + start)
            found.append(shard[chosen])
        _find_in(np.concatenate(found), np.concatenate(numbers), copies)
    return copies


def _find_in(found, numbers, copies):
    """Fills in `copies` for documents `numbers`, int64, ascending."""
    # It is stable: of equal digests the first document comes first.
    order = np.lexsort((found[:, 1], found[:, 0]))
    found, numbers = found[order], numbers[order]
    is_new = np.ones(len(found), bool)
    is_new[1:] = (found[1:] != found[:-1]).any(axis=1)
    firsts = numbers[is_new][np.cumsum(is_new) - 1]
    copies[numbers[~is_new]] = firsts[~is_new]

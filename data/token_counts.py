"""How often each token id stands in a text: what masked words are drawn from.

The builder counts, of each shard, and the manifest keeps it as a string: a
number for each row of the vocabulary, little endian in base 128 (a varint, as
in protocol buffers), and these bytes in base64. 3, 300 and 0 are

    3     300     0
    03    ac 02   00    "A6wCAA=="
"""

import base64
from collections.abc import Iterable

import numpy as np

from data.manifest import Manifest

_BITS, _MORE = 7, 0x80
_TOKENS_AT_ONCE = 1 << 20


def count(ids: np.ndarray, vocab_size: int) -> str:
    """Counts ids, integers [tokens] below `vocab_size`; returns the string."""
    counts = np.zeros(vocab_size, np.int64)
    # `bincount` makes int64s of what it is given.
    for first in range(0, len(ids), _TOKENS_AT_ONCE):
        block = ids[first : first + _TOKENS_AT_ONCE]
        counts += np.bincount(block, minlength=vocab_size)
    return _encode(counts.tolist())


def _encode(numbers: Iterable[int]) -> str:
    out = bytearray()
    for number in numbers:
        while number >= _MORE:
            out.append(number % _MORE | _MORE)
            number >>= _BITS
        out.append(number)
    return base64.b64encode(out).decode("ascii")


def _decode(text: str) -> np.ndarray:
    """Returns int64 [rows]."""
    digits = np.frombuffer(base64.b64decode(text, validate=True), np.uint8)
    is_last = digits < _MORE
    # How many numbers have ended before each digit: which it is of.
    number: np.ndarray = np.cumsum(is_last) - is_last
    ends = np.flatnonzero(is_last)
    if len(ends) == 0 or ends[-1] < len(digits) - 1:
        raise ValueError("it ends inside a number")
    begins = np.concatenate([[0], ends + 1])
    place = np.arange(len(digits)) - begins[number]
    counts = np.zeros(len(ends), np.int64)
    values = (digits % _MORE).astype(np.int64) << _BITS * place
    np.add.at(counts, number, values)
    return counts


def of_manifests(
    manifests: Iterable[Manifest | None], vocab_size: int
) -> np.ndarray | None:
    """Adds up the counts of builds, each of them once.

    Args:
        manifests: those of the record files; None where a file has none.
        vocab_size: how many rows the model knows, at least those of a build.

    Returns:
        float64 [vocab_size], or None where a build did not count.

    Raises:
        ValueError: a count is damaged.
    """
    total = np.zeros(vocab_size)
    for manifest in {id(x): x for x in manifests}.values():
        shards = manifest.shards if manifest else None
        if not shards:
            return None
        for shard in shards:
            if shard.token_counts is None:
                return None
            total += _of_shard(shard.token_counts, vocab_size)
    return total


def _of_shard(text, vocab_size):
    try:
        counts = _decode(text)
        return np.pad(counts, (0, vocab_size - len(counts)))
    except ValueError as error:
        raise ValueError(
            f"the token_counts of a manifest are damaged, or of more than "
            f"{vocab_size} rows ({error}); build the records again"
        ) from None

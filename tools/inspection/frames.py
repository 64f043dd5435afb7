"""Reads the records of a TFRecord file and compares every checksum of it.

Source: TensorFlow's record_writer.h: length (8 bytes), its checksum (4), data,
its checksum (4).
"""

import gzip
import zlib
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from data.building import crc32c
from jobs.progress import Advance
from storage import file_io
from text.compiled import njit

_GZIP_MAGIC = b"\x1f\x8b"
_BLOCK_BYTES = 1 << 20
_HEADER_BYTES = 12
_FOOTER_BYTES = 4
_MAX_RECORD_BYTES = 1 << 30
_NOT_WHOLE, _BAD_HEADER = range(2)


class Damage(NamedTuple):
    """Bytes that are not what was written."""

    kind: str  # A rule of `findings`.
    record: int
    got: str


class Block(NamedTuple):
    """Some records of a file, one behind the other."""

    records: list[bytes]
    numbers: np.ndarray  # int64 [records]: which ones of the file they are
    damages: list[Damage]

    def first(self, number: int) -> "Block":
        """The same with that many records."""
        return self._replace(
            records=self.records[:number], numbers=self.numbers[:number]
        )


def is_packed(path: str) -> bool:
    """Whether a record file is gzipped, by its first bytes."""
    with file_io.open_binary(path) as file:
        return file.read(2) == _GZIP_MAGIC


def read(path: str, advance: Advance) -> Iterator[Block]:
    """Yields the records of a file whose checksums are right.

    Behind a wrong checksum of the data the next record is read; behind a
    wrong length nothing is known to begin anywhere, and the file is left.
    Offsets are those of the unpacked bytes.

    Args:
        path: a local or remote file, gzipped or not.
        advance: is told the bytes of the file as they are read.
    """
    rest = b""
    number = offset = 0
    for block, failure in _blocks(path, advance):
        if failure:
            got = (
                f"{failure}, readable up to byte {offset + len(rest)} unpacked"
            )
            yield _only(Damage("gzip", number, got))
            return
        data = rest + block
        spans, end, status = _walk(np.frombuffer(data, np.uint8))
        damages = [
            Damage(
                "data checksum",
                number + int(row),
                f"the record at byte {offset + spans[row, 0] - _HEADER_BYTES}",
            )
            for row in np.flatnonzero(spans[:, 2] == 0)
        ]
        good = np.flatnonzero(spans[:, 2])
        records = [data[begin:last] for begin, last in spans[good, :2].tolist()]
        numbers = number + good
        number += len(spans)
        offset += end
        rest = data[end:]
        if status == _BAD_HEADER:
            got = f"the record at byte {offset}"
            damages.append(Damage("length checksum", number, got))
        yield Block(records, numbers, damages)
        if status == _BAD_HEADER:
            return
    if rest:
        got = f"{len(rest)} bytes of the record at byte {offset}"
        yield _only(Damage("truncated", number, got))


def _only(damage):
    return Block([], np.empty(0, np.int64), [damage])


def _blocks(path, advance):
    """Yields (bytes, None), and last perhaps (no bytes, why there are none)."""
    packed = is_packed(path)
    with file_io.open_binary(path) as raw:
        source = gzip.GzipFile(fileobj=raw) if packed else raw
        # `read1` unpacks little at once, so that what stands before the damage
        # is kept.
        read_some = source.read1 if packed else source.read
        place = 0
        parts = []
        failure = None
        while True:
            try:
                part = read_some(_BLOCK_BYTES)
            except (EOFError, gzip.BadGzipFile, zlib.error) as error:
                part, failure = b"", str(error).rstrip(".")
            parts.append(part)
            if not part or sum(map(len, parts)) >= _BLOCK_BYTES:
                yield b"".join(parts), None
                parts = []
                advance(raw.tell() - place)
                place = raw.tell()
            if not part:
                break
    if failure:
        yield b"", failure


@njit()
def _walk(data):
    """Finds the whole records at the beginning of `data`.

    Returns:
        (spans, end, status): int64 [records, 3] with the begin and the end of
        the data and whether its checksum is right; where the last one ends;
        and what stops there.
    """
    spans = np.empty(
        (len(data) // (_HEADER_BYTES + _FOOTER_BYTES), 3), np.int64
    )
    size = end = 0
    while len(data) - end >= _HEADER_BYTES:
        num_bytes = _fixed(data, end, 8)
        checksum = _fixed(data, end + 8, 4)
        if crc32c.masked(data[end : end + 8]) != checksum or not (
            0 <= num_bytes <= _MAX_RECORD_BYTES
        ):
            return spans[:size], end, _BAD_HEADER
        begin = end + _HEADER_BYTES
        last = begin + num_bytes
        if last + _FOOTER_BYTES > len(data):
            break
        spans[size, 0] = begin
        spans[size, 1] = last
        spans[size, 2] = crc32c.masked(data[begin:last]) == _fixed(
            data, last, 4
        )
        size += 1
        end = last + _FOOTER_BYTES
    return spans[:size], end, _NOT_WHOLE


@njit()
def _fixed(data, begin, num_bytes):
    value = np.int64(0)
    for i in range(num_bytes):
        value |= np.int64(data[begin + i]) << (8 * i)
    return value

"""Records of a stream that ends each with the same mark, and where to cut them.

A record that is longer than memory should hold comes in parts.
"""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from corpus.reading.streams import BLOCK_BYTES, Stream

PART_BYTES = 1 << 24
# What ends a record. The blank of Chinese is of two bytes in GB18030 and Big5.
_BLANKS = {
    "utf-8": rb"(?:[ \t\r]|\xe3\x80\x80)*",
    "gb18030": rb"(?:[ \t\r]|\xa1\xa1)*",
    "big5": rb"(?:[ \t\r]|\xa1\x40)*",
}


def line_end(encoding: str) -> re.Pattern[bytes]:
    """What ends a line."""
    del encoding
    return re.compile(rb"\n")


def blank_line(encoding: str) -> re.Pattern[bytes]:
    """What stands between paragraphs or documents: blank lines."""
    blanks = _BLANKS.get(encoding, rb"[ \t\r]*")
    return re.compile(rb"\n(?:" + blanks + rb"\n)+")


class Part(NamedTuple):
    """A record, or as much of one as is held at once.

    Args:
        place: of its first byte in the file.
        data: its bytes, without the mark.
        is_last: whether the record ends with it.
    """

    place: int
    data: bytes
    is_last: bool = True


def split(
    stream: Stream,
    mark: re.Pattern[bytes] | None,
    whole_chars: Callable[[bytes], int] = len,
    part_bytes: int = PART_BYTES,
) -> Iterator[Part]:
    """Yields the records of a stream, those that are empty left out.

    Args:
        stream: the stream.
        mark: what ends a record; None if all of the stream is one.
        whole_chars: tells how many bytes of a part are whole characters.
        part_bytes: a longer record is cut, after a line if it has one.
    """
    place = stream.place
    left = b""
    is_open = False  # Whether a part of this record was yielded.
    # Twice as much is read as is left, so that no byte is searched often.
    while data := stream.read(max(BLOCK_BYTES, len(left))):
        left += data
        begin = 0
        for match in mark.finditer(left) if mark else ():
            if match.start() > begin or is_open:
                yield Part(place + begin, left[begin : match.start()])
            begin = match.end()
            is_open = False
        left = left[begin:]
        place += begin
        while len(left) > part_bytes:
            size = left.rfind(b"\n", 1, part_bytes) + 1
            size = size or whole_chars(left[:part_bytes])
            yield Part(place, left[:size], is_last=False)
            left = left[size:]
            place += size
            is_open = True
    if left or is_open:
        yield Part(place, left)


def next_begin(
    read: Callable[[int, int], bytes],
    mark: re.Pattern[bytes],
    place: int,
    end: int,
) -> int:
    """Returns where the first record after a place begins; `end` if none.

    Args:
        read: returns the bytes at a place, at most so many.
        mark: what ends a record, in 64 KiB at most.
        place, end: of the file.
    """
    size = 1 << 16
    while place < end:
        data = read(place, size)
        if match := mark.search(data):
            return place + match.end()
        if not data or place + len(data) >= end:
            return end
        # A mark may lie on both sides.
        place += max(len(data) // 2, 1)
        size = min(size * 2, 1 << 22)
    return end

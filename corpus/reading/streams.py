"""Streams of bytes that end where they are damaged, and say so.

A file is a stream; so is what is unpacked of it, and a member of an archive.
Readers of forms need not know which, and never see an error of an unpacker:
what could be unpacked before it is read, and the tally names the place.
"""

import lzma
import struct
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from typing import BinaryIO, cast

from corpus.reading import rules
from corpus.tally import Tally

BLOCK_BYTES = 1 << 20
FAULTS = (
    EOFError,
    OSError,
    NotImplementedError,  # A way of packing that Python does not know.
    zlib.error,
    lzma.LZMAError,
    tarfile.TarError,
    zipfile.BadZipFile,
    struct.error,
)


class DiskError(OSError):
    """The disk or the network failed, and not what is in the file."""


class Counted:
    """A local or remote file from `begin` on, and how much of it was read.

    Args:
        raw: the file.
        path: for errors.
        size: bytes that it, or the part of it, has.
        advance: is told how many bytes are read, of all `size` at most.
    """

    def __init__(
        self,
        raw: BinaryIO,
        path: str,
        size: int,
        advance: Callable[[int], None],
        begin: int = 0,
    ):
        self._raw = raw
        self._path = path
        self._left = size
        self._end = begin + size
        self._place = begin
        self._advance = advance
        if begin:
            raw.seek(begin)

    def read(self, size: int = -1) -> bytes:
        """Returns the next bytes: all that are left if `size` is negative."""
        left = max(self._end - self._place, 0)
        try:
            data = self._raw.read(left if size < 0 else min(size, left))
        except OSError as error:
            raise DiskError(f"{self._path}: {error}") from error
        self._place += len(data)
        self._tell(len(data))
        return data

    def seek(self, place: int, whence: int = 0) -> int:
        """As files have it; for a whole file."""
        base = (0, self._place, self._end)[whence]
        self._place = base + place
        self._raw.seek(self._place)
        return self._place

    def tell(self) -> int:
        return self._place

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return False

    @property
    def closed(self) -> bool:
        return False

    def close(self) -> None:
        """Does nothing: who opened the file closes it."""

    def flush(self) -> None:
        """Does nothing, as nothing is written."""

    def finish(self) -> None:
        """Tells of what was never read, as of columns without text."""
        self._tell(self._left)

    def _tell(self, size):
        size = min(size, self._left)
        if size:
            self._left -= size
            self._advance(size)


class Stream:
    """Bytes that are read forward, by a name for people.

    Args:
        read: returns at most so many of the next bytes, none at the end.
        name: the file, and the member of an archive.
        tally: where a fault is noted.
        file: the same bytes, if they can be searched.
        begin: the place of the first byte in the whole.
        outer: what it is unpacked from: a fault is noted once, where it is.
    """

    def __init__(
        self,
        read: Callable[[int], bytes],
        name: str,
        tally: Tally,
        file: Counted | None = None,
        begin: int = 0,
        outer: "Stream | None" = None,
    ):
        self.name = name
        self.file = file
        self.is_faulty = False
        self._outer = outer
        self.place = begin
        self._read = read
        self._tally = tally
        self._head = b""
        self._is_over = False

    def read(self, size: int = BLOCK_BYTES) -> bytes:
        """Returns `size` bytes, fewer where the stream ends."""
        if len(self._head) < size:
            self._fill(size)
        data, self._head = self._head[:size], self._head[size:]
        self.place += len(data)
        return data

    def tell(self) -> int:
        """Returns the place of the next byte."""
        return self.place

    def peek(self, size: int) -> bytes:
        """Returns the next `size` bytes, and leaves them to be read."""
        self._fill(size)
        return self._head[:size]

    def end(self, fault: object) -> None:
        """Notes that nothing more can be read, and why."""
        place = self.place + len(self._head)
        words = f"byte {place}: {str(fault) or type(fault).__name__}"
        if not self._is_known():
            self._tally.note("file_corrupt", words, self.name, 0)
        self.is_faulty = self._is_over = True

    def _is_known(self):
        return self.is_faulty or (
            self._outer is not None and self._outer._is_known()
        )

    def _fill(self, size):
        parts = [self._head]
        missing = size - len(self._head)
        while missing > 0 and not self._is_over:
            try:
                data = self._read(missing)
            except DiskError:
                raise
            except FAULTS as error:
                self._head = b"".join(parts)
                self.end(error)
                return
            except Exception as error:
                # That of zstandard, which may not be installed.
                if type(error).__name__ != "ZstdError":
                    raise
                self._head = b"".join(parts)
                self.end(error)
                return
            self._is_over = not data
            missing -= len(data)
            parts.append(data)
        if len(parts) > 1:
            self._head = b"".join(parts)


def at_most(read: Callable[[int], bytes]) -> Callable[[int], bytes]:
    """Makes what reads about so many bytes read no more."""
    left = b""

    def read_at_most(size: int) -> bytes:
        nonlocal left
        left = left or read(size)
        data, left = left[:size], left[size:]
        return data

    return read_at_most


def spooled(stream: Stream, tally: Tally) -> Counted | None:
    """Returns the bytes of a stream as a file that can be searched.

    None, and a note, if there are too many.
    """
    if stream.file is not None:
        stream.file.seek(0)
        return stream.file
    file = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115
    size = 0
    while data := stream.read():
        size += len(data)
        if size > rules.MAX_SPOOLED_BYTES:
            file.close()
            tally.note("file_too_large", f"{size} bytes", stream.name, 0)
            return None
        file.write(data)
    return Counted(file, stream.name, size, lambda _: None)

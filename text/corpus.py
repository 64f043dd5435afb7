"""Reads texts: corpora and other files, in chunks of whole lines."""

import contextlib
import dataclasses
import gzip
import hashlib
import io
import os
import sys
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO, cast

from storage import file_io
from text import encodings

CHUNK_BYTES = 1 << 22
# Its encoding is guessed by so many bytes of a text.
_GUESSED = 1 << 14


@dataclasses.dataclass(frozen=True)
class Source:
    """A text, or a part of one, that something was made from."""

    name: str
    num_bytes: int  # As UTF-8.
    sha256: str
    num_lines: int | None = None  # Line ends; earlier builds did not count.


class Digest:
    """The bytes, lines and sha256 of a text, while it is read.

    `advance` is told how many bytes are read each time.
    """

    def __init__(self, advance: Callable[[int], None]):
        self.num_bytes = self.num_lines = 0
        self._advance = advance
        self._sha256 = hashlib.sha256()

    def update(self, data: bytes) -> None:
        """Takes in the next bytes."""
        self.num_bytes += len(data)
        self.num_lines += data.count(b"\n")
        self._sha256.update(data)
        self._advance(len(data))

    def describe(self, path: str) -> Source:
        """Returns what was read, of the file at `path`."""
        return Source(
            os.path.basename(path),
            self.num_bytes,
            self._sha256.hexdigest(),
            self.num_lines,
        )


def is_packed(path: str) -> bool:
    """Whether a text is gzipped, by its name."""
    return path.endswith(".gz")


@contextlib.contextmanager
def open_text(
    path: str, begin: int = 0, encoding: str | None = None
) -> Iterator[BinaryIO]:
    """Opens a text, unpacked and as UTF-8, at byte `begin` of these bytes.

    Args:
        path: a local or remote file, gzipped when its name ends in `.gz`.
        begin: how many bytes of UTF-8 to leave out.
        encoding: what the file is in, UTF-8 if None.
    """
    with file_io.open_binary(path) as raw:
        source = raw
        if is_packed(path):
            # It reads as other files do, and is no `BinaryIO` by its type.
            source = cast(BinaryIO, gzip.GzipFile(fileobj=raw))
        try:
            if encoding and not is_as_it_is(encoding):
                recoded = encodings.Recoded(source, encoding, path)
                source = io.BufferedReader(recoded, CHUNK_BYTES)
                _skip(source, begin)
            elif begin:
                source.seek(begin)
            yield source
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise ValueError(
                f"{path}: not a whole gzip file, readable up to byte "
                f"{source.tell()} of its text ({error})"
            ) from None


def is_as_it_is(encoding: str | None) -> bool:
    """Whether texts in an encoding are read without recoding them."""
    return encoding is None or encodings.is_utf_8(encoding)


def _skip(source, num_bytes):
    """Reads so many bytes and returns how many there were."""
    left = num_bytes
    while left and (data := source.read(min(left, CHUNK_BYTES))):
        left -= len(data)
    return num_bytes - left


def num_text_bytes(path: str, encoding: str | None = None) -> int:
    """Bytes of a text as UTF-8; all is read where they are not the file's."""
    if not is_packed(path) and is_as_it_is(encoding):
        return file_io.num_bytes(path)
    with open_text(path, encoding=encoding) as source:
        return _skip(source, sys.maxsize)


def read_chunks(
    path: str,
    digest: Digest | None = None,
    chunk_bytes: int = CHUNK_BYTES,
    begin: int = 0,
    end: int | None = None,
    encoding: str | None = None,
) -> Iterator[str]:
    """Yields the text of a file, or a part of it, in chunks of whole lines.

    Args:
        path: a local or remote file, gzipped when its name ends in `.gz`.
        digest: is fed the bytes of the text.
        chunk_bytes: about how much to read at once.
        begin, end: the part of the text, in bytes of UTF-8, at ends of lines.
        encoding: what --encoding says; None where there is no such flag, and
            the file is UTF-8.

    Raises:
        ValueError: the file is in another encoding, not whole gzip, or not
            fetched by git-lfs; names the byte.
    """
    offset = begin
    rest = b""
    with open_text(path, begin, encoding) as source:
        while True:
            wanted = chunk_bytes
            if end is not None:
                wanted = min(wanted, end - offset - len(rest))
            data = source.read(wanted)
            if not offset:
                file_io.check_is_fetched(data, path)
            if digest:
                digest.update(data)
            block = rest + data
            # Without data the file has ended and its last line may be open.
            last = block.rfind(b"\n") + 1 if data else len(block)
            if last:
                yield _decode(block[:last], path, offset, encoding)
            offset += last
            rest = block[last:]
            if not data:
                return


def read(path: str) -> str:
    """Returns the text of a UTF-8 file, without a byte order mark.

    Raises:
        ValueError: as `read_chunks`.
    """
    return "".join(read_chunks(path)).removeprefix("\ufeff")


def _decode(block, path, offset, encoding):
    try:
        return block.decode("utf-8")
    except UnicodeDecodeError as error:
        # At the beginning there may be a byte order mark, which tells most.
        first = error.start if offset else 0
        raise ValueError(
            f"{path}: not UTF-8 at byte {offset + error.start} "
            f"(0x{block[error.start]:02x}); "
            + _cure(encodings.guess(block[first : first + _GUESSED]), encoding)
        ) from None


def _cure(guessed, encoding):
    """Says what to do about a text in a likely encoding, None if unknown."""
    flag = f"set --encoding={guessed}, or " if encoding else ""
    if guessed:
        return (
            f"it looks like {guessed}: {flag}convert it with iconv -f "
            f"{guessed} -t UTF-8"
        )
    return "it is no text, or damaged, or in an encoding not known here"

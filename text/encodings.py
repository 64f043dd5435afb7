"""Tells encodings other than UTF-8 apart, and reads texts in them as UTF-8."""

import codecs
import io
import re
from typing import Any, BinaryIO

_BLOCK_BYTES = 1 << 20
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# The second byte of a character of GB18030 or Big5. In GB18030 it is 0xA1 or
# more for nearly all common characters, in Big5 for three of five.
_PAIR = re.compile(rb"[\x81-\xfe]([\x40-\x7e\x80-\xfe])")
_MOST_HIGH = 0.85
# Traditional text in GB18030 has low second bytes, too; but a seventh of its
# pairs are no characters of Big5.
_MOST_NO_BIG5 = 0.05
# Letters with accents stand alone among others, in few places of a text.
_HIGH = re.compile(rb"[\x80-\xff]+")
_IN_A_WORD = re.compile(rb"[A-Za-z][\x80-\xff]|[\x80-\xff][A-Za-z]")
_MOST_ACCENTS = 0.2
_LEAST_ALONE = 0.8


def check(name: str) -> None:
    """Refuses an --encoding that Python does not know.

    Raises:
        ValueError: it is unknown, or encodes no texts.
    """
    try:
        "".encode(name)
        codecs.getincrementaldecoder(name)().decode(b"", final=True)
    except (LookupError, ValueError):
        raise ValueError(
            f"--encoding={name} is no encoding; GB18030 (also of GBK and "
            "GB2312), Big5, UTF-16 and UTF-8 are common"
        ) from None


def is_utf_8(name: str) -> bool:
    """Whether a name is one of UTF-8's."""
    return codecs.lookup(name).name in ("utf-8", "ascii")


def guess(data: bytes) -> str | None:
    """Returns what encoding bytes that are no UTF-8 are likely in, or None.

    Args:
        data: the first bytes of a text, or those around what is no UTF-8.
    """
    if data.startswith(_UTF_16):
        return "UTF-16"
    if 0 in data:
        names = (name for name in ("UTF-16LE", "UTF-16BE") if _fits(data, name))
        return next(names, None)
    if _is_western(data):
        return "Windows-1252"
    pairs = _PAIR.findall(data)
    if not pairs:
        return None
    num_high = sum(second >= b"\xa1" for second in pairs)
    num_wrong = data.decode("big5hkscs", "replace").count("\ufffd")
    # A cut may leave half a character at either end.
    is_no_big5 = num_wrong > 2 + _MOST_NO_BIG5 * len(pairs)
    if num_high > _MOST_HIGH * len(pairs) or is_no_big5:
        return "GB18030"
    return "Big5"


def _is_western(data):
    runs = _HIGH.findall(data)
    num_high = sum(map(len, runs))
    num_alone = sum(len(run) == 1 for run in runs)
    if (
        not 0 < num_high <= _MOST_ACCENTS * len(data)
        or num_alone < _LEAST_ALONE * len(runs)
        or not _IN_A_WORD.search(data)
    ):
        return False
    try:
        data.decode("cp1252")
    except UnicodeDecodeError:
        return False
    return True


def _fits(data, name):
    """Whether bytes in an encoding are nothing but characters of texts."""
    try:
        text = data[: len(data) // 2 * 2].decode(name)
    except UnicodeDecodeError:
        return False
    # The bytes of these, in the other order, are those of no common character.
    is_likely = any(char in text for char in '\n ",')
    return is_likely and all(c.isprintable() or c.isspace() for c in text)


class Recoded(io.RawIOBase):
    """The UTF-8 of a stream in another encoding, read forward.

    Args:
        raw: the stream.
        name: its encoding.
        path: names the file in errors.
    """

    def __init__(self, raw: BinaryIO, name: str, path: str):
        self._raw = raw
        self._decode = codecs.getincrementaldecoder(name)().decode
        self._name = name
        self._path = path
        self._buffer = b""
        self._is_over = False
        self._place = self._told = 0

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        """How many bytes of UTF-8 were read."""
        return self._told

    def readinto(self, buffer: Any) -> int:
        while not self._buffer and not self._is_over:
            block = self._raw.read(_BLOCK_BYTES)
            self._is_over = not block
            try:
                text = self._decode(block, final=self._is_over)
                if not self._place:
                    text = text.removeprefix("\ufeff")
                # Half of a surrogate pair, too, is no text.
                self._buffer = text.encode()
            except UnicodeError as error:
                place = self._place + getattr(error, "start", 0)
                raise ValueError(
                    f"{self._path}: not {self._name}, by --encoding, near byte "
                    f"{place} of the file ({getattr(error, 'reason', error)})"
                ) from None
            self._place += len(block)
        count = min(len(buffer), len(self._buffer))
        buffer[:count] = self._buffer[:count]
        self._buffer = self._buffer[count:]
        self._told += count
        return count

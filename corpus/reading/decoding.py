"""Bytes to text: which encoding a file is in, and lines that are in another.

A file has one encoding, found from its first bytes. A line that is not in it is
read in what it looks like; of a line with a few damaged bytes these are left
out; and what stays unreadable is left out and counted.
"""

import codecs
import re

from corpus.reading.config import AUTO
from corpus.reading.streams import Stream, at_most
from corpus.tally import Tally
from text import encodings

HEAD_BYTES = 1 << 16
_UTF_8 = "utf-8"
# Bytes in the place of what is no UTF-16: no encoding here has them, so that
# the line is found out.
_NO_TEXT = "\udcff"
_NO_ASCII = re.compile(rb"[\x80-\xff]")
# Of the characters of a text, so many may be damaged or control characters.
_MOST_DAMAGED = 0.1
_MOST_CONTROLS = 0.02
_CONTROLS = re.compile(r"[\0-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_SHOWN_BYTES = 1000
_DAMAGE = "\ufffd"


def find(head: bytes, wanted: str) -> str | None:
    """Returns the encoding of a file, None where it is no text.

    Args:
        head: its first `HEAD_BYTES`.
        wanted: what --encoding says.
    """
    if wanted != AUTO:
        name = codecs.lookup(wanted).name
        return None if _has_controls(head.decode(name, "replace")) else name
    if head.startswith(codecs.BOM_UTF8):
        return _UTF_8
    if _is_utf_8(head) and (0 not in head or encodings.guess(head) is None):
        return None if _has_controls(head.decode(_UTF_8, "replace")) else _UTF_8
    guessed = encodings.guess(head)
    if guessed is None or not _is_text(head, guessed):
        return None
    return codecs.lookup(guessed).name


def _is_utf_8(head):
    """Whether most of the lines that could tell are UTF-8."""
    try:
        codecs.getincrementaldecoder(_UTF_8)().decode(head)
        return True
    except UnicodeDecodeError:
        pass
    balance = 0
    for line in head.split(b"\n")[:-1] or [head]:
        if _NO_ASCII.search(line):
            text = line.decode(_UTF_8, "replace")
            is_good = _damage(text) <= _MOST_DAMAGED
            balance += len(line) if is_good else -len(line)
    return balance > 0


def _damage(text):
    """Share of the characters beyond ASCII that are none."""
    num_bad = text.count(_DAMAGE)
    num_beyond = len(text) - len(text.encode("ascii", "ignore"))
    return num_bad / max(num_beyond, 1)


def _is_text(head, name):
    text = head.decode(name, "replace")
    is_whole = text.count(_DAMAGE) <= 2 + _MOST_DAMAGED * len(text)
    return is_whole and not _has_controls(text)


def _has_controls(text):
    return len(_CONTROLS.findall(text)) > 2 + _MOST_CONTROLS * len(text)


def is_wide(encoding: str) -> bool:
    """Whether a byte of ASCII may be half of a character: UTF-16, UTF-32."""
    return codecs.lookup(encoding).name.startswith(("utf-16", "utf-32"))


def _mark(error):
    if isinstance(error, UnicodeDecodeError):
        return _NO_TEXT, error.end
    return b"\xff" * (error.end - error.start), error.end


codecs.register_error("hanlin.mark", _mark)


def narrowed(stream: Stream, encoding: str, tally: Tally) -> Stream:
    """Returns the UTF-8 of a stream in UTF-16 or UTF-32.

    What is no character becomes a byte that makes its line undecodable.
    """
    decode = codecs.getincrementaldecoder(encoding)("hanlin.mark").decode

    def read(size: int) -> bytes:
        # Three bytes at most come of two.
        while data := stream.read(max(size // 2, 4)):
            if text := decode(data):
                return text.encode(_UTF_8, "hanlin.mark")
        return decode(b"", True).encode(_UTF_8, "hanlin.mark")

    return Stream(at_most(read), stream.name, tally, outer=stream)


class Decoder:
    """Reads bytes of one file as text.

    Args:
        encoding: of the file, none of two bytes a unit.
        name: the file, for the tally.
        tally: where lines that are left out or changed are noted.
    """

    def __init__(self, encoding: str, name: str, tally: Tally):
        self.encoding = encoding
        self._name = name
        self._tally = tally

    def text(self, data: bytes, place: int) -> str:
        """Returns the text of whole lines.

        Args:
            data: the lines.
            place: of the first byte in the file.
        """
        try:
            return data.decode(self.encoding)
        except UnicodeDecodeError:
            pass
        lines = []
        for line in data.split(b"\n"):
            text = self._line(line, place)
            if text is not None:
                lines.append(text)
            place += len(line) + 1
        return "\n".join(lines)

    def whole_chars(self, data: bytes) -> int:
        """Returns how many bytes are whole characters, from the first on."""
        decoder = codecs.getincrementaldecoder(self.encoding)("replace")
        decoder.decode(data)
        return len(data) - len(decoder.getstate()[0])

    def beginning(self, data: bytes) -> bytes:
        """Returns some whole characters of a long record, to be shown."""
        first = data[:_SHOWN_BYTES]
        return first[: self.whole_chars(first)]

    def _line(self, line, place):
        try:
            return line.decode(self.encoding)
        except UnicodeDecodeError:
            pass
        source = f"{self._name} byte {place}"
        text = line.decode(self.encoding, "replace")
        if _damage(text) <= _MOST_DAMAGED:
            num_bad = text.count(_DAMAGE)
            text = text.replace(_DAMAGE, "")
            self._tally.note("line_bytes_repaired", text, source, num_bad)
            return text
        other = _UTF_8
        if self.encoding == _UTF_8:
            other = encodings.guess(line) or _UTF_8
        try:
            text = line.decode(other)
        except UnicodeDecodeError:
            self._tally.note("line_undecodable", text, source)
            return None
        self._tally.note("line_recoded", text, source)
        return text

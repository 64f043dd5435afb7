"""Pieces of raw files, cut between records, for workers to read."""

from typing import NamedTuple

from corpus.reading import archives, forms, parts
from corpus.reading.config import ReadingSettings
from storage import file_io


class Piece(NamedTuple):
    """Bytes of a raw file, from `begin` to before `end`."""

    path: str
    begin: int
    end: int

    @property
    def num_bytes(self) -> int:
        """How many bytes it has."""
        return self.end - self.begin


def cut(path: str, limit_bytes: int, settings: ReadingSettings) -> list[Piece]:
    """Returns the pieces of a file, one after another, of all its bytes.

    A file of a form that can be entered at any record (JSON lines, plain text
    of many documents, Wikipedia's) is cut before the first record after each
    `limit_bytes`; any other is one piece. Read are its first bytes, and those
    around the cuts.

    Raises:
        ValueError: it stands for a file that git-lfs has not fetched.
        OSError: it cannot be read.
    """
    size = file_io.num_bytes(path)
    with file_io.open_binary(path) as file:
        head = file.read(forms.HEAD_BYTES)
        file_io.check_is_fetched(head, path)
        form = forms.sniff(head, settings)
        if (
            size <= limit_bytes
            or archives.is_packed(head)
            or isinstance(form, forms.NotText)
            or (mark := forms.mark_of(form)) is None
        ):
            return [Piece(path, 0, size)]

        def read(place: int, size: int) -> bytes:
            file.seek(place)
            return file.read(size)

        places = [0]
        while places[-1] < size:
            wanted = places[-1] + limit_bytes
            places.append(parts.next_begin(read, mark, wanted, size))
    return [
        Piece(path, begin, end)
        for begin, end in zip(places, places[1:], strict=False)
    ]

"""What is read from raw files, and cleaned: documents of paragraphs."""

from typing import NamedTuple


class Document(NamedTuple):
    """A text that belongs together, from beginning to end.

    Args:
        source: where it came from, for people: the file, the member of an
            archive, and the place in it, such as `news.json.gz line 17`.
        text: its paragraphs, one a line, "\\n" between them. A blank line says
            nothing.
    """

    source: str
    text: str


def num_chars(text: str) -> int:
    """Returns how many characters of a text are no blanks."""
    return sum(map(len, text.split()))

"""What a reader of a form gets: a stream, and how it is to be read."""

import dataclasses
from typing import Literal

from corpus.reading.config import ReadingSettings
from corpus.reading.decoding import Decoder
from corpus.reading.plain_shape import Shape
from corpus.reading.streams import Stream
from corpus.tally import Tally

FormName = Literal[
    "plain",
    "json_lines",
    "json",
    "csv",
    "tsv",
    "parquet",
    "wiki_docs",
    "wiki_dump",
    "html",
    "warc",
]


@dataclasses.dataclass(frozen=True)
class Form:
    """How a file is to be read, found from its beginning.

    Args:
        name: which form it is.
        encoding: of its text.
        shape: of plain text: what a document is.
        fields: of records whose keys say nothing: which field is the text.
    """

    name: FormName
    encoding: str
    shape: Shape = Shape("file")
    fields: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Content:
    """A file, or a member of an archive, whose form is known."""

    stream: Stream
    form: Form
    settings: ReadingSettings
    tally: Tally

    @property
    def name(self) -> str:
        """The file, and the member, for people."""
        return self.stream.name

    def decoder(self) -> Decoder:
        """Returns what reads its bytes as text."""
        return Decoder(self.form.encoding, self.name, self.tally)

    def note(self, rule: str, text: str, where: object) -> None:
        """Notes what was left out at a place such as `byte 17`."""
        self.tally.note(rule, text, f"{self.name} {where}")

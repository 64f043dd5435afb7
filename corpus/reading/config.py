"""The settings of reading raw files."""

import dataclasses
from typing import Annotated, Literal

from settings.flag import Flag, Settings
from text import encodings

AUTO = "auto"


@dataclasses.dataclass(frozen=True, kw_only=True)
class ReadingSettings(Settings):
    """The flags that say how raw files are read as documents."""

    encoding: Annotated[
        str,
        Flag(
            "Encoding of all files, by its name, such as GB18030. auto: UTF-8, "
            "or what each file looks like: UTF-16, GB18030, Big5.",
            decides="reading",
        ),
    ] = AUTO
    documents: Annotated[
        Literal["auto", "file", "blank_line", "line"],
        Flag(
            "What a document is in plain text. file: a whole file; blank_line: "
            "what is between blank lines; line: a line; auto: what the "
            "beginning of each file looks like.",
            decides="reading",
        ),
    ] = "auto"
    text_field: Annotated[
        str,
        Flag(
            "Comma list of the JSON keys, or columns of CSV and Parquet, that "
            "hold the text; several are joined as lines. Without it the usual "
            "names are looked for, else the longest field is taken.",
            decides="reading",
        ),
    ] = ""
    wiki_variant: Annotated[
        Literal["zh-hans", "zh-hant", "zh-cn", "zh-tw", "zh-hk", "zh-sg"],
        Flag(
            "Which words of -{zh-hans:..;zh-hant:..}- are taken in the markup "
            "of Wikipedia.",
            decides="reading",
        ),
    ] = "zh-hans"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.encoding != AUTO:
            encodings.check(self.encoding)
        if self.text_field and not self.text_fields:
            raise ValueError(f"--text_field={self.text_field} names no field")

    @property
    def text_fields(self) -> tuple[str, ...]:
        """The names in --text_field."""
        parts = (part.strip() for part in self.text_field.split(","))
        return tuple(part for part in parts if part)

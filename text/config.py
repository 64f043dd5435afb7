"""The settings of every program that reads text."""

import dataclasses
from typing import Annotated

from settings.flag import Flag, Settings


@dataclasses.dataclass(frozen=True, kw_only=True)
class RowSettings(Settings):
    """The flags of every program that makes rows, or reads them."""

    vocab_file: Annotated[
        str,
        Flag("The vocabulary of the model: a vocab.txt.", decides="content"),
    ]
    max_seq_length: Annotated[
        int,
        Flag(
            "Tokens of a row, [CLS] and [SEP] included; longer texts are cut.",
            "positive",
            decides="rows",
        ),
    ] = 128


@dataclasses.dataclass(frozen=True, kw_only=True)
class TextSettings(RowSettings):
    """The flags that say how text is read before it is tokenized."""

    do_lower_case: Annotated[
        bool,
        Flag(
            "Whether the model is uncased: text is lower-cased and stripped of "
            "accents, as uncased and Chinese models want. Without this flag "
            "what the model's own files, those beside --vocab_file or their "
            "folder's name say.",
            decides="rows",
        ),
    ] = True
    t2s: Annotated[
        bool,
        Flag(
            "Whether to read traditional Chinese as simplified (OpenCC), as a "
            "model does that was pretrained with --t2s; answers and entities "
            "stay in the characters of the text.",
            decides="rows",
        ),
    ] = False

"""What a vocabulary is: rows, their ids, and what the special ones do.

Here is WordPiece's, a `vocab.txt`; `vocabularies` opens those of every kind.

Nothing outside of this file spells a special token. Who wants the id of [MASK]
asks for `vocabulary.roles.mask`, and who wants to name it to a person asks for
`vocabulary.spellings.mask`.
"""

import codecs
import dataclasses
import functools
import hashlib
import re
from collections.abc import Sequence
from typing import ClassVar, Generic, NamedTuple, TypeVar

import numpy as np

from storage import file_io
from text import encodings

_Value = TypeVar("_Value")


class Roles(NamedTuple, Generic[_Value]):
    """One value for each role that a special token plays."""

    pad: _Value  # has a row, but see `Vocabulary.padding_id`
    unk: _Value  # stands for what the vocabulary cannot spell
    cls: _Value  # begins a sequence
    sep: _Value  # ends a segment
    mask: _Value  # hides a token


class Layout(NamedTuple):
    """How the rows of a model are laid out.

    [CLS] a [SEP] b [SEP]       BERT: one between, the second segment is 1
    <s> a </s></s> b </s>       RoBERTa: two, all segments are 0
    """

    num_between: int  # [SEP]s between two segments
    second_segment: int  # the segment id of b, and of the [SEP] behind it

    def num_special(self, is_pair: bool) -> int:
        """Returns how many tokens of a row are special."""
        return 2 + self.num_between * is_pair


# How google-research/bert spells them.
WORDPIECE = Roles("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
FILE = "vocab.txt"
_UNUSED = re.compile(r"\[unused\d+\]")
_NOT = "not a BERT vocabulary"
_NUM_NAMED = 3
# Not all that Python strips: U+2028 is in rows of the Chinese vocabulary.
_BLANKS = " \t\xa0\u3000"


@dataclasses.dataclass(frozen=True)
class Vocabulary:
    """The rows of a `vocab.txt`, in order; a row's number is its id.

    Blanks around a row are no part of it, unless it has nothing else. The
    vocabularies of other kinds are subclasses.
    """

    path: str
    rows: tuple[str, ...]
    sha256: str  # Of what is in its files.
    spellings: Roles[str] = WORDPIECE
    # What sequences are filled up with: google-research/bert takes 0,
    # whichever row [PAD] has.
    padding_id: int = 0
    # (name, contents) of the files that it is written as beside a model.
    files: tuple[tuple[str, bytes], ...] = ()
    layout: ClassVar[Layout] = Layout(num_between=1, second_segment=1)
    kind: ClassVar[str] = "wordpiece"  # A key of `pieces.KINDS`.
    # Whether a word has the tokens by itself that it has in a text.
    has_words_alone: ClassVar[bool] = True
    library: ClassVar[str] = ""  # The package that tokenizes, if one does.

    def __len__(self) -> int:
        return len(self.rows)

    @functools.cached_property
    def ids(self) -> dict[str, int]:
        """{token: id} as google-research's load_vocab makes it.

        It strips each row, so U+2028, a row of the Chinese vocabulary, becomes
        the empty token.
        """
        return {row.strip(): index for index, row in enumerate(self.rows)}

    @functools.cached_property
    def roles(self) -> Roles[int]:
        """The ids of the special tokens: `roles.mask` is that of [MASK]."""
        return Roles(*(self.ids[spelling] for spelling in self.spellings))

    def random_ids(self, random_words: str) -> np.ndarray:
        """Returns the ids that masking draws random words from, int32.

        They stand in the order of google-research/bert.

        Args:
            random_words: as the flag has it, "all" or "no_specials".

        Raises:
            ValueError: no row is left to draw from.
        """
        ids = np.fromiter(self.ids.values(), np.int32)
        if random_words == "no_specials":
            ids = ids[~np.isin(ids, self.special_ids)]
        if not len(ids):
            raise ValueError(
                f"{self.path}: --random_words={random_words} leaves none of "
                f"its {len(self)} rows to draw from; set --random_words=all"
            )
        return ids

    @functools.cached_property
    def special_ids(self) -> np.ndarray:
        """Ids of the special tokens and of [unusedN], int32, ascending."""
        special = (is_special(row, self.spellings) for row in self.rows)
        return np.flatnonzero(np.fromiter(special, bool)).astype(np.int32)

    @property
    def readable(self) -> tuple[str, ...]:
        """The rows as a person reads them."""
        return self.rows

    def without_space(self, ids: list[int]) -> list[int]:
        """Returns the ids of a word as they are with no space before it."""
        return ids

    @functools.cached_property
    def is_continuation(self) -> np.ndarray:
        """Whether each row goes on in a word (`##`), bool [V].

        The first token of a text never does, whatever its row says.
        """
        return np.array([row.startswith("##") for row in self.rows])


def is_special(row: str, spellings: Roles[str] = WORDPIECE) -> bool:
    """Whether a row is a special token or [unusedN]."""
    return row in spellings or is_unused(row)


def is_unused(row: str) -> bool:
    """Whether a row is [unusedN], which nothing is tokenized as."""
    return bool(_UNUSED.fullmatch(row))


def load(path: str) -> Vocabulary:
    """Reads and checks a vocabulary file.

    Raises:
        ValueError: the file is missing, or no vocabulary; see `parse`.
    """
    if not file_io.exists(path):
        raise ValueError(f"--vocab_file: no file {path!r}")
    return parse(file_io.read_bytes(path), path)


def parse(data: bytes, path: str) -> Vocabulary:
    """Makes a vocabulary of the bytes of a file.

    Rows end with `\\n` only: U+2028 and its like are rows of published
    vocabularies, not line ends.

    Args:
        data: the bytes.
        path: names the file in errors.

    Raises:
        ValueError: it is not UTF-8, has a byte order mark or CRLF line ends,
            repeats a row or lacks a special token.
    """
    text = _decode(data, path)
    if "\r\n" in text:
        row = text[: text.index("\r\n")].count("\n") + 1
        raise ValueError(
            f"{path}: lines end with CRLF, first in row {row}; convert them "
            "to LF, for example with dos2unix"
        )
    lines = text.removesuffix("\n").split("\n")
    rows = tuple(line.strip(_BLANKS) or line for line in lines)
    vocabulary = Vocabulary(
        path, rows, hashlib.sha256(data).hexdigest(), files=((FILE, data),)
    )
    missing = [t for t in vocabulary.spellings if t not in vocabulary.ids]
    if missing:
        raise ValueError(_explain(path, rows, missing))
    _check_repeats(path, lines)
    return vocabulary


def _decode(data, path):
    if data.startswith(codecs.BOM_UTF8):
        raise ValueError(
            f"{path}: begins with a byte order mark, which would be part of "
            "its first row; save it as UTF-8 without one"
        )
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        place = error.start
    if data[:1] == data[2:3] == b"\n":
        # As protocol buffers begin whose first field has a message in it.
        raise ValueError(
            f"--vocab_file={path} is a model of SentencePiece; name it in "
            "--spm_model_file"
        )
    guessed = encodings.guess(data[: 1 << 14])
    raise ValueError(
        f"{path}: looks like {guessed}; convert it with iconv -f {guessed} "
        "-t UTF-8"
        if guessed
        else f"{path}: {_NOT}, as it is no text (byte {place} is "
        f"0x{data[place]:02x}); is it a model of SentencePiece?"
    )


def _explain(path, rows, missing):
    """Says why rows without special tokens are no vocabulary."""
    if rows[0].startswith(("{", "[{")):
        what = "it is JSON, as of byte-level BPE: --tokenizer names its folder"
    elif rows[0].startswith("<"):
        what = "it is a page of a web site or XML"
    else:
        shown = ", ".join(repr(row[:40]) for row in rows[:_NUM_NAMED])
        what = f"it begins with {shown}"
    return (
        f"{path}: {_NOT}, the rows {', '.join(missing)} are missing among its "
        f"{len(rows)}; {what}. --vocab_file must name one token a line"
    )


def save(path: str, rows: Sequence[str]) -> None:
    """Writes the rows of a vocabulary, whole or not at all."""
    file_io.write_whole(path, "".join(f"{row}\n" for row in rows).encode())


def _check_repeats(path, rows):
    first = {}
    for number, row in enumerate(rows, start=1):
        if first.setdefault(row, number) != number:
            raise ValueError(
                f"{path}: row {number} repeats row {first[row]} ({row!r})"
            )

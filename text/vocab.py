"""A WordPiece vocabulary: rows of a file, their ids, the special ones."""

import dataclasses
import functools
import hashlib
import re

import numpy as np

from text import corpus

SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_UNUSED = re.compile(r"\[unused\d+\]")


@dataclasses.dataclass(frozen=True)
class Vocabulary:
    """The rows of a `vocab.txt`, in order; a row's number is its id."""

    path: str
    rows: tuple[str, ...]
    sha256: str

    def __len__(self):
        return len(self.rows)

    @functools.cached_property
    def ids(self):
        """{token: id} as google-research's load_vocab makes it.

        It strips each row, so U+2028, a row of the Chinese vocabulary, becomes
        the empty token.
        """
        return {row.strip(): index for index, row in enumerate(self.rows)}

    @functools.cached_property
    def replacement_ids(self):
        """Ids that masking draws random words from, int32, in its order."""
        return np.fromiter(self.ids.values(), np.int32)

    @functools.cached_property
    def special_ids(self):
        """Ids of the special tokens and of [unusedN], int32, ascending."""
        return np.array(
            [
                index
                for index, row in enumerate(self.rows)
                if row in SPECIAL_TOKENS or _UNUSED.fullmatch(row)
            ],
            np.int32,
        )

    @functools.cached_property
    def is_continuation(self):
        """Whether each row continues a word (`##`), bool [V]."""
        return np.array([row.startswith("##") for row in self.rows])


def load(path):
    """Reads and checks a vocabulary file.

    Rows end with `\\n` only: U+2028 and its like are rows of published
    vocabularies, not line ends.

    Raises:
        ValueError: the file is missing, is not UTF-8, has CRLF line ends,
            repeats a row or lacks a special token.
    """
    if not corpus.exists(path):
        raise ValueError(f"--vocab_file: no file {path!r}")
    text = "".join(corpus.read_chunks(path))
    if "\r\n" in text:
        row = text[: text.index("\r\n")].count("\n") + 1
        raise ValueError(
            f"{path}: lines end with CRLF, first in row {row}; convert them "
            "to LF, for example with dos2unix"
        )
    rows = tuple(text.removesuffix("\n").split("\n"))
    _check_repeats(path, rows)
    digest = hashlib.sha256(text.encode()).hexdigest()
    vocabulary = Vocabulary(path, rows, digest)
    missing = [t for t in SPECIAL_TOKENS if t not in vocabulary.ids]
    if missing:
        raise ValueError(
            f"{path}: not a BERT vocabulary, the rows {', '.join(missing)} "
            f"are missing among its {len(rows)}; --vocab_file must name one "
            "token a line"
        )
    return vocabulary


def save(path, rows):
    """Writes the rows of a vocabulary, whole or not at all."""
    corpus.write_whole(path, "".join(f"{row}\n" for row in rows).encode())


def _check_repeats(path, rows):
    first = {}
    for number, row in enumerate(rows, start=1):
        if first.setdefault(row, number) != number:
            raise ValueError(
                f"{path}: row {number} repeats row {first[row]} ({row!r})"
            )

"""Reads byte-level BPE: vocab.json and merges.txt, as RoBERTa has them.

A byte is written as a character that can be seen: GPT-2's alphabet has `Ġ` for
a space and `ä½ł` for the three bytes of 你. A space goes with the word behind
it, so that "Ġworld" is another token than "world".

Source: openai/gpt-2, src/encoder.py; Liu et al. 2019, section 4.4.
"""

import codecs
import dataclasses
import functools
import hashlib
import json
import os
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from storage import file_io, json_files
from text.vocab import Layout, Roles, Vocabulary

VOCABULARY, MERGES = "vocab.json", "merges.txt"
SPELLINGS = Roles("<pad>", "<unk>", "<s>", "</s>", "<mask>")
_SPACE = "Ġ"


@functools.cache
def alphabet() -> str:
    """The 256 characters of GPT-2 that bytes are written as, in order."""
    visible = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in visible]
    characters = {byte: chr(byte) for byte in visible}
    characters |= {byte: chr(256 + n) for n, byte in enumerate(hidden)}
    return "".join(characters[byte] for byte in range(256))


@dataclasses.dataclass(frozen=True)
class BytePairs(Vocabulary):
    """The rows of a `vocab.json`, and the merges that make them."""

    merges: tuple[tuple[str, str], ...] = ()
    kind: ClassVar[str] = "byte_pairs"
    has_words_alone: ClassVar[bool] = False
    library: ClassVar[str] = "tokenizers"
    layout: ClassVar[Layout] = Layout(num_between=2, second_segment=0)

    @functools.cached_property
    def ids(self) -> dict[str, int]:
        """{token: id}."""
        return {row: index for index, row in enumerate(self.rows)}

    @functools.cached_property
    def special_ids(self) -> np.ndarray:
        """Ids of the special tokens, int32, ascending."""
        return np.array(sorted(self.roles), np.int32)

    @functools.cached_property
    def is_continuation(self) -> np.ndarray:
        """Whether each token goes on in a word: it has no space before."""
        special = set(self.spellings)
        return np.array(
            [not x.startswith(_SPACE) and x not in special for x in self.rows]
        )

    @functools.cached_property
    def readable(self) -> tuple[str, ...]:
        """The rows with bytes as the characters that they are of."""
        return tuple(map(_readable, self.rows))


def _readable(row):
    space = _SPACE if row.startswith(_SPACE) else ""
    rest = row.removeprefix(_SPACE)
    try:
        return space + bytes(map(alphabet().index, rest)).decode()
    except ValueError:  # Part of a character, or a special token.
        return row


def load(path: str, flag: str = "tokenizer") -> BytePairs:
    """Reads a vocab.json and the merges.txt beside it, of which one is named.

    Raises:
        ValueError: one is missing, damaged, does not fit the other, or lacks a
            special token.
    """
    folder = os.path.dirname(path)
    paths = [os.path.join(folder, name) for name in (VOCABULARY, MERGES)]
    for name in paths:
        if not file_io.exists(name):
            here = os.path.basename(path)
            raise ValueError(
                f"--{flag}={path}: byte-level BPE is two files, and beside "
                f"{here} is no {os.path.basename(name)}"
            )
    data, merges = map(file_io.read_bytes, paths)
    return parse(data, merges, *paths)


def parse(data: bytes, merges: bytes, path: str, merges_path: str) -> BytePairs:
    """Makes a vocabulary of the bytes of the two files; see `load`."""
    ids = json_files.parse(data, path, object)
    return make(ids, _read_merges(merges, merges_path), path)


def make(ids: Any, merges: Sequence[tuple[str, str]], path: str) -> BytePairs:
    """Makes a vocabulary of what is in files.

    Args:
        ids: {token: id}, as far as it is that.
        merges: pairs of tokens, the first to be merged first.
        path: names the file in errors.

    Raises:
        ValueError: as `load`.
    """
    rows = rows_of(ids, path)
    missing = [token for token in SPELLINGS if token not in ids]
    if missing:
        raise ValueError(
            f"{path}: no vocabulary of RoBERTa, the tokens "
            f"{', '.join(missing)} are missing among its {len(rows)}"
        )
    for number, (left, right) in enumerate(merges, start=1):
        for token in (left, right, left + right):
            if token not in ids:
                raise ValueError(
                    f"{path} lacks {token!r} of merge {number} of its merges, "
                    f"{left} {right}: they are not of one model"
                )
    if not merges:
        raise ValueError(f"{path}: its merges are empty")
    in_order = {row: index for index, row in enumerate(rows)}
    lines = [f"{left} {right}" for left, right in merges]
    files = (
        (VOCABULARY, json.dumps(in_order, ensure_ascii=False).encode()),
        (MERGES, "\n".join(["#version: 0.2", *lines, ""]).encode()),
    )
    return BytePairs(
        path,
        rows,
        hashlib.sha256(b"\0".join(data for _, data in files)).hexdigest(),
        SPELLINGS,
        padding_id=ids[SPELLINGS.pad],
        files=files,
        merges=tuple(merges),
    )


def rows_of(ids: Any, path: str) -> tuple[str, ...]:
    """Returns the tokens by id, which are to be 0 to n - 1.

    Raises:
        ValueError: they are not.
    """
    is_named = isinstance(ids, dict) and all(
        type(value) is int for value in ids.values()
    )
    if not is_named or sorted(ids.values()) != [*range(len(ids))]:
        raise ValueError(
            f"{path}: not a vocabulary, which is an object of tokens with the "
            "ids 0, 1, 2 and so on"
        )
    return tuple(sorted(ids, key=ids.__getitem__))


def _read_merges(data, path):
    try:
        lines = data.removeprefix(codecs.BOM_UTF8).decode().split("\n")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path}: no merges, as byte {error.start} is not UTF-8"
        ) from None
    merges = []
    for number, line in enumerate(lines, start=1):
        line = line.removesuffix("\r")
        if not line or (number == 1 and line.startswith("#version")):
            continue
        pair = line.split(" ")
        if len(pair) != 2 or not all(pair):
            raise ValueError(
                f"{path}:{number}: no merge, which is two tokens with a space "
                f"between: {line[:60]!r}"
            )
        merges.append((pair[0], pair[1]))
    return merges

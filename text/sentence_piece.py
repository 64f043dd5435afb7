"""Reads models of SentencePiece and tokenizes by them, as ALBERT does.

What is done to a text before the library sees it, and one rule on its pieces
after that, with a model that has the pieces "▁1," and "▁1":

    " Naïve  ½ 1,"   white space        "Naïve ½ 1,"
                     NFKD, no accents   "Naive 1⁄2 1,"
                     lower case         "naive 1⁄2 1,"
    the library      ▁naive ▁1 ⁄ 2 ▁1,
    digit and comma  ▁naive ▁1 ⁄ 2 ▁1 ,

Source: google-research/albert, tokenization.py, preprocess_text and
encode_pieces; create_pretraining_data.py, _is_start_piece_sp.
"""

import dataclasses
import functools
import hashlib
import itertools
import string
from typing import Any, ClassVar

import numpy as np

from storage import file_io
from text import unaccented
from text.vocab import Roles, Vocabulary

FILE = "spiece.model"
SPELLINGS = Roles("<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]")
_SPACE = "▁"
# The fields of a model that each has.
_PIECES, _TRAINER, _NORMALIZER = 1, 2, 3
# In these and English letters a piece may go on in a word; in any other
# character, an apostrophe or a Chinese one, it is a word.
_PUNCTUATION = set(string.punctuation) - set("'<=>")
_MAY_GO_ON = _PUNCTUATION | set(string.ascii_letters)


@dataclasses.dataclass(frozen=True)
class SentencePieces(Vocabulary):
    """The pieces of a model; a piece's number is its id."""

    # Of pieces that no text is made into: control and unused ones.
    control_ids: tuple[int, ...] = ()
    kind: ClassVar[str] = "sentencepiece"
    has_words_alone: ClassVar[bool] = False
    library: ClassVar[str] = "sentencepiece"

    @functools.cached_property
    def ids(self) -> dict[str, int]:
        """{piece: id}."""
        return {row: index for index, row in enumerate(self.rows)}

    @functools.cached_property
    def special_ids(self) -> np.ndarray:
        """Ids of the special and the unused pieces, int32, ascending."""
        return np.array(sorted({*self.control_ids, *self.roles}), np.int32)

    def without_space(self, ids: list[int]) -> list[int]:
        """Returns the ids of a word as they are with no space before it.

        Where the model lacks the first piece without a space, it keeps it.
        """
        if not ids:
            return ids
        first, *others = ids
        bare = self.rows[first].removeprefix(_SPACE)
        if not bare:
            return others
        return [self.ids.get(bare, first), *others]

    @functools.cached_property
    def is_continuation(self) -> np.ndarray:
        """Whether each piece goes on in a word as ALBERT has it, bool [V]."""
        return np.array([_goes_on(row) for row in self.rows])


def _goes_on(piece):
    if piece.startswith((_SPACE, "<")) or piece in _PUNCTUATION:
        return False
    return _MAY_GO_ON.issuperset(piece)


def load(path: str, flag: str = "spm_model_file") -> SentencePieces:
    """Reads and checks a model.

    Args:
        path: of the file.
        flag: that named it, for errors.

    Raises:
        ValueError: it is missing, no such model, or lacks a special piece.
    """
    if not file_io.exists(path):
        raise ValueError(f"--{flag}: no file {path!r}")
    return parse(file_io.read_bytes(path), path, flag)


def parse(
    data: bytes, path: str, flag: str = "spm_model_file"
) -> SentencePieces:
    """Makes a vocabulary of the bytes of a model; see `load`."""
    model = _open(data, path, flag)
    size = model.get_piece_size()
    rows = tuple(map(model.id_to_piece, range(size)))
    spellings = SPELLINGS
    if model.pad_id() >= 0:
        spellings = spellings._replace(pad=rows[model.pad_id()])
    spellings = spellings._replace(unk=rows[model.unk_id()])
    missing = [name for name in spellings if name not in rows]
    if missing:
        raise ValueError(
            f"--{flag}={path}: the pieces {', '.join(missing)} are missing "
            f"among its {size}; tools.build_vocab --kind=sentencepiece makes "
            "a model that has them"
        )
    if any(map(model.is_byte, range(size))):
        raise ValueError(
            f"--{flag}={path}: has pieces of bytes, such as <0x0A>, which no "
            "ALBERT has; train it without --byte_fallback"
        )
    return SentencePieces(
        path,
        rows,
        hashlib.sha256(data).hexdigest(),
        spellings,
        padding_id=rows.index(spellings.pad),
        files=((FILE, data),),
        control_ids=tuple(
            i for i in range(size) if model.is_control(i) or model.is_unused(i)
        ),
    )


def _open(data, path, flag):
    # Imported here, as only texts of this kind need it.
    import sentencepiece

    try:
        # The library takes what is left of a model for one, if its pieces are
        # whole: without how text is normalized.
        if not _fields(data) >= {_PIECES, _TRAINER, _NORMALIZER}:
            raise ValueError
        return sentencepiece.SentencePieceProcessor(model_proto=data)
    except (RuntimeError, ValueError, OSError, IndexError):
        what = "it is not one, or not whole"
        if _is_text(data[:1024]):
            what = "it is text: a vocab.txt is named by --vocab_file"
        raise ValueError(
            f"--{flag}={path}: no model of SentencePiece: {what} "
            f"({len(data):,} bytes)"
        ) from None


def _fields(data):
    """The numbers of the fields of a message, all of which are messages.

    Source: protocol buffers' encoding: a varint of number and kind, one of the
    length, and as many bytes.
    """
    found = set()
    place = 0
    while place < len(data):
        found.add(data[place] >> 3)
        place, length, shift = place + 1, 0, 0
        while True:
            byte = data[place]
            place += 1
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        place += length
    if place > len(data):
        raise ValueError("cut off")
    return found


def _is_text(data):
    if data[:1] == b"\n":  # As models begin.
        return False
    try:
        return bool(data) and "\0" not in data.decode()
    except UnicodeDecodeError as error:
        return error.start > len(data) - 4 > 0


class Pieces:
    """Tokenizes by a model; see `pieces.Pieces`."""

    def __init__(self, vocabulary: SentencePieces, do_lower_case: bool):
        self._vocabulary = vocabulary
        self._do_lower_case = do_lower_case
        self._control = set(vocabulary.control_ids)
        (_, data), *_ = vocabulary.files
        self._model: Any = _open(data, vocabulary.path, "spm_model_file")
        # {piece whose comma is a piece of its own: the pieces that it becomes}
        self.parted = {
            index: np.array(self._ids(self._part(row)), np.int32)
            for index, row in enumerate(vocabulary.rows)
            if _is_parted(row) and index not in self._control
        }
        # What is unknown may end in a comma only where a comma is unknown.
        self._knows_comma = "," in vocabulary.ids

    def tokenize(
        self, text: str, unknown: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        lines = unaccented.rewrite(text, self._do_lower_case).split("\n")
        encoded = self._model.encode(lines, out_type=int, num_threads=1)
        ids, starts = _join(encoded)
        if not self._knows_comma:
            for number in _lines_with(ids, starts, [self._unk]):
                encoded[number] = self._ids(self._pieces_of(lines[number]))
            ids, starts = _join(encoded)
        ids, starts = _replace(ids, starts, self.parted)
        if unknown is not None:
            for number in _lines_with(ids, starts, [self._unk]):
                pieces = self._pieces_of(lines[number])
                for piece, index in zip(pieces, self._ids(pieces), strict=True):
                    if index == self._unk:
                        np.add.at(unknown, list(map(ord, piece)), 1)
        return ids, starts

    def tokenize_with_places(
        self, text: str
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        lines = unaccented.rewrite(text, self._do_lower_case).split("\n")
        pieces = list(map(self._pieces_of, lines))
        ids, starts = _join(list(map(self._ids, pieces)))
        normalized = self._model.normalize(lines, with_offsets=True)
        bounds = []
        first = 0
        for line, of_line, (_, sources) in zip(
            lines, pieces, normalized, strict=True
        ):
            bounds.append(first + _bounds(of_line, np.array(sources, np.int64)))
            first += len(line) + 1
        begins, ends = np.concatenate(bounds, axis=1)
        place, end = unaccented.places(text)
        is_empty = begins == ends
        begins = place[begins]
        return ids, starts, begins, np.where(is_empty, begins, end[ends - 1])

    @property
    def _unk(self):
        return self._vocabulary.roles.unk

    def _ids(self, pieces):
        # Unknown characters that spell [MASK] are as unknown as others.
        return [
            i if i not in self._control else self._unk
            for i in map(self._model.piece_to_id, pieces)
        ]

    def _pieces_of(self, line):
        """The pieces of a line, a comma behind a digit apart."""
        pieces = self._model.encode(line, out_type=str)
        if not any(map(_is_parted, pieces)):
            return pieces
        return [
            part
            for piece in pieces
            for part in (self._part(piece) if _is_parted(piece) else [piece])
        ]

    def _part(self, piece):
        """The pieces that a number and the comma behind it become."""
        number = piece[:-1].replace(_SPACE, "")
        again = self._model.encode(number, out_type=str)
        if not piece.startswith(_SPACE):
            again[0] = again[0].removeprefix(_SPACE)
        return [*filter(None, again), ","]


def _bounds(pieces, sources):
    """Returns where pieces begin and end in a line, int64 [2, pieces].

    Args:
        pieces: of the line; joined, they are the line as the library has it.
        sources: int64 [characters + 1], where each of these comes from.
    """
    last = np.cumsum([len(piece) for piece in pieces], dtype=np.int64)
    first = np.append(0, last[:-1])[: len(last)]
    # A space before a word is no part of it; alone, it has no characters.
    begins = first + [piece.startswith(_SPACE) for piece in pieces]
    after = np.searchsorted(sources, sources[last - 1], "right")
    after = sources[np.minimum(after, len(sources) - 1)]
    begins, is_space = sources[begins.astype(int)], begins == last
    return np.stack([begins, np.where(is_space, begins, after)])


def _is_parted(piece):
    return len(piece) > 1 and piece[-1] == "," and piece[-2].isdigit()


def _lines_with(ids, starts, wanted):
    """The numbers of the lines that have one of some ids, ascending."""
    where = np.flatnonzero(np.isin(ids, wanted))
    return np.unique(np.searchsorted(starts, where, "right") - 1)


def _join(encoded):
    """Returns the ids of lists, one behind another, and where each starts."""
    starts = np.zeros(len(encoded) + 1, np.int64)
    np.cumsum(np.fromiter(map(len, encoded), np.int64), out=starts[1:])
    ids = itertools.chain.from_iterable(encoded)
    return np.fromiter(ids, np.int32, starts[-1]), starts


def _replace(ids, starts, table):
    """Returns ids and starts with some ids replaced by several."""
    where = np.flatnonzero(np.isin(ids, list(table)))
    if not len(where):
        return ids, starts
    parts, last = [], 0
    more = np.zeros(len(ids) + 1, np.int64)
    for place in where.tolist():
        new = table[int(ids[place])]
        parts += [ids[last:place], new]
        more[place + 1] = len(new) - 1
        last = place + 1
    ids = np.concatenate([*parts, ids[last:]])
    return ids, starts + np.cumsum(more)[starts]

"""Reads text files as a corpus: token ids, and where sentences end."""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from data.building.instances import Corpus
from data.building.shards import Piece
from data.manifest import Line
from text import corpus as corpus_files
from text import wordpiece
from text.tokenization import Tokenizer


@dataclasses.dataclass
class Documents:
    """A corpus in memory, and what it was read from."""

    corpus: Corpus
    longest_line: Line
    unknown: np.ndarray  # int64 [code points]: see `wordpiece.count_unknown`.
    inputs: list[corpus_files.Source]
    # Files whose last document goes on in the next one.
    open_ended: list[str]


def read(
    pieces: Sequence[Piece],
    tokenizer: Tokenizer,
    *,
    with_words: bool,
    id_type: type,
    advance: Callable[[int], None],
    encoding: str | None = None,
) -> Documents:
    """Reads pieces of text files as one corpus.

    A line is a sentence, an empty one ends a document; a line without tokens
    is left out. The end of a file ends no document, as in google-research's
    reader.

    Args:
        pieces: what to read, in order.
        tokenizer: turns the lines into ids.
        with_words: whether to keep where words begin.
        id_type: the type of `Corpus.ids`.
        encoding: what the files are in, see `text.corpus.read_chunks`.
        advance: is told the bytes as they are read.

    Raises:
        ValueError: the files hold no sentence.
    """
    reader = _Reader(tokenizer, with_words, id_type)
    inputs, open_ended = [], []
    for number, piece in enumerate(pieces):
        reader.begin_piece(number)
        digest = corpus_files.Digest(advance)
        is_open = False
        for text in corpus_files.read_chunks(
            piece.path,
            digest,
            begin=piece.begin,
            end=piece.end,
            encoding=encoding,
        ):
            is_open = reader.add(text)
        if is_open:
            open_ended.append(piece.path)
        inputs.append(digest.describe(piece.path))
    if not reader.num_sentences:
        raise ValueError(
            "--input_file: no sentence in "
            f"{len({piece.path for piece in pieces})} file(s), the first is "
            f"{pieces[0].path}; is it empty?"
        )
    return Documents(
        reader.corpus(),
        reader.longest_line,
        reader.unknown,
        inputs,
        open_ended,
    )


class _Reader:
    """Collects a corpus from chunks of text.

    Sentences and blank lines ("breaks") are numbered through all chunks. With
    five lines, "-" for a blank one:

        lines              a b - - c
        breaks before      0 0     2      of each sentence
        starts of documents: 0 and 2, the sentences before which another number
        of breaks stands than before the last one
    """

    def __init__(
        self, tokenizer: Tokenizer, with_words: bool, id_type: type[np.integer]
    ):
        self.num_sentences = 0
        self.longest_line = Line(0, 0, 0)
        # Zeros take no memory until they are counted up.
        self.unknown = np.zeros(wordpiece.NUM_CODES, np.int64)
        self._tokenizer = tokenizer
        self._with_words = with_words
        self._id_type = id_type
        self._num_breaks = 0
        self._last_break = -1  # Breaks before the last sentence.
        self._piece = self._num_lines = 0  # Lines of the piece so far.
        # One array for each chunk.
        self._ids: list[np.ndarray] = []
        self._begins: list[np.ndarray] = []
        self._lengths: list[np.ndarray] = []
        self._starts: list[np.ndarray] = []

    def begin_piece(self, number: int) -> None:
        """Says which piece the next chunks are of."""
        self._piece, self._num_lines = number, 0

    def add(self, text: str) -> bool:
        """Adds a chunk of whole lines; returns if it ends inside a document."""
        # The text ends with a newline, so the last split would be empty.
        text = text.removesuffix("\n")
        if self._with_words:
            ids, lines, begins = self._tokenizer.tokenize_words(
                text, self.unknown
            )
            self._begins.append(begins)
        else:
            ids, lines = self._tokenizer.tokenize(text, self.unknown)
        self._ids.append(ids.astype(self._id_type))
        lengths = np.diff(lines)
        self._keep_longest(lengths)
        is_sentence = lengths > 0
        self._lengths.append(lengths[is_sentence])
        is_break = np.fromiter(
            (not line.strip() for line in text.split("\n")), bool
        )
        num_breaks = self._num_breaks + np.cumsum(is_break)
        before = num_breaks[is_sentence]
        is_first = np.diff(before, prepend=self._last_break) != 0
        self._starts.append(self.num_sentences + np.flatnonzero(is_first))
        self._num_breaks = num_breaks[-1]
        self.num_sentences += len(before)
        if len(before):
            self._last_break = before[-1]
        return not is_break[-1]

    def _keep_longest(self, lengths):
        place = int(lengths.argmax())
        if lengths[place] > self.longest_line.num_tokens:
            self.longest_line = Line(
                self._piece, self._num_lines + place + 1, int(lengths[place])
            )
        self._num_lines += len(lengths)

    def corpus(self) -> Corpus:
        """Returns the corpus, and lets go of what it is made of."""
        lengths = _join(self._lengths, np.int64)
        return Corpus(
            _join(self._ids, self._id_type),
            _join(self._begins, np.bool_),
            np.concatenate([[0], np.cumsum(lengths)]),
            np.concatenate([*self._starts, [self.num_sentences]]),
        )


def _join(parts, kind):
    """Concatenates arrays, giving each back as soon as it is copied."""
    out = np.empty(sum(map(len, parts)), kind)
    end = len(out)
    while parts:
        part = parts.pop()
        out[end - len(part) : end] = part
        end -= len(part)
    return out

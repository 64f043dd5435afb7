"""Reads text files as a corpus: token ids, and where sentences end."""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from data.building.instances import Corpus
from data.building.shards import Piece
from text import corpus as corpus_files
from text.tokenization import Tokenizer


@dataclasses.dataclass
class Documents:
    """A corpus in memory, and what it was read from."""

    corpus: Corpus
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
    for piece in pieces:
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
            f"--input_file: no sentence in {len(inputs)} file(s), the first "
            f"is {pieces[0].path}; is it empty?"
        )
    return Documents(reader.corpus(), inputs, open_ended)


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
        self._tokenizer = tokenizer
        self._with_words = with_words
        self._id_type = id_type
        self._num_breaks = 0
        self._last_break = -1  # Breaks before the last sentence.
        # One array for each chunk.
        self._ids: list[np.ndarray] = []
        self._begins: list[np.ndarray] = []
        self._lengths: list[np.ndarray] = []
        self._starts: list[np.ndarray] = []

    def add(self, text: str) -> bool:
        """Adds a chunk of whole lines; returns if it ends inside a document."""
        # The text ends with a newline, so the last split would be empty.
        text = text.removesuffix("\n")
        if self._with_words:
            ids, lines, begins = self._tokenizer.tokenize_words(text)
            self._begins.append(begins)
        else:
            ids, lines = self._tokenizer.tokenize(text)
        self._ids.append(ids.astype(self._id_type))
        lengths = np.diff(lines)
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

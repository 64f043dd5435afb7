"""Text files -> the corpus as token ids with the ends of its sentences."""

import dataclasses

import numpy as np

from data.building import instances
from text import corpus as corpus_files


@dataclasses.dataclass
class Documents:
    """A corpus in memory, and what it was read from."""

    corpus: instances.Corpus
    inputs: list[corpus_files.Source]
    # Files whose last document goes on in the next one.
    open_ended: list[str]


def read(pieces, tokenizer, *, with_words, id_type, advance, encoding=None):
    """Reads pieces of text files as one corpus.

    A line is a sentence, an empty one ends a document; a line without tokens
    is left out. The end of a file ends no document, as in google-research's
    reader.

    Args:
        pieces: `shards.Piece`s, in order.
        tokenizer: a `text.tokenization.Tokenizer`.
        with_words: whether to keep where words begin.
        id_type: the type of `Corpus.ids`.
        encoding: what the files are in, see `text.corpus.read_chunks`.
        advance: is told the bytes as they are read.

    Raises:
        ValueError: the files hold no sentence.
    """
    ids, begins, lengths, starts, inputs, open_ended = ([] for _ in range(6))
    num_breaks = num_sentences = 0
    last_break = -1
    for piece in pieces:
        digest = corpus_files.Digest(advance)
        for text in corpus_files.read_chunks(
            piece.path,
            digest,
            begin=piece.begin,
            end=piece.end,
            encoding=encoding,
        ):
            # What follows the last line end is no line.
            text = text.removesuffix("\n")
            if with_words:
                chunk_ids, lines, chunk_begins = tokenizer.tokenize_words(text)
                begins.append(chunk_begins)
            else:
                chunk_ids, lines = tokenizer.tokenize(text)
            ids.append(chunk_ids.astype(id_type))
            chunk_lengths = np.diff(lines)
            is_sentence = chunk_lengths > 0
            lengths.append(chunk_lengths[is_sentence])
            # How many breaks stand before each sentence: a document begins
            # where the number is another one.
            is_break = _is_break(text)
            breaks = num_breaks + np.cumsum(is_break)
            of_sentences = breaks[is_sentence]
            is_first = np.diff(of_sentences, prepend=last_break) != 0
            starts.append(num_sentences + np.flatnonzero(is_first))
            num_breaks = breaks[-1]
            num_sentences += len(of_sentences)
            last_break = of_sentences[-1] if len(of_sentences) else last_break
        if digest.num_bytes and not is_break[-1]:
            open_ended.append(piece.path)
        inputs.append(digest.describe(piece.path))
    if not num_sentences:
        raise ValueError(
            f"--input_file: no sentence in {len(pieces)} file(s), the first "
            f"is {pieces[0].path}; is it empty?"
        )
    corpus = instances.Corpus(
        _join(ids, id_type),
        _join(begins, np.bool_),
        np.concatenate([[0], np.cumsum(_join(lengths, np.int64))]),
        np.concatenate([*starts, [num_sentences]]),
    )
    return Documents(corpus, inputs, open_ended)


def _is_break(text):
    return np.fromiter((not line.strip() for line in text.split("\n")), bool)


def _join(parts, kind):
    """Concatenates arrays, giving each back as soon as it is copied."""
    out = np.empty(sum(map(len, parts)), kind)
    end = len(out)
    while parts:
        part = parts.pop()
        out[end - len(part) : end] = part
        end -= len(part)
    return out

"""Text files -> the corpus as token ids with the ends of its sentences."""

import dataclasses

import numpy as np
from absl import logging

from data import instances
from text import corpus as corpus_files
from text import t2s


@dataclasses.dataclass
class Documents:
    """A corpus in memory, and what it was read from."""

    corpus: instances.Corpus
    # [{"name", "num_bytes" (of the text), "sha256" (of the text)}]
    inputs: list[dict]


def read(paths, tokenizer, *, convert_t2s, progress):
    """Reads text files as one corpus.

    A line is a sentence, an empty one ends a document; a line without tokens
    is left out. The end of a file ends no document, as in google-research's
    reader.

    Args:
        paths: local or remote files.
        tokenizer: a `text.tokenization.Tokenizer`.
        convert_t2s: whether to convert to simplified Chinese first.
        progress: is told the bytes as they are read.

    Raises:
        ValueError: the files hold no sentence.
    """
    ids, lengths, numbers, inputs = [], [], [], []
    open_ended = []
    last_number = 0
    for path in paths:
        digest = corpus_files.Digest(progress.advance)
        for text in corpus_files.read_chunks(path, digest):
            if convert_t2s:
                text = t2s.to_simplified(text)
            # What follows the last line end is no line.
            text = text.removesuffix("\n")
            is_break = np.fromiter(
                (not line.strip() for line in text.split("\n")), bool
            )
            chunk_ids, starts = tokenizer.tokenize(text)
            chunk_lengths = np.diff(starts)
            chunk_numbers = last_number + np.cumsum(is_break)
            last_number = chunk_numbers[-1]
            is_sentence = chunk_lengths > 0
            ids.append(chunk_ids)
            lengths.append(chunk_lengths[is_sentence])
            numbers.append(chunk_numbers[is_sentence])
            is_open = not is_break[-1]
        if digest.num_bytes and is_open:
            open_ended.append(path)
        inputs.append(digest.describe(path))
    _warn_of_glued_documents(open_ended, paths)
    return Documents(_join(paths, ids, lengths, numbers), inputs)


def _warn_of_glued_documents(open_ended, paths):
    glued = [path for path in open_ended if path != paths[-1]]
    if glued:
        logging.warning(
            "%d of %d files do not end with a blank line, the first is %s: "
            "their last document goes on in the next file, as in "
            "google-research/bert",
            len(glued),
            len(paths),
            glued[0],
        )


def _join(paths, ids, lengths, numbers):
    if not sum(map(len, lengths)):
        raise ValueError(
            f"--input_file: no sentence in {len(paths)} file(s), the first is "
            f"{paths[0]}; is it empty?"
        )
    sentences = np.cumsum(np.concatenate([[0], *lengths]))
    numbers = np.concatenate(numbers)
    is_first = np.concatenate([[True], numbers[1:] != numbers[:-1], [True]])
    documents = np.flatnonzero(is_first)
    return instances.Corpus(np.concatenate(ids), sentences, documents)

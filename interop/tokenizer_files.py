"""The files by which a model's text becomes tokens, from one format to another.

They are in the names and the form that `text.vocabularies` writes beside a
model: vocab.txt, spiece.model, or vocab.json and merges.txt.
"""

import os
import re
from collections.abc import Mapping

from absl import logging

from storage import file_io
from text import byte_pairs, sentence_piece, tokenizer_json, vocab, vocabularies
from text.config import VocabularySettings

Files = Mapping[str, bytes]  # {name: contents}
# What others call a vocab.txt, such as vocab_chinese.txt.
_VOCABULARY_OF_OTHERS = re.compile(r"vocab.*\.txt|.*vocab\.txt")
_KINDS = {
    vocab.FILE: vocab.Vocabulary.kind,
    sentence_piece.FILE: sentence_piece.SentencePieces.kind,
    byte_pairs.VOCABULARY: byte_pairs.BytePairs.kind,
}


def kind(files: Files) -> str:
    """Returns a key of `pieces.KINDS`, or nothing where there are no files."""
    return next((_KINDS[name] for name in files if name in _KINDS), "")


def read(directory: str) -> Files:
    """Returns the files of a directory's tokenizer, none without one.

    A vocab.txt goes as it is; one of another name counts where no other is.
    What cannot be read is named in a warning and left out.
    """
    found = vocabularies.find_in(directory)
    name = os.path.basename(found or vocab.FILE)
    if name in (vocab.FILE, tokenizer_json.FILE):
        rows = _read_vocab_txt(directory)
        if rows is not None:
            return {vocab.FILE: rows}
    if found is None:
        return {}
    try:
        return dict(vocabularies.read(found).files)
    except ValueError as error:
        logging.warning("%s: its tokenizer is left out: %s", directory, error)
        return {}


def _read_vocab_txt(directory):
    names = file_io.names_in(directory)
    found = [name for name in names if _VOCABULARY_OF_OTHERS.fullmatch(name)]
    if vocab.FILE in found:
        found = [vocab.FILE]
    if len(found) != 1:
        return None
    return file_io.read_bytes(os.path.join(directory, found[0]))


def of_flags(config: VocabularySettings) -> Files:
    """Returns the files that the flags name, none where none is given.

    Raises:
        ValueError: as `vocabularies.load`.
    """
    if not config.vocabulary_path:
        return {}
    return dict(vocabularies.load(config).files)


def write(directory: str, files: Files) -> None:
    """Writes the files, each whole or not at all."""
    for name, contents in files.items():
        file_io.write_whole(os.path.join(directory, name), contents)

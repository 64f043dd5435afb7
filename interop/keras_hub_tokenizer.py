"""The tokenizer of a preset of KerasHub, which knows one kind a family."""

import json
import os
from typing import Any

from absl import logging

from interop import tokenizer_files
from interop.tokenizer_files import Files
from interop.variables import PortableModel
from storage import file_io
from text import byte_pairs, sentence_piece, vocab

_FOLDER = "assets/tokenizer"
# {kind: (the class that theirs are of, the file in _FOLDER)}.
_KINDS = {
    "wordpiece": ("WordPieceTokenizer", "vocabulary.txt"),
    "sentencepiece": ("SentencePieceTokenizer", "vocabulary.spm"),
    "byte_pairs": ("BytePairTokenizer", "vocabulary.json"),
}


def read(directory: str) -> Files:
    """Returns the files of a preset's tokenizer, none without one.

    What cannot be read is named in a warning and left out.
    """
    paths = {
        kind: os.path.join(directory, _FOLDER, name)
        for kind, (_, name) in _KINDS.items()
    }
    kind = next((x for x, path in paths.items() if os.path.exists(path)), None)
    if kind is None:
        return {}
    data, folder = file_io.read_bytes(paths[kind]), os.path.dirname(paths[kind])
    if kind == "wordpiece":
        return {vocab.FILE: data}
    if kind == "sentencepiece":
        return {sentence_piece.FILE: data}
    try:
        beside = os.path.join(folder, byte_pairs.MERGES)
        merges = file_io.read_bytes(beside)
        found = byte_pairs.parse(data, merges, paths[kind], beside)
        return dict(found.files)
    except (OSError, ValueError) as error:
        logging.warning("%s: its tokenizer is left out: %s", directory, error)
        return {}


def make(tokenizer_class: Any, directory: str, model: PortableModel) -> Any:
    """Returns KerasHub's tokenizer; None, with a warning, of another kind.

    Args:
        tokenizer_class: of the family.
        directory: where it goes, for the warning.
        model: has its files.
    """
    from keras_hub import tokenizers

    files = model.tokenizer
    kind = tokenizer_files.kind(files)
    if not kind:
        return None
    if not issubclass(tokenizer_class, getattr(tokenizers, _KINDS[kind][0])):
        logging.warning(
            "%s: KerasHub's %s takes no %s, which is left out",
            directory,
            model.family.title,
            " and ".join(files),
        )
        return None
    if kind == "wordpiece":
        return tokenizer_class(
            vocabulary=list(vocab.parse(files[vocab.FILE], vocab.FILE).rows),
            lowercase=model.do_lower_case,
            strip_accents=model.do_lower_case,
        )
    if kind == "sentencepiece":
        logging.warning(
            "%s: KerasHub does not lower-case, strip accents nor part a number "
            "and its comma before and after SentencePiece, as ALBERT does: "
            "hand it text that is prepared",
            directory,
        )
        return tokenizer_class(proto=files[sentence_piece.FILE])
    merges = files[byte_pairs.MERGES].decode().removesuffix("\n").split("\n")
    return tokenizer_class(
        vocabulary=json.loads(files[byte_pairs.VOCABULARY]), merges=merges[1:]
    )

"""Tokenizers as TensorFlow graphs: strings in, ids out.

A model that is served takes its text as it comes, and this project's code is
not there. The ids are those of `text.tokenization`, whatever the text.
"""

import importlib.util
from typing import Any

from interop import graph_sentence_piece, graph_word_pieces, tokenizer_files
from text import sentence_piece
from text.vocab import Vocabulary

_KINDS: dict[str, Any] = {
    "wordpiece": graph_word_pieces.Tokenizer,
    "sentencepiece": graph_sentence_piece.Tokenizer,
}


def refusal(files: tokenizer_files.Files) -> str:
    """Returns why a model's tokenizer cannot be a graph, nothing if it can."""
    kind = tokenizer_files.kind(files)
    if not kind:
        return "the model has no tokenizer: name one by --vocab_file"
    if kind not in _KINDS:
        return f"{' and '.join(files)} cannot be read in TensorFlow's graph"
    if kind == "sentencepiece":
        return _refusal_of_sentence_piece(files)
    return ""


def _refusal_of_sentence_piece(files):
    if not importlib.util.find_spec(graph_sentence_piece.LIBRARY):
        return (
            f"{sentence_piece.FILE} needs tensorflow-text of the version of "
            "TensorFlow: pip install --no-deps tensorflow-text"
        )
    data = files[sentence_piece.FILE]
    vocabulary = sentence_piece.parse(data, sentence_piece.FILE)
    if "," not in vocabulary.ids:
        return f"{sentence_piece.FILE} has no piece for a comma"
    return ""


def libraries(files: tokenizer_files.Files) -> list[str]:
    """Returns what a server imports besides TensorFlow."""
    is_of_library = tokenizer_files.kind(files) == "sentencepiece"
    return [graph_sentence_piece.LIBRARY] if is_of_library else []


def make(vocabulary: Vocabulary, do_lower_case: bool) -> Any:
    """Returns the tokenizer of a vocabulary, a tf.Module: see `Tokenizer`s."""
    return _KINDS[vocabulary.kind](vocabulary, do_lower_case)

"""Opens the vocabulary of a model, of whichever kind its files are.

--vocab_file=DIR/vocab.txt          WordPiece
--spm_model_file=DIR/spiece.model   SentencePiece
--tokenizer=DIR                     the first of FILES that is in it
--tokenizer=DIR/spiece.model        that file
"""

import os
from collections.abc import Callable

from storage import file_io, inputs
from text import byte_pairs, sentence_piece, tokenizer_json, vocab
from text.config import VocabularySettings
from text.vocab import Vocabulary


def _word_pieces(path: str) -> Vocabulary:
    inputs.check_file(path, "tokenizer")
    return vocab.parse(file_io.read_bytes(path), path)


# {the name of a file: what reads it}, by --tokenizer; the first counts, as the
# files of one model may be there in several forms.
FILES: dict[str, Callable[[str], Vocabulary]] = {
    sentence_piece.FILE: lambda p: sentence_piece.load(p, "tokenizer"),
    "30k-clean.model": lambda p: sentence_piece.load(p, "tokenizer"),
    byte_pairs.VOCABULARY: byte_pairs.load,
    byte_pairs.MERGES: byte_pairs.load,
    vocab.FILE: _word_pieces,
    tokenizer_json.FILE: tokenizer_json.load,
}
_BY_FLAG: dict[str, Callable[[str], Vocabulary]] = {
    "vocab_file": vocab.load,
    "spm_model_file": sentence_piece.load,
    "tokenizer": lambda path: read(path),
}


def load(config: VocabularySettings) -> Vocabulary:
    """Reads and checks the vocabulary that the flags name.

    Raises:
        ValueError: it is missing, damaged, of another kind or lacks a special
            token; names the file and the flag.
    """
    return _BY_FLAG[config.vocabulary_flag](find(config))


def read(path: str) -> Vocabulary:
    """Reads and checks a file, whose name says of which kind it is.

    Raises:
        ValueError: as `load`.
    """
    return FILES[_kind_of_file(path)](path)


def find(config: VocabularySettings) -> str:
    """Returns the file that the flags name, without a look into it.

    Raises:
        ValueError: there is none; names the flag.
    """
    flag, path = config.vocabulary_flag, config.vocabulary_path
    if flag == "tokenizer" and file_io.is_directory(path):
        return _in_folder(path)
    inputs.check_file(path, flag)
    return path


def check_word_pieces(path: str, flag: str = "vocab_file") -> None:
    """Looks whether a file is there and of WordPiece, by its name.

    Raises:
        ValueError: it is not; names the flag.
    """
    name = os.path.basename(path)
    if name.endswith((".model", ".json")) or name == byte_pairs.MERGES:
        raise ValueError(
            f"--{flag}={path}: a vocab.txt is wanted here, which WordPiece "
            "alone has; models of SentencePiece and byte-level BPE keep theirs"
        )
    inputs.check_file(path, flag)


def find_in(folder: str) -> str | None:
    """Returns the file in a folder that says how text becomes tokens."""
    for name in FILES:
        path = os.path.join(folder, name)
        if file_io.exists(path):
            return path
    return None


def flags_of(folder: str) -> dict[str, str | None]:
    """Returns {flag: value} that name the vocabulary in a folder of ours."""
    path = find_in(folder) or os.path.join(folder, vocab.FILE)
    is_ours = os.path.basename(path) == vocab.FILE
    return {
        "vocab_file": path if is_ours else None,
        "spm_model_file": None,
        "tokenizer": None if is_ours else folder,
    }


def write(folder: str, vocabulary: Vocabulary) -> None:
    """Writes the files of a vocabulary, each whole or not at all.

    One that is there already with the same contents is left alone.
    """
    for name, data in vocabulary.files:
        path = os.path.join(folder, name)
        if not file_io.exists(path) or file_io.read_bytes(path) != data:
            file_io.write_whole(path, data)


def _in_folder(folder):
    path = find_in(folder)
    if path is None:
        raise ValueError(f"--tokenizer={folder} has none of {', '.join(FILES)}")
    return path


def _kind_of_file(path):
    name = os.path.basename(path)
    if name in FILES:
        return name
    if name.endswith(".model"):
        return sentence_piece.FILE
    if name.endswith(".txt"):
        return vocab.FILE
    raise ValueError(
        f"--tokenizer={path}: no file of a tokenizer; name a folder, or one of "
        f"{', '.join(FILES)}"
    )

"""Settles whether a model is cased: by its files, its name or a flag.

A cased model whose text is lower-cased reads words that it has never seen, and
nothing breaks. So the model's own word decides where the flag is not given, and
is told aloud where the flag says otherwise.
"""

import dataclasses
import os
import re
from collections.abc import Collection, Iterable
from typing import Any, TypeVar

from absl import logging

from storage import file_io, json_files
from text import byte_pairs, tokenizer_json, vocabularies
from text.vocab import Vocabulary

TOKENIZER_CONFIG = "tokenizer_config.json"
_FLAG = "do_lower_case"
# (file beside the weights or the vocabulary, where it says it): Hugging Face's,
# that of a fine-tuning or a pretraining here, KerasHub's, and the tokenizer of
# Hugging Face's library.
_FILES = (
    (TOKENIZER_CONFIG, (_FLAG,)),
    ("settings.json", ("config", _FLAG)),
    ("tokenizer.json", ("config", "lowercase")),
    ("tokenizer.json", ("normalizer", "lowercase")),
)
_Config = TypeVar("_Config", bound=Any)
# Folders as models are published in: google-research/bert, tokenization.py,
# validate_case_matches_checkpoint, and the names on the hub.
_UNCASED = re.compile(r"(?i)uncased|(^|[-_])(chinese|multilingual)_L-\d")
_CASED = re.compile(r"(?i)(^|[-_])cased($|[-_])")
_UPPER = re.compile(r"(##)?[^\[<]*[A-Z]")
# More rows with capital letters than these are not there by chance.
_MOST_UPPER = 0.01


def find(paths: Iterable[str | None]) -> tuple[bool | None, str]:
    """Returns what a model says of its case.

    Args:
        paths: of the model's files or folders, the weights first; None is
            passed over.

    Returns:
        (whether it is uncased, or None where nothing says it; what says it).
    """
    named = [path for path in paths if path]
    for path in named:
        if _is_byte_pairs(path):
            return False, f"{path} (byte-level BPE)"
    folders = dict.fromkeys(map(_folder, named))
    for folder in folders:
        for name, keys in _FILES:
            path = os.path.join(folder, name)
            value = json_files.read_or_none(path, object)
            for key in keys:
                value = value.get(key) if isinstance(value, dict) else None
            if isinstance(value, bool):
                return value, path
    for folder in folders:
        name = os.path.basename(folder.rstrip("/"))
        if _UNCASED.search(name):
            return True, f"the name {name}"
        if _CASED.search(name):
            return False, f"the name {name}"
    return None, ""


def _is_byte_pairs(path):
    """Whether a file, or what counts in a folder, is byte-level BPE."""
    if file_io.is_directory(path):
        path = vocabularies.find_in(path) or ""
    elif not file_io.exists(path):  # The prefix of a checkpoint.
        path = vocabularies.find_in(os.path.dirname(path)) or ""
    name = os.path.basename(path)
    if name == tokenizer_json.FILE:
        whole = json_files.read_or_none(path, object)
        model = whole.get("model") if isinstance(whole, dict) else None
        return isinstance(model, dict) and model.get("type") == "BPE"
    return name in (byte_pairs.VOCABULARY, byte_pairs.MERGES)


def _folder(path):
    return path if file_io.is_directory(path) else os.path.dirname(path)


def settle(
    config: _Config, given: Collection[str], paths: Iterable[str | None]
) -> _Config:
    """Returns a config whose do_lower_case is what the model says.

    Args:
        config: a dataclass with do_lower_case.
        given: names of the flags that were given: those stay.
        paths: see `find`.
    """
    is_uncased, source = find(paths)
    if is_uncased is None or is_uncased == config.do_lower_case:
        return config
    if _FLAG in given:
        logging.warning(
            "--do_lower_case=%s CONTRADICTS THE MODEL, which is %s as %s says: "
            "it has not seen such text",
            str(config.do_lower_case).lower(),
            "uncased" if is_uncased else "cased",
            source,
        )
        return config
    logging.info(
        "--do_lower_case=%s, as %s says", str(is_uncased).lower(), source
    )
    return dataclasses.replace(config, do_lower_case=is_uncased)


def check(vocabulary: Vocabulary, do_lower_case: bool) -> None:
    """Warns of a case for which a vocabulary is not made."""
    num_upper = sum(bool(_UPPER.match(row)) for row in vocabulary.rows)
    if do_lower_case and num_upper > _MOST_UPPER * len(vocabulary):
        logging.warning(
            "%s: %s of its %s rows have capital letters and are never used, as "
            "text is lower-cased; a cased model wants --do_lower_case=false",
            vocabulary.path,
            num_upper,
            len(vocabulary),
        )
    elif not do_lower_case and not num_upper:
        logging.warning(
            "%s has no row with a capital letter: with --do_lower_case=false "
            "words that have one become [UNK]",
            vocabulary.path,
        )

"""Reads tokenizer.json of Hugging Face's library, as far as we tokenize so.

The vocabulary in it is made one of ours: of WordPiece or of byte-level BPE. A
file that asks for a step that is not theirs is refused, as its text would be
read in another way.
"""

import json
from typing import Any

from storage import file_io, json_files
from text import byte_pairs, vocab
from text.vocab import Vocabulary

FILE = "tokenizer.json"


def load(path: str) -> Vocabulary:
    """Reads and checks a tokenizer.json.

    Raises:
        ValueError: it is damaged, or of a tokenizer that is not ours.
    """
    if not file_io.exists(path):
        raise ValueError(f"--tokenizer: no file {path!r}")
    whole = json_files.parse(file_io.read_bytes(path), path)
    model = whole.get("model")
    kind = model.get("type") if isinstance(model, dict) else None
    if kind not in _KINDS:
        raise ValueError(
            f"--tokenizer={path}: a tokenizer of the type {kind}, and "
            f"{' and '.join(_KINDS)} are read; of a model of SentencePiece "
            "name spiece.model"
        )
    return _KINDS[kind](whole, model, path)


def _word_pieces(whole, model, path) -> Vocabulary:
    rows = byte_pairs.rows_of(_all_ids(whole, model), path)
    data = "".join(f"{row}\n" for row in rows)
    return vocab.parse(data.encode("utf-8", "surrogatepass"), path)


def _byte_pairs(whole, model, path) -> Vocabulary:
    steps = list(_steps(whole.get("pre_tokenizer")))
    if [step.get("type") for step in steps] != ["ByteLevel"]:
        raise ValueError(
            f"--tokenizer={path}: BPE, and its text is not parted by ByteLevel "
            "alone as RoBERTa's is"
        )
    if steps[0].get("add_prefix_space") or whole.get("normalizer"):
        what = "a normalizer" if whole.get("normalizer") else "add_prefix_space"
        raise ValueError(
            f"--tokenizer={path}: has {what}, which RoBERTa has not: its text "
            "would be read in another way"
        )
    merges = model.get("merges")
    pairs = [
        tuple(pair.split(" ") if isinstance(pair, str) else pair)
        for pair in (merges if isinstance(merges, list) else [])
        if isinstance(pair, str | list)
    ]
    wrong = [x for x in pairs if len(x) != 2 or not all(map(_is_text, x))]
    if wrong:
        raise ValueError(f"{path}: no merge: {json.dumps(wrong[0])[:60]}")
    return byte_pairs.make(_all_ids(whole, model), pairs, path)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _steps(pre_tokenizer):
    """The steps of a pre-tokenizer, which may be a sequence of them."""
    if not isinstance(pre_tokenizer, dict):
        return
    if pre_tokenizer.get("type") != "Sequence":
        yield pre_tokenizer
        return
    for step in pre_tokenizer.get("pretokenizers") or []:
        yield from _steps(step)


def _all_ids(whole, model):
    """{token: id} of the model, and of what was added to it."""
    ids = model.get("vocab")
    added = whole.get("added_tokens") or []
    if not isinstance(ids, dict) or not isinstance(added, list):
        return ids
    return ids | {
        token.get("content"): token.get("id")
        for token in added
        if isinstance(token, dict)
    }


_KINDS = {"WordPiece": _word_pieces, "BPE": _byte_pairs}

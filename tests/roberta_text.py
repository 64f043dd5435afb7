"""Byte-level BPE of the project's samples, and the library used plainly."""

import functools
import itertools
import json
import pathlib

import pytest

from tests import project

SPECIAL = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")


def train(lines, vocab_size):
    """Returns ({token: id}, [merge]), learned by `tokenizers` from lines."""
    tokenizers = pytest.importorskip("tokenizers")
    learner = tokenizers.ByteLevelBPETokenizer()
    learner.train_from_iterator(
        lines, vocab_size, special_tokens=list(SPECIAL), show_progress=False
    )
    model = json.loads(learner.to_str())["model"]
    merges = [
        x.split(" ") if isinstance(x, str) else x for x in model["merges"]
    ]
    return model["vocab"], merges


@functools.cache
def sample_model():
    return train(project.sample_lines(), 3000)


def write_model(directory, model=None):
    """Writes vocab.json and merges.txt; returns the folder."""
    ids, merges = model or sample_model()
    folder = pathlib.Path(directory)
    (folder / "vocab.json").write_text(json.dumps(ids), encoding="utf-8")
    lines = itertools.chain(["#version: 0.2"], map(" ".join, merges))
    (folder / "merges.txt").write_text("\n".join(lines), encoding="utf-8")
    return str(folder)


def plain(folder):
    """The library's own tokenizer of a folder, without special tokens."""
    import tokenizers

    folder = pathlib.Path(folder)
    return tokenizers.ByteLevelBPETokenizer(
        str(folder / "vocab.json"), str(folder / "merges.txt")
    )

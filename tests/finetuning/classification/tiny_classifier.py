"""A small BERT and the settings of a short run, for all kinds of labels."""

import json

from finetuning.classification import config
from tests import project, tiny

WORDS = ("good", "bad", "fine", "poor", "film", "food", "the", "a", "好", "坏")


def write_model(directory):
    """Writes the model's shape and its vocabulary."""
    (directory / "bert.json").write_text(
        json.dumps(tiny.CONFIG | {"num_hidden_layers": 1})
    )
    project.write_vocabulary(directory, WORDS)


def settings(directory, **changes):
    """Returns a `ClassifierConfig` of the model in a directory."""
    defaults = {
        "bert_config_file": str(directory / "bert.json"),
        "vocab_file": str(directory / "vocab.txt"),
        "output_dir": str(directory / "output"),
        "task_name": "tsv",
        "max_seq_length": tiny.NUM_TOKENS,
        "train_batch_size": 16,
        "learning_rate": 1e-2,
        "optimizer": "adamw",
        "mixed_precision": "none",
    }
    return config.ClassifierConfig(**defaults | changes)


def write_lines(path, lines):
    """Writes lines, each a string or the cells of a TSV; returns the path."""
    rows = [x if isinstance(x, str) else "\t".join(x) for x in lines]
    path.write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
    return str(path)

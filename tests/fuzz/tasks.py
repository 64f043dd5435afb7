"""Readers of fine-tuning tasks, held while they read a split."""

import pytest

from tests import project
from tests.fuzz import held


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("tasks")
    project.write_vocabulary(path, ("a", "b", "中", "国", "##b"))
    return path


def make_config(make, folder, **flags):
    defaults = {
        "bert_config_file": str(folder / "bert.json"),
        "vocab_file": str(folder / "vocab.txt"),
        "output_dir": str(folder / "out"),
        "do_train": True,
        "max_seq_length": 16,
    }
    return make(**defaults | flags)


def read(task, split, path):
    """Reads a split and makes its rows."""

    def read():
        examples = task.read(split)
        task.make_rows(split, examples)
        return examples

    return held.read(read, path)


def check_whole(result, num_rows):
    assert result.error or len(result.value) + result.num_left_out == num_rows

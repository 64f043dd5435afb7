"""A directory names its checkpoint, and where it cannot what is in it."""

import numpy as np
import pytest

from interop import tf1
from storage import tensors


def write(folder, *names):
    folder.mkdir(exist_ok=True)
    for name in names:
        tensors.write(f"{folder}/{name}", {"bert/a": np.zeros(1)})
    return str(folder)


@pytest.mark.parametrize(
    "name", ["bert_model.ckpt", "bert_model", "model.ckpt-best", "a[1].ckpt"]
)
def test_the_only_one_is_taken_whatever_it_is_called(tmp_path, name):
    folder = write(tmp_path / "m[1]", name)
    assert (
        tf1.find(folder) == tf1.find(f"{folder}/{name}") == f"{folder}/{name}"
    )
    assert tf1.find(f"{folder}/") == f"{folder}/{name}"


def test_of_several_the_user_names_one(tmp_path):
    folder = write(tmp_path / "two", "a.ckpt", "b.ckpt")
    with pytest.raises(ValueError) as caught:
        tf1.find(folder)
    assert str(caught.value) == (
        f"{folder} holds 2 checkpoints, a.ckpt, b.ckpt: name one, such as "
        f"{folder}/a.ckpt"
    )
    assert tf1.find(f"{folder}/b.ckpt") == f"{folder}/b.ckpt"


def test_of_a_training_the_newest_is_taken(tmp_path):
    names = ("bert_model.ckpt", "model.ckpt-9", "model.ckpt-10", "x.ckpt")
    folder = write(tmp_path / "run", *names)
    assert tf1.find(folder) == f"{folder}/model.ckpt-10"


def test_what_a_killed_program_left_is_not_counted(tmp_path):
    folder = write(tmp_path / "m", "bert_model.ckpt", "bert_model.ckpt.tmp")
    assert tf1.find(folder) == f"{folder}/bert_model.ckpt"


@pytest.mark.parametrize("name", ["", "/model.ckpt", "/none/model.ckpt"])
def test_what_is_not_there_is_named(tmp_path, name):
    path = f"{tmp_path}{name}"
    with pytest.raises(ValueError, match=f"^{path}: neither the prefix of a"):
        tf1.find(path)

"""Tensors of TensorFlow's files, whatever their folder is called."""

import os

import numpy as np
import pytest
import tensorflow as tf

from storage import tensors

VALUES = {
    "bert/a/kernel": np.arange(6, dtype=np.float32).reshape(2, 3),
    "global_step": np.array(7, np.int64),
}


@pytest.mark.parametrize("scheme", ["", "file://"])
@pytest.mark.parametrize("name", ["run[1]", "run*", "what?", "a\\b", "天 地"])
def test_no_name_of_a_folder_is_a_pattern(tmp_path, scheme, name):
    # What a pattern would find in its place.
    for other in ("run1", "runs", "whats"):
        (tmp_path / other).mkdir()
        tensors.write(f"{tmp_path}/{other}/m", {"wrong": np.zeros(1)})
    folder = tmp_path / name
    folder.mkdir()
    prefix = f"{scheme}{folder}/model[2].ckpt-10"
    tensors.write(prefix, VALUES)
    assert sorted(os.listdir(folder)) == [
        "model[2].ckpt-10.data-00000-of-00001",
        "model[2].ckpt-10.index",
    ]
    assert [os.path.basename(x) for x in tensors.files_of(prefix)] == (
        sorted(os.listdir(folder))
    )
    assert tensors.shapes(prefix) == {
        "bert/a/kernel": [2, 3],
        "global_step": [],
    }
    found = tensors.read(prefix)
    assert found.keys() == VALUES.keys()
    for key, value in VALUES.items():
        np.testing.assert_array_equal(found[key], value)
        assert found[key].dtype == value.dtype
    assert list(tensors.read(prefix, ["global_step"])) == ["global_step"]


def test_a_checkpoint_of_several_files_is_read(tmp_path):
    folder = tmp_path / "run[1]"
    folder.mkdir()
    whole = f"{folder}/whole"
    for number, (name, value) in enumerate(VALUES.items()):
        tensors.save(f"{tmp_path}/{number}", {name: value})
    tf.raw_ops.MergeV2Checkpoints(
        checkpoint_prefixes=[f"{tmp_path}/0", f"{tmp_path}/1"],
        destination_prefix=f"{tmp_path}/whole",
    )
    for path in tensors.files_of(f"{tmp_path}/whole"):
        os.rename(path, whole + path.removeprefix(f"{tmp_path}/whole"))
    assert len(tensors.files_of(whole)) == 3
    assert tensors.read(whole)["global_step"] == 7


@pytest.mark.parametrize("folder", ["run", "run[1]"])
def test_a_tensor_that_is_damaged_is_named(tmp_path, folder):
    (tmp_path / folder).mkdir()
    prefix = f"{tmp_path}/{folder}/m"
    tensors.write(prefix, VALUES)
    path = prefix + tensors.DATA
    with open(path, "r+b") as file:
        file.write(b"\xff")
    with pytest.raises(tensors.DamagedError) as caught:
        tensors.read(prefix)
    said = str(caught.value)
    assert said.startswith(f"{prefix} is damaged at bert/a/kernel: ")
    assert "{{" not in said and "[Op:" not in said
    # The others can still be read.
    assert tensors.read(prefix, ["global_step"])["global_step"] == 7


@pytest.mark.parametrize("damage", ["cut", "empty", "text", "none", "alone"])
def test_files_that_are_no_checkpoint_are_one_kind_of_error(tmp_path, damage):
    prefix = f"{tmp_path}/m"
    tensors.write(prefix, VALUES)
    index = prefix + tensors.INDEX
    if damage in ("none", "alone"):
        os.remove(index if damage == "none" else prefix + tensors.DATA)
    else:
        size = os.path.getsize(index) // 2
        os.truncate(index, size if damage == "cut" else 0)
    if damage == "text":
        with open(index, "w") as file:
            file.write("Not Found\n" * 99)
    with pytest.raises(tensors.DamagedError, match=f"^{prefix} is damaged"):
        tensors.read(prefix)


def test_a_pointer_of_git_lfs_is_called_one(tmp_path):
    prefix = f"{tmp_path}/m"
    tensors.write(prefix, VALUES)
    with open(prefix + tensors.INDEX, "w") as file:
        file.write("version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    with pytest.raises(ValueError, match=r"m\.index is the pointer of git-lfs"):
        tensors.read(prefix)


def test_a_write_puts_both_files_on_the_disk_and_the_index_last(
    tmp_path, monkeypatch
):
    done = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)

        def noting(what, *others, name=name, real=real):
            path = what
            if isinstance(what, int):
                path = os.readlink(f"/proc/self/fd/{what}")
            done.append((name, os.path.splitext(path)[1]))
            return real(what, *others)

        monkeypatch.setattr(os, name, noting)
    tensors.write(f"{tmp_path}/m", VALUES)
    assert done == [
        ("fsync", ".data-00000-of-00001"),
        ("replace", ".data-00000-of-00001"),
        ("fsync", ".index"),
        ("replace", ".index"),
    ]
    assert sorted(os.listdir(tmp_path)) == [
        "m.data-00000-of-00001",
        "m.index",
    ]


def test_what_a_write_before_left_unfinished_is_gone_after_the_next(tmp_path):
    unfinished = tmp_path / "m.unfinished"
    unfinished.mkdir()
    (unfinished / "half").touch()
    tensors.write(f"{tmp_path}/m", VALUES)
    assert not unfinished.exists()


def test_numbers_that_are_not_finite_are_counted_by_tensor():
    values = VALUES | {
        "good": np.zeros(3, np.float32),
        "half": np.array([1, np.inf, -np.inf], np.float16),
        "nan": np.full((2, 2), np.nan),
        "one": np.float32(np.nan),
        "words": np.array([b"nan"], object),
    }
    counts = tensors.not_finite(values)
    assert counts == {"half": 2, "nan": 4, "one": 1}
    assert tensors.describe_not_finite(counts) == (
        "7 numbers of 3 tensors are not finite, the first in half"
    )
    assert tensors.not_finite(VALUES) == {}
    many = tensors.not_finite({"a": np.full(12_345, np.nan)})
    assert tensors.describe_not_finite(many).startswith("12,345 numbers of 1 ")


def test_bfloat16_is_looked_at_too():
    value = tf.constant([1.0, float("nan")], tf.bfloat16).numpy()
    assert tensors.not_finite({"a": value}) == {"a": 1}

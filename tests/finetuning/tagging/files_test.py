"""The files of --data_dir, by the names in which sets are handed out."""

import types

import pytest

from finetuning.tagging import files

_PUBLISHED = {
    "CoNLL-2003 as a mirror has it": ("train.txt", "valid.txt", "test.txt"),
    "CLUENER": ("train.json", "dev.json", "test.json"),
    "MSRA of the hub": ("train.tsv", "dev.tsv", "test.tsv"),
    "packed": ("train.conll.gz", "dev.conll.gz", "test.conll.gz"),
}


def _find(folder, split, **flags):
    config = types.SimpleNamespace(
        **{"train_file": None, "eval_file": None, "predict_file": None}
        | {"data_dir": str(folder), "do_train": True, "output_dir": "output"}
        | flags
    )
    return files.find(config, split)


@pytest.mark.parametrize("names", _PUBLISHED.values(), ids=[*_PUBLISHED])
def test_the_files_of_published_sets_are_found_beside_others(tmp_path, names):
    # What sets have besides, and what a run leaves in its --output_dir.
    others = ("README.md", "cluener_predict.json", "training.txt", "vocab.txt")
    kept = [
        f"{split}.tf_record{ending}"
        for split in ("train", "eval", "predict")
        for ending in ("", ".json")
    ]
    for name in (*names, *others, *kept):
        (tmp_path / name).touch()
    (tmp_path / "train").mkdir()
    for split, name in zip(("train", "eval", "predict"), names, strict=True):
        assert _find(tmp_path, split) == str(tmp_path / name)


def test_two_files_for_a_split_or_none_are_named(tmp_path):
    (tmp_path / "dev.txt").touch()
    (tmp_path / "valid.txt").touch()
    with pytest.raises(ValueError, match="has dev.txt, valid.txt for dev.* or"):
        _find(tmp_path, "eval")
    with pytest.raises(ValueError, match="no file for train.*; set --train_fi"):
        _find(tmp_path, "train")
    with pytest.raises(ValueError, match="no file for test.* or predict.*"):
        _find(tmp_path / "gone", "predict")
    assert _find(tmp_path, "eval", eval_file="x") == "x"
    with pytest.raises(ValueError, match="^set --eval_file, or --data_dir"):
        _find(None, "eval", data_dir=None)

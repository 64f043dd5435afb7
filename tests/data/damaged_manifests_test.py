"""A damaged manifest is named, and replaced where output may be replaced."""

import json
import os

import pytest

from data import manifest
from data.building import build
from data.feeding import record_files
from storage import json_files, typed_json
from tests import tiny
from tests.data import built

NAME = "records.manifest.json"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A folder with a build of two files, and what is in them."""
    folder = tmp_path_factory.mktemp("whole")
    built.build_only(folder, **_flags(folder))
    return folder, contents(folder)


def _flags(folder):
    output = f"{folder}/records,{folder}/more"
    return {"output_file": output, "dupe_factor": 1}


def contents(folder):
    return {
        path.name: path.read_bytes()
        for path in folder.iterdir()
        if path.name != "vocab.txt"
    }


@pytest.fixture
def damaged(whole):
    """Changes the manifest of the build; puts all back in the end."""
    folder, before = whole
    path = folder / NAME

    def change(how):
        if callable(how):
            value = json.loads(before[NAME])
            how(value)
            how = json.dumps(value)
        path.write_bytes(how if isinstance(how, bytes) else how.encode())
        return folder, path

    yield change
    for name, data in before.items():
        (folder / name).write_bytes(data)


DAMAGES = {
    "empty": "",
    "cut": '{"made_from": {',
    "zeros": b"\0" * 100,
    "a list": "[]",
    "a number": "5",
    "deep": "[" * 100_000,
    "no utf-8": b'{"a": "\xff"}',
    "no files": lambda m: m.pop("files"),
    "files null": lambda m: m.update(files=None),
    "a size that is none": lambda m: m["files"]["more"].update(num_bytes="7"),
    "no made_from": lambda m: m.pop("made_from"),
    "flags null": lambda m: m["made_from"].update(flags=None),
    "outputs null": lambda m: m["made_from"].update(outputs=None),
    "shards null": lambda m: m.update(shards=None),
    "a shard null": lambda m: m["shards"].append(None),
    "no inputs": lambda m: m["shards"][0].pop("inputs"),
    "no sha256": lambda m: m["shards"][0]["inputs"][0].pop("sha256"),
    "no parts": lambda m: m["shards"][0].pop("parts"),
    "no counts": lambda m: m["shards"][0].pop("counts"),
    "a count that is none": lambda m: m["shards"][0]["counts"].update(a=[]),
}
# What has the form of a manifest and does not fit the build.
UNFIT = {
    "no shards": lambda m: m.pop("shards"),
    "no flags": lambda m: m["made_from"].pop("flags"),
    "no shard": lambda m: m["shards"].clear(),
    "a part too few": lambda m: m["shards"][0]["parts"].pop(),
    "no part": lambda m: m["shards"][0]["parts"].clear(),
    "no input": lambda m: m["shards"][0]["inputs"].clear(),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_without_overwrite_a_damaged_one_is_named_and_nothing_changed(
    damaged, name
):
    folder, path = damaged(DAMAGES[name])
    before = contents(folder)
    with pytest.raises(ValueError) as caught:
        built.build_only(folder, **_flags(folder))
    said = str(caught.value)
    assert said.startswith(str(path)) and "\n" not in said
    assert "it is no manifest of create_pretraining_data, or damaged" in said
    assert said.endswith("or set --overwrite")
    assert contents(folder) == before


@pytest.mark.parametrize("name", UNFIT)
def test_without_overwrite_one_that_does_not_fit_is_refused(damaged, name):
    folder, _ = damaged(UNFIT[name])
    before = contents(folder)
    with pytest.raises(FileExistsError, match="was made with .*--overwrite"):
        built.build_only(folder, **_flags(folder))
    assert contents(folder) == before


@pytest.mark.parametrize("name", DAMAGES | UNFIT)
def test_with_overwrite_the_build_is_made_anew(whole, damaged, name):
    _, wanted = whole
    folder, path = damaged((DAMAGES | UNFIT)[name])
    built.build_only(folder, **_flags(folder), overwrite=True)
    assert contents(folder) == wanted


def test_a_damaged_one_that_waited_for_its_name_costs_work_only(
    tmp_path, whole
):
    _, wanted = whole
    unfinished = tmp_path / "records.unfinished"
    for data in ("", "[]", '{"made_from": {}, "files": {}, "shards": 5}'):
        unfinished.mkdir()
        (unfinished / "manifest.json").write_text(data)
        built.build_only(tmp_path, **_flags(tmp_path))
        assert contents(tmp_path) == wanted
        for name in wanted:
            (tmp_path / name).unlink()


@pytest.mark.parametrize("name", DAMAGES)
def test_a_training_names_it_too(damaged, name):
    folder, path = damaged(DAMAGES[name])
    for records in ("records", "more"):
        with pytest.raises(ValueError, match="no manifest of") as caught:
            record_files.find(f"{folder}/{records}")
        assert str(caught.value).startswith(str(path))


def test_a_build_that_is_finished_reads_its_manifest_once_more(whole, caplog):
    folder, before = whole
    caplog.set_level("INFO")
    found = build.build(built.make_config(folder, **_flags(folder)))
    assert typed_json.plain(found) == json.loads(before[NAME])
    assert "already built" in caplog.text


@pytest.fixture
def many(tmp_path):
    """Files of one build in a folder."""
    files = {}
    for number in range(20):
        path = tiny.write_records(tmp_path / f"r-{number:02}", 1, seed=number)
        entry = {"num_records": 1, "num_bytes": os.path.getsize(path)}
        files[os.path.basename(path)] = entry
    text = json.dumps({"made_from": {}, "files": files})
    (tmp_path / "r-00.manifest.json").write_text(text)
    return tmp_path


def test_a_manifest_is_read_once_for_all_files_of_a_folder(many, monkeypatch):
    read = []
    real = json_files.read

    def noting(path, shape):
        read.append(path)
        return real(path, shape)

    monkeypatch.setattr(json_files, "read", noting)
    files = record_files.find(str(many))
    assert len(files) == 20
    assert len({id(file.manifest) for file in files}) == 1
    assert read == [f"{many}/r-00.manifest.json"]


def test_one_that_has_changed_is_read_again(many):
    path, record = many / "r-00.manifest.json", str(many / "r-07")
    assert manifest.find(record).files.keys() >= {"r-07"}
    changed = json.loads(path.read_text())
    del changed["files"]["r-07"]
    path.write_text(json.dumps(changed))
    assert manifest.find(record) is None
    path.unlink()
    assert manifest.find(str(many / "r-08")) is None


@pytest.mark.parametrize("num_gone", [1, 5])
def test_files_of_a_build_that_are_gone_are_named(many, caplog, num_gone):
    gone = [f"{many}/r-{number:02}" for number in range(3, 3 + num_gone)]
    for path in gone:
        os.remove(path)
    files = record_files.find(str(many))
    assert len(files) == 20 - num_gone
    assert caplog.text.count("ARE GONE") == 1
    listed = ", ".join(gone[:3]) + (" ..." if num_gone > 3 else "")
    words = f"{num_gone} FILES OF THE BUILD OF {many}/r-00 ARE GONE"
    assert f"{words}, and their records are not trained on: {listed}" in (
        caplog.text
    )


def test_files_that_were_not_asked_for_are_not_gone(many, caplog):
    assert len(record_files.find(f"{many}/r-0[123]")) == 3
    assert "ARE GONE" not in caplog.text
    os.remove(many / "r-19")
    record_files.find(f"{many}/r-01")
    assert f"1 FILES OF THE BUILD OF {many}/r-01 ARE GONE" in caplog.text

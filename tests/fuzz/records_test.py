"""Record files, their manifests, unfinished builds: bytes nearly right.

Held of each: it is read or refused with an error that names the file, at an
end within seconds; and as many records are read as are there whole.
"""

import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data import manifest
from data.building import build
from data.feeding import record_checks, record_files
from tests import tiny
from tests.data import built
from tests.fuzz import held, near
from tests.fuzz.held import examples, put
from tools import inspect_records
from tools.inspection import frames, inspecting

pytestmark = pytest.mark.slow

NUM_MANIFESTS = 300
NUM_RECORD_FILES = 200

_LENGTHS = {
    "max_seq_length": tiny.NUM_TOKENS,
    "max_predictions_per_seq": tiny.NUM_PREDICTIONS,
    "vocab_size": tiny.VOCAB_SIZE,
}


def _read(path, lengths):
    files = record_files.find(path)
    record_checks.check(files, **lengths)
    return files


def _inspect(path):
    return inspecting.inspect(
        [path], inspect_records.InspectConfig(num_samples=2)
    )


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    """A build of two files with its manifest."""
    folder = tmp_path_factory.mktemp("records")
    text = folder / "text.txt"
    text.write_text(3 * "天地玄黃。\n宇宙洪荒。\n\n日月盈昃。\n辰宿列張。\n\n")
    flags = {
        "input_file": str(text),
        "output_file": f"{folder}/r-0,{folder}/r-1",
        "max_seq_length": 16,
        "max_predictions_per_seq": 4,
    }
    build.build(built.make_config(folder, **flags))
    return folder, flags


@pytest.fixture(scope="module")
def stated(records):
    return json.loads((records[0] / "r-0.manifest.json").read_text())


@examples(NUM_MANIFESTS)
@given(st.data())
def test_a_manifest(records, stated, data):
    folder, flags = records
    path = str(folder / "r-0.manifest.json")
    right = stated
    content = data.draw(near.json_bytes(right))
    put(folder, "r-0.manifest.json", content)
    lengths = {
        "max_seq_length": 16,
        "max_predictions_per_seq": 4,
        "vocab_size": right["vocab_size"],
    }
    held.read(lambda: manifest.read(path), path)
    held.read(lambda: _read(str(folder / "r-?"), lengths), path, folder / "r-")
    held.read(lambda: _inspect(str(folder / "r-0")), path, folder / "r-0")
    # A build that stands already, or is refused.
    try:
        held.read(
            lambda: build.build(built.make_config(folder, **flags)),
            folder / "r-0",
        )
    finally:
        put(folder, "r-0.manifest.json", json.dumps(right).encode())


@pytest.fixture(scope="module")
def tfrecord(tmp_path_factory):
    path = tmp_path_factory.mktemp("tfrecord") / "a"
    tiny.write_records(path, 5)
    return path.read_bytes()


@examples(NUM_RECORD_FILES)
@given(st.data(), st.booleans(), st.booleans())
def test_a_record_file(tmp_path, tfrecord, data, is_packed, is_late):
    content = gzip.compress(tfrecord, mtime=0) if is_packed else tfrecord
    content = data.draw(near.damaged(content, most=2))
    if is_packed and is_late:
        content = gzip.compress(data.draw(near.damaged(tfrecord)), mtime=0)
    path = put(tmp_path, "a.tfrecord", content)
    found = held.read(lambda: _read(path, _LENGTHS), path)
    # Lengths of bytes that are told, and no more is done.
    inspected = held.read(lambda: _inspect(path), path)
    whole = held.read(
        lambda: sum(
            len(block.records) for block in frames.read(path, lambda n: None)
        ),
        path,
    )
    if found.value:
        # One with a wrong checksum behind the first ten comes to light later.
        assert found.value[0].num_records >= whole.value
    if not found.error:
        assert inspected.value.files[0].num_records <= whole.value

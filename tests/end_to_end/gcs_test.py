"""Builder and trainer on gs://, of a service that is busy now and then.

Both are processes, with TensorFlow as it is installed; tests/gcs_server.py says
how that is done.
"""

import http.client
import json
import pathlib
import re
import signal
import time

import pytest
import tensorflow as tf

from data.building import build
from tests import project, tiny
from tests.data import built
from tests.end_to_end import cloud as clouds

BUILD = "create_pretraining_data.py"
TRAIN = "run_pretraining.py"
TRAINING = project.ROOT / "samples" / "train"
SIZES = {
    "max_seq_length": tiny.NUM_TOKENS,
    "max_predictions_per_seq": tiny.NUM_PREDICTIONS,
}


def flags(**values):
    return [f"--{name}={value}" for name, value in values.items()]


def build_here(folder, **values):
    """Builds on the local disk; returns {name: bytes} of what was written."""
    settings = built.make_config(folder, **SIZES, **values)
    build.build(settings)
    made = pathlib.Path(settings.output_paths[0]).parent
    return {path.name: path.read_bytes() for path in made.iterdir()}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cloud")
    cloud = clouds.Cloud(folder, fail_rate=0.05)
    vocabulary = project.write_vocabulary(folder, project.sample_vocabulary())
    cloud.put("vocab.txt", pathlib.Path(vocabulary).read_bytes())
    yield cloud
    cloud.stop()


@pytest.fixture(scope="module")
def records(cloud, tmp_path_factory):
    """Builds samples/train into gs://bkt/records; returns the flags."""
    for path in TRAINING.iterdir():
        cloud.put(f"corpus/{path.name}", path.read_bytes())
    cloud.put("corpus/inner/no.txt", b"not of the corpus\n")
    command = flags(
        input_file="gs://bkt/corpus/*.txt",
        vocab_file="gs://bkt/vocab.txt",
        output_file="gs://bkt/records/train.tfrecord",
        dupe_factor=2,
        **SIZES,
    )
    status, said = cloud.run(BUILD, *command)
    assert status == 0, said
    return command


def test_a_build_of_gs_has_the_bytes_of_a_local_one(cloud, records, tmp_path):
    local = build_here(
        tmp_path,
        input_file=str(TRAINING),
        output_file=f"{tmp_path}/made/train.tfrecord",
    )
    before = cloud.generations("records/")
    assert {name for name in before if name} == set(local)
    for name, data in local.items():
        assert cloud.get(f"records/{name}") == data
    assert cloud.num_failures() > 3

    status, said = cloud.run(BUILD, *records)
    assert status == 0, said
    assert "already built" in said
    assert cloud.generations("records/") == before


def test_a_build_of_shards_is_killed_and_ends_with_the_same_bytes(
    cloud, tmp_path
):
    text = b"".join(path.read_bytes() + b"\n" for path in TRAINING.iterdir())
    (tmp_path / "text").mkdir()
    for name in ("a.txt", "b.txt"):
        (tmp_path / "text" / name).write_bytes(text * 24)
        cloud.put(f"large/{name}", text * 24)
    sharding = {"shard_megabytes": 1, "num_workers": 2}
    command = flags(
        input_file="gs://bkt/large",
        vocab_file="gs://bkt/vocab.txt",
        output_file="gs://bkt/shards/part@2",
        dupe_factor=1,
        **SIZES,
        **sharding,
    )
    process = cloud.start(BUILD, *command)
    deadline = time.monotonic() + clouds.TIMEOUT_SECS
    while not any(
        re.fullmatch(r".*/shard-\d+\.json", name)
        for name in cloud.generations("shards/")
    ):
        assert process.poll() is None, process.stdout.read()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    said, _ = process.communicate()
    assert process.returncode == -signal.SIGKILL, said
    left = set(cloud.generations("shards/"))
    assert "part@2.lock" in left
    assert not any(x.startswith("part-") and "/" not in x for x in left), left

    status, said = cloud.run(BUILD, *command)
    assert status == 0, said
    assert "shards are built already" in said
    local = build_here(
        tmp_path,
        input_file=str(tmp_path / "text"),
        output_file=f"{tmp_path}/made/part@2",
        dupe_factor=1,
        **sharding,
    )
    assert len(local) == 3
    assert {name for name in cloud.generations("shards/") if name} == set(local)
    for name, data in local.items():
        assert cloud.get(f"shards/{name}") == data


def checkpoint_files(*steps):
    suffixes = ("data-00000-of-00001", "index")
    return [f"model.ckpt-{n}.{suffix}" for n in steps for suffix in suffixes]


def train(num_steps):
    return [
        TRAIN,
        "--do_train",
        *flags(
            bert_config_file="gs://bkt/bert.json",
            input_file="gs://bkt/records",
            output_dir="gs://bkt/out",
            train_batch_size=4,
            num_train_steps=num_steps,
            num_warmup_steps=1,
            save_checkpoints_steps=2,
            keep_checkpoint_max=2,
            **SIZES,
        ),
    ]


EXPORTED = (
    "export/",
    "export/bert_config.json",
    "export/bert_model.ckpt.data-00000-of-00001",
    "export/bert_model.ckpt.index",
    "export/tokenizer_config.json",
    "export/vocab.txt",
)


def test_training_on_gs_goes_on_from_the_checkpoints_there(
    cloud, records, tmp_path
):
    num_rows = cloud.get("vocab.txt").count(b"\n")
    config = tiny.CONFIG | {"vocab_size": num_rows}
    cloud.put("bert.json", json.dumps(config).encode())
    status, said = cloud.run(*train(4))
    assert status == 0, said
    failures_before = cloud.num_failures()
    status, said = cloud.run(*train(8))
    assert status == 0, said
    assert "resumed at step 4" in said
    assert cloud.num_failures() > failures_before
    names = checkpoint_files(6, 8)
    found = set(cloud.generations("out/")) - {""}
    assert {x for x in found if not x.startswith("events.")} == {
        "checkpoint",
        "metrics.jsonl",
        "settings.json",
        "training_curves.png",
        *EXPORTED,
        *names,
    }
    lines = cloud.get("out/metrics.jsonl").splitlines()
    assert [json.loads(line)["step"] for line in lines] == [2, 4, 6, 8]
    for name in ("checkpoint", *names):
        (tmp_path / name).write_bytes(cloud.get(f"out/{name}"))
    reader = tf.train.load_checkpoint(str(tmp_path))
    assert reader.get_tensor("global_step") == 8


BUSY_PROGRAM = """
from storage import file_io, inputs
from training import checkpoint
import tensorflow as tf

for number in range(10):
    folder = f"gs://bkt/folder{number}"
    assert inputs.expand(folder) == [f"{folder}/{name}" for name in "abcdefgh"]
    file_io.remove_tree(folder)
variables = {"global_step": tf.Variable(0), "x": tf.Variable([1.0])}
saved = checkpoint.Checkpoints("gs://bkt/saved", variables, keep_max=2)
for step in range(1, 11):
    saved.save(step)
assert saved.restore_newest() == "gs://bkt/saved/model.ckpt-10"
"""


def test_lists_and_removals_are_right_where_requests_often_fail(tmp_path):
    cloud = clouds.Cloud(tmp_path, fail_rate=0.25)
    # Else TensorFlow remembers what it was told for some seconds.
    cloud.environment["GCS_STAT_CACHE_MAX_AGE"] = "0"
    for number in range(10):
        for name in "abcdefgh":
            cloud.put(f"folder{number}/{name}", b"text\n")
    status, said = cloud.run("-c", BUSY_PROGRAM)
    assert status == 0, said
    assert cloud.num_failures() > 200
    assert not cloud.generations("folder")
    found = set(cloud.generations("saved/")) - {""}
    assert found == {"checkpoint", *checkpoint_files(9, 10)}
    cloud.stop()


MISTAKES = {
    "gs://bkt/none.txt": (
        BUILD,
        *flags(
            input_file="gs://bkt/corpus",
            vocab_file="gs://bkt/none.txt",
            output_file="gs://bkt/none/records",
        ),
    ),
    "there is no gs://nobucket/": (
        BUILD,
        *flags(
            input_file="gs://bkt/corpus",
            vocab_file="gs://bkt/vocab.txt",
            output_file="gs://nobucket/folder/records",
        ),
    ),
    "input_file: no file matches 'gs://bkt/none'": (
        *train(4),
        "--input_file=gs://bkt/none",
    ),
}


@pytest.mark.parametrize("words", MISTAKES)
def test_what_is_not_there_is_one_line_and_no_traceback(cloud, words):
    cloud.put("bert.json", json.dumps(tiny.CONFIG).encode())
    status, said = cloud.run(*MISTAKES[words])
    assert status == 1, said
    assert "Traceback" not in said
    (error,) = [x for x in said.splitlines() if x.startswith("error:")]
    assert words in error
    assert not cloud.generations("none/")


def test_the_stand_in_lets_nothing_leave_the_machine(cloud):
    for host in ("example.com", "google.com.example.com"):
        link = http.client.HTTPConnection("127.0.0.1", cloud.port)
        link.set_tunnel(host, 443)
        with pytest.raises(OSError, match="403"):
            link.request("GET", "/")

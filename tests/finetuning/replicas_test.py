"""Replicas and workers change nothing of a fine-tuning but its speed.

It has soft labels, so that both terms of the loss are compared.
"""

import json
import sys

import numpy as np
import pytest
import tensorflow as tf

from finetuning.classification import examples, soft_labels
from tests import project, tiny, workers
from tests.finetuning.classification import tiny_classifier

_SEEDS = ("seed_1", "seed_2")


def _write_inputs(directory):
    tiny_classifier.write_model(directory)
    shape = tiny.CONFIG | {
        "num_hidden_layers": 1,
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
    }
    (directory / "bert.json").write_text(json.dumps(shape))
    rng = np.random.default_rng(0)
    for name, size in (("train", 60), ("dev", 21), ("test", 9)):
        rows = [("text", "label")]
        for _ in range(size):
            words = rng.choice(tiny_classifier.WORDS, rng.integers(2, 12))
            rows.append((" ".join(words), "yes" if "good" in words else "no"))
        if name == "test":
            rows = [row[:1] for row in rows]
        if name == "train":
            _write_soft_labels(directory, rng, [text for text, _ in rows[1:]])
        tiny_classifier.write_lines(directory / f"{name}.tsv", rows)


def _write_soft_labels(directory, rng, texts):
    soft_labels.write(
        str(directory / "soft.tsv"),
        [examples.Example([(text, None)], None) for text in texts],
        rng.normal(size=(len(texts), 2)).astype(np.float32),
        ["no", "yes"],
    )


def _start(num_replicas, directory, output, **environment):
    return workers.start(
        *(sys.executable, "-m", "tests.finetuning.replicas_program"),
        *(str(num_replicas), str(directory), str(output)),
        cwd=project.ROOT,
        env=project.environment() | environment,
    )


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    """The folder of the inputs, with the results of one device in `one`."""
    directory = tmp_path_factory.mktemp("replicas")
    _write_inputs(directory)
    workers.finish([_start(1, directory, directory / "one")])
    return directory


def _step(path):
    return int(path.stem.split("-")[1])


def _weights(folder):
    newest = max(folder.glob("model.ckpt-*.index"), key=_step)
    reader = tf.train.load_checkpoint(str(newest.with_suffix("")))
    return {
        name: reader.get_tensor(name)
        for name in reader.get_variable_to_shape_map()
        if name.startswith(("bert/", "output_"))
    }


def _names(folder):
    names = {path.name for path in folder.iterdir()}
    return {name for name in names if not name.startswith("events")}


def _scores(folder):
    lines = (folder / "eval_results.txt").read_text().splitlines()
    return {key: float(x) for key, x in (line.split(" = ") for line in lines)}


def _assert_equal(one, other):
    for part in ("", *_SEEDS):
        assert _names(other / part) == _names(one / part)
        found, wanted = _weights(other / part), _weights(one / part)
        assert found.keys() == wanted.keys() and len(wanted) > 20
        for name, value in wanted.items():
            np.testing.assert_allclose(found[name], value, atol=1e-5)
        wanted = pytest.approx(_scores(one / part), rel=1e-4)
        assert _scores(other / part) == wanted
        found, wanted = (
            np.loadtxt(folder / part / "test_results.tsv")
            for folder in (other, one)
        )
        np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_replicas_give_the_result_of_one(one):
    workers.finish([_start(2, one, one / "replicas")])
    _assert_equal(one / "one", one / "replicas")


def test_workers_give_the_result_of_one(one):
    workers.finish(
        [
            _start(1, one, one / "workers", TF_CONFIG=config)
            for config in workers.configs(2)
        ]
    )
    _assert_equal(one / "one", one / "workers")


def test_a_run_had_ended_early(one):
    assert _scores(one / "one" / "seed_1")["global_step"] < 22

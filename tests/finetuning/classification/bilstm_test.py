"""--classifier_head=bilstm: an LSTM in each direction in a pooler's place."""

import json
import random

import numpy as np
import pytest
from keras import ops

from finetuning import answering
from finetuning.classification import task
from modeling import recurrent
from modeling.initializers import TruncatedNormal
from tests import tiny
from tests.finetuning.classification import tiny_classifier
from tools import convert_checkpoint

pytestmark = pytest.mark.usefixtures("uncompiled")


def _pooler():
    return recurrent.BilstmPooler(tiny.config(), TruncatedNormal(0.5, 3))


def test_padding_changes_nothing():
    pooler, width = _pooler(), tiny.config().hidden_size
    rows = np.random.default_rng(0).normal(size=(3, 7, width))
    rows = rows.astype(np.float32)
    lengths = [7, 4, 1]
    mask = np.arange(7) < np.array(lengths)[:, None]
    together = ops.convert_to_numpy(pooler(rows, mask.astype(np.int32)))
    assert together.shape == (3, width)
    for row, length, found in zip(rows, lengths, together, strict=True):
        alone = pooler(row[None, :length], np.ones((1, length), np.int32))
        np.testing.assert_allclose(found, alone[0], rtol=0, atol=1e-6)


def test_each_half_is_one_direction_and_each_has_read_all():
    pooler, width = _pooler(), tiny.config().hidden_size
    row = np.random.default_rng(1).normal(size=(1, 5, width))
    row = row.astype(np.float32)
    mask = np.ones((1, 5), np.int32)
    wanted = ops.convert_to_numpy(pooler(row, mask))
    for place in range(5):
        other = row.copy()
        other[0, place] += 1
        found = ops.convert_to_numpy(pooler(other, mask))
        for half in (slice(0, width // 2), slice(width // 2, width)):
            assert abs(found[0, half] - wanted[0, half]).max() > 1e-5
    # The same weights in both directions read a text backwards alike.
    forward, backward = pooler.lstm.directions
    backward.set_weights(forward.get_weights())
    there = ops.convert_to_numpy(pooler(row, mask))[0]
    back = ops.convert_to_numpy(pooler(row[:, ::-1], mask))[0]
    halves = np.split(back, 2)
    np.testing.assert_allclose(there, [*halves[1], *halves[0]], atol=1e-6)


def _settings(directory, output, **changes):
    """Rows whose label is which of two words comes first."""
    tiny_classifier.write_model(directory)
    rng = random.Random(2)
    for name, count in (("train", 320), ("dev", 60)):
        lines = [("text", "label")]
        for _ in range(count):
            words = [rng.choice(("the", "a", "film")) for _ in range(6)]
            first, second = sorted(rng.sample(range(6), 2))
            label = rng.choice(["neg", "pos"])
            pair = ("good", "bad") if label == "pos" else ("bad", "good")
            words[first], words[second] = pair
            lines.append((" ".join(words), label))
        tiny_classifier.write_lines(directory / f"{name}.tsv", lines)
    options = {
        "output_dir": str(directory / output),
        "data_dir": str(directory),
        "do_train": True,
        "do_eval": True,
        "num_train_epochs": 6.0,
        "classifier_head": "bilstm",
    }
    return tiny_classifier.settings(directory, **options | changes)


def test_it_learns_and_answers_and_other_libraries_have_no_such_head(tmp_path):
    found = task.run(_settings(tmp_path, "made"))
    assert found["eval_accuracy"] > 0.9
    answerer = answering.Answerer.load(str(tmp_path / "made"))
    lines = (tmp_path / "dev.tsv").read_text().splitlines()[1:]
    answers = list(answerer.answer([x.split("\t")[0] for x in lines]))
    said = (tmp_path / "made" / "eval_predictions.jsonl").read_text()
    for answer, line in zip(answers, said.splitlines(), strict=True):
        wanted = json.loads(line)
        assert answer["probabilities"] == pytest.approx(
            wanted["probabilities"], abs=1e-5
        )
    given = {"from_": str(tmp_path / "made"), "to": "tf1"}
    config = convert_checkpoint.ConvertConfig(
        output_dir=str(tmp_path / "whole"), **given
    )
    with pytest.raises(ValueError, match="--classifier_head=bilstm.*encoder"):
        convert_checkpoint.run(config)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"long_text": "max"}, "reads one row of tokens, and --long_text=max"),
        ({"task_name": "afqmc,lcqmc"}, "--classifier_head is for one task"),
        ({"task_name": "swag"}, "--classifier_head=bilstm is not for choices"),
    ],
)
def test_what_it_does_not_go_with(tmp_path, changes, message):
    with pytest.raises(ValueError, match=message):
        task.Classification(_settings(tmp_path, "made", **changes))

"""Several runs that answer together."""

import json

import numpy as np
import pytest
from scipy import special
from sklearn import metrics

from finetuning import ensemble
from finetuning.classification import kinds
from tests.finetuning import tiny_task

_RNG = np.random.default_rng(3)
_LOGITS = _RNG.normal(0, 3, (3, 20, 4)).astype(np.float32)


def _mixed(kind, logits=_LOGITS):
    outputs = [{"logits": one} for one in logits]
    return ensemble.mix(kind, outputs)["logits"]


@pytest.mark.parametrize("kind", kinds.KINDS)
def test_the_probabilities_are_the_mean_of_the_members(kind):
    probabilities = kinds.KINDS[kind].probabilities
    np.testing.assert_allclose(
        probabilities(_mixed(kind)),
        np.mean([probabilities(one) for one in _LOGITS], axis=0),
        rtol=1e-5,
    )


def test_words_are_mixed_as_texts_are():
    logits = _LOGITS.reshape(3, 4, 5, 4)
    np.testing.assert_allclose(
        special.softmax(_mixed("softmax", logits), axis=-1),
        special.softmax(logits, axis=-1).mean(axis=0),
        rtol=1e-5,
    )


def test_logits_that_are_far_apart_are_no_infinities():
    far = np.array([[[400.0, -400.0]], [[-400.0, 400.0]]], np.float32)
    for kind in ("one_label", "multi_label"):
        mixed = _mixed(kind, far)
        assert np.isfinite(mixed).all()
        np.testing.assert_allclose(mixed[..., 0], mixed[..., 1], atol=1e-4)


def test_the_members_are_the_best_and_are_scored_together(
    tmp_path, monkeypatch
):
    tiny_task.write_inputs(tmp_path)
    seen, real = [], ensemble.mix

    def mix(kind, outputs):
        seen.append([one["logits"] for one in outputs])
        return real(kind, outputs)

    monkeypatch.setattr(ensemble, "mix", mix)
    found = tiny_task.run(
        tmp_path, "x", seeds="1,2,3", ensemble=2, num_train_epochs=1.0
    )
    (logits,) = seen
    runs = json.loads((tmp_path / "x/seeds.json").read_text())["runs"]
    scores = sorted(run["eval_accuracy"] for run in runs.values())
    labels = np.arange(37) % 2
    of_members = [
        metrics.accuracy_score(labels, one.argmax(axis=1)) for one in logits
    ]
    assert of_members == pytest.approx(scores[:0:-1])
    together = np.mean(logits, axis=0).argmax(axis=1)
    assert found["ensemble_accuracy"] == metrics.accuracy_score(
        labels, together
    )
    text = (tmp_path / "x/eval_results.txt").read_text()
    assert f"ensemble_accuracy = {found['ensemble_accuracy']}" in text


def test_flags_that_do_not_go_together_are_told(tmp_path):
    for settings, message in (
        ({"ensemble": 2}, "--ensemble needs --seeds or --sweep"),
        ({"ensemble": 1, "seeds": "1,2"}, "is the best run alone: give 2"),
        ({"ensemble": -1, "seeds": "1,2"}, "must not be negative, got -1"),
    ):
        with pytest.raises(ValueError, match=message):
            tiny_task.make_config(tmp_path, "x", **settings)

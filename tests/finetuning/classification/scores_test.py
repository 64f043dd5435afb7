"""Losses, scores and reports against scikit-learn, SciPy and formulas."""

import numpy as np
import pytest
import tensorflow as tf
from matplotlib import font_manager
from scipy import special, stats
from sklearn import metrics
from sklearn.utils import class_weight

from finetuning.classification import datasets, kinds, own_files, report, scores

_RNG = np.random.default_rng(0)
_WANTED = _RNG.integers(0, 2, 50)
_DECIDED = np.where(_RNG.random(50) < 0.7, _WANTED, 1 - _WANTED)


def test_scores_are_those_of_scikit_learn():
    found = scores.compute(
        ["accuracy", "f1", "macro_f1", "matthews"], _WANTED, _DECIDED
    )
    macro = metrics.f1_score(_WANTED, _DECIDED, average="macro")
    assert found == {
        "eval_accuracy": metrics.accuracy_score(_WANTED, _DECIDED),
        "eval_f1": metrics.f1_score(_WANTED, _DECIDED),
        "eval_macro_f1": macro,
        "eval_matthews": metrics.matthews_corrcoef(_WANTED, _DECIDED),
    }


def test_correlations_are_those_of_scipy():
    wanted, decided = _RNG.random((2, 50)).astype(np.float32)
    found = scores.compute(["correlations"], wanted, decided)
    pearson = stats.pearsonr(wanted, decided).statistic
    spearman = stats.spearmanr(wanted, decided).statistic
    assert found["eval_pearson"] == pytest.approx(pearson, abs=1e-6)
    assert found["eval_spearman"] == pytest.approx(spearman, abs=1e-6)
    assert found["eval_pearson_spearman"] == pytest.approx(
        (pearson + spearman) / 2, abs=1e-6
    )
    assert scores.compute(["correlations"], wanted, wanted * 0) == {
        "eval_pearson_spearman": 0,
        "eval_pearson": 0,
        "eval_spearman": 0,
    }


def test_every_task_has_scores_and_a_key():
    for dataset in datasets.DATASETS.values():
        assert dataset.kind in kinds.KINDS
        assert dataset.metrics[0] in scores.KEYS
        assert {*dataset.metrics} <= {*scores.METRICS}
    assert {*own_files.METRICS} == {*kinds.KINDS}
    assert all(names[0] in scores.KEYS for names in own_files.METRICS.values())
    for name, key in scores.KEYS.items():
        assert key in scores.compute([name], _WANTED, _DECIDED)


def test_the_loss_of_one_label_weighs_and_smooths():
    logits = _RNG.normal(size=(50, 2)).astype(np.float32)
    weights = [0.5, 2.0]
    losses, of_row = kinds.KINDS["one_label"].losses(
        tf.constant(logits), tf.constant(_WANTED), weights, 0.1
    )
    wanted = np.eye(2)[_WANTED] * 0.9 + 0.05
    expected = -(wanted * special.log_softmax(logits, axis=1)).sum(axis=1)
    np.testing.assert_array_equal(of_row, np.take(weights, _WANTED))
    np.testing.assert_allclose(losses, expected * of_row, rtol=1e-5)


def test_the_loss_of_several_labels_is_the_log_loss_of_each():
    logits = _RNG.normal(size=(50, 3)).astype(np.float32)
    wanted = _RNG.integers(0, 2, (50, 3)).astype(np.float32)
    losses, _ = kinds.KINDS["multi_label"].losses(
        tf.constant(logits), tf.constant(wanted), None, 0.0
    )
    expected = [
        metrics.log_loss(row, special.expit(x), labels=[0, 1])
        for row, x in zip(wanted, logits.astype(float), strict=True)
    ]
    np.testing.assert_allclose(losses, expected, rtol=1e-4)


def test_balanced_weights_are_those_of_scikit_learn():
    counts, others = kinds.KINDS["one_label"].count(_WANTED, 2)
    expected = class_weight.compute_class_weight(
        "balanced", classes=np.arange(2), y=_WANTED
    )
    np.testing.assert_allclose(others / counts, expected)


def test_the_report_and_the_matrix_say_what_scikit_learn_says(tmp_path):
    report.write(str(tmp_path), _WANTED, _DECIDED, ["坏", "good one"])
    lines = (tmp_path / "classification_report.txt").read_text().splitlines()
    expected = metrics.classification_report(_WANTED, _DECIDED, digits=4)
    numbers = [line.split()[-4:] for line in expected.splitlines()[2:4]]
    assert [line.split()[-4:] for line in lines[1:3]] == numbers
    assert lines[1].startswith("坏      ")
    matrix = metrics.confusion_matrix(_WANTED, _DECIDED)
    lines = (tmp_path / "confusion_matrix.txt").read_text().splitlines()
    for line, row in zip(lines[1:], matrix, strict=True):
        assert [int(x) for x in line.split()[-2:]] == row.tolist()


def test_the_picture_has_no_name_that_it_cannot_write(monkeypatch, caplog):
    labels = [f"类{number} $x" for number in range(25)]
    matrix = np.eye(25, dtype=int)
    assert report.draw(matrix, labels)[:4] == b"\x89PNG"
    monkeypatch.setattr(font_manager, "findSystemFonts", list)
    assert report.draw(matrix, labels)[:4] == b"\x89PNG"
    assert "missing from font" not in caplog.text

"""Replicas, workers and parts of a batch change nothing but the speed."""

import os
import sys

import numpy as np
import pytest

from pretraining.replaced_token import area_under_curve
from tests import project, workers
from tests.pretraining import taught


def _start(
    num_replicas,
    num_parts,
    output,
    *options,
    **environment,
):
    return workers.start(
        *(sys.executable, "-m", "tests.pretraining.replicas_program"),
        *(str(num_replicas), str(num_parts), str(output), *options),
        cwd=project.ROOT,
        env=os.environ | environment,
    )


def _load(output):
    with np.load(output) as arrays:
        return dict(arrays)


def _train(num_replicas, num_parts, directory, *options):
    output = directory / f"{num_replicas}_{num_parts}.npz"
    workers.finish([_start(num_replicas, num_parts, output, *options)])
    return _load(output)


def _train_workers(num_workers, num_parts, directory, how="nothing"):
    """Trains one replica in each of several processes."""
    outputs = [directory / f"worker{i}.npz" for i in range(num_workers)]
    workers.finish(
        [
            _start(1, num_parts, output, how, TF_CONFIG=config)
            for output, config in zip(
                outputs, workers.configs(num_workers), strict=True
            )
        ]
    )
    return [_load(output) for output in outputs]


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    return _train(1, 1, tmp_path_factory.mktemp("one"))


def _assert_equal_weights(one, other):
    assert one.keys() == other.keys()
    for kind in ("weight ", "slot "):
        difference = max(
            np.abs(one[name] - other[name]).max()
            for name in one
            if name.startswith(kind)
        )
        print(f"{kind}: largest difference {difference:.1e}")
        assert difference < 1e-6


def _assert_equal(one, other):
    _assert_equal_weights(one, other)
    assert one["step"] == other["step"] == 11
    names = [name for name in one if name.startswith(("train ", "eval "))]
    assert len(names) == 2 * len([x for x in names if x[0] == "e"]) + 2
    for name in names:
        if name.endswith("disc_auc"):
            # A logit may be rounded over the edge of a bin.
            areas = [area_under_curve(*x[name]) for x in (one, other)]
            assert areas[0] == pytest.approx(areas[1], abs=1e-4)
            continue
        np.testing.assert_allclose(one[name], other[name], rtol=1e-5)


@pytest.mark.parametrize(
    ("num_replicas", "num_parts"),
    [
        (1, 4),
        (2, 2),
        (4, 1),
        pytest.param(2, 1, marks=pytest.mark.slow),
        pytest.param(4, 2, marks=pytest.mark.slow),
    ],
)
def test_replicas_and_parts_give_the_result_of_one(
    one, num_replicas, num_parts, tmp_path
):
    _assert_equal(one, _train(num_replicas, num_parts, tmp_path))


@pytest.mark.parametrize(
    "num_parts", [1, pytest.param(2, marks=pytest.mark.slow)]
)
def test_a_gradient_compiled_for_each_replica_is_the_same(
    one, num_parts, tmp_path
):
    _assert_equal(one, _train(2, num_parts, tmp_path, "gradient"))


@pytest.mark.parametrize(
    ("objective", "term"),
    [
        ("distillation", "cosine_loss"),
        ("transformer_distillation", "attention_loss"),
    ],
)
def test_a_student_on_two_replicas_is_that_of_one(tmp_path, objective, term):
    teacher_dir = taught.write_teacher(tmp_path)
    options = ("nothing", "bert_adam", objective, teacher_dir)
    alone = _train(1, 1, tmp_path, *options)
    assert f"train {term}" in alone
    _assert_equal(alone, _train(2, 2, tmp_path, *options))


def test_muon_on_two_replicas_gives_the_result_of_one(tmp_path):
    alone = _train(1, 1, tmp_path, "nothing", "muon")
    assert [name for name in alone if name.endswith("/muon_m")]
    _assert_equal(alone, _train(2, 1, tmp_path, "gradient", "muon"))


@pytest.mark.parametrize("objective", ["span_boundary", "left_to_right"])
def test_other_objectives_on_two_replicas_give_the_result_of_one(
    objective, tmp_path
):
    options = ("nothing", "bert_adam", objective)
    one, other = (_train(n, 2, tmp_path, *options) for n in (1, 2))
    _assert_equal_weights(one, other)
    for name in one:
        if name.startswith(("train ", "eval ")):
            np.testing.assert_allclose(one[name], other[name], rtol=1e-5)


def test_tokens_are_replaced_alike_on_two_replicas_and_in_parts(tmp_path):
    options = ("gradient", "bert_adam", "replaced_token")
    alone = _train(1, 1, tmp_path, *options)
    assert [name for name in alone if name.startswith("weight generator/")]
    # Of wrong samples there are many; one that differed would be seen.
    assert alone["train replaced_rate"][0] > 100
    _assert_equal(alone, _train(2, 2, tmp_path, *options))


@pytest.mark.parametrize(
    "how", ["nothing", pytest.param("gradient", marks=pytest.mark.slow)]
)
def test_two_workers_give_the_result_of_one(one, how, tmp_path):
    for worker in _train_workers(2, 2, tmp_path, how):
        _assert_equal(one, worker)


def test_clipping_was_active(one):
    norm, num_steps = one["train gradient_norm"]
    assert norm / num_steps > 1.0


def test_the_step_of_a_broken_batch_was_skipped(one):
    assert tuple(one["train skipped_steps"]) == (1, 11)
    assert one["train gradient_norm"][1] == 10
    assert one["slot loss_scale"] == 2.0**14
    assert one["slot loss_scale_good_steps"] == 6

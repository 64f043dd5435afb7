"""A batch in parts is the batch; a step that overflows is no step."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from training import compilation, gradients, loss_scale, optimizer, step
from training.objective import Term

_NUM_FEATURES = 3


def _batches(num_steps, size=8, seed=0):
    """Rows of uneven weights, as sequences have uneven numbers of masks."""
    rng = np.random.default_rng(seed)
    return [
        {
            "x": rng.normal(size=(size, _NUM_FEATURES)).astype(np.float32),
            "y": rng.normal(size=size).astype(np.float32),
            "weight": rng.integers(0, 5, size).astype(np.float32),
        }
        for _ in range(num_steps)
    ]


class _Regression:
    """A weighted mean of squares, a plain mean, and a term not in the loss."""

    term_names = ("weighted", "plain", "only_told")

    def __init__(self, dtype="float32"):
        self.dtype = dtype
        self.saved = [
            keras.Variable(
                np.ones(_NUM_FEATURES), dtype="float32", name="kernel"
            ),
            keras.Variable(0.5, dtype="float32", name="bias"),
            keras.Variable(1.0, dtype="float32", name="unused"),
        ]

    def compute_terms(self, batch, dropout_seed):
        kernel, bias, _ = (tf.cast(v.value, self.dtype) for v in self.saved)
        x = tf.cast(batch["x"], self.dtype)
        y = tf.cast(tf.linalg.matvec(x, kernel) + bias, "float32")
        error = tf.square(y - batch["y"])
        weights = batch["weight"]
        size = tf.cast(tf.shape(error)[0], "float32")
        return {
            "weighted": Term(
                tf.reduce_sum(weights * error),
                tf.reduce_sum(weights),
                in_loss=True,
                epsilon=1e-5,
            ),
            "plain": Term(tf.reduce_sum(error), size, in_loss=True, weight=3.0),
            "only_told": Term(tf.reduce_sum(y * y), size),
        }


class _Run:
    def __init__(self, *, dtype="float32", jit_compile=False, **settings):
        devices = tf.distribute.get_strategy()
        self.objective = _Regression(dtype)
        self.adam = optimizer.AdamWeightDecay(1e-2)
        self.adam.build(self.objective.saved)
        self.totals = step.Totals(
            (*self.objective.term_names, *step.STEP_TERMS)
        )
        self.run_steps = step.make_run_steps(
            devices,
            step.make_train_step(
                devices,
                self.objective.compute_terms,
                self.adam,
                self.objective.saved,
                self.totals,
                seed=1,
                **settings,
            ),
            self.totals,
            compile_step=compilation.whole
            if jit_compile
            else compilation.nothing,
        )

    def train(self, batches):
        """Runs a step on each batch; returns the sums."""
        dataset = tf.data.Dataset.from_tensor_slices(
            {name: np.stack([b[name] for b in batches]) for name in batches[0]}
        )
        self.run_steps(iter(dataset), tf.constant(len(batches), tf.int64))
        return self.totals.read()

    def state(self):
        slots = self.adam.slots().values()
        return [v.numpy() for v in (*self.objective.saved, *slots)]


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("num_parts", [2, 8])
def test_parts_give_the_weights_and_sums_of_the_whole(num_parts, jit_compile):
    whole = _Run()
    parts = _Run(num_parts=num_parts, jit_compile=jit_compile)
    batches = _batches(20)
    wanted, found = whole.train(batches), parts.train(batches)
    for ours, theirs in zip(parts.state(), whole.state(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)
    for name in wanted:
        assert found[name] == pytest.approx(wanted[name], rel=1e-5), name


def test_the_mean_over_parts_would_be_another_number():
    batch = _batches(1)[0]
    halves = [{k: v[i : i + 4] for k, v in batch.items()} for i in (0, 4)]
    terms = _Regression().compute_terms
    means = [
        float(t.numerator / t.denominator)
        for t in (terms(b, None)["weighted"] for b in (batch, *halves))
    ]
    assert abs(means[0] - (means[1] + means[2]) / 2) > 0.01


@pytest.mark.parametrize("num_parts", [1, 2])
def test_a_term_counts_as_often_as_its_weight_says(num_parts):
    objective, batch = _Regression(), _batches(1)[0]
    tensors = {name: tf.constant(value) for name, value in batch.items()}
    found, trained, _ = gradients.compute(
        objective.compute_terms,
        tensors,
        objective.saved,
        make_seed=lambda part: tf.constant(0),
        num_parts=num_parts,
    )
    error = batch["x"].sum(axis=1) + 0.5 - batch["y"]
    share = batch["weight"] / batch["weight"].sum() + 3 / len(error)
    wanted = 2 * (share * error) @ batch["x"], 2 * share @ error
    for ours, theirs in zip(found, wanted, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)
    assert len(trained) == 2


def test_a_variable_outside_of_the_loss_is_left_alone():
    run = _Run(num_parts=2)
    run.train(_batches(3))
    assert run.objective.saved[2].numpy() == 1.0


def test_every_part_of_every_step_has_a_seed_of_its_own():
    run = _Run(num_parts=4)
    seen = []

    def compute_terms(batch, dropout_seed):
        if dropout_seed is not None:
            seen.append(int(dropout_seed))
        return _Regression.compute_terms(run.objective, batch, None)

    train_step = step.make_train_step(
        tf.distribute.get_strategy(),
        compute_terms,
        run.adam,
        run.objective.saved,
        run.totals,
        seed=1,
        num_parts=4,
    )
    for batch in _batches(3):
        train_step({k: tf.constant(v) for k, v in batch.items()})
    assert len(set(seen)) == len(seen) == 12


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e30])
@pytest.mark.parametrize(
    "settings", [{}, {"num_parts": 2}, {"clip_norm": 0.0}], ids=str
)
def test_a_step_that_overflows_is_skipped_and_counted(settings, bad):
    batches = _batches(5)
    clean = _Run(**settings)
    sums = clean.train(batches[:2])
    run = _Run(**settings)
    broken = {k: v.copy() for k, v in batches[2].items()}
    broken["x"][7, 0] = bad
    found = run.train([*batches[:2], broken])
    assert all(map(np.array_equal, run.state(), clean.state()))
    assert int(run.adam.iterations) == 3
    assert found["skipped_steps"] == (1.0, 3.0)
    # What is told is of the good steps.
    assert {**found, "skipped_steps": 0} == {**sums, "skipped_steps": 0}
    run.train(batches[3:])
    assert all(np.isfinite(value).all() for value in run.state())


def test_the_largest_norm_is_a_setting():
    for clip_norm, wanted in ((0.1, 0.1), (0.0, None), (1e9, None)):
        run = _Run(clip_norm=clip_norm)
        norm = run.train(_batches(1))["gradient_norm"][0]
        assert norm > 1
        m = [v.numpy() for k, v in run.adam.slots().items() if "_m" in k]
        applied = 10 * np.sqrt(sum(np.square(x).sum() for x in m))
        assert applied == pytest.approx(wanted or norm, rel=1e-5)


def _scaled_run(**settings):
    scale = loss_scale.LossScale()
    return _Run(loss_scale=scale, **settings), scale


@pytest.mark.parametrize("num_parts", [1, 2])
def test_a_loss_scale_changes_no_weight(num_parts):
    plain = _Run(num_parts=num_parts)
    scaled, _ = _scaled_run(num_parts=num_parts)
    batches = _batches(5)
    assert plain.train(batches) == scaled.train(batches)
    # A power of two: not one bit.
    assert all(map(np.array_equal, plain.state(), scaled.state()))


def test_the_scale_is_halved_by_an_overflow_and_doubled_in_time():
    run, scale = _scaled_run()
    good, broken = _batches(2)
    broken["x"][0, 0] = np.inf
    run.train([good, broken, broken])
    assert scale.scale.numpy() == 2.0**13
    scale.good_steps.assign(1998.0)
    run.train([good])
    assert scale.scale.numpy() == 2.0**13
    run.train([good])
    assert scale.scale.numpy() == 2.0**14
    assert scale.good_steps.numpy() == 0
    scale.scale.assign(1.0)
    run.train([broken])
    assert scale.scale.numpy() == 1.0


def test_float16_finds_its_scale_and_learns():
    run, scale = _scaled_run(dtype="float16")
    batch = _batches(1)[0]
    # Too large for float16 times the first scale.
    batch["y"] *= 100
    sums = run.train([batch] * 40)
    num_skipped, num_steps = sums["skipped_steps"]
    assert 0 < num_skipped < num_steps / 2
    assert scale.scale.numpy() == 2.0 ** (15 - num_skipped)
    first, last = (run.train([batch] * n)["plain"] for n in (1, 200))
    assert last[0] / last[1] < first[0] / first[1]


def test_the_scale_is_saved_by_name():
    assert loss_scale.LossScale().variables().keys() == {
        "loss_scale",
        "loss_scale_good_steps",
    }

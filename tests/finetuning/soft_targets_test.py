"""The losses of a student equal their formulas, by SciPy and each program."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import special

from finetuning import soft_targets
from finetuning.classification import kinds
from tests.finetuning import trained

_TEMPERATURES = (0.5, 1.0, 2.0, 7.0)


def _logits(*shape):
    rng = np.random.default_rng(sum(shape))
    pair = rng.normal(0, 3, (2, *shape)).astype(np.float32)
    return pair[0], pair[1]


def _divergence(teacher, student, temperature):
    p, q = (special.softmax(x / temperature, -1) for x in (teacher, student))
    return temperature**2 * special.rel_entr(p, q).sum(-1)


@pytest.mark.parametrize("temperature", _TEMPERATURES)
def test_a_divergence_is_scipys(temperature):
    teacher, student = _logits(5, 4)
    found = soft_targets.divergence(teacher, student, temperature)
    wanted = _divergence(teacher, student, temperature)
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(
        soft_targets.divergence(teacher, teacher + 3, temperature), 0, atol=1e-4
    )


@pytest.mark.parametrize("temperature", _TEMPERATURES)
def test_the_gradient_is_the_difference_of_the_soft_answers(temperature):
    """Hinton et al. 2015, section 2.1, times T^2."""
    teacher, student = _logits(5, 4)
    variable = tf.Variable(student)
    with tf.GradientTape() as tape:
        apart = soft_targets.divergence(teacher, variable, temperature)
    wanted = special.softmax(student / temperature, -1)
    wanted -= special.softmax(teacher / temperature, -1)
    np.testing.assert_allclose(
        tape.gradient(apart, variable), temperature * wanted, atol=1e-5
    )


@pytest.mark.parametrize("temperature", _TEMPERATURES)
def test_labels_that_are_yes_or_no_are_distributions_of_two(temperature):
    teacher, student = _logits(5, 3)
    p, q = (special.expit(x / temperature) for x in (teacher, student))
    wanted = special.rel_entr(p, q) + special.rel_entr(1 - p, 1 - q)
    found = soft_targets.binary_divergence(teacher, student, temperature)
    np.testing.assert_allclose(
        found, temperature**2 * wanted.mean(-1), rtol=1e-4, atol=1e-5
    )


def test_each_kind_of_label_has_its_distance():
    teacher, student = _logits(6, 2)
    of_labels = _divergence(teacher, student, 2.0)
    pairs = np.stack([[teacher, student], np.zeros((2, 6, 2))], axis=-1)
    wanted = {
        "one_label": of_labels,
        "choice": of_labels,
        "multi_label": _divergence(*pairs, 2.0).mean(-1),
        "regression": (teacher - student)[:, 0] ** 2,
    }
    assert wanted.keys() == kinds.KINDS.keys()
    for name, kind in kinds.KINDS.items():
        found = kind.distances(teacher, student, 2.0)
        np.testing.assert_allclose(found, wanted[name], rtol=1e-4, atol=1e-5)


def _task(program, directory):
    trained.write_inputs(directory)
    config = trained.config_of(program, directory, "output", do_train=True)
    return trained.task_of(program)(config)


def test_words_count_alike_and_what_is_no_word_not_at_all(tmp_path):
    made = _task(trained.NER, tmp_path)
    teacher, student = _logits(3, 5, 4)
    words = np.zeros((3, 5), np.float32)
    words[0, 1:4] = words[2, 2] = 1
    term = made.distill(
        {"logits": tf.constant(student)},
        {"logits": tf.constant(teacher)},
        {"label_weights": tf.constant(words)},
        2.0,
    )
    wanted = (words * _divergence(teacher, student, 2.0)).sum()
    np.testing.assert_allclose(term.numerator, wanted, rtol=1e-4)
    assert float(term.denominator) == 4 and term.in_loss


def test_both_ends_of_an_answer_count_over_the_real_tokens(tmp_path):
    made = _task(trained.SQUAD, tmp_path)
    pairs = [_logits(3, 6), _logits(3, 6)[::-1]]
    names = ("start_logits", "end_logits")
    taught, outputs = (
        {
            name: tf.constant(pair[n])
            for name, pair in zip(names, pairs, strict=True)
        }
        for n in (0, 1)
    )
    lengths = (6, 4, 0)  # The last row fills up a batch.
    mask = np.arange(6) < np.array(lengths)[:, None]
    batch = {"input_mask": tf.constant(mask.astype(np.int32))}
    term = made.distill(outputs, taught, batch, 2.0)
    wanted = sum(
        _divergence(teacher[row, :length], student[row, :length], 2.0) / 2
        for teacher, student in pairs
        for row, length in enumerate(lengths[:2])
    )
    np.testing.assert_allclose(term.numerator, wanted, rtol=1e-4)
    assert float(term.denominator) == 2 and term.in_loss

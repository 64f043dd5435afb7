"""Runs that learn a teacher's layers: what they keep, and what they refuse."""

import numpy as np
import pytest
import tensorflow as tf

from interop import formats, tf1
from modeling import families
from pretraining import objectives
from pretraining.config import PretrainingConfig
from tests import tiny
from tests.pretraining import taught

_OBJECTIVE = "transformer_distillation"


@pytest.fixture
def job(tmp_path):
    student = tiny.config(
        num_hidden_layers=2, hidden_size=16, intermediate_size=24
    )
    taught.write_job(tmp_path, student)
    return tmp_path


def objective(teacher_dir, student):
    config = PretrainingConfig(
        input_file="a",
        bert_config_file="b",
        output_dir="c",
        do_train=True,
        use_nsp=False,
        max_seq_length=tiny.NUM_TOKENS,
        objective=_OBJECTIVE,
        teacher_dir=teacher_dir,
    )
    return objectives.make(config, student, "none")


def test_a_run_goes_on_bit_for_bit_and_exports_the_student(job):
    teacher_dir = taught.write_teacher(job, num_hidden_layers=4)
    results = taught.run(
        job, "trained", teacher_dir, objective=_OBJECTIVE, do_eval=True
    )
    assert results["loss"] == pytest.approx(
        results["attention_loss"] + results["hidden_loss"]
    )
    wanted, found = taught.tensors_of_a_stopped_run(
        job, teacher_dir, objective=_OBJECTIVE
    )
    assert found.keys() == wanted.keys()
    for name, tensor in wanted.items():
        np.testing.assert_array_equal(found[name], tensor)
    assert wanted["fit_dense/kernel"].shape == (16, 32)
    # No layer of the teacher's, which has four.
    assert not [name for name in wanted if "layer_2" in name]
    exported = tf1.read(str(job / "trained/export"))
    assert exported.head == "encoder"
    assert exported.config.num_hidden_layers == 2
    for name, value in exported.values.items():
        np.testing.assert_array_equal(value, wanted[name])


@pytest.mark.parametrize("name", families.FAMILIES)
def test_a_student_that_is_its_teacher_has_nothing_to_learn(tmp_path, name):
    teacher_dir = taught.write_teacher(tmp_path, name)
    values = formats.read(teacher_dir).values
    student = objective(teacher_dir, tiny.config(name))
    for variable in student.exported:
        variable.assign(values[variable.path])
    student.fit_dense.kernel.assign(tf.eye(tiny.WIDTH))
    batch = tiny.batch(3)
    # As an evaluation is filled up: a row of padding counts nowhere.
    padded = {k: np.concatenate([x, 0 * x[:1]]) for k, x in batch.items()}
    for term in student.compute_terms(padded, None).values():
        assert abs(float(term.numerator)) < 1e-6
        assert float(term.denominator) == 3
    student.encoder.word_embeddings.assign(
        2 * student.encoder.word_embeddings.numpy()[::-1]
    )
    one, other = (student.compute_terms(x, None) for x in (batch, padded))
    for name, term in one.items():
        assert float(term.numerator) > 1e-3
        np.testing.assert_allclose(term[:2], other[name][:2], rtol=1e-5)


def test_fewer_layers_learn_what_they_learn_among_all(tmp_path):
    teacher_dir = taught.write_teacher(tmp_path, num_hidden_layers=4)
    student = objective(teacher_dir, tiny.config())
    lowest = student.compute_terms_of(1)
    before = lowest(tiny.batch(2), None)
    for variable in student.encoder.layers[1].weights:
        variable.assign(variable + 1.0)
    after = lowest(tiny.batch(2), None)
    for name, term in before.items():
        assert 0 < float(term.numerator) == float(after[name].numerator)
    few, many = (student.training_flops(16, 4, x) for x in (1, 2))
    assert few < many


@pytest.mark.parametrize(
    ("changes", "settings", "told"),
    [
        (
            {"num_hidden_layers": 3},
            {},
            "^--teacher_dir=.* has 3 layers, no multiple of the 2 of .*bert.js",
        ),
        (
            {"num_attention_heads": 2},
            {},
            "^--teacher_dir=.* has 2 attention heads, .*bert.json 4: their sc",
        ),
        ({"vocab_size": 90}, {}, "^--teacher_dir=.* has vocab_size=90, "),
        ({}, {"use_nsp": True}, "^--use_nsp: --objective=transformer_dist"),
        (
            {},
            {"output_bias_init": "frequency"},
            "^--output_bias_init=frequency: --objective=transformer_dist",
        ),
        ({}, {"alpha_ce": 1.0}, "^--alpha_ce=1.0 has no effect with --objec"),
    ],
)
def test_a_teacher_that_does_not_fit_is_refused(job, changes, settings, told):
    teacher_dir = taught.write_teacher(job, **changes)
    with pytest.raises(ValueError, match=told) as error:
        taught.run(
            job, "refused", teacher_dir, objective=_OBJECTIVE, **settings
        )
    assert "\n" not in str(error.value)
    assert not list((job / "refused").glob("model.ckpt*"))

"""Runs that learn from a teacher: what they keep, and what they refuse."""

import json
import pathlib

import numpy as np
import pytest

from interop import formats, tf1
from modeling import families
from pretraining import distillation, look, objectives, soft_targets
from pretraining.config import PretrainingConfig
from tests import tiny
from tests.pretraining import taught
from text import vocab

_WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


@pytest.fixture
def job(tmp_path):
    taught.write_job(tmp_path, tiny.config("distilbert", num_hidden_layers=1))
    return tmp_path


def objective(directory, student=None, **settings):
    config = PretrainingConfig(
        input_file="a",
        bert_config_file="b",
        output_dir="c",
        do_train=True,
        use_nsp=False,
        max_seq_length=tiny.NUM_TOKENS,
        objective="distillation",
        **{"teacher_dir": str(directory)} | settings,
    )
    return objectives.make(config, student or tiny.config(), "none")


def test_a_run_goes_on_bit_for_bit_and_exports_the_student(job, monkeypatch):
    # Three chunks of the logits of 4 x 16 tokens.
    monkeypatch.setattr(soft_targets, "_CHUNK_BYTES", 4 * 101 * 22)
    teacher_dir = taught.write_teacher(job)
    results = taught.run(job, "trained", teacher_dir, do_eval=True)
    trained = job / "trained"
    assert results["loss"] == pytest.approx(
        5 * results["distillation_loss"]
        + 2 * results["masked_lm_loss"]
        + results["cosine_loss"]
    )
    wanted, found = taught.tensors_of_a_stopped_run(job, teacher_dir)
    assert found.keys() == wanted.keys()
    for name, tensor in wanted.items():
        np.testing.assert_array_equal(found[name], tensor)
    # The teacher is of the scope bert/.
    assert not [name for name in wanted if name.startswith("bert/")]
    exported = tf1.read(str(trained / "export"))
    assert exported.head == "masked_lm"
    for name, value in exported.values.items():
        np.testing.assert_array_equal(value, wanted[name])


def test_a_student_that_is_its_teacher_has_nothing_to_learn_of_it(tmp_path):
    teacher_dir = taught.write_teacher(tmp_path)
    values = formats.read(teacher_dir).values
    student = objective(teacher_dir, alpha_mlm=0.0)
    for variable in student.saved:
        variable.assign(values[variable.path])
    terms = student.compute_terms(tiny.batch(3), None)
    for name in (distillation.SOFT_TARGETS, distillation.COSINE):
        assert abs(float(terms[name].numerator)) < 1e-4
        assert (
            float(terms[name].denominator) == tiny.batch(3)["input_mask"].sum()
        )
    assert float(terms["masked_lm_loss"].numerator) > 1
    assert student.loss_weights["masked_lm_loss"] == 0


def test_what_has_no_weight_is_not_computed(tmp_path):
    teacher_dir = taught.write_teacher(tmp_path)
    both = objective(teacher_dir)
    neither = objective(teacher_dir, alpha_ce=0.0, alpha_cos=0.0)
    assert neither.term_names == ("masked_lm_loss", "masked_lm_accuracy")
    terms = neither.compute_terms(tiny.batch(2), None)
    assert tuple(terms) == neither.term_names
    few, many = (x.training_flops(16, 4) for x in (neither, both))
    # 3 times the student's head and once the teacher's, at 16 tokens.
    head = 2 * 16 * (tiny.WIDTH + tiny.VOCAB_SIZE) * tiny.WIDTH
    assert many - few == 4 * head
    masked = objective(teacher_dir, restrict_ce_to_mask=True)
    assert masked.training_flops(16, 4) - few == head


@pytest.mark.parametrize(
    ("changes", "settings", "told"),
    [
        (
            {"vocab_size": 90},
            {},
            "^--teacher_dir=.* has vocab_size=90, .*bert.json 101: teacher",
        ),
        (
            {"max_position_embeddings": 12},
            {},
            "^--max_seq_length=16 is more than the 12 positions of --teacher",
        ),
        (
            {"hidden_size": 64},
            {},
            r"^--alpha_cos=1 compares .* are 64 wide and the student's 32: set",
        ),
        (
            {"model_type": "roberta"},
            {},
            "^--teacher_dir=.* of the family roberta, the student of distilb",
        ),
    ],
)
def test_a_teacher_that_does_not_fit_is_refused(job, changes, settings, told):
    teacher_dir = taught.write_teacher(job, **changes)
    with pytest.raises(ValueError, match=told) as error:
        taught.run(job, "refused", teacher_dir, **settings)
    assert "\n" not in str(error.value)
    assert not list((job / "refused").glob("model.ckpt*"))


def test_a_teacher_without_a_head_of_masked_words_is_refused(job):
    whole = formats.read(taught.write_teacher(job))
    encoder = {k: x for k, x in whole.values.items() if k[:5] == "bert/"}
    path = str(job / "bare")
    tf1.export(
        path, type(whole)(config=whole.config, head="encoder", values=encoder)
    )
    with pytest.raises(
        ValueError, match="^--teacher_dir=.* the head encoder, and"
    ):
        taught.run(job, "refused", path)
    with pytest.raises(ValueError, match="^--teacher_dir=.*none: neither the"):
        taught.run(job, "refused", str(job / "none"))


def test_flags_that_lack_a_teacher_or_have_no_use_for_one_are_refused():
    flags = {
        "input_file": "a",
        "bert_config_file": "configs/bert_tiny.json",
        "output_dir": "c",
        "do_train": True,
    }
    with pytest.raises(ValueError, match="=distillation needs --teacher_dir"):
        PretrainingConfig(objective="distillation", **flags)
    with pytest.raises(ValueError, match="^--teacher_dir=x has no effect"):
        PretrainingConfig(teacher_dir="x", **flags)
    with pytest.raises(ValueError, match="^--alpha_ce=1.0 has no effect with"):
        PretrainingConfig(alpha_ce=1.0, **flags)
    config = PretrainingConfig(
        objective="distillation", teacher_dir="/nowhere/x", **flags
    )
    with pytest.raises(ValueError, match="^--teacher_dir=/nowhere/x: neither"):
        look.at_files(config)


def test_a_teacher_of_another_vocabulary_is_refused(tmp_path):
    rows = [*_WORDS, *(f"w{i}" for i in range(96))]
    text = "\n".join(rows).encode()
    teacher_dir = taught.write_teacher(
        tmp_path, tokenizer={vocab.FILE: text + b"\n"}
    )
    made = objective(teacher_dir)
    # Without the last line end it has another hash and the same rows.
    ours = vocab.parse(text, "vocab.txt")
    same = vocab.parse(text + b"\n", "vocab.txt")
    assert ours.sha256 != same.sha256
    made.check_vocabulary(ours, {ours.sha256})
    made.check_vocabulary(None, {same.sha256})
    made.check_vocabulary(None, set())
    other = vocab.parse("\n".join(rows[::-1]).encode(), "vocab.txt")
    for known in ((other, {other.sha256}), (None, {other.sha256})):
        with pytest.raises(
            ValueError, match="^--teacher_dir=.* has the sha256"
        ):
            made.check_vocabulary(*known)


def test_a_teacher_that_sees_to_the_left_alone_teaches_no_masked_words(job):
    teacher_dir = taught.write_teacher(job)
    path = pathlib.Path(teacher_dir, "bert_config.json")
    keys = json.loads(path.read_text()) | {"is_decoder": True}
    path.write_text(json.dumps(keys))
    told = "^--teacher_dir=.* has is_decoder=True, .*bert.json False: one of"
    with pytest.raises(ValueError, match=told):
        taught.run(job, "refused", teacher_dir)


@pytest.mark.parametrize("name", families.FAMILIES)
def test_every_family_teaches_and_learns(tmp_path, name):
    teacher_dir = taught.write_teacher(tmp_path, name)
    made = objective(teacher_dir, student=tiny.config(name))
    terms = made.compute_terms(tiny.batch(2), None)
    assert float(terms[distillation.SOFT_TARGETS].numerator) > 0.1

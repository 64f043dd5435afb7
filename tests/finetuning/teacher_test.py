"""A run with a teacher: what it learns, resumes, and refuses."""

import json
import random
import shutil

import numpy as np
import pytest
import tensorflow as tf

import run_classifier
from finetuning.classification import soft_labels, task
from tests import tiny
from tests.finetuning import trained
from tests.finetuning.classification import tiny_classifier

_GOOD, _BAD = ("good", "fine"), ("bad", "poor")
_SIZES = {"train": 96, "dev": 40}


pytestmark = pytest.mark.usefixtures("uncompiled")


def _rows(rng, size, is_true):
    """Returns rows of a label and a text, true or drawn without reading."""
    for _ in range(size):
        label = rng.choice(["neg", "pos"])
        of_text = label if is_true else rng.choice(["neg", "pos"])
        words = _GOOD if of_text == "pos" else _BAD
        things = " ".join(
            rng.choices(["film", "food", "a"], k=rng.randint(1, 5))
        )
        yield label, f"the {things} {rng.choice(words)}"


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    """Texts with true and with false labels, and a teacher of the true ones.

    The teacher is a wider model with another vocabulary.
    """
    path = tmp_path_factory.mktemp("taught")
    tiny_classifier.write_model(path)
    for is_true, kind in ((True, "true"), (False, "false")):
        rng = random.Random(1)
        for name, size in _SIZES.items():
            rows = [("label", "text"), *_rows(rng, size, is_true)]
            tiny_classifier.write_lines(path / f"{kind}_{name}.tsv", rows)
    other = path / "other"
    other.mkdir()
    lines = (path / "vocab.txt").read_text().splitlines()
    (other / "vocab.txt").write_text("\n".join(lines[:5] + lines[:4:-1]))
    (other / "bert.json").write_text(
        json.dumps(tiny.CONFIG | {"hidden_size": 48, "num_attention_heads": 4})
    )
    results = _run(
        path,
        "teacher",
        bert_config_file=str(other / "bert.json"),
        vocab_file=str(other / "vocab.txt"),
        train_file=str(path / "true_train.tsv"),
        predict_file=str(path / "false_train.tsv"),
        do_predict=True,
        predict_batch_size=16,
    )
    assert results["eval_accuracy"] > 0.95
    return path


def _run(directory, output, **changes):
    defaults = {
        "output_dir": str(directory / output),
        "train_file": str(directory / "false_train.tsv"),
        "eval_file": str(directory / "true_dev.tsv"),
        "do_train": True,
        "do_eval": True,
        "num_train_epochs": 10.0,
        "save_checkpoints_steps": 7,
        "iterations_per_loop": 1,
    }
    return task.run(tiny_classifier.settings(directory, **defaults | changes))


@pytest.fixture(scope="module")
def taught(directory):
    return _run(
        directory,
        "student",
        teacher_dir=str(directory / "teacher"),
        distillation_share=1.0,
    )


def _weights(folder):
    reader = tf.train.load_checkpoint(str(folder / "model.ckpt-60"))
    names = reader.get_variable_to_shape_map()
    return {name: reader.get_tensor(name) for name in sorted(names)}


def _assert_same_weights(one, other):
    one, other = _weights(one), _weights(other)
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_array_equal(one[name], other[name], name)


def _metrics(folder):
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    return [row for row in rows if "distillation_loss" in row]


def test_a_student_learns_from_its_teacher_and_not_from_labels(
    directory, taught
):
    """The labels of its rows were drawn without a look at the texts."""
    assert taught["eval_accuracy"] > 0.95
    first, *_, last = _metrics(directory / "student")
    assert last["distillation_loss"] < 0.3 * first["distillation_loss"]
    assert last["loss"] == pytest.approx(last["distillation_loss"])
    assert last["label_loss"] > 0.4
    alone = _run(directory, "alone")
    assert alone["eval_accuracy"] < 0.8


def test_the_loss_is_the_shares_of_both_and_is_not_that_of_evaluations(
    directory,
):
    found = _run(
        directory,
        "shared",
        teacher_dir=str(directory / "teacher"),
        distillation_share=0.25,
    )
    for row in _metrics(directory / "shared"):
        assert row["loss"] == pytest.approx(
            0.75 * row["label_loss"] + 0.25 * row["distillation_loss"]
        )
    # The directory is used as any other, without its teacher.
    again = _run(directory, "shared", do_train=False)
    assert again == found
    assert found.keys() == _run(directory, "alone").keys()


def test_a_run_that_was_cut_off_ends_with_the_same_weights(directory, taught):
    output = directory / "resumed"
    shutil.copytree(directory / "student", output)
    for path in output.glob("model.ckpt-60*"):
        path.unlink()
    found = _run(
        directory,
        "resumed",
        teacher_dir=str(directory / "teacher"),
        distillation_share=1.0,
    )
    assert found == taught
    _assert_same_weights(directory / "student", output)


def test_a_file_of_soft_labels_teaches_what_its_writer_teaches(
    directory, taught
):
    found = _run(
        directory,
        "from_file",
        soft_labels=str(directory / "teacher" / soft_labels.NAME),
        distillation_share=1.0,
    )
    assert found == taught
    _assert_same_weights(directory / "student", directory / "from_file")


def test_a_run_that_goes_on_with_another_teacher_says_so(
    directory, taught, caplog
):
    output = directory / "changed"
    shutil.copytree(directory / "student", output)
    other = directory / "another"
    shutil.copytree(directory / "teacher", other)
    for path in other.glob("model.ckpt-60*"):
        path.unlink()
    _run(directory, "changed", teacher_dir=str(other), distillation_share=1.0)
    assert "--teacher_dir was" in caplog.text
    assert "the training rows are others" in caplog.text


def _soft_lines(directory):
    path = directory / "teacher" / soft_labels.NAME
    return path.read_text().splitlines()


def _swapped(lines):
    return [lines[0], lines[2], lines[1], *lines[3:]]


_SPOILED = {
    "other rows": (lambda lines: lines[:-1], "has 95 rows, and there are 96"),
    "order": (_swapped, "line 2: it is of other texts than"),
    "labels": (
        lambda lines: ["texts\tpos\tneg", *lines[1:]],
        "has the columns texts, pos, neg; wanted are texts, neg, pos",
    ),
    "no number": (
        lambda lines: [lines[0], lines[1][:17] + "1.5\tx", *lines[2:]],
        "line 2: 2 finite numbers are wanted",
    ),
    "not finite": (
        lambda lines: [lines[0], lines[1][:17] + "1.5\tnan", *lines[2:]],
        "line 2: 2 finite numbers are wanted",
    ),
    "too few": (
        lambda lines: [lines[0], lines[1][:17] + "1.5", *lines[2:]],
        "line 2: 2 finite numbers are wanted",
    ),
}


@pytest.mark.parametrize("name", _SPOILED)
def test_soft_labels_of_anything_else_are_refused(directory, name, tmp_path):
    spoil, said = _SPOILED[name]
    path = tmp_path / "soft.tsv"
    tiny_classifier.write_lines(path, spoil(_soft_lines(directory)))
    with pytest.raises(ValueError) as caught:
        _run(directory, f"refused_{name}", soft_labels=str(path))
    assert f"--soft_labels={path}" in str(caught.value)
    assert said in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"labels": "pos,neg"}, "has the labels neg, pos, and this training"),
        ({"multi_label": True}, "is of the kind one_label, and this training"),
    ],
)
def test_a_teacher_of_other_answers_is_refused(directory, changes, said):
    teacher = str(directory / "teacher")
    with pytest.raises(ValueError, match=said) as caught:
        _run(directory, "refused", teacher_dir=teacher, **changes)
    assert f"--teacher_dir={teacher} " in str(caught.value)


def test_flags_that_need_a_teacher_say_so(directory):
    for name in ("distillation_temperature", "distillation_share"):
        with pytest.raises(ValueError, match=f"--{name} needs --teacher_dir"):
            tiny_classifier.settings(directory, **{name: 1.0})
    with pytest.raises(ValueError, match="are both a teacher"):
        tiny_classifier.settings(directory, teacher_dir="a", soft_labels="b")
    with pytest.raises(ValueError, match="output/ is --output_dir, where"):
        tiny_classifier.settings(
            directory, teacher_dir=str(directory / "output") + "/"
        )
    numbers = tiny_classifier.settings(
        directory,
        teacher_dir="a",
        regression=True,
        distillation_temperature=3.0,
    )
    with pytest.raises(ValueError, match="temperature is for labels"):
        task.Classification(numbers)
    with pytest.raises(ValueError, match="wants --ner_head=softmax, not crf"):
        trained.config_of(
            trained.NER, directory, "x", teacher_dir="a", ner_head="crf"
        )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"teacher_dir": "nowhere"}, "--teacher_dir=nowhere has no settings"),
        ({"soft_labels": "nowhere"}, "--soft_labels"),
    ],
)
def test_a_teacher_that_is_not_there_is_known_at_once(directory, changes, said):
    config = tiny_classifier.settings(
        directory,
        train_file=str(directory / "true_train.tsv"),
        do_train=True,
        **changes,
    )
    with pytest.raises(ValueError, match=said):
        run_classifier.run(config)

"""A student of its teacher's layers: what it learns, resumes, and refuses."""

import json
import random
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf

from finetuning import preflight, teacher
from finetuning.answering import Answerer
from finetuning.classification import task
from finetuning.layer_student import LayerStudent
from finetuning.task import Split
from tests import tiny
from tests.finetuning.classification import tiny_classifier
from training import checkpoint

_WORDS = {"pos": ("good", "fine"), "neg": ("bad", "poor")}
_HEADS = tiny.CONFIG["num_attention_heads"]


pytestmark = pytest.mark.usefixtures("uncompiled")


def _lines(size):
    rng = random.Random(size)
    yield "label", "text"
    for _ in range(size):
        label = rng.choice(["neg", "pos"])
        things = rng.choices(["film", "food", "a"], k=rng.randint(1, 5))
        yield label, " ".join(["the", *things, rng.choice(_WORDS[label])])


def _config(directory, output, **changes):
    return tiny_classifier.settings(
        directory,
        **{
            "output_dir": str(directory / output),
            "train_file": str(directory / "train.tsv"),
            "eval_file": str(directory / "dev.tsv"),
            "do_train": True,
            "num_train_epochs": 10.0,
            "save_checkpoints_steps": 7,
            "iterations_per_loop": 1,
        }
        | changes,
    )


def _shape(directory, name, **changes):
    path = directory / f"{name}.json"
    path.write_text(json.dumps(tiny.CONFIG | changes))
    return str(path)


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    """Texts, a teacher that is wider and twice as deep, and its student."""
    path = tmp_path_factory.mktemp("layers")
    tiny_classifier.write_model(path)
    for name, size in (("train", 96), ("dev", 40)):
        tiny_classifier.write_lines(path / f"{name}.tsv", _lines(size))
    wide = _shape(path, "wide", num_hidden_layers=2, hidden_size=_HEADS * 12)
    taught = _config(path, "teacher", bert_config_file=wide, do_eval=True)
    assert task.run(taught)["eval_accuracy"] > 0.95
    _learn(path, "student")
    return path


def _learn(directory, output, **changes):
    return task.run(
        _config(
            directory,
            output,
            teacher_dir=str(directory / "teacher"),
            distillation_of="layers",
            **changes,
        )
    )


def _rows(folder):
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    return [row for row in map(json.loads, lines) if "hidden_loss" in row]


def test_what_layers_do_is_learned_and_then_answers(directory):
    first, *_, last = _rows(directory / "student")
    for name in ("attention_loss", "hidden_loss"):
        assert last[name] < 0.7 * first[name], name
    assert last["loss"] == pytest.approx(
        last["attention_loss"] + last["hidden_loss"]
    )
    results = task.run(
        _config(
            directory,
            "answers",
            init_checkpoint=str(directory / "student"),
            teacher_dir=str(directory / "teacher"),
            distillation_share=1.0,
            do_eval=True,
        )
    )
    assert results["eval_accuracy"] > 0.95


def test_the_head_stays_and_the_teacher_is_not_saved(directory):
    reader = tf.train.load_checkpoint(
        str(directory / "student" / "model.ckpt-60")
    )
    shapes = reader.get_variable_to_shape_map()
    assert shapes["fit_dense/kernel"] == [
        tiny.CONFIG["hidden_size"],
        _HEADS * 12,
    ]
    assert not np.any(reader.get_tensor("output_bias"))
    others = {name for name in shapes if "layer_1" in name}
    assert not others  # The student has one layer, the teacher two.


def test_a_run_that_was_cut_off_ends_with_the_same_weights(directory):
    output = directory / "resumed"
    shutil.copytree(directory / "student", output)
    for path in output.glob("model.ckpt-60*"):
        path.unlink()
    _learn(directory, "resumed")
    one, other = (
        tf.train.load_checkpoint(str(directory / name / "model.ckpt-60"))
        for name in ("student", "resumed")
    )
    for name in one.get_variable_to_shape_map():
        np.testing.assert_array_equal(
            one.get_tensor(name), other.get_tensor(name), name
        )


def test_the_loss_is_pytorchs(directory, tmp_path):
    torch = pytest.importorskip("torch")
    pytest.importorskip("transformers")
    from tests.pretraining import tiny_bert_torch, torch_steps

    config = _config(
        directory,
        "reference",
        teacher_dir=str(directory / "teacher"),
        distillation_of="layers",
    )
    classification = task.Classification(config)
    examples = classification.read("train")[:8]
    rows = classification.make_rows("train", examples)
    shape = preflight.read_bert_config(config)
    student = LayerStudent.taught(
        config,
        shape,
        classification,
        Split("train", examples, rows),
        devices=tf.distribute.get_strategy(),
    )
    found = student.compute_terms(
        {name: tf.constant(value) for name, value in rows.items()}, None
    )
    ours = sum(x.numerator / x.denominator for x in found.values())
    taught = teacher.load(config, classification, tf.distribute.get_strategy())
    fit_dense = torch.nn.Linear(*student.fit_dense.kernel.shape)
    with torch.no_grad():
        for theirs, own in (
            (fit_dense.weight, keras.ops.transpose(student.fit_dense.kernel)),
            (fit_dense.bias, student.fit_dense.bias),
        ):
            theirs.copy_(torch.tensor(np.array(own)))
    loss = tiny_bert_torch.loss(
        _of_torch(torch_steps, tmp_path / "a", student),
        _of_torch(torch_steps, tmp_path / "b", taught),
        fit_dense,
        rows,
    )
    assert float(ours) == pytest.approx(float(loss), rel=1e-5)


def _of_torch(torch_steps, path, model):
    values = {
        name: x.numpy()
        for name, x in checkpoint.by_path(
            model.encoder.trainable_variables or model.encoder.weights
        ).items()
    }
    return torch_steps.model_of(
        path, model.architecture, values, "encoder"
    ).eval()


def test_it_cannot_answer_and_says_what_to_do(directory):
    with pytest.raises(ValueError, match="fine-tune from it, by"):
        Answerer.load(str(directory / "student"))


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ({"num_attention_heads": 2 * _HEADS}, "attention heads, "),
        ({"num_hidden_layers": 3}, "has 2 layers, no multiple of the 3 of"),
    ],
)
def test_a_student_of_other_layers_is_refused(directory, shape, said):
    with pytest.raises(ValueError, match=said):
        _learn(
            directory,
            "refused",
            bert_config_file=_shape(directory, "other", **shape),
        )


def test_a_teacher_of_other_tokens_is_refused(directory):
    lines = (directory / "vocab.txt").read_text().splitlines()
    other = directory / "other_vocab.txt"
    other.write_text("\n".join(lines[:5] + lines[:4:-1]))
    with pytest.raises(ValueError, match="makes other tokens of the training"):
        _learn(directory, "refused", vocab_file=str(other))


@pytest.mark.parametrize(
    "flag",
    [
        {"do_eval": True},
        {"distillation_share": 0.7},
        {"keep_best": True},
        {"freeze_encoder": True},
    ],
)
def test_flags_of_answers_are_refused(directory, flag):
    (name,) = flag
    with pytest.raises(ValueError, match=f"--{name}: --distillation_of=layers"):
        _config(
            directory, "x", teacher_dir="a", distillation_of="layers", **flag
        )
    with pytest.raises(ValueError, match="_of needs --teacher_dir"):
        _config(directory, "x", distillation_of="layers")

"""Each program has teachers and students."""

import json

import numpy as np
import pytest
from scipy import special

from finetuning.classification import soft_labels, task
from tests.finetuning import trained
from tests.finetuning.classification import tiny_classifier

pytestmark = pytest.mark.usefixtures("uncompiled")


def _metrics(folder):
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    return [row for row in rows if "distillation_loss" in row]


@pytest.fixture(scope="module")
def teachers(tmp_path_factory):
    """A folder with a teacher of each program, under its name."""
    path = tmp_path_factory.mktemp("teachers")
    trained.write_inputs(path)
    for program in trained.PROGRAMS:
        trained.run(program, path, program, do_train=True)
    return path


@pytest.mark.parametrize("program", trained.PROGRAMS)
def test_each_program_has_students(teachers, program):
    """The first step is at the rate 0, from the weights of the teacher."""
    teacher = teachers / program
    checkpoint = max(
        teacher.glob("model.ckpt-*.index"),
        key=lambda path: path.stat().st_mtime,
    )
    shape = json.loads((teachers / "bert.json").read_text())
    still = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    (teachers / "still.json").write_text(json.dumps(shape | still))
    trained.run(
        program,
        teachers,
        f"student_{program}",
        bert_config_file=str(teachers / "still.json"),
        init_checkpoint=str(checkpoint.with_suffix("")),
        teacher_dir=str(teacher),
        iterations_per_loop=1,
        learning_rate=1e-2,
        num_train_epochs=4.0,
        do_train=True,
        do_predict=True,
    )
    first, *_, last = _metrics(teachers / f"student_{program}")
    assert first["distillation_loss"] == pytest.approx(0, abs=1e-4)
    assert last["distillation_loss"] > 1e-3


@pytest.mark.parametrize("program", [trained.NER, trained.SQUAD])
def test_answers_at_tokens_want_the_same_tokens(teachers, program):
    with pytest.raises(ValueError, match="makes other tokens"):
        trained.run(
            program,
            teachers,
            f"other_tokens_{program}",
            teacher_dir=str(teachers / program),
            max_seq_length=15,
            do_train=True,
        )


def test_a_teacher_of_another_program_is_refused(teachers):
    teacher = str(teachers / trained.SQUAD)
    with pytest.raises(ValueError, match="a model of run_squad.py, and this"):
        trained.run(
            trained.CLASSIFIER,
            teachers,
            "other_program",
            teacher_dir=teacher,
            do_train=True,
        )


_TEXTS = ("good film", "bad film", "fine food", "poor food", "good food")
_KINDS = {
    "regression": (("0.5", "-1", "0.25", "-2", "1"), {"regression": True}),
    "multi_label": (("a", "", "a,b", "b", "a"), {"multi_label": True}),
    "choice": ("01010", {"choice_columns": "x,y"}),
}


@pytest.mark.parametrize("kind", _KINDS)
def test_each_kind_of_label_is_taught_by_its_teacher_and_by_its_file(
    tmp_path, kind
):
    labels, flags = _KINDS[kind]
    tiny_classifier.write_model(tmp_path)
    rows = [("text", "x", "y", "label")]
    rows += [
        (text, "good", "bad", label)
        for text, label in zip(_TEXTS, labels, strict=True)
    ]
    path = tiny_classifier.write_lines(tmp_path / "rows.tsv", rows)

    def run(output, **changes):
        settings = tiny_classifier.settings(
            tmp_path,
            output_dir=str(tmp_path / output),
            train_file=path,
            eval_file=path,
            predict_file=path,
            text_column="text",
            do_train=True,
            do_eval=True,
            train_batch_size=5,
            predict_batch_size=5,
            iterations_per_loop=1,
            **flags,
            **changes,
        )
        return task.run(settings)

    teacher = tmp_path / "teacher"
    run("teacher", do_predict=True, num_train_epochs=8.0)
    by_model = run("by_model", teacher_dir=str(teacher))
    soft = teacher / soft_labels.NAME
    assert run("by_file", soft_labels=str(soft)) == by_model
    assert by_model["eval_loss"] != run("alone")["eval_loss"]
    _, *lines = soft.read_text().splitlines()
    logits = np.array([line.split("\t")[1:] for line in lines], float)
    answers = np.loadtxt(teacher / "test_results.tsv", ndmin=2)
    wanted = {
        "regression": logits,
        "multi_label": special.expit(logits),
        "choice": special.softmax(logits, axis=1),
    }
    np.testing.assert_allclose(wanted[kind], answers, atol=1e-6)

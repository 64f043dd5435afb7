"""Fine-tuning says when it has learned nothing."""

import numpy as np
import pytest

from finetuning.classification import kinds, scores
from finetuning.classification import task as classification
from finetuning.question_answering import examples
from finetuning.question_answering import task as question_answering
from finetuning.tagging import sentences
from finetuning.tagging import task as tagging
from finetuning.task import Split
from tests.finetuning.classification import tiny_classifier
from training import compilation

_SENTENCE = sentences.Sentence(
    ("ann", "met"), ("B-PER", "O"), "ann met", (0, 4), "dev.txt", 1
)
_SYMPTOM = "HAS THE MODEL LEARNED NOTHING?"


def test_the_most_frequent_label_needs_no_reading():
    for kind in ("one_label", "choice"):
        assert kinds.KINDS[kind].most_frequent(np.array([2, 0, 2, 1])) == 2
    for kind in ("multi_label", "regression"):
        assert kinds.KINDS[kind].most_frequent(np.ones(3)) is None


def test_one_answer_for_all_is_no_answer():
    wanted = np.array([0, 1] * 10)
    assert scores.is_constant(np.ones(20), wanted)
    assert not scores.is_constant(np.r_[np.ones(19), 0], wanted)
    # It is the right one, or the rows are so few that it may be chance.
    assert not scores.is_constant(np.ones(20), np.ones(20))
    assert not scores.is_constant(np.ones(9), wanted[:9])


def test_numbers_that_hardly_differ_are_one():
    wanted = np.linspace(0, 5, 20)
    assert scores.is_constant(2.5 + wanted / 1000, wanted)
    assert not scores.is_constant(2.5 + wanted / 10, wanted)


def _classify(directory, dev):
    tiny_classifier.write_model(directory)
    train = [("text", "label")]
    train += [("good film", "pos"), ("bad film", "neg")] * 32
    tiny_classifier.write_lines(directory / "train.tsv", train)
    tiny_classifier.write_lines(
        directory / "dev.tsv", [("text", "label"), *dev]
    )
    return classification.run(
        tiny_classifier.settings(
            directory,
            data_dir=str(directory),
            do_train=True,
            do_eval=True,
            num_train_epochs=4.0,
        )
    )


def test_a_classifier_that_gives_one_label_says_so(
    tmp_path, monkeypatch, caplog
):
    monkeypatch.setattr(compilation, "choose", lambda *_: compilation.nothing)
    # One text: nobody can tell these rows apart.
    dev = [("the film", "pos")] * 12 + [("the film", "neg")] * 4
    results = _classify(tmp_path, dev)
    assert results["majority_accuracy"] == 0.75
    written = (tmp_path / "output" / "eval_results.txt").read_text()
    assert "majority_accuracy = 0.75\n" in written
    (said,) = [x for x in caplog.messages if _SYMPTOM in x]
    assert "all 16 rows get the same answer" in said


def test_a_classifier_that_has_learned_says_nothing(
    tmp_path, monkeypatch, caplog
):
    monkeypatch.setattr(compilation, "choose", lambda *_: compilation.nothing)
    dev = [("good film", "pos")] * 12 + [("bad film", "neg")] * 4
    results = _classify(tmp_path, dev)
    assert results["eval_accuracy"] > results["majority_accuracy"]
    assert _SYMPTOM not in caplog.text


@pytest.mark.parametrize("found", ["O", "B-PER"])
def test_a_tagger_that_finds_no_entity_says_so(found, monkeypatch):
    made = tagging.Tagging.__new__(tagging.Tagging)
    made._take_labels(["O", "B-PER", "I-PER"])
    split = Split("eval", [_SENTENCE], {})
    monkeypatch.setattr(made, "tags", lambda *_: [[found, "O"]], raising=False)
    symptom = made.symptom(split, {})
    assert symptom == ("no entity is found, and there are 1" * (found == "O"))


@pytest.mark.parametrize("text", ["", "gold"])
def test_questions_that_all_stay_without_an_answer_say_so(text, monkeypatch):
    made = question_answering.QuestionAnswering.__new__(
        question_answering.QuestionAnswering
    )
    asked = [
        examples.Example("1", "which", "gold", ("gold",)),
        examples.Example("2", "which", "zinc", is_impossible=True),
    ]
    monkeypatch.setattr(made, "find", lambda *_: None)
    monkeypatch.setattr(made, "choose", lambda _: [text, ""])
    symptom = made.symptom(Split("eval", asked, {}, None), {})
    wanted = "no question is answered, and 1 have an answer"
    assert symptom == wanted * (not text)

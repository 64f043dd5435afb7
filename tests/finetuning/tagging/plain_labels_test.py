"""Labels of words, such as parts of speech; and the labels of the flag."""

import pytest
from sklearn import metrics

from finetuning.tagging import labels
from tests.finetuning import tiny_task, trained

_NOUNS, _VERBS = ("w1", "w2", "w3"), ("w4", "w5", "w6")


@pytest.mark.parametrize(
    "names",
    [
        {"NN", "VV"},
        {"n", "v", "w", "B"},
        # A tag set with a tag of one of the letters, and one that has O.
        {"NOUN", "I-x", "VERB"} - {"I-x"},
        {"S", "NN"},
    ],
)
def test_labels_that_are_none_of_entities_are_of_words(names):
    scheme = labels.scheme_of(names)
    assert isinstance(scheme, labels.Plain)
    listed = scheme.order(names)
    assert listed == sorted(names)
    assert list(scheme.repair(listed)) == listed
    assert scheme.entities(listed) == [
        (name, n, n + 1) for n, name in enumerate(listed)
    ]
    assert scheme.rules(listed) is None


@pytest.mark.parametrize(
    "names", [{"O", "B-PER"}, {"B", "M", "E", "S"}, {"B-NN", "I-NN"}]
)
def test_labels_of_entities_and_of_a_segmentation_are_not(names):
    assert not isinstance(labels.scheme_of(names), labels.Plain)


def test_a_label_of_no_form_among_entities_is_still_refused():
    with pytest.raises(ValueError, match="label 'NN' is neither O nor of the"):
        labels.scheme_of({"O", "NN", "B-PER"})


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    path = tmp_path_factory.mktemp("words")
    tiny_task.write_inputs(path)
    lines = []
    for n in range(90):
        noun, verb = _NOUNS[n % 3], _VERBS[n // 3 % 3]
        lines += [f"{noun}\tNN", f"{verb}\tVV", ".\tPU", ""]
    text = "".join(f"{line}\n" for line in lines)
    for name in ("train", "dev", "test"):
        (path / f"{name}.txt").write_text(text)
    return path


def _run(directory, output, **changes):
    settings = {
        "train_file": None,
        "eval_file": None,
        "predict_file": None,
        "data_dir": str(directory),
        "train_batch_size": 8,
        "learning_rate": 1e-2,
        "num_train_epochs": 2.0,
        "optimizer": "adamw",
    }
    return trained.run(trained.NER, directory, output, **settings | changes)


@pytest.mark.parametrize("head", ["softmax", "crf"])
def test_parts_of_speech_are_learned_and_scored_word_by_word(directory, head):
    found = _run(
        directory,
        head,
        ner_head=head,
        do_train=True,
        do_eval=True,
        do_predict=True,
    )
    lines = (directory / head / "predictions.conll").read_text().split("\n")
    rows = [line.split("\t") for line in lines if line]
    gold, said = ([row[place] for row in rows] for place in (1, 2))
    # Each word is one: precision, recall and accuracy are the same.
    accuracy = metrics.accuracy_score(gold, said)
    assert accuracy > 0.95
    for name in ("accuracy", "f1", "precision", "recall"):
        assert found[f"eval_{name}"] == pytest.approx(accuracy), name
    report = (directory / head / "entity_report.txt").read_text()
    assert {"NN", "VV", "PU"} <= {line.split()[0] for line in report.split("\n")
                                  if line.strip()}  # fmt: skip
    first = trained.read_objects(directory / head / "entities.jsonl")[0]
    assert [x["text"] for x in first["entities"]] == ["w1", "w4", "."]
    assert [x["type"] for x in first["entities"]] == ["NN", "VV", "PU"]


def test_the_flag_names_labels_that_the_training_file_lacks(directory):
    order = "PU,VV,AD,NN"
    _run(directory, "flag", do_train=True, labels=order)
    eval_file = directory / "more.txt"
    eval_file.write_text("w1\tNN\nw2\tAD\n")
    # A label of the flag is known to a later call without it, in its order.
    found = _run(
        directory, "flag", do_eval=True, eval_file=str(eval_file), data_dir=None
    )
    assert 0 <= found["eval_accuracy"] <= 0.5
    eval_file.write_text("w1\tNN\nw2\tJJ\n")
    wanted = "more.txt, line 2: label 'JJ' is not among the known ones, PU, VV"
    with pytest.raises(ValueError, match=wanted):
        _run(directory, "flag", do_eval=True, eval_file=str(eval_file))


def test_a_label_that_the_flag_lacks_is_named_before_training(directory):
    wanted = "train.txt, line 2: label 'VV' is not among the known ones, NN, PU"
    with pytest.raises(ValueError, match=wanted):
        _run(directory, "few", do_train=True, labels="NN,PU")
    assert not list((directory / "few").glob("model.ckpt*"))


def test_the_flag_stands_for_the_training_file_of_a_model_from_elsewhere(
    directory, tmp_path
):
    """A checkpoint alone, without settings.json, says no labels."""
    order = "NN,PU,VV"
    wanted = _run(directory, "whole", do_train=True, do_eval=True, labels=order)
    for path in (directory / "whole").glob("model.ckpt-*"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    settings = {"do_eval": True, "output_dir": str(tmp_path)}
    files = {"data_dir": None, "eval_file": str(directory / "dev.txt")}
    with pytest.raises(ValueError, match="the labels are not known"):
        _run(directory, "", **settings, **files)
    assert _run(directory, "", **settings, **files, labels=order) == wanted

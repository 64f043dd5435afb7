"""GLUE's diagnostic set: predicted by a model of MNLI, never trained on."""

import itertools
import json

import pytest

from finetuning.classification import task
from tests.finetuning.classification import forms, tiny_classifier

_LABELS = ("contradiction", "entailment", "neutral")
_PAIRS = (("good", "bad"), ("good", "good"), ("good", "film"))


def _settings(directory, **changes):
    return tiny_classifier.settings(
        directory, data_dir=str(directory), num_train_epochs=1.0, **changes
    )


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    """A model of MNLI, and AX.tsv as GLUE hands it out."""
    path = tmp_path_factory.mktemp("ax")
    tiny_classifier.write_model(path)
    head = f"{forms.MNLI}sentence1\tsentence2\tlabel1\tgold_label\n"
    rows = zip(itertools.cycle(_PAIRS), itertools.cycle(_LABELS), range(120))
    (path / "train.tsv").write_text(
        head
        + "".join(
            f"{forms.MNLI_ROW}{a}\t{b}\t{label}\t{label}\n"
            for (a, b), label, _ in rows
        )
    )
    rows = "".join(f"{n}\t{a}\t{b}\n" for n, (a, b) in enumerate(_PAIRS))
    (path / "AX.tsv").write_text("index\tsentence1\tsentence2\n" + rows)
    task.run(_settings(path, task_name="MNLI", do_train=True))
    return path


def test_it_is_handed_in_in_glues_form(directory, caplog):
    config = _settings(directory, task_name="AX", do_predict=True)
    config = config.settled({"task_name", "do_predict"})
    assert task.run(config) == {}
    lines = (directory / "output/AX.tsv").read_text().splitlines()
    path = directory / "output/predictions.jsonl"
    said = [json.loads(line) for line in path.read_text().splitlines()]
    assert [tuple(x["texts"]) for x in said] == [*_PAIRS]
    assert [*said[0]["probabilities"]] == [*_LABELS]
    wanted = [f"{n}\t{x['label']}" for n, x in enumerate(said)]
    assert lines == ["index\tprediction", *wanted]
    # That is what the set is for.
    assert "WAS TRAINED WITH OTHER SETTINGS" not in caplog.text


def test_a_name_in_another_case_is_no_other_task(directory, caplog):
    for name in ("mnli", "MNLI", "m-n-l-i"):
        config = _settings(directory, task_name=name, do_eval=True)
        config.settled({"task_name"})
    assert "WAS TRAINED" not in caplog.text
    _settings(directory, task_name="rte", do_eval=True).settled({"task_name"})
    assert "--task_name was MNLI and is rte" in caplog.text


@pytest.mark.parametrize("does", ["train", "eval"])
def test_it_has_nothing_to_train_or_score_on(directory, does):
    settings = {"task_name": "ax", f"do_{does}": True}
    wanted = f"--task_name=ax has no data for --do_{does}: it is predicted by"
    with pytest.raises(ValueError, match=wanted):
        task.run(_settings(directory, **settings))


def test_a_model_of_other_labels_is_refused(directory):
    settings = {"output_dir": str(directory / "rte"), "do_train": True}
    rows = "0\tgood\tgood\tentailment\n1\tgood\tbad\tnot_entailment\n" * 20
    path = directory / "rte.tsv"
    path.write_text("index\tsentence1\tsentence2\tlabel\n" + rows)
    task.run(
        _settings(directory, task_name="rte", train_file=str(path), **settings)
    )
    settings = settings | {"do_train": False, "do_predict": True}
    wanted = (
        "/rte has a model with the labels 'entailment', 'not_entailment'; "
        "--task_name=ax has 'contradiction', 'entailment', 'neutral'"
    )
    with pytest.raises(ValueError, match=wanted):
        task.run(_settings(directory, task_name="ax", **settings))

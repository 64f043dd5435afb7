"""Half of an emoji, as JSON may have it, stops no training at its end.

UTF-8 cannot hold one half of a surrogate pair. A text that has one is written
as JSON writes it; a label is refused before the training.
"""

import json
import subprocess
import sys

import pytest

from tests import project
from tests.finetuning import trained
from tests.finetuning.question_answering import squads
from tools import predict

HALF = "\ud83d"
_ALL = {"do_train": True, "do_eval": True, "do_predict": True}


def _objects(path):
    return json.loads(path.read_text(encoding="utf-8"))


def _answers(directory, output, source):
    """What the directory's model answers; the file it is written to is UTF-8.

    The standard output has the same.
    """
    said = directory / "said.jsonl"
    settings = {"model_dir": str(directory / output), "input_file": source}
    predict.run(predict.PredictConfig(output_file=str(said), **settings))
    return trained.read_objects(said)


def test_a_classifier_writes_texts_and_ids_as_json_writes_them(tmp_path):
    trained.write_inputs(tmp_path)
    rows = [
        {"text": f"w1 {HALF}", "label": "a", "id": f"{HALF}1"},
        {"text": HALF, "label": "b", "id": "2"},
        {"text": "w2", "label": "b", "id": "3"},
    ]
    source = trained.write_objects(tmp_path / "rows.jsonl", *rows)
    found = trained.run(trained.CLASSIFIER, tmp_path, "out", **_ALL)
    assert found["global_step"] == 1
    for name in ("eval_predictions.jsonl", "predictions.jsonl"):
        said = trained.read_objects(tmp_path / "out" / name)
        assert [x["texts"] for x in said] == [[x["text"]] for x in rows]
        assert [x["id"] for x in said] == [x["id"] for x in rows]
    answers = _answers(tmp_path, "out", source)
    assert [x["id"] for x in answers] == [x["id"] for x in rows]


@pytest.mark.parametrize(
    "settings, labels",
    [
        ({}, [f"a{HALF}", "a", "b"]),
        ({"multi_label": True}, [f"a,{HALF}", "a", "b"]),
        ({"multi_label": True}, [["a", HALF], ["a"], ["b"]]),
        ({"regression": True}, [f"1{HALF}", 1, 2]),
    ],
)
def test_a_label_that_no_file_can_hold_is_told_before_training(
    tmp_path, caplog, settings, labels
):
    trained.write_inputs(tmp_path)
    rows = [{"text": "w1", "label": label} for label in labels]
    path = trained.write_objects(tmp_path / "rows.jsonl", *rows)
    with pytest.raises(ValueError, match=f"^{path}, line 1: a label "):
        trained.run(
            trained.CLASSIFIER,
            tmp_path,
            "out",
            strict=True,
            **_ALL | settings,
        )
    assert not list((tmp_path / "out").glob("model.ckpt*"))
    # Without --strict the row is left out, and all the rest is done.
    trained.run(trained.CLASSIFIER, tmp_path, "out", **_ALL | settings)
    assert f"{path}, line 1" in caplog.text
    said = trained.read_objects(tmp_path / "out/eval_predictions.jsonl")
    assert len(said) == 2


def test_a_tagger_writes_words_and_types_as_json_writes_them(tmp_path):
    trained.write_inputs(tmp_path)
    rows = [
        {"text": f"w{HALF}x", "label": {"name": {f"{HALF}x": [[1, 2]]}}},
        {"text": "yz", "label": {f"type{HALF}": {"y": [[0, 0]]}}},
    ]
    for row in rows:
        row["id"] = HALF
    source = trained.write_objects(tmp_path / "rows.jsonl", *rows)
    files = {f"{name}_file": source for name in ("train", "eval", "predict")}
    trained.run(trained.NER, tmp_path, "out", **_ALL, **files)
    bert = _objects(tmp_path / "out/bert_config.json")
    assert bert["id2label"]["3"] == f"B-type{HALF}"
    handed_in = trained.read_objects(tmp_path / "out/cluener_predict.json")
    assert [x["id"] for x in handed_in] == [HALF, HALF]
    said = trained.read_objects(tmp_path / "out/entities.jsonl")
    assert [x["text"] for x in said] == [x["text"] for x in rows]
    lines = (tmp_path / "out/predictions.conll").read_text("utf-8").split("\n")
    assert lines[1].startswith("\\ud83d\t")
    answers = _answers(tmp_path, "out", source)
    assert [x["text"] for x in answers] == [x["text"] for x in rows]


@pytest.mark.parametrize("version_2", [False, True])
def test_answers_and_ids_of_questions_are_written_as_json_writes_them(
    tmp_path, version_2
):
    trained.write_inputs(tmp_path)
    entries = [
        squads.entry(f"1{HALF}", f"w9 {HALF}", (HALF, 3)),
        squads.entry(2, "w9", ("w1", 0)),
    ]
    text = squads.data_of((f"w1 {HALF} w2", entries))
    source = tmp_path / "asked.json"
    source.write_text(json.dumps(text))
    found = trained.run(
        trained.SQUAD,
        tmp_path,
        "out",
        version_2_with_negative=version_2,
        **_ALL,
    )
    assert "f1" in found
    for name in ("predictions", "nbest_predictions"):
        said = _objects(tmp_path / f"out/{name}.json")
        assert [*said] == [f"q1{HALF}", "q2"]
    predictions = _objects(tmp_path / "out/predictions.json")
    answers = _answers(tmp_path, "out", str(source))
    assert {x["id"]: x["answer"] for x in answers} == predictions


def test_the_standard_output_is_whole_whatever_is_in_it(tmp_path):
    trained.write_inputs(tmp_path)
    trained.run(trained.CLASSIFIER, tmp_path, "out", do_train=True)
    rows = [{"id": HALF, "text": "w1"}, {"id": "é", "text": HALF}]
    source = trained.write_objects(tmp_path / "asked.jsonl", *rows)
    command = [sys.executable, "-m", "tools.predict", "--verbosity=-1"]
    done = subprocess.run(
        [*command, f"--model_dir={tmp_path / 'out'}", f"--input_file={source}"],
        cwd=project.ROOT,
        env=project.environment() | {"LC_ALL": "C", "PYTHONUTF8": "0"},
        capture_output=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.decode("utf-8").splitlines()
    assert [json.loads(line)["id"] for line in lines] == [HALF, "é"]


def _program(*arguments):
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=project.ROOT,
        env=project.environment(),
        capture_output=True,
        timeout=600,
    )


@pytest.mark.parametrize(
    "command",
    [
        [b"run_classifier.py", b"--task_name=tsv", b"--train_file="],
        [b"-m", b"tools.predict", b"--model_dir="],
        [b"-m", b"tools.inspect_records", b""],
    ],
    ids=["run_classifier", "predict", "inspect_records"],
)
def test_a_name_that_is_no_utf_8_is_told_in_one_line(tmp_path, command):
    name = bytes(tmp_path) + b"/a\xff.tsv"
    with open(name, "wb"):
        pass
    *begin, last = command
    flags = [
        b"--bert_config_file=b.json",
        b"--vocab_file=vocab.txt",
        b"--output_dir=" + bytes(tmp_path) + b"/out",
    ]
    is_program = b"run_classifier.py" in command
    done = _program(*begin, last + name, *flags * is_program)
    assert done.returncode == 1
    error = done.stderr.decode("utf-8").splitlines()[-1]
    assert error.startswith("error: --")
    assert "is not UTF-8" in error and "a\\xff.tsv" in error
    assert b"Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_stray_name_in_a_folder_of_data_stops_nothing(tmp_path):
    trained.write_inputs(tmp_path)
    words = (tmp_path / "words.conll").read_bytes()
    folder = tmp_path / "data"
    folder.mkdir()
    for name in ("train.conll", "dev.conll"):
        (folder / name).write_bytes(words)
    with open(bytes(folder) + b"/a\xff", "wb"):
        pass
    files = dict.fromkeys(("train_file", "eval_file", "predict_file"))
    found = trained.run(
        trained.NER,
        tmp_path,
        "out",
        **files,
        data_dir=str(folder),
        do_train=True,
        do_eval=True,
    )
    assert found["global_step"] == 2

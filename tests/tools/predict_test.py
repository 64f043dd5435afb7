"""Answers by a fine-tuned directory: those that the run itself gave."""

import contextlib
import json
import subprocess
import sys
import threading

import pytest

from finetuning.answering import Answerer
from finetuning.classification import config as classification_config
from finetuning.classification import task as classification
from finetuning.question_answering import config as question_config
from finetuning.question_answering import task as question_answering
from finetuning.tagging import config as tagging_config
from finetuning.tagging import task as tagging
from tests import project
from tests.finetuning import tiny_task
from tools import predict

# One that waits for more than a line is ended, and has then said too little.
_PATIENCE = 600.0
TEXTS = ["w1 w2 w3", "w4 w5", "w6 w1 w90 w91", "w7"]


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    path = tmp_path_factory.mktemp("models")
    tiny_task.write_inputs(path)
    return path


def _settings(directory, output):
    return {
        "bert_config_file": str(directory / "bert.json"),
        "vocab_file": str(directory / "vocab.txt"),
        "output_dir": str(directory / output),
        "max_seq_length": 16,
        "do_train": True,
        "do_predict": True,
        "train_batch_size": 2,
        "num_train_epochs": 1.0,
        "mixed_precision": "none",
    }


def _predict(directory, output, lines, name="lines.txt"):
    path = directory / name
    path.write_text(
        lines if isinstance(lines, str) else "".join(f"{x}\n" for x in lines)
    )
    answers = directory / f"{output}.jsonl"
    predict.run(
        predict.PredictConfig(
            model_dir=str(directory / output),
            input_file=str(path),
            output_file=str(answers),
        )
    )
    return [json.loads(line) for line in answers.read_text().splitlines()]


def test_texts_are_classified_as_the_run_did(directory):
    train = directory / "train.tsv"
    rows = [f"{'ab'[i % 2]}\t{text}\n" for i, text in enumerate(TEXTS)]
    train.write_text("label\ttext\n" + "".join(rows))
    classification.run(
        classification_config.ClassifierConfig(
            task_name="tsv",
            train_file=str(train),
            predict_file=str(train),
            **_settings(directory, "classes"),
        )
    )
    path = directory / "classes/predictions.jsonl"
    wanted = [json.loads(line) for line in path.read_text().splitlines()]
    found = _predict(directory, "classes", TEXTS)
    for said, of_run in zip(found, wanted, strict=True):
        assert said["label"] == of_run["label"]
        assert said["probabilities"] == pytest.approx(
            of_run["probabilities"], abs=1e-5
        )
    with pytest.raises(ValueError, match="line 2: 2 columns between tabs"):
        _predict(directory, "classes", ["w1", "w1\tw2"])
    objects = [
        json.dumps({"id": f"row {n}", "text": text})
        for n, text in enumerate(TEXTS)
    ]
    for name in ("objects.jsonl", "objects.json"):
        again = _predict(directory, "classes", objects, name)
        assert [x.pop("id") for x in again] == [f"row {n}" for n in range(4)]
        assert again == found


def test_sentences_are_tagged_as_the_run_did(directory):
    train = directory / "train.conll"
    train.write_text(
        "".join(
            "".join(
                f"{word}\t{'B-PER' if word < 'w5' else 'O'}\n"
                for word in text.split()
            )
            + "\n"
            for text in TEXTS
        )
    )
    tagging.run(
        tagging_config.TaggingConfig(
            train_file=str(train),
            predict_file=str(train),
            window_overlap=2,
            token_digits="keep",
            **_settings(directory, "tags"),
        )
    )
    path = directory / "tags/entities.jsonl"
    wanted = [json.loads(line) for line in path.read_text().splitlines()]
    assert _predict(directory, "tags", TEXTS) == wanted
    objects = [json.dumps({"text": text, "id": 7}) for text in TEXTS]
    found = _predict(directory, "tags", objects, "objects.jsonl")
    assert [x["text"] for x in found] == TEXTS
    assert {x["id"] for x in found} == {7}


def test_questions_are_answered_as_the_run_did(directory):
    entries = [
        {
            "context": text,
            "qas": [
                {
                    "id": str(number),
                    "question": "w9 w8",
                    "answers": [{"text": text.split()[0], "answer_start": 0}],
                }
            ],
        }
        for number, text in enumerate(TEXTS, 1)
    ]
    train = directory / "train.json"
    train.write_text(json.dumps({"data": [{"paragraphs": entries}]}))
    question_answering.run(
        question_config.QuestionAnsweringConfig(
            train_file=str(train),
            predict_file=str(train),
            max_query_length=4,
            doc_stride=4,
            **_settings(directory, "answers"),
        )
    )
    wanted = json.loads((directory / "answers/predictions.json").read_text())
    for lines, name in (
        ([f"w9 w8\t{text}" for text in TEXTS], "lines.txt"),
        (train.read_text(), "again.json"),
        (
            [
                json.dumps({"id": n, "question": "w9 w8", "context": text})
                for n, text in enumerate(TEXTS, 1)
            ],
            "lines.jsonl",
        ),
    ):
        found = _predict(directory, "answers", lines, name)
        assert {said["id"]: said["answer"] for said in found} == wanted
        for said, text in zip(found, TEXTS, strict=True):
            assert text[said["start"] : said["end"]] == said["answer"]


def test_another_program_gets_the_answers_by_the_same_class(directory):
    wanted = _predict(directory, "classes", TEXTS)
    answerer = Answerer.load(str(directory / "classes"))
    assert list(answerer.answer(TEXTS)) == wanted
    assert list(answerer.answer([])) == []
    with pytest.raises(ValueError, match="a request, line 8: 2 columns"):
        list(answerer.answer(["w1", "w1\tw2"], "a request", first=7))


@contextlib.contextmanager
def _client(directory):
    """Starts the program with pipes, as another program would."""
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-m", "tools.predict", "--verbosity=-1"]
        + [f"--model_dir={directory / 'classes'}"],
        cwd=project.ROOT,
        env=project.environment(),
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
    ) as client:
        watch = threading.Timer(_PATIENCE, client.kill)
        watch.start()
        try:
            yield client
        finally:
            watch.cancel()


def test_an_open_pipe_is_answered_line_by_line(directory):
    wanted = _predict(directory, "classes", TEXTS)
    with _client(directory) as client:
        # Parts of lines and several lines at once, as pipes hand them on.
        client.stdin.write(b"w1 w2 ")
        client.stdin.flush()
        client.stdin.write(b"w3\r\n")
        client.stdin.flush()
        found = [json.loads(client.stdout.readline())]
        client.stdin.write(b"w4 w5\nw6 w1 w90 w91\nw7")
        client.stdin.flush()
        found += [json.loads(client.stdout.readline()) for _ in range(2)]
        client.stdin.close()
        found += map(json.loads, client.stdout.read().splitlines())
        assert client.wait() == 0
    assert [x["label"] for x in found] == [x["label"] for x in wanted]


def test_bytes_that_are_no_text_are_named_with_their_line(directory):
    with _client(directory) as client:
        found, said = client.communicate(b"w1\n\xff w2\n")
    assert client.returncode == 1 and found == b""
    assert b"error: the standard input, line 2: not UTF-8 at byte 0" in said
    assert b"Traceback" not in said


def test_a_place_that_cannot_be_written_is_told_before_the_model_is_read():
    for name, words in (("/", "is a folder"), ("/proc/x/y", "/proc/x")):
        config = predict.PredictConfig(model_dir="none", output_file=name)
        with pytest.raises(ValueError, match=f"--output_file.*{words}"):
            predict.run(config)


def test_what_is_no_fine_tuned_directory_is_told(directory):
    with pytest.raises(ValueError, match="has no settings.json"):
        _predict(directory, ".", TEXTS)

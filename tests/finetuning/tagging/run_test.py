"""A run of each head from files to files, and what is wrong with some."""

import json
import random

import numpy as np
import pytest

from finetuning import task as finetuning_task
from finetuning.tagging import config, labels, scores, task
from tests import project, tiny

_PEOPLE = ("ann", "bob", "cy")
_PLACES = (("rome",), ("new", "york"), ("new", "delhi"))
_OTHERS = ("met", "in", "saw", "and", "new", "the", ".")
_WORDS = sorted({*_PEOPLE, *_OTHERS, *(w for p in _PLACES for w in p)})


def _lines(num_sentences, seed, max_words=8):
    """Sentences in which names are people, and places of one or two words."""
    rng = random.Random(seed)
    for _ in range(num_sentences):
        for _ in range(rng.randint(1, max_words)):
            kind = rng.randrange(3)
            if kind == 0:
                yield f"{rng.choice(_PEOPLE)} B-PER"
            elif kind == 1:
                first, *others = rng.choice(_PLACES)
                yield f"{first} B-LOC"
                yield from (f"{word} I-LOC" for word in others)
            else:
                yield f"{rng.choice(_OTHERS)} O"
        yield ""


def _write(path, lines):
    path.write_text("".join(f"{line}\n" for line in lines))


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    path = tmp_path_factory.mktemp("ner")
    (path / "bert.json").write_text(
        json.dumps(tiny.CONFIG | {"num_hidden_layers": 1})
    )
    project.write_vocabulary(path, _WORDS)
    _write(path / "train.txt", _lines(200, 1))
    _write(path / "dev.txt", _lines(30, 2, max_words=25))
    _write(path / "test.txt", _lines(9, 3, max_words=25))
    return path


def _run(directory, output, **settings):
    defaults = {
        "bert_config_file": str(directory / "bert.json"),
        "vocab_file": str(directory / "vocab.txt"),
        "output_dir": str(directory / output),
        "data_dir": str(directory),
        "max_seq_length": tiny.NUM_TOKENS,
        "window_overlap": 4,
        "lstm_size": 8,
        "train_batch_size": 16,
        "num_train_epochs": 3.0,
        "learning_rate": 1e-2,
        "optimizer": "adamw",
        "mixed_precision": "none",
    }
    return task.run(config.TaggingConfig(**defaults | settings))


pytestmark = pytest.mark.usefixtures("uncompiled")


_ALL = {"do_train": True, "do_eval": True, "do_predict": True}


_HEADS = ("softmax", "crf", "bilstm_crf")


@pytest.fixture(scope="module")
def learned(directory):
    """The scores of a run of each head, in folders of their names."""
    return {
        head: _run(directory, head, ner_head=head, **_ALL) for head in _HEADS
    }


@pytest.mark.parametrize("head", _HEADS)
def test_it_learns_and_writes_what_it_found(directory, learned, head):
    found = learned[head]
    assert found["eval_f1"] > 0.9
    output = directory / head
    written = (output / "eval_results.txt").read_text().splitlines()
    assert f"eval_f1 = {found['eval_f1']}" in written
    assert {"eval_precision", "eval_recall"} <= found.keys()
    report = (output / "entity_report.txt").read_text().splitlines()
    assert [line.split()[0] for line in report[1:3]] == ["LOC", "PER"]
    _check_predictions(directory, output)
    _check_evaluated(output, found["eval_f1"])


def _check_evaluated(output, f1):
    """The entities wanted and found have the score that was reported."""
    lines = (output / "eval_predictions.jsonl").read_text().splitlines()
    said = [json.loads(line) for line in lines]
    assert [x["id"] for x in said] == list(range(30))
    wanted, found = (
        {(x["id"], *map(str, e.values())) for x in said for e in x[name]}
        for name in ("wanted", "entities")
    )
    both = 2 * len(wanted & found) / (len(wanted) + len(found))
    assert both == pytest.approx(f1)


def _check_predictions(directory, output):
    """Words, gold labels and entities are those of the file."""
    gold = (directory / "test.txt").read_text().splitlines()
    lines = (output / "predictions.conll").read_text().splitlines()
    assert [" ".join(x.split("\t")[:2]) for x in lines] == gold
    predicted = [x.split("\t")[-1] for x in lines if x]
    assert predicted == (output / "label_test.txt").read_text().split()
    wrong = sum(x.split("\t")[1] != x.split("\t")[2] for x in lines if x)
    assert wrong < 0.1 * len(predicted)
    sentences = "\n".join(lines).strip().split("\n\n")
    texts = (output / "entities.jsonl").read_text().splitlines()
    scheme = labels.Scheme({"O", "B-PER", "B-LOC", "I-LOC"})
    for sentence, text in zip(sentences, texts, strict=True):
        rows = [line.split("\t") for line in sentence.split("\n")]
        answer = json.loads(text)
        assert answer["text"] == " ".join(row[0] for row in rows)
        wanted = [
            (kind, " ".join(row[0] for row in rows[begin:end]))
            for kind, begin, end in scheme.entities([r[2] for r in rows])
        ]
        assert wanted == [(x["type"], x["text"]) for x in answer["entities"]]
        for entity in answer["entities"]:
            span = answer["text"][entity["start"] : entity["end"]]
            assert span == entity["text"]


def test_the_same_seed_gives_the_same_run(directory, learned):
    again = _run(directory, "again", ner_head="bilstm_crf", **_ALL)
    assert again == learned["bilstm_crf"]
    for name in ("predictions.conll", "entities.jsonl", "entity_report.txt"):
        one, two = (
            (directory / x / name).read_text() for x in ("again", "bilstm_crf")
        )
        assert one == two


def test_the_score_is_that_of_the_predictions_written(directory, learned):
    # One more run over the same weights, with the held-out part as input.
    settings = {"do_predict": True, "predict_file": str(directory / "dev.txt")}
    found = _run(directory, "crf", do_eval=True, ner_head="crf", **settings)
    text = (directory / "crf/predictions.conll").read_text().strip()
    rows = [
        [line.split("\t") for line in sentence.split("\n")]
        for sentence in text.split("\n\n")
    ]
    gold, predicted = (
        [[row[place] for row in sentence] for sentence in rows]
        for place in (1, 2)
    )
    metrics = pytest.importorskip("seqeval.metrics")
    schemes = pytest.importorskip("seqeval.scheme")
    for name in ("precision", "recall", "f1"):
        score = getattr(metrics, f"{name}_score")
        wanted = score(gold, predicted, mode="strict", scheme=schemes.IOB2)
        assert found[f"eval_{name}"] == wanted, name


def test_text_without_labels_is_tagged_by_the_weights_alone(directory, learned):
    _write(directory / "plain.txt", ["bob", "saw", "new", "york", "", "."])
    settings = {
        "data_dir": None,
        "predict_file": str(directory / "plain.txt"),
        "ner_head": "crf",
        "do_predict": True,
    }
    _run(directory, "crf", **settings)
    lines = (directory / "crf/predictions.conll").read_text().splitlines()
    wanted = ["bob\tB-PER", "saw\tO", "new\tB-LOC", "york\tI-LOC", "", ".\tO"]
    assert lines == [*wanted, ""]
    _write(directory / "plain.txt", ["bob NN", "saw VB"])
    _run(directory, "crf", **settings)
    lines = (directory / "crf/predictions.conll").read_text().splitlines()
    assert lines == ["bob\tB-PER", "saw\tO", ""]


def _task(directory, **settings):
    return task.Tagging(
        config.TaggingConfig(
            bert_config_file="",
            vocab_file=str(directory / "vocab.txt"),
            output_dir="",
            **settings,
        )
    )


def test_a_barred_label_is_never_predicted(directory):
    train_file = str(directory / "train.txt")
    made = _task(directory, train_file=train_file, ner_head="crf")
    made.read("train")
    assert made.labels == ("O", "B-LOC", "I-LOC", "B-PER")
    head = made.make_head(tiny.config(), "zeros")
    rng = np.random.default_rng(0)
    logits = rng.normal(scale=30, size=(50, 20, 4)).astype("f4")
    ones = np.ones(50)
    tags = head.crf.best_path(logits, np.ones((50, 20)), ones, ones).numpy()
    scheme = labels.Scheme(made.labels)
    for row in tags:
        names = tuple(made.labels[tag] for tag in row)
        assert scheme.repair(names) == names


def test_labels_are_compared_as_they_are_meant(directory):
    # IOB1 has B where two entities touch only, here nowhere.
    _write(directory / "iob1.txt", ["ann I-PER", "in O", "rome I-LOC"])
    _write(directory / "more.txt", ["rome I-LOC", "", "bob B-PER"])
    made = _task(
        directory,
        train_file=str(directory / "iob1.txt"),
        eval_file=str(directory / "more.txt"),
    )
    assert made.read("train")[0].labels == ("B-PER", "O", "B-LOC")
    assert made.labels == ("O", "B-LOC", "B-PER")
    assert [x.labels for x in made.read("eval")] == [("B-LOC",), ("B-PER",)]


def test_lines_of_text_become_examples(directory):
    made = _task(directory)
    made.restore({"labels": ["O", "B-PER"], "words_are_characters": False})
    examples = made.examples_of_lines(["bob saw ann.", "", "中国"], "input", 1)
    assert [x.words for x in examples] == [
        ("bob", "saw", "ann", "."),
        (),
        ("中", "国"),
    ]
    rows = made.make_rows("predict", examples)
    assert rows["input_mask"].sum(axis=1).tolist() == [6, 2, 4]
    split = finetuning_task.Split("predict", examples, rows)
    # The labels by number, at the first piece of each word.
    tags = np.zeros(rows["input_mask"].shape, int)
    tags[0, [1, 3]] = 1
    assert made.answers(split, {"tags": tags})[0] == {
        "text": "bob saw ann.",
        "entities": [
            {"type": "PER", "start": 0, "end": 3, "text": "bob"},
            {"type": "PER", "start": 8, "end": 11, "text": "ann"},
        ],
    }


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"do_eval": True}, "the labels are not known: .* set --train_file"),
        (
            {"do_train": True, "train_file": "{}/only_o.txt"},
            "only_o.txt: every label is O",
        ),
        (
            {"do_train": True, "do_eval": True, "eval_file": "{}/bad.txt"},
            "bad.txt, line 2: label 'B-GPE' is not among the known ones",
        ),
        (
            {"do_train": True, "train_file": "{}/ragged.txt", "strict": True},
            "ragged.txt, line 2: not 2 columns",
        ),
        ({"do_train": True, "data_dir": "{}/none"}, "--data_dir"),
        (
            {"do_train": True, "do_eval": True, "data_dir": "{}/empty"},
            "has no file for train.*, wanted one; set --train_file",
        ),
        ({"max_seq_length": 2}, "--max_seq_length=2 leaves no room"),
        ({"window_overlap": 14}, "--window_overlap=14 must be .* = 14"),
        ({"lstm_size": 0}, "--lstm_size must be positive, got 0"),
        ({"lstm_layers": 0}, "--lstm_layers must be positive, got 0"),
        (
            {"lstm_layers": 2, "ner_head": "crf"},
            "--lstm_layers=2 needs --ner_head=bilstm or bilstm_crf, got crf",
        ),
        (
            {"do_train": True, "head_layers": "sum_last_four"},
            "--head_layers=sum_last_four wants 4 layers, and the model has 1",
        ),
    ],
)
def test_bad_input_is_named(directory, settings, message):
    (directory / "empty").mkdir(exist_ok=True)
    (directory / "empty" / "README").touch()
    _write(directory / "only_o.txt", ["bob O"])
    _write(directory / "bad.txt", ["bob B-PER", "rome B-GPE"])
    _write(directory / "ragged.txt", ["bob B-PER", "saw", "ann B-PER"])
    if "do_train" not in settings:
        settings = {"data_dir": None} | settings
    settings = {
        name: value.format(directory) if isinstance(value, str) else value
        for name, value in settings.items()
    }
    with pytest.raises(ValueError, match=message):
        _run(directory, "bad", **settings)


def test_zero_entities_score_zero_and_do_not_fail():
    total, by_type = scores.score([[], []], [[], [("PER", 0, 1)]])
    assert total == (0, 0, 0, 0)
    assert by_type == {"PER": (0, 0, 0, 0)}

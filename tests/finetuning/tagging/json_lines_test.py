"""CLUENER's JSON, from its own files to what its site takes."""

import json
import random

import pytest

from finetuning import problems
from finetuning.tagging import conll, labels, predictions
from tests import project, tiny
from tests.finetuning import tiny_task, trained
from tools import predict

# The first rows of its train.json and test.json, shortened.
_TRAIN = {
    "text": "浙商银行企业信贷部叶老桂博士则从另一个角度",
    "label": {"name": {"叶老桂": [[9, 11]]}, "company": {"浙商银行": [[0, 3]]}},
}
_TEST = {"id": 0, "text": "四川敦煌学"}


def _write(path, *rows):
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text("".join(lines), encoding="utf-8")
    return str(path)


def _read(tmp_path, *rows, needs_labels=True, strict=True):
    path = _write(tmp_path / "train.json", *rows)
    bad = problems.Problems(strict)
    found = conll.read(path, bad, needs_labels=needs_labels)
    bad.log()
    return found


def test_labels_stand_where_the_places_say_both_ends_included(tmp_path):
    (found,) = _read(tmp_path, _TRAIN)
    assert "".join(found.words) == found.text == _TRAIN["text"]
    tags = dict(enumerate(found.labels))
    entities = {n: tag for n, tag in tags.items() if tag != "O"}
    assert entities == {
        0: "B-company",
        **dict.fromkeys((1, 2, 3), "I-company"),
        9: "B-name",
        **dict.fromkeys((10, 11), "I-name"),
    }


def _random_row(rng, number):
    """A text with spaces, and entities in it that do not touch another's."""
    text = "".join(rng.choices("天地玄黄宇宙 ab，\u3000", k=rng.randint(9, 40)))
    label, place = {}, 0
    while place < len(text) - 1:
        end = min(place + rng.randint(1, 4), len(text))
        mention = text[place:end]
        if rng.random() < 0.5 and mention == mention.strip() != "":
            kind = rng.choice(["name", "address"])
            spans = label.setdefault(kind, {}).setdefault(mention, [])
            spans.append([place, end - 1])
        place = end
    return {"id": number, "text": text + "。", "label": label}


def test_what_is_read_is_handed_in_again_as_it_was(tmp_path):
    rng = random.Random(3)
    rows = [_random_row(rng, 7 * number) for number in range(200)]
    found = _read(tmp_path, *rows)
    scheme = labels.scheme_of({x for s in found for x in s.labels})
    files = predictions.files(found, [s.labels for s in found], scheme)
    lines = [json.loads(line) for line in files["cluener_predict.json"]]
    assert lines == [{"id": x["id"], "label": x["label"]} for x in rows]
    assert all(list(line) == ["id", "label"] for line in lines)
    assert sum(bool(line["label"]) for line in lines) > 150


def test_a_row_without_an_id_has_its_number_in_the_file(tmp_path):
    rows = [{"text": "好"}, {"text": " "}, {"text": "坏"}]
    found = _read(tmp_path, *rows, needs_labels=False, strict=False)
    assert [x.id for x in found] == [0, 1, 2]
    rows = [_TRAIN, {"text": " "}, _TRAIN]
    assert [x.id for x in _read(tmp_path, *rows, strict=False)] == [0, 2]


@pytest.mark.parametrize(
    "row, reason",
    [
        ([1], "it must be an object, got [1]"),
        (None, "it must be an object, got null"),
        (7, "it must be an object, got 7"),
        ({"text": 7, "label": {}}, "text must be a string, got 7"),
        ({"text": ["好"], "label": {}}, "text must be a string"),
        ({"text": None, "label": {}}, "text must be a string, got null"),
        ({"label": {}}, "it has no 'text', only [\"label\"]"),
        ({"text": "好"}, "no label"),
        ({"text": "\u3000 ", "label": {}}, "an empty text"),
        ({"text": "好", "label": "name"}, "label must be an object"),
        ({"text": "好", "label": {"name": ["好"]}}, "label.name must be an"),
        (
            {"text": "好", "label": {"name": {"好": [["0", 0]]}}},
            "label.name.好[0][0] must be an integer",
        ),
        (
            {"text": "好人", "label": {"name": {"好": [[0, 1]]}}},
            "an entity that is not where its place says",
        ),
        (
            {"text": "好人", "label": {"name": {"好人": [[-2, 1]]}}},
            "an entity that is not where its place says",
        ),
        (
            {"text": "好人", "label": {"name": {"好": [[0]]}}},
            "an entity that is not where its place says",
        ),
        (
            {
                "text": "好人",
                "label": {"a": {"好人": [[0, 1]]}, "b": {"人": [[1, 1]]}},
            },
            "an entity that overlaps a longer one",
        ),
    ],
)
def test_what_cannot_be_used_is_named_with_its_line(
    tmp_path, caplog, row, reason
):
    with pytest.raises(ValueError) as error:
        _read(tmp_path, _TRAIN, row)
    path = tmp_path / "train.json"
    assert str(error.value).startswith(f"{path}, line 2: ")
    assert reason in str(error.value)
    assert str(error.value).count("without --strict it is left out") == 1
    found = _read(tmp_path, _TRAIN, row, strict=False)
    assert found[0].text == _TRAIN["text"]
    assert reason in caplog.text and f"{path}, line 2" in caplog.text
    # Of two entities one over the other the longer one stays.
    wanted = [("B-a", "I-a")] if "overlaps" in reason else []
    assert [x.labels for x in found[1:]] == wanted


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    """A model of CLUENER's form that has learned two names."""
    path = tmp_path_factory.mktemp("cluener")
    tiny_task.write_inputs(path)
    project.write_vocabulary(path, [*"张王李三四在吃饭去北京南"])
    rng = random.Random(1)
    rows = []
    for _ in range(120):
        name = rng.choice("张王李") + rng.choice("三四")
        place = rng.choice("北南") + "京"
        text = f"{name}在{place}吃饭"
        label = {"name": {name: [[0, 1]]}, "address": {place: [[3, 4]]}}
        rows.append({"text": text, "label": label})
    _write(path / "train.json", *rows)
    _write(path / "dev.json", *rows[:20])
    tests = [{"id": 5 * n, "text": x["text"]} for n, x in enumerate(rows[:9])]
    _write(path / "test.json", *tests)
    return path


def _run(directory, **changes):
    settings = {
        "train_file": None,
        "eval_file": None,
        "predict_file": None,
        "data_dir": str(directory),
        "max_seq_length": tiny.NUM_TOKENS,
        "train_batch_size": 8,
        "learning_rate": 1e-2,
        "num_train_epochs": 3.0,
        "optimizer": "adamw",
    }
    return trained.run(trained.NER, directory, "out", **settings | changes)


def test_a_run_goes_from_its_files_to_the_file_that_is_handed_in(directory):
    scores = _run(directory, do_train=True, do_eval=True, do_predict=True)
    assert scores["eval_f1"] > 0.95
    lines = trained.read_objects(directory / "out/cluener_predict.json")
    texts = trained.read_objects(directory / "test.json")
    train = trained.read_objects(directory / "train.json")
    assert [x["id"] for x in lines] == [x["id"] for x in texts]
    right = [
        said["label"] == row["label"]
        for said, row in zip(lines, train[:9], strict=True)
    ]
    assert sum(right) >= 8
    _check_predictions_of_labelled_rows(directory, train)


def _check_predictions_of_labelled_rows(directory, train):
    """Labels, good or bad, of some rows change nothing of what is predicted."""
    rows = [dict(row) for row in train[:9]]
    del rows[1]["label"]
    rows[2]["label"] = {"game": {rows[2]["text"][:2]: [[0, 1]]}}
    rows[3]["label"] = {"name": {"不": [[0, 0]]}}
    before = trained.read_objects(directory / "out/cluener_predict.json")
    for first in (0, 1):
        path = _write(directory / "mixed.json", *rows[first:])
        _run(directory, do_predict=True, predict_file=path)
        found = trained.read_objects(directory / "out/cluener_predict.json")
        assert [x["label"] for x in found] == [
            x["label"] for x in before[first:]
        ]


def test_lines_of_json_are_answered_with_their_ids(directory):
    if not (directory / "out").exists():
        _run(directory, do_train=True)
    source = directory / "asked.jsonl"
    named = {"id": "x", "text": "张三在北京"}
    _write(source, named, {"text": ["张三"]})
    config = predict.PredictConfig(
        model_dir=str(directory / "out"),
        input_file=str(source),
        output_file=str(directory / "said.jsonl"),
    )
    with pytest.raises(ValueError, match="asked.jsonl, line 2: text must be"):
        predict.run(config)
    # No label of a text is asked for, known or not, or of another form.
    label = {"game": {"张三": [[0, 1]]}}
    others = [named | {"id": 7, "label": x} for x in (label, "good")]
    _write(source, named, *others, {"text": ""})
    predict.run(config)
    said = trained.read_objects(directory / "said.jsonl")
    assert [x.pop("id") for x in said] == ["x", 7, 7, 3]
    assert said[0] == said[1] == said[2]
    assert said[3] == {"text": "", "entities": []}

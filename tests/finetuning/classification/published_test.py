"""Published tasks are read in the forms in which they are handed out."""

import dataclasses
import gzip
import random

import pytest

from finetuning.classification import config, datasets, reader
from tests import project
from tests.finetuning.classification import forms

_ALL = [(task, *form) for task, found in forms.FORMS.items() for form in found]


def _write(directory, files, is_packed=False):
    for name, text in files.items():
        path = directory / (name + ".gz" * is_packed)
        path.parent.mkdir(parents=True, exist_ok=True)
        data = text.encode()
        path.write_bytes(gzip.compress(data) if is_packed else data)


def _read(directory, task, split, files=None, **flags):
    _write(directory, files or {})
    settings = config.ClassifierConfig(
        bert_config_file="bert_config.json",
        vocab_file="vocab.txt",
        output_dir="output",
        task_name=task,
        data_dir=str(directory),
        **flags,
    )
    return reader.Reader(settings).read(split)


@pytest.mark.parametrize(
    ("task", "split", "files", "wanted"),
    _ALL,
    ids=[f"{task}-{'-'.join(files)}" for task, _, files, _ in _ALL],
)
def test_files_are_read_as_they_are_handed_out(
    tmp_path, task, split, files, wanted
):
    found = _read(tmp_path, task, split, files)
    assert [(x.id, x.label, *x.pairs) for x in found] == wanted
    _write(tmp_path / "packed", files, is_packed=True)
    packed = _read(tmp_path / "packed", task, split)
    assert [x[:4] for x in packed] == [x[:4] for x in found]
    assert all(x.path.endswith(".gz") for x in packed)


def test_every_task_has_its_form():
    tasks = [datasets.find(name) for name in forms.FORMS]
    # AX has no training data of its own.
    own = [x for name, x in datasets.DATASETS.items() if name != "ax"]
    assert tasks == own


def test_labels_stand_in_the_published_order():
    inference = ("contradiction", "entailment", "neutral")
    for name in ("mnli", "xnli", "cmnli", "ocnli"):
        assert datasets.find(name).labels == inference
    for name in ("cola", "mrpc", "afqmc", "csl", "lcqmc"):
        assert datasets.find(name).labels == ("0", "1")
    assert datasets.find("wsc").labels == ("true", "false")
    topics = datasets.find("tnews").labels
    assert topics[4:6] == ("104", "106") and topics[-1] == "116"
    assert len(topics) == 15 and len(datasets.find("iflytek").labels) == 119


def test_names_are_found_in_any_case_and_others_are_refused(tmp_path):
    for name in ("sst2", "SST-2", "sst_2", "Sst2"):
        assert datasets.find(name) is datasets.DATASETS["sst2"]
    with pytest.raises(ValueError, match="=imdb is none of cola, sst2, mrpc"):
        _read(tmp_path, "imdb", "train")


def test_mnli_has_two_files_to_score_on(tmp_path):
    head = f"{forms.MNLI}sentence1\tsentence2\tlabel1\tgold_label\n"
    row = f"{forms.MNLI_ROW}A\tB\tneutral\tneutral\n"
    first = _read(tmp_path, "mnli", "eval", {"dev_matched.tsv": head + row})
    assert [x.part for x in first] == [""]
    both = _read(tmp_path, "mnli", "eval", {"dev_mismatched.tsv": head + row})
    assert [x.part for x in both] == ["", "_mismatched"]


def _mark_as_clue(text, target):
    """What CLUE's baseline does: one insertion after another."""
    noun, at = target["span1_text"], target["span1_index"]
    pronoun, to = target["span2_text"], target["span2_index"]
    shifts = (0, 2) if to > at else (2, 0)
    marks = [
        (at, noun, "_", "_", shifts[0]),
        (to, pronoun, "[", "]", shifts[1]),
    ]
    found = list(text)
    for begin, span, left, right, shift in sorted(marks):
        found.insert(begin + shift, left)
        found.insert(begin + len(span) + shift + 1, right)
    return "".join(found)


def test_nouns_and_pronouns_are_marked_as_by_clue():
    rng = random.Random(1)
    for _ in range(200):
        text = "".join(rng.choices("他她它们中国人。", k=20))
        first, second = sorted(rng.sample(range(0, 20, 4), 2))
        spans = [(first, rng.randint(1, 4)), (second, rng.randint(1, 4))]
        rng.shuffle(spans)
        target = {}
        for number, (begin, size) in enumerate(spans, start=1):
            target[f"span{number}_index"] = begin
            target[f"span{number}_text"] = text[begin : begin + size]
        ((found, _),) = datasets.find("wsc").make_pairs(text, target)
        assert found == _mark_as_clue(text, target)


_RTE = "index\tsentence1\tsentence2\tlabel\n"


@pytest.mark.parametrize(
    ("task", "files", "message"),
    [
        ("rte", {}, "--data_dir=.* has no train.tsv, nor it with .gz"),
        ("mrpc", {}, "has no train.tsv or msr_paraphrase_train.txt"),
        ("rte", {"train.tsv": "id\tsentence1\tlabel\n1\tA\tentailment\n"},
         "train.tsv: no column 'sentence2' among 'id', 'sentence1', 'label'"),
        ("sst2", {"train.tsv": "index\tsentence\n0\tA\n"},
         "train.tsv: no column 'label' among 'index', 'sentence'"),
        ("rte", {"train.tsv": _RTE + "0\tA\tB\tentails\n"},
         "train.tsv, line 2: the label 'entails' is none of the 2 known"),
        ("rte", {"train.tsv": _RTE + "0\tA\tB\tentailment\n1\tA\tB\n"},
         "train.tsv, line 3: 3 columns, not 4"),
        ("rte", {"train.tsv": _RTE + "0\t \tB\tentailment\n"},
         "train.tsv, line 2: an empty text"),
        ("stsb", {"train.tsv": "sentence1\tsentence2\tscore\nA\tB\thigh\n"},
         "train.tsv, line 2: a label that is no number"),
        ("tnews", {"train.json": '{"sentence": "a", "label": 101}\n{\n'},
         "train.json, line 2: no JSON object"),
        ("cmnli", {"train.json": forms.as_json(forms.pair("-"))},
         "no row is left of 1; the warnings say why"),
        ("cmnli", {"train.json": forms.as_json(forms.pair(""))},
         "train.json, line 1: no label"),
        ("afqmc", {"train.json": forms.as_json(forms.pair("-"))},
         "train.json, line 1: no label"),
        ("wsc", {"train.json": forms.as_json(
            forms.WSC | {"text": "它们疼", "label": "true"})},
         "train.json, line 1: a span that is not where its index says"),
        ("wsc", {"train.json": '{"text": "a", "target": {}, "label": "true"}'},
         "train.json, line 1: a text of another form than the task's"),
        ("swag", {"train.csv": f"{forms.SWAG},label\n0,\"v\n"},
         "train.csv, line 2: no CSV from here on"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_file_is_named(tmp_path, task, files, message):
    with pytest.raises(ValueError, match=message):
        _read(tmp_path, task, "train", files, strict=True)


def test_rows_without_a_label_are_left_out_but_each_to_predict_is_kept(
    tmp_path,
):
    rows = forms.as_json(*(forms.pair(x, id=x) for x in ("-", "neutral", "-")))
    files = {"dev.json": rows, "test.json": rows}
    found = _read(tmp_path, "ocnli", "eval", files, strict=True)
    assert [x.id for x in found] == ["neutral"]
    assert len(_read(tmp_path, "ocnli", "predict")) == 3
    _write(tmp_path, {"test.json": rows + "{\n"})
    wanted = "test.json, line 4: no JSON object; each row is answered"
    with pytest.raises(ValueError, match=wanted):
        _read(tmp_path, "ocnli", "predict")


def test_mrpc_itself(tmp_path):
    path = project.shared() / "data/tasks/mrpc.train.tsv.gz"
    found = _read(tmp_path, "mrpc", "train", train_file=str(path), strict=True)
    assert len(found) == 4076
    assert sum(x.label == "1" for x in found) == 2753
    assert all(a and b for ((a, b),) in (x.pairs for x in found))


def test_recipes_are_of_tasks_and_flags_that_there_are():
    fields = {x.name for x in dataclasses.fields(config.ClassifierConfig)}
    num_found = 0
    for path in sorted((project.ROOT / "configs/finetune").glob("*.flags")):
        lines = path.read_text(encoding="utf-8").split("\n")
        if "run_classifier.py" not in "".join(lines):
            continue
        num_found += 1
        flags = dict(
            line[2:].partition("=")[::2] for line in lines if line[:2] == "--"
        )
        assert flags.keys() <= fields, path
        assert datasets.find(flags.get("task_name", "rte")), path
        assert "Not measured here" in "".join(lines), path
    assert num_found > 10

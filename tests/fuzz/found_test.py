"""Inputs that once ended in a traceback, a hang or a loss, each held by itself.

The modules beside this one drew them.
"""

import gzip
import json

import pytest

from data import manifest
from finetuning import cache, problems, programs
from finetuning.classification import datasets, examples
from finetuning.question_answering import examples as questions
from finetuning.tagging import conll, json_lines
from interop import bert_config, keras_hub_config, saved_model, variables
from storage import json_files
from tests import tiny
from tests.fuzz.held import put
from text import corpus, encodings
from training import metrics_file, run_settings, strategy

_HUGE = 10**400


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999", str(_HUGE)])
def test_a_number_that_is_none_to_compute_with_is_refused(number):
    with pytest.raises(ValueError, match="a.json: x must be a number"):
        json_files.parse(f'{{"x": {number}}}', "a.json", {"x": float})


def test_half_of_a_surrogate_pair_in_another_encoding_is_told(tmp_path):
    path = put(tmp_path, "text", b"+2AA-\n")
    with pytest.raises(ValueError, match=f"{path}: not utf-7"):
        list(corpus.read_chunks(path, encoding="utf-7"))


def test_a_cut_gzip_file_in_another_encoding_is_told(tmp_path):
    path = put(tmp_path, "a.gz", gzip.compress(b"a\n" * 99, mtime=0)[:-9])
    with pytest.raises(ValueError, match=f"{path}: not a whole gzip file"):
        list(corpus.read_chunks(path, encoding="GB18030"))


@pytest.mark.parametrize("name", ["a\0b", "rot13", "undefined", "\udcff"])
def test_a_name_of_no_encoding_is_refused(name):
    with pytest.raises(ValueError, match="is no encoding"):
        encodings.check(name)


def test_a_carriage_return_ends_no_line_of_metrics(tmp_path):
    row = b'{"step": 3}\r{"step": 1}\n'
    path = put(tmp_path, "metrics.jsonl", row)
    assert metrics_file.rows(path) == []
    assert metrics_file.cut_after(path, 5) is None


def test_a_number_of_hundreds_of_digits_is_no_metric(tmp_path):
    text = json.dumps({"step": 1, "loss": _HUGE, "f1": 2})
    text += "\n" + json.dumps({"step": _HUGE, "loss": 1})
    path = put(tmp_path, "metrics.jsonl", text.encode())
    assert metrics_file.rows(path) == [{"step": 1, "f1": 2}]


@pytest.mark.parametrize(
    "task",
    [{}, {"type": "worker", "index": None}, {"type": "worker", "index": 2}]
    + [{"type": "ps", "index": 0}, {"type": "worker", "index": -1}],
)
def test_a_task_outside_of_its_cluster_is_refused(monkeypatch, task):
    stated = {"cluster": {"worker": ["a:1", "b:2"]}}
    if task:
        stated["task"] = task
    monkeypatch.setenv("TF_CONFIG", json.dumps(stated))
    with pytest.raises(ValueError, match="TF_CONFIG: "):
        strategy.create()


@pytest.mark.parametrize("value", [_HUGE, 1e39, "1e400", -1e308])
def test_a_label_that_float32_does_not_hold_is_no_number(value):
    with pytest.raises(ValueError, match="no number"):
        examples.number_of(value)


def test_a_list_is_no_beginning_of_an_ending():
    make_pairs = datasets.find("swag").make_pairs
    with pytest.raises(TypeError):
        make_pairs("a", ["b"], "c", "d", "e", "f")


def test_an_answer_at_a_place_of_hundreds_of_digits_is_found(tmp_path):
    answer = {"text": "a", "answer_start": "1e400"}
    entry = {"id": 1, "question": "b", "answers": [answer]}
    article = {"paragraphs": [{"context": "a", "qas": [entry]}]}
    path = put(tmp_path, "s.json", json.dumps({"data": [article]}).encode())
    left_out = problems.Problems(strict=True)
    with pytest.raises(ValueError, match="answer_start is no integer"):
        questions.read(path, left_out, version_2=False, is_training=True)


def test_a_sentence_may_begin_with_a_brace(tmp_path):
    path = put(tmp_path, "a.txt", b"{ O\nx B-X\n")
    (sentence,) = conll.read(path, problems.Problems(strict=True))
    assert sentence.words == ("{", "x")
    for text in ('{"text": ""}', '{ "text": ""}', " {}", "{\n"):
        assert json_lines.is_here(text)


def test_a_label_that_is_none_is_named_with_its_line(tmp_path):
    path = put(tmp_path, "a.txt", b"a O\n\nb B-X\nc 1\n")
    found = conll.read(path, problems.Problems(strict=True))
    with pytest.raises(ValueError, match=f"{path}, line 4: label '1'"):
        conll.scheme_of(found)


@pytest.mark.parametrize(
    "changes",
    [{"id2label": [1]}, {"id2label": 5}, {"id2label": {"x": "a"}}]
    + [{"id2label": {"0": ["a"]}}, {"id2label": {"1": "a"}}]
    + [{"num_hidden_layers": 10**12}],
)
def test_a_config_that_no_model_has_is_refused(tmp_path, changes):
    text = json.dumps(tiny.CONFIG | changes)
    path = put(tmp_path, "config.json", text.encode())
    with pytest.raises(ValueError, match=path):
        bert_config.read(path)


def test_a_head_of_one_number_has_no_rows_to_count():
    import numpy as np

    assert variables.num_labels({"output_weights": np.float32(1)}) == 2


def test_settings_of_presets_and_of_servings_are_objects(tmp_path):
    put(tmp_path, "task.json", b'{"class_name": ["BertMaskedLM"]}')
    put(tmp_path, "tokenizer.json", b'{"config": 5}')
    (tmp_path / "assets.extra").mkdir()
    put(tmp_path / "assets.extra", "serving.json", b"{}")
    for call in (
        keras_hub_config.head_of,
        keras_hub_config.read_case,
        saved_model.read_settings,
    ):
        with pytest.raises(ValueError, match=str(tmp_path)):
            call(str(tmp_path))


@pytest.mark.parametrize(
    "changes",
    [{"masking": "x"}, {"made_from": {"flags": {"masked_lm_prob": "x"}}}],
)
def test_a_manifest_of_values_that_nobody_knows_is_refused(tmp_path, changes):
    text = json.dumps({"made_from": {}, "files": {}} | changes)
    path = put(tmp_path, "r.manifest.json", text.encode())
    with pytest.raises(ValueError, match=path):
        manifest.read(path)


@pytest.mark.parametrize(
    "features",
    [{"ids": ["int32", [10**12]]}, {"ids": ["int32", [-1]]}, {"ids": [[], []]}]
    + [{"ids": ["int32", None]}, {}, {"other": ["int32", [3]]}],
)
def test_kept_rows_of_another_description_are_made_again(tmp_path, features):
    import numpy as np

    path = str(tmp_path / "train.tf_record")
    made = {"ids": np.ones((2, 3), np.int32)}
    cache.rows(path, {}, lambda: made)
    stated = json_files.read(path + ".json")
    json_files.write(path + ".json", stated | {"features": features})
    assert cache.rows(path, {}, lambda: made)["ids"].shape == (2, 3)


@pytest.mark.parametrize("changes", [{"task_name": 5}, {"labels": True}])
def test_settings_of_other_kinds_are_refused(tmp_path, changes):
    config = {"task_name": "tsv"} | changes
    stated = {"task": "Classification", "config": config}
    run_settings.write(str(tmp_path), stated)
    with pytest.raises(ValueError, match=f"{tmp_path}/settings.json: not"):
        programs.load(str(tmp_path))


def test_rows_that_are_no_object_leave_the_settings_aside(tmp_path):
    run_settings.write(str(tmp_path), {"training_rows": True})
    assert run_settings.read(str(tmp_path)) == {}

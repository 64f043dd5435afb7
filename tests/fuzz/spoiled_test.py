"""JSON of users with each of its places spoiled in each way, one at a time.

What the other modules here draw by chance is gone through here, so that no
reader trusts a value: it refuses the file by its name, or does without.
"""

import itertools
import json
import types

import pytest

from data.building import build
from finetuning import cache, directory, inherited, programs
from finetuning.classification import config as classification_config
from finetuning.classification import task as classification
from finetuning.question_answering import config as question_config
from finetuning.question_answering import task as question_answering
from finetuning.tagging import config as tagging_config
from finetuning.tagging import task as tagging
from interop import (
    bert_config,
    formats,
    hugging_face,
    keras_hub,
    keras_hub_config,
    variables,
)
from tests import project, tiny
from tests.data import built
from tests.fuzz import held, near
from tests.fuzz.held import put
from tests.interop import berts
from training import best_checkpoint, checkpoint, run_settings

pytestmark = pytest.mark.slow


def test_the_shape_of_a_model(tmp_path):
    valid = tiny.CONFIG | {"architectures": ["B"], "id2label": {"0": "a"}}

    def check(data):
        path = put(tmp_path, "config.json", data)
        found = held.read(lambda: bert_config.read(path), path)
        if found.value:
            held.read(lambda: variables.labels(found.value), path)
            found.value.to_json()

    held.each(near.spoiled(valid), check)


def test_a_directory_of_hugging_face(tmp_path):
    model = berts.bert("sequence_classification", num_hidden_layers=1)
    hugging_face.export(str(tmp_path), model)

    def check_config(data):
        path = put(tmp_path, "config.json", data)
        found = held.read(lambda: formats.read(str(tmp_path)), path, tmp_path)
        if found.value:
            variables.check_model(found.value, path)

    right = (tmp_path / "config.json").read_bytes()
    held.each(near.spoiled(json.loads(right)), check_config)
    put(tmp_path, "config.json", right)
    path = tmp_path / "model.safetensors"
    whole = path.read_bytes()
    end = 8 + int.from_bytes(whole[:8], "little")
    header = json.loads(whole[8:end])
    few = {"classifier.weight": header.pop("classifier.weight")}

    def check_header(data):
        text = json.dumps(header)[:-1].encode() + b", " + data[1:]
        size = len(text).to_bytes(8, "little")
        path.write_bytes(size + text + whole[end:])
        held.read(lambda: formats.read(str(tmp_path)), path, tmp_path)

    held.each(near.spoiled(few), check_header)


def test_a_preset_of_keras_hub(tmp_path):
    valid = {"class_name": "BertMaskedLM", "config": {"lowercase": True}}

    def check(data):
        for name in ("config.json", "task.json", "tokenizer.json"):
            put(tmp_path, name, data)
        folder = str(tmp_path)
        for call in (
            keras_hub.is_here,
            keras_hub_config.head_of,
            keras_hub_config.read_case,
        ):
            held.read(lambda call=call: call(folder), folder)

    held.each(near.spoiled(valid), check)


_TASKS = {
    "Classification": (
        classification_config.ClassifierConfig,
        classification.Classification,
        {"task_name": "tsv", "choice_columns": "a,b"},
        {
            "labels": ["a", "b"],
            "texts": ["t", "a", "b"],
            "label": "l",
            "class_weights": [1.0, 2.0],
        },
    ),
    "QuestionAnswering": (
        question_config.QuestionAnsweringConfig,
        question_answering.QuestionAnswering,
        {"predict_file": "x.json"},
        {},
    ),
    "Tagging": (
        tagging_config.TaggingConfig,
        tagging.Tagging,
        {"data_dir": "x"},
        {"labels": ["O", "B-X"], "words_are_characters": True},
    ),
}


@pytest.mark.parametrize("name", _TASKS)
def test_settings_of_a_fine_tuning(tmp_path, name):
    make_config, _, flags, settings = _TASKS[name]
    folder = str(tmp_path)
    project.write_vocabulary(tmp_path, ("a",))
    config = make_config(
        output_dir=folder,
        vocab_file=f"{folder}/vocab.txt",
        bert_config_file=f"{folder}/bert_config.json",
        do_predict=True,
        **flags,
    )
    rows = {"file": "x", "summary": "3 rows", "sha256": "y"}
    program = _TASKS[name][1].program
    run_settings.write(
        folder,
        {
            "program": program,
            "task": name,
            "config": vars(config),
            "settings": settings,
            "training_rows": rows,
        },
    )
    path = tmp_path / run_settings.SETTINGS_FILE
    now = json.loads(path.read_bytes())

    def check(data):
        put(tmp_path, path.name, data)
        held.read(lambda: programs.load(folder), path, folder)
        held.read(lambda: inherited.settle(config, ()), path, folder)

        task = types.SimpleNamespace(settings=lambda: now["settings"])

        def go_on():
            before = run_settings.read(folder)
            run_settings.check_program(before, program, folder)
            directory.refuse_other_labels(folder, task, before)
            run_settings.warn_of_changes(
                before, now["config"], now["training_rows"], "newest"
            )

        held.read(go_on, path, folder)

    held.each(near.spoiled(now), check)


def test_the_record_of_the_best_checkpoint(tmp_path):
    newest = types.SimpleNamespace(
        directory=str(tmp_path),
        variables={checkpoint.GLOBAL_STEP: None},
        is_chief=False,
    )
    (tmp_path / "best").mkdir()
    put(tmp_path / "best", "model.ckpt-7.index", b"")

    def check(data):
        path = put(tmp_path / "best", "best.json", data)
        best = held.read(
            lambda: best_checkpoint.BestCheckpoint(newest, metric="f1"), path
        )
        if best.value:
            best.value.offer(9, {"f1": 0.5})

    valid = {"metric": "f1", "value": 0.3, "step": 7}
    held.each(near.spoiled(valid), check)


def test_rows_that_were_kept(tmp_path):
    import numpy as np

    path = str(tmp_path / "train.tf_record")
    made = {
        "ids": np.arange(6, dtype=np.int32).reshape(2, 3),
        "score": np.ones(2, np.float32),
    }
    cache.rows(path, {"of": "x"}, lambda: made)
    record = (tmp_path / "train.tf_record").read_bytes()
    valid = json.loads((tmp_path / "train.tf_record.json").read_bytes())

    def check(data):
        put(tmp_path, "train.tf_record", record)
        put(tmp_path, "train.tf_record.json", data)
        found = held.read(
            lambda: cache.rows(path, {"of": "x"}, lambda: made), path
        )
        assert found.value.keys() == made.keys()
        for name in made:
            np.testing.assert_array_equal(found.value[name], made[name])

    held.each(near.spoiled(valid), check)


def test_what_a_build_says_of_its_records(tmp_path):
    from tests.fuzz import records_test

    text = "天地玄黃。\n宇宙洪荒。\n\n日月盈昃。\n辰宿列張。\n\n"
    (tmp_path / "text.txt").write_text(text)
    flags = {
        "input_file": f"{tmp_path}/text.txt",
        "output_file": f"{tmp_path}/r-0",
        "max_seq_length": 16,
        "max_predictions_per_seq": 4,
    }
    build.build(built.make_config(tmp_path, **flags))
    path = tmp_path / "r-0.manifest.json"
    valid = json.loads(path.read_bytes())
    valid["special_ids"] = valid["special_ids"][:1]
    valid["statistics"] = {"num_records": valid["statistics"]["num_records"]}
    counts = valid["shards"][0]["counts"]
    valid["shards"][0]["counts"] = {"num_records": counts["num_records"]}
    lengths = {
        "max_seq_length": 16,
        "max_predictions_per_seq": 4,
        "vocab_size": valid["vocab_size"],
    }
    record = str(tmp_path / "r-0")

    def check(data):
        put(tmp_path, path.name, data)
        held.read(lambda: records_test._read(record, lengths), path, record)
        held.read(lambda: records_test._inspect(record), path, record)
        config = built.make_config(tmp_path, **flags)
        held.read(lambda: build.build(config), path, record)

    # Of the many places each in half of the ways.
    held.each(itertools.islice(near.spoiled(valid), 0, None, 2), check)

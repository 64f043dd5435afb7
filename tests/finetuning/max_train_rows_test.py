"""--max_train_rows: few rows of many, each number's among the next one's."""

import json

import pytest
import tensorflow as tf

from finetuning import workbench
from tests.finetuning import tiny_task


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    path = tmp_path_factory.mktemp("rows")
    tiny_task.write_inputs(path)
    return path


def _examples(directory, output, **settings):
    bench = workbench.Workbench(tiny_task.WhichHalf)
    bench.devices = tf.distribute.get_strategy()
    config = tiny_task.make_config(directory, output, **settings)
    bench.task(config)
    (directory / output).mkdir(exist_ok=True)
    return {
        name: list(bench.split(name, config.output_dir).examples)
        for name in ("train", "eval")
    }


def test_few_rows_are_among_more_and_the_others_are_all_there(directory):
    found = {
        count: _examples(directory, f"of_{count}", max_train_rows=count)
        for count in (0, 10, 30, 100, 200)
    }
    assert len(found[10]["train"]) == 10 and len(found[30]["train"]) == 30
    assert set(found[10]["train"]) < set(found[30]["train"])
    assert found[30]["train"] == sorted(found[30]["train"])
    # Drawn, and not the first ones.
    assert max(found[10]["train"]) > 10
    for count in (100, 200):
        assert found[count]["train"] == found[0]["train"]
    assert all(len(x["eval"]) == 37 for x in found.values())


def test_another_number_makes_the_rows_again(directory):
    _examples(directory, "again", max_train_rows=10)
    path = directory / "again/train.tf_record.json"
    before = json.loads(path.read_text())
    assert before["num_rows"] == 10
    assert before["made_from"]["max_train_rows"] == 10
    _examples(directory, "again", max_train_rows=20)
    assert json.loads(path.read_text())["num_rows"] == 20
    with pytest.raises(ValueError, match="--max_train_rows must not be neg"):
        tiny_task.make_config(directory, "x", max_train_rows=-1)

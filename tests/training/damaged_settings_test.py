"""A damaged settings.json or best.json stops no run; TF_CONFIG is refused."""

import json

import pytest
import tensorflow as tf

from training import best_checkpoint, checkpoint, run_settings, strategy

SETTINGS = {
    "program": "run_pretraining.py",
    "config": {"learning_rate": 0.1, "output_dir": "x"},
    "training_rows": {"summary": "2 files, 3 records", "sha256": "0"},
}
DAMAGES = ["", "[]", "null", "5", "{", '{"config": null}', '{"config": []}']


@pytest.mark.parametrize(
    "damage", [*DAMAGES, '{"program": 5}', '{"settings": "x"}']
)
def test_damaged_settings_are_as_if_they_were_not_there(
    tmp_path, caplog, damage
):
    path = tmp_path / run_settings.SETTINGS_FILE
    path.write_text(damage)
    before = run_settings.read(str(tmp_path))
    assert before == {}
    assert f"as if it were not there: {path}" in caplog.text
    caplog.clear()
    run_settings.check_program(before, "run_pretraining.py", str(tmp_path))
    run_settings.warn_of_changes(
        before, SETTINGS["config"], SETTINGS["training_rows"], "model.ckpt-7"
    )
    assert caplog.text == ""
    run_settings.write(str(tmp_path), SETTINGS)
    assert run_settings.read(str(tmp_path)) == SETTINGS


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"config": SETTINGS["config"] | {"learning_rate": 0.2}}, "0.1 and is"),
        ({"training_rows": {"sha256": "1"}}, "the training rows are others"),
        ({"training_rows": "3 rows"}, None),
    ],
)
def test_whole_settings_are_compared(tmp_path, caplog, changes, words):
    run_settings.write(str(tmp_path), SETTINGS)
    before = run_settings.read(str(tmp_path))
    now = SETTINGS | changes
    if isinstance(now["training_rows"], str):  # As fine-tuning may describe it.
        before["training_rows"] = "3 rows"
    run_settings.warn_of_changes(
        before, now["config"], now["training_rows"], "model.ckpt-7"
    )
    assert bool(caplog.text) == bool(words)
    assert (words or "") in caplog.text


def make_best(directory):
    made = {
        "w": tf.Variable([1.0]),
        "global_step": tf.Variable(10, dtype=tf.int64),
    }
    newest = checkpoint.Checkpoints(str(directory), made, keep_max=1)
    return best_checkpoint.BestCheckpoint(newest, metric="loss")


@pytest.mark.parametrize(
    "damage",
    [
        *DAMAGES,
        '{"metric": "loss", "value": "x", "step": 10}',
        '{"metric": "loss", "value": NaN, "step": 10}',
        '{"metric": "loss", "value": 0.1}',
        '{"metric": 7, "value": 0.1, "step": 10}',
    ],
)
def test_of_a_damaged_best_json_the_next_evaluation_is_the_best(
    tmp_path, caplog, damage
):
    make_best(tmp_path).offer(10, {"loss": 0.1})
    path = tmp_path / "best" / "best.json"
    wanted = json.loads(path.read_text())
    assert wanted == {"metric": "loss", "value": 0.1, "step": 10}
    path.write_text(damage)
    best = make_best(tmp_path)
    assert f"as if it were not there: {path}" in caplog.text
    best.offer(10, {"loss": 0.5})
    assert json.loads(path.read_text()) == wanted | {"value": 0.5}


CLUSTER = {"worker": ["127.0.0.1:1", "127.0.0.1:2"]}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("{", "TF_CONFIG, line 1, column 2: not JSON"),
        ("cluster", "TF_CONFIG, line 1, column 1: not JSON"),
        ("[]", "TF_CONFIG: it must be an object"),
        ({"cluster": ["a:1"]}, "TF_CONFIG: cluster must be an object"),
        (
            {"cluster": {"worker": "a:1"}},
            "TF_CONFIG: cluster.worker must be a ",
        ),
        ({"cluster": {"worker": [1]}}, r"TF_CONFIG: cluster.worker\[0\] must"),
        ({"cluster": CLUSTER, "task": "worker"}, "TF_CONFIG: task must be an"),
        ({"cluster": CLUSTER, "task": {"index": 0}}, "task has no 'type'"),
        ({"cluster": CLUSTER, "task": {"type": "worker"}}, "no 'index'"),
        ({"cluster": CLUSTER}, "TF_CONFIG: the task {} is none of its cluster"),
        (
            {"cluster": CLUSTER, "task": {"type": "worker", "index": 2}},
            "TF_CONFIG: the task .* is none of its cluster",
        ),
        (
            {"cluster": CLUSTER, "task": {"type": "chief", "index": 0}},
            "TF_CONFIG: the task .* is none of its cluster",
        ),
    ],
)
def test_a_damaged_tf_config_is_one_line(monkeypatch, value, words):
    text = value if isinstance(value, str) else json.dumps(value)
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(ValueError, match=words) as caught:
        strategy.create()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["", "{}", '{"task": {"type": "x", "index": 0}}']
)
def test_a_tf_config_without_a_cluster_is_one_process(monkeypatch, text):
    monkeypatch.setenv("TF_CONFIG", text)
    assert strategy.create().num_replicas_in_sync == 1

"""Runs of many settings: what is asked, kept, given up, and taken over."""

import json
import math
import pathlib
import types

import numpy as np
import pytest
import tensorflow as tf

from finetuning import sweep, sweep_settings
from tests.finetuning import tiny_task
from training import trainer
from training.bad_steps import Diverged

_SWEEP = "learning_rate=3e-3,1e-5; train_batch_size=10,20"
_FLAGS = {"sweep": _SWEEP, "num_train_epochs": 2.0, "successive_halving": 2}


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    path = tmp_path_factory.mktemp("sweep")
    tiny_task.write_inputs(path)
    return path


@pytest.fixture(scope="module")
def whole(directory):
    """A sweep from start to end."""
    return tiny_task.run(directory, "whole", **_FLAGS)


def _tensors(directory, step):
    reader = tf.train.load_checkpoint(str(directory / f"model.ckpt-{step}"))
    return {
        name: reader.get_tensor(name)
        for name in reader.get_variable_to_shape_map()
    }


def _assert_same(one, other, step):
    one, other = _tensors(one, step), _tensors(other, step)
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_array_equal(one[name], other[name], name)


def _scores(directory):
    """{setting: {epochs: accuracy}}"""
    settings = json.loads((directory / "sweep.json").read_text())["settings"]
    return {
        name: {
            epochs: scores and scores["eval_accuracy"]
            for epochs, scores in row["scores"].items()
        }
        for name, row in settings.items()
    }


def test_a_setting_ends_as_a_run_of_its_own(directory, whole):
    scores = _scores(directory / "whole")
    (name, _) = [n for n, x in scores.items() if "2" in x]
    # The second one took over the step of the first.
    values = dict(part.split("=") for part in name.split("__"))
    alone = tiny_task.run(
        directory,
        "alone",
        num_train_epochs=2.0,
        learning_rate=float(values["learning_rate"]),
        train_batch_size=int(values["train_batch_size"]),
    )
    _assert_same(
        directory / "whole" / name, directory / "alone", alone["global_step"]
    )
    files = [
        (directory / folder / "eval_results.txt").read_text()
        for folder in ("alone", f"whole/{name}")
    ]
    assert files[0] == files[1]


def test_the_best_is_a_whole_directory_at_the_top(directory, whole):
    best = json.loads((directory / "whole/sweep.json").read_text())["best"]
    assert f"learning_rate={whole['best_learning_rate']}__" in best
    _assert_same(
        directory / "whole" / best, directory / "whole", whole["global_step"]
    )
    again = tiny_task.run(directory, "whole", do_train=False)
    assert again["eval_accuracy"] == whole["eval_accuracy"]


class _KilledError(Exception):
    pass


def test_killed_in_a_run_and_given_again_it_ends_the_same(
    directory, whole, monkeypatch
):
    calls, real = [], trainer.Trainer.metrics

    def metrics(*arguments):
        calls.append(1)
        if len(calls) == 12:
            raise _KilledError
        return real(*arguments)

    with monkeypatch.context() as patch, pytest.raises(_KilledError):
        patch.setattr(trainer.Trainer, "metrics", metrics)
        tiny_task.run(directory, "killed", **_FLAGS)
    before = _scores(directory / "killed")
    assert 0 < sum(map(len, before.values())) < 6
    assert tiny_task.run(directory, "killed", **_FLAGS) == whole
    for name in ("sweep.json", "sweep.md", "sweep.svg"):
        one, other = (
            (directory / folder / name).read_bytes()
            for folder in ("whole", "killed")
        )
        assert one == other, name


# What follows needs no training: a run leaves files and a score.


class _Runs:
    """Runs whose scores a function of (setting, epochs) says."""

    def __init__(self, directory, score, **settings):
        self.done = []
        self.asked = []
        self._score = score
        self._config = tiny_task.make_config(directory, "fake", **settings)

    def __call__(self, config, num_epochs=math.inf, rows_dir=None):
        epochs = min(num_epochs, config.num_train_epochs)
        self.asked.append((config.learning_rate, epochs, config.seed))
        folder = pathlib.Path(config.output_dir)
        (folder / f"model.ckpt-{epochs:g}.index").write_text(str(config.seed))
        (folder / f"model.ckpt-{epochs:g}.data-00000-of-00001").write_text("")
        self.done.append((config.learning_rate, epochs))
        return {"eval_accuracy": self._score(config, epochs)}

    def sweep(self):
        bench = types.SimpleNamespace(
            task=tiny_task.WhichHalf, devices=tf.distribute.get_strategy()
        )
        config = self._config
        settings = sweep_settings.of(config)
        results, self.ranked = sweep.run(config, settings, self, bench)
        return results


def _by_rate(config, epochs):
    return round(config.learning_rate * 100 + epochs / 1000, 6)


_RATES = "learning_rate=0.001,0.004,0.003,0.002"


def test_halving_gives_up_the_worst_at_each_rung(tmp_path):
    runs = _Runs(
        tmp_path,
        _by_rate,
        sweep=_RATES,
        num_train_epochs=5.0,
        successive_halving=2,
    )
    found = runs.sweep()
    assert runs.done == [
        *((rate, 1.0) for rate in (0.001, 0.004, 0.003, 0.002)),
        *((rate, 2.0) for rate in (0.004, 0.003)),
        *((0.004, epochs) for epochs in (4.0, 5.0)),
    ]
    assert found == {"eval_accuracy": 0.405, "best_learning_rate": 0.004}
    # One alone came to its end.
    assert [setting.learning_rate for setting in runs.ranked] == [0.004]
    table = (tmp_path / "fake/sweep.md").read_text().splitlines()
    assert table == [
        "| learning_rate | epochs trained | eval_accuracy |",
        "| --- | --- | --- |",
        "| 0.004 | 5 | 0.4050 |",
        "| 0.003 | 2 of 5 | 0.3020 |",
        "| 0.002 | 1 of 5 | 0.2010 |",
        "| 0.001 | 1 of 5 | 0.1010 |",
    ]


def test_short_settings_are_judged_beside_long_ones(tmp_path):
    runs = _Runs(
        tmp_path,
        _by_rate,
        sweep="num_train_epochs=1,4; learning_rate=0.001,0.002",
        successive_halving=2,
    )
    found = runs.sweep()
    # After an epoch the two with the higher rate are left; one is over.
    assert runs.done == [
        *((0.001, 1.0), (0.002, 1.0), (0.001, 1.0), (0.002, 1.0)),
        *((0.002, 2.0), (0.002, 4.0)),
    ]
    assert found["best_num_train_epochs"] == 4


def test_what_is_known_is_not_run_again(tmp_path):
    first = _Runs(tmp_path, _by_rate, sweep="learning_rate=0.001,0.002")
    first.sweep()
    again = _Runs(tmp_path, pytest.fail, sweep="learning_rate=0.001,0.002")
    assert again.sweep()["best_learning_rate"] == 0.002
    more = _Runs(tmp_path, _by_rate, sweep=_RATES)
    assert more.sweep()["best_learning_rate"] == 0.004
    assert more.done == [(0.004, 3.0), (0.003, 3.0)]
    fewer = _Runs(tmp_path, pytest.fail, sweep="learning_rate=0.001,0.002")
    assert fewer.sweep()["best_learning_rate"] == 0.002
    assert len(_scores(tmp_path / "fake")) == 4


def test_a_killed_sweep_goes_on_behind_what_it_had_noted(tmp_path):
    def killed_at_third(config, epochs):
        if config.learning_rate == 0.003:
            raise _KilledError
        return _by_rate(config, epochs)

    with pytest.raises(_KilledError):
        _Runs(tmp_path, killed_at_third, sweep=_RATES).sweep()
    runs = _Runs(tmp_path, _by_rate, sweep=_RATES)
    runs.sweep()
    assert runs.done == [(0.003, 3.0), (0.002, 3.0)]


def test_a_setting_that_diverges_is_no_end_of_the_others(tmp_path):
    def diverging(config, epochs):
        if config.learning_rate == 0.004:
            raise Diverged("loss became nan")
        return _by_rate(config, epochs)

    found = _Runs(tmp_path, diverging, sweep=_RATES).sweep()
    assert found["best_learning_rate"] == 0.003
    assert _scores(tmp_path / "fake")["learning_rate=0.004"] == {"3": None}
    table = (tmp_path / "fake/sweep.md").read_text().splitlines()
    assert table[-1] == "| 0.004 | 3 | no number |"


def test_not_one_score_is_told(tmp_path):
    def diverging(config, epochs):
        raise Diverged("loss became nan")

    with pytest.raises(ValueError, match="not one setting of --sweep"):
        _Runs(tmp_path, diverging, sweep=_RATES).sweep()


def test_several_seeds_are_judged_by_their_mean(tmp_path):
    def lucky(config, epochs):
        is_lucky = config.learning_rate == 0.001 and config.seed == 2
        return 1.0 if is_lucky else 0.6 + 10 * config.learning_rate

    runs = _Runs(
        tmp_path, lucky, sweep="learning_rate=0.001,0.03", seeds="1,2,3"
    )
    found = runs.sweep()
    assert [seed for *_, seed in runs.asked] == [1, 2, 3, 1, 2, 3]
    assert found["best_learning_rate"] == 0.03
    assert found["eval_accuracy_mean"] == pytest.approx(0.9)
    text = (tmp_path / "fake/sweep.md").read_text()
    assert "| eval_accuracy_mean | eval_accuracy_deviation |" in text


def test_the_top_has_the_checkpoint_of_the_best_alone(tmp_path):
    flags = {"sweep": "num_train_epochs=2,4; learning_rate=0.001,0.002"}
    _Runs(tmp_path, lambda config, epochs: -epochs, **flags).sweep()
    flags["sweep"] = "num_train_epochs=1,2; learning_rate=0.001,0.002"
    _Runs(tmp_path, lambda config, epochs: -epochs, **flags).sweep()
    names = [path.name for path in (tmp_path / "fake").glob("model.ckpt*")]
    assert {name.split(".")[1] for name in names} == {"ckpt-1"}


def test_a_damaged_table_is_made_again(tmp_path, caplog):
    _Runs(tmp_path, _by_rate, sweep=_RATES).sweep()
    path = tmp_path / "fake/sweep.json"
    before = path.read_text()
    path.write_text(before[:100])
    _Runs(tmp_path, _by_rate, sweep=_RATES).sweep()
    assert path.read_text() == before
    assert "left aside" in caplog.text


def test_a_folder_of_something_else_is_refused(tmp_path):
    _Runs(tmp_path, _by_rate, sweep=_RATES).sweep()
    other = _Runs(tmp_path, pytest.fail, sweep=_RATES, weight_decay=0.5)
    with pytest.raises(ValueError, match="sweep with --weight_decay=0.01, and"):
        other.sweep()
    (tmp_path / "fake/sweep.json").unlink()
    (tmp_path / "fake/settings.json").write_text('{"program": "x"}')
    with pytest.raises(ValueError, match="has a training and no sweep.json"):
        _Runs(tmp_path, pytest.fail, sweep=_RATES).sweep()

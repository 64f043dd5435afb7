"""shell/ablations.sh: what it trains, what it tunes, and its table."""

import dataclasses
import functools

import pytest

from modeling import families
from tests import docs_test, project

_TIMEOUT_SECS = 60
# Stands for Python: notes its command, and leaves scores as a fine-tuning does.
_PROGRAM = """#!/usr/bin/env bash
printf '%s\\n' "$*" >>"$0.log"
for flag in "$@"; do
  case "$flag" in --output_dir=*) output="${flag#*=}" ;; esac
done
case "$1" in
  run_classifier.py) score="eval_accuracy = 0.75" ;;
  run_ner.py) score="eval_accuracy = 0.9
eval_f1 = 0.5" ;;
  *) exit 0 ;;
esac
mkdir -p "$output"
echo "$score" >"$output/eval_results.txt"
"""


_run = functools.partial(
    project.run_script, "ablations.sh", timeout=_TIMEOUT_SECS
)


@pytest.fixture
def folder(tmp_path):
    program = tmp_path / "python"
    program.write_text(_PROGRAM)
    program.chmod(0o755)
    for name in ("names/train.conll.gz", "reviews/train.tsv"):
        (tmp_path / "tasks" / name).parent.mkdir(parents=True)
        (tmp_path / "tasks" / name).touch()
    return tmp_path


def test_three_models_and_four_rows(folder):
    found = _run(
        folder,
        *("text.txt", "out", "30", "--seed=7"),
        PYTHON=str(folder / "python"),
        TASKS="tasks",
        CONFIG="configs/bert_quickstart.json",
        TUNING="--num_train_epochs=1 --seeds=1,2",
    )
    assert found.returncode == 0, found.stderr
    lines = [" ".join(x.split()) for x in found.stdout.strip().split("\n")]
    assert lines == [
        "after 30 steps of each, bert_quickstart.json",
        "names reviews",
        "masked LM + NSP 0.500 0.750",
        "no NSP 0.500 0.750",
        "LTR & no NSP 0.500 0.750",
        "+ BiLSTM 0.500 0.750",
    ]
    assert (folder / "out/table.txt").read_text() in found.stdout
    commands = _commands(folder)
    for program, *flags in commands:
        known = docs_test.defaults(program.removesuffix(".py"))
        names = [flag.removeprefix("--").split("=")[0] for flag in flags]
        assert all(docs_test.is_flag(name, known) for name in names), names
    _check_trained([set(x) for x in commands], folder / "out")
    _check_tuned(commands)


def _commands(folder):
    log = (folder / "python.log").read_text()
    return [line.split() for line in log.strip().split("\n")]


def _check_trained(commands, out):
    """On the same records, but for what is compared."""
    trained = [x for x in commands if "run_pretraining.py" in x]
    assert len(trained) == 3
    assert {
        "--seed=7",
        "--num_train_steps=30",
        f"--input_file={out}/train.tfrecord",
    } < set.intersection(*trained)
    assert trained[1] - trained[0] == {
        "--nouse_nsp",
        f"--output_dir={out}/no_nsp",
    }
    assert trained[2] - trained[1] == {
        "--objective=left_to_right",
        f"--output_dir={out}/left_to_right",
        f"--bert_config_file={out}/left_to_right.json",
    }
    both, left = (
        families.read_config(path.read_text(), str(path))
        for path in (
            project.ROOT / "configs/bert_quickstart.json",
            out / "left_to_right.json",
        )
    )
    assert left == dataclasses.replace(both, is_decoder=True)


def _check_tuned(commands):
    tuned = [x for x in commands if x[0] in ("run_ner.py", "run_classifier.py")]
    assert len(tuned) == 8
    for command in tuned:
        assert {"--num_train_epochs=1", "--seeds=1,2"} < set(command)
        found = {
            flag: [x for x in command if x.startswith(f"--{flag}=")]
            for flag in ("init_checkpoint", "bert_config_file")
        }
        is_left = ["left_to_right" in x for (x,) in found.values()]
        assert is_left[0] is is_left[1]
    heads = [x[1] for x in tuned if x[0] == "run_ner.py"]
    assert heads == ["--ner_head=crf"] * 3 + ["--ner_head=bilstm_crf"]
    heads = [x[2] for x in tuned if x[0] == "run_classifier.py"]
    assert heads == ["--classifier_head=pooled"] * 3 + [
        "--classifier_head=bilstm"
    ]


def test_a_training_that_fails_ends_it_without_a_table(folder):
    program = folder / "python"
    program.write_text(
        _PROGRAM.replace(
            "*) exit 0", "run_pretraining.py) exit 3 ;;\n  *) exit 0"
        )
    )
    found = _run(folder, "text.txt", "out", PYTHON=str(program), TASKS="tasks")
    assert found.returncode == 3
    assert not found.stdout
    assert not (folder / "out/table.txt").exists()
    assert "--num_train_steps=10000" in _commands(folder)[-1]


@pytest.mark.parametrize("tasks", [{}, {"TASKS": "none"}])
def test_without_tasks_it_says_how_it_is_used(folder, tasks):
    found = _run(folder, "text.txt", "out", **tasks)
    assert found.returncode == 2
    assert "usage: TASKS=FOLDER bash shell/ablations.sh TEXT" in found.stderr

"""shell/finetune.sh: several tasks, one after another, and their scores."""

import functools
import sys

from finetuning.classification import task
from tests import project
from tests.finetuning.classification import tiny_classifier

_TIMEOUT_SECS = 300


_run = functools.partial(
    project.run_script,
    "finetune.sh",
    timeout=_TIMEOUT_SECS,
    PYTHON=sys.executable,
)


def _write_rte(directory):
    directory.mkdir(parents=True)
    rows = [
        (str(n), text, "the film", label)
        for n, (text, label) in enumerate(
            [("a good film", "entailment"), ("bad food", "not_entailment")] * 16
        )
    ]
    for name in ("train.tsv", "dev.tsv"):
        tiny_classifier.write_lines(
            directory / name,
            [("index", "sentence1", "sentence2", "label"), *rows],
        )


def test_a_task_that_fails_does_not_stop_the_others(tmp_path):
    tiny_classifier.write_model(tmp_path)
    _write_rte(tmp_path / "glue" / "RTE")
    task.run(
        tiny_classifier.settings(
            tmp_path,
            task_name="rte",
            data_dir=str(tmp_path / "glue" / "RTE"),
            output_dir=str(tmp_path / "model"),
            do_train=True,
            num_train_epochs=1.0,
        )
    )
    flags = ["--max_seq_length=16", "--num_train_epochs=1"]
    flags += ["--mixed_precision=none", "--train_batch_size=8"]
    found = _run(tmp_path, "model", "glue", "out", "CoLA", "RTE", *flags)
    assert found.returncode == 1
    assert found.stderr.count("\nerror:") == 1
    assert "initialised from" in found.stderr
    missing, scored = found.stdout.strip().split("\n")
    assert " ".join(missing.split()) == "CoLA failed; see the messages above"
    name, score, guessed = scored.split()
    assert name == "RTE"
    assert 0.5 <= float(score.removeprefix("eval_accuracy=")) <= 1
    # Beside it what "entailment" for all rows would score.
    assert guessed == "majority_accuracy=0.5"
    assert (tmp_path / "out" / "RTE" / "model.ckpt-4.index").exists()


def test_too_few_arguments_show_how_it_is_used(tmp_path):
    for arguments in (("model", "glue", "out"), ("a", "b", "c", "--flag")):
        found = _run(tmp_path, *arguments)
        assert found.returncode == 2
        assert "usage: bash shell/finetune.sh MODEL_DIR" in found.stderr

"""shell/adapt.sh: the commands it gives, in order, each from the one before."""

import functools

import pytest

from tests import docs_test, project

_TIMEOUT_SECS = 60
# Stands for Python: notes its command; FAILS names a program that fails.
_PROGRAM = """#!/usr/bin/env bash
printf '%s\\n' "$(basename "$1") ${*:2}" >>"$0.log"
[[ "$(basename "$1")" != "$FAILS" ]]
"""


_run = functools.partial(project.run_script, "adapt.sh", timeout=_TIMEOUT_SECS)


@pytest.fixture
def folder(tmp_path):
    program = tmp_path / "python"
    program.write_text(_PROGRAM)
    program.chmod(0o755)
    (tmp_path / "model").mkdir()
    (tmp_path / "model/config.json").touch()
    return tmp_path


def _commands(folder):
    lines = (folder / "python.log").read_text().splitlines()
    return [line.split() for line in lines]


def test_each_program_takes_what_the_one_before_made(folder):
    found = _run(
        folder,
        *("model", "out", "a.tsv,b.tsv", "--task_name=tsv", "--seeds=1,2"),
        PYTHON=str(folder / "python"),
        STEPS="7",
        PREPARING="--remove=url",
        BUILDING="--t2s",
        PRETRAINING="--learning_rate=1e-4 --train_batch_size=8",
    )
    assert found.returncode == 0, found.stderr
    commands = _commands(folder)
    assert [program for program, *_ in commands] == [
        *("prepare_corpus.py", "create_pretraining_data.py"),
        *("run_pretraining.py", "run_classifier.py"),
    ]
    for program, *flags in commands:
        known = docs_test.defaults(program.removesuffix(".py"))
        names = [flag.removeprefix("--").split("=")[0] for flag in flags]
        assert all(docs_test.is_flag(name, known) for name in names), names
    prepared, built, pretrained, tuned = (set(flags) for _, *flags in commands)
    assert {
        *("--input_file=a.tsv,b.tsv", "--output_dir=out/corpus"),
        *("--norequire_sentence", "--remove=url"),
    } <= prepared
    assert {"--input_file=out/corpus/*.txt", "--t2s"} <= built
    assert "--output_file=out/records.tfrecord" in built
    assert {
        *("--input_file=out/records.tfrecord", "--init_checkpoint=model"),
        *("--num_train_steps=7", "--learning_rate=1e-4"),
        *("--output_dir=out/adapted", "--bert_config_file=model/config.json"),
    } <= pretrained
    assert {
        *("--init_checkpoint=out/adapted/export", "--output_dir=out/tuned"),
        *("--task_name=tsv", "--seeds=1,2", "--vocab_file=model/vocab.txt"),
    } <= tuned


def test_what_fails_ends_it(folder):
    found = _run(
        folder,
        *("model", "out", "a.tsv", "--task_name=tsv"),
        PYTHON=str(folder / "python"),
        FAILS="create_pretraining_data.py",
    )
    assert found.returncode == 1
    assert len(_commands(folder)) == 2


def test_too_few_words_are_told_how_it_is_used(folder):
    found = _run(folder, "model", "out", "a.tsv")
    assert found.returncode == 2
    assert (
        "usage: bash shell/adapt.sh MODEL_DIR OUTPUT_DIR TEXTS" in found.stderr
    )

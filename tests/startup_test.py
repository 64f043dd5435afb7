"""--help, a wrong flag and a missing file do not wait for TensorFlow."""

import re
import subprocess
import sys

import pytest

from tests import project

_ROWS = ["--bert_config_file=configs/bert_tiny.json"]
_VOCAB = ["--vocab_file=vocab/zh_en_8k.txt"]
_NONE = "/nowhere/nothing"
# {program: flags that name a file that is not there, in a folder {0}}
PROGRAMS = {
    "run_pretraining.py": [*_ROWS, f"--input_file={_NONE}", "--do_train"],
    "run_classifier.py": [
        *_ROWS,
        *_VOCAB,
        "--task_name=tsv",
        f"--train_file={_NONE}",
        "--do_train",
    ],
    "run_squad.py": [*_ROWS, *_VOCAB, f"--train_file={_NONE}", "--do_train"],
    "run_ner.py": [*_ROWS, *_VOCAB, f"--train_file={_NONE}", "--do_train"],
    "extract_features.py": [
        *_ROWS,
        *_VOCAB,
        f"--input_file={_NONE}",
        "--output_file={0}/features.jsonl",
        "--init_checkpoint=configs",
    ],
    "create_pretraining_data.py": [
        *_VOCAB,
        f"--input_file={_NONE}",
        "--output_file={0}/records",
    ],
    "prepare_corpus.py": [f"--input_file={_NONE}"],
    "tools.augment": [
        f"--input_file={_NONE}",
        "--output_file={0}/more.tsv",
        f"--similar_words={_NONE}",
    ],
    "tools.average_checkpoints": [
        f"--model_dir={_NONE}",
        "--output_file={0}/mean",
    ],
    "tools.build_vocab": [f"--input_file={_NONE}", "--output_file={0}/vocab"],
    "tools.convert_checkpoint": [f"--from={_NONE}", "--to=tf1"],
    "tools.extend_vocab": [
        *_ROWS,
        *_VOCAB,
        f"--init_checkpoint={_NONE}",
        "--shrink",
    ],
    "tools.find_learning_rate": [
        "run_classifier.py",
        *_ROWS,
        *_VOCAB,
        "--task_name=tsv",
        f"--train_file={_NONE}",
    ],
    "tools.inspect_records": [_NONE],
    "tools.plan_pretraining": [f"--input_file={_NONE}"],
    "tools.predict": [f"--model_dir={_NONE}"],
    "tools.report_evaluation": [
        f"--predictions_file={_NONE}",
        "--output_file={0}/page.html",
    ],
    "tools.report_pretraining": [
        *_ROWS,
        *_VOCAB,
        f"--model_dir={_NONE}",
        "--output_file={0}/page.html",
    ],
    "tools.add_teacher": [
        *(f"--teacher_dir={_NONE}", f"--input_file={_NONE}"),
        "--output_dir=x",
    ],
    "tools.select_layers": [f"--from={_NONE}", "--layers=0,2"],
    "tools.serve": [f"--model_dir={_NONE}"],
    "tools.stack_layers": [f"--from={_NONE}", "--num_hidden_layers=4"],
}
# They have no folder for results.
_NO_OUTPUT_DIR = {
    "extract_features.py",
    "create_pretraining_data.py",
    "tools.augment",
    "tools.average_checkpoints",
    "tools.build_vocab",
    "tools.inspect_records",
    "tools.predict",
    "tools.report_evaluation",
    "tools.report_pretraining",
    "tools.serve",
}


def run(program, *flags):
    """Returns what a program wrote and ended with, and the modules it had."""
    name = [program] if program.endswith(".py") else ["-m", program]
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *name, *flags],
        cwd=project.ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    lines = done.stderr.splitlines()
    imports = [line for line in lines if line.startswith("import time:")]
    said = [line for line in lines if not line.startswith("import time:")]
    return done, said, {re.split(r"\| +", line)[-1] for line in imports}


def test_every_program_is_looked_at():
    scripts = {path.name for path in project.ROOT.glob("*.py")}
    tools = {
        f"tools.{path.stem}"
        for path in (project.ROOT / "tools").glob("*.py")
        if "__main__" in path.read_text(encoding="utf-8")
    }
    assert set(PROGRAMS) == tools | scripts - {"config_flags.py"}


@pytest.mark.parametrize("program", PROGRAMS)
def test_help_is_no_error_and_imports_nothing_slow(program):
    done, said, modules = run(program, "--help")
    assert done.returncode == 0
    assert program.removeprefix("tools.") in done.stdout
    assert not said
    assert not modules & {"tensorflow", "keras", "numba", "sklearn"}


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_missing_file_is_one_line_without_tensorflow(program, tmp_path):
    flags = [flag.format(tmp_path) for flag in PROGRAMS[program]]
    if program not in _NO_OUTPUT_DIR:
        flags.append(f"--output_dir={tmp_path / 'output'}")
    done, said, modules = run(program, *flags)
    assert done.returncode == 1
    assert len(said) == 1 and said[0].startswith("error: ")
    assert _NONE in said[0]
    assert not modules & {"tensorflow", "keras"}


def test_a_wrong_flag_is_one_line_with_the_nearest_one():
    done, said, modules = run("run_pretraining.py", "--num_train_stesp=5")
    assert done.returncode == 1
    assert len(said) == 1 and "num_train_steps" in said[0]
    assert not modules & {"tensorflow", "keras", "numba"}


@pytest.mark.parametrize("flag", ["--helpfull", "--helpshort"])
def test_other_helps_are_no_errors_either(flag):
    assert run("run_ner.py", flag)[0].returncode == 0

"""tools.find_learning_rate: a curve of a real run that leaves nothing else."""

import json
import subprocess
import sys

import numpy as np
import pytest

from tests import project
from tests.finetuning.classification import tiny_classifier

_TEXTS = [("good film", "1"), ("bad food", "0"), ("好 film", "1")]


def _run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "tools.find_learning_rate", *arguments],
        cwd=project.ROOT,
        capture_output=True,
        text=True,
        timeout=600,
    )


@pytest.fixture(scope="module")
def flags(tmp_path_factory):
    directory = tmp_path_factory.mktemp("rates")
    tiny_classifier.write_model(directory)
    path = tiny_classifier.write_lines(
        directory / "train.tsv", [("text", "label"), *_TEXTS * 20]
    )
    return [
        "run_classifier.py",
        "--task_name=tsv",
        f"--train_file={path}",
        f"--bert_config_file={directory}/bert.json",
        f"--vocab_file={directory}/vocab.txt",
        f"--output_dir={directory}/out",
        "--max_seq_length=16",
        "--mixed_precision=none",
        "--train_batch_size=8",
    ]


def test_a_curve_and_two_rates_and_nothing_else_is_left(flags, tmp_path):
    output = tmp_path / "out"
    steps = ["--search_steps=60", "--lowest_rate=1e-6", "--highest_rate=10"]
    done = _run(*flags, f"--output_dir={output}", *steps)
    assert done.returncode == 0, done.stderr
    names = sorted(path.name for path in output.iterdir())
    assert names == ["learning_rate.json", "learning_rate.svg"]
    found = json.loads((output / "learning_rate.json").read_text())
    rates = found["rates"]
    wanted = np.geomspace(1e-6, 10, 60)[: len(rates)]
    np.testing.assert_allclose(rates, wanted, rtol=1e-4)
    assert len(found["losses"]) == len(rates)
    # Two labels: the loss of the first step is that of a coin.
    assert found["losses"][0] == pytest.approx(np.log(2), abs=0.1)
    assert rates[0] < found["steepest"] < rates[-1]
    assert f"{found['steepest']:.2g}" in done.stdout
    assert "<svg" in (output / "learning_rate.svg").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "name a program first, one of run_classifier.py, run_squad.py"),
        (["--lowest_rate=0"], "--lowest_rate must be positive"),
        (["--search_steps=0"], "--search_steps must be positive"),
        (["--lowest_rate=2"], "--lowest_rate=2.0 is not below --highest_rate"),
        (["run_x.py"], "name a program first"),
    ],
)
def test_wrong_flags_are_one_line(arguments, message):
    done = _run(*arguments)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ") and message in line

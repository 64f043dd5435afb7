"""A race counts rightly, goes on where it was stopped, and keeps a record."""

import json
import pathlib
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from benchmarks import recipe_race_data
from benchmarks.race import (
    contenders,
    curves,
    jobs_in_turn,
    record,
    table,
)
from benchmarks.race.jobs_in_turn import Job
from pages import charts
from tests import project

_RECIPES = project.ROOT / "configs/pretrain/race"


def test_every_document_is_trained_on_or_held_out(tmp_path):
    text = "".join(f"{i}a\n{i}b\n\n\n" for i in range(7))
    (tmp_path / "a.txt").write_text(text + "7a")
    (tmp_path / "b.txt").write_text("8a\n")
    paths = [str(tmp_path / name) for name in ("a.txt", "b.txt")]
    assert recipe_race_data.split(paths, str(tmp_path), 3) == (6, 3)
    held_out = (tmp_path / "heldout.txt").read_text().split()
    assert held_out == ["2a", "2b", "5a", "5b", "8a"]
    train = (tmp_path / "train.txt").read_text().split()
    assert sorted(train + held_out) == sorted((text + "7a 8a").split())
    with pytest.raises(ValueError, match="none is left to hold out"):
        recipe_race_data.split(paths, str(tmp_path), 10)


def test_a_tokenizer_of_another_kind_is_refused(tmp_path):
    (tmp_path / "a.txt").write_text("a")
    (tmp_path / "spiece.model").write_bytes(b"\n")
    config = recipe_race_data.DataConfig(
        input_file=str(tmp_path / "a.txt"),
        output_dir=str(tmp_path / "out"),
        vocab_file=str(tmp_path / "spiece.model"),
    )
    with pytest.raises(ValueError, match="--vocab_file=.*: a vocab.txt is wan"):
        recipe_race_data.run(config)


def _contender(tmp_path, lines):
    path = tmp_path / "one.flags"
    path.write_text("\n".join(["# Flags.", *lines]))
    return contenders.read(str(path))[0]


def test_a_contender_is_its_flags_the_last_one_winning(tmp_path):
    (tmp_path / "more").write_text("--train_batch_size=16\n--nouse_nsp\n")
    one = _contender(
        tmp_path,
        [f"--flagfile={tmp_path / 'more'}", "--num_train_steps=1,000"],
    )
    assert one.name == "one"
    assert one.number("train_batch_size") == 16
    assert one.value("use_nsp") == "false"
    assert one.num_steps(0) == 1000
    assert one.num_steps(16 * 128 * 50) == 50
    with pytest.raises(ValueError, match="is no flag"):
        _contender(tmp_path, ["--seed=3", "3"])


def test_tokens_of_a_run_that_grows_are_those_of_its_stages(tmp_path):
    one = _contender(tmp_path, ["--stages=32x128:.7,128x16x4:.3"])
    steps = one.num_steps(1_000_000)
    wanted = steps * (0.7 * 32 * 128 + 0.3 * 128 * 16)
    assert wanted == pytest.approx(1e6, rel=1e-3)


def test_all_recipes_of_races_are_contenders_and_name_the_races_files():
    found = contenders.read(str(_RECIPES))
    assert len(found) >= 4
    for one in found:
        assert one.value("bert_config_file").startswith("model/")
        assert one.value("input_file").startswith("records/")


def _rows(every, last, loss_at, seconds):
    """Rows of a run of 4 tokens and 2 TFLOP a step."""
    return [
        {
            "step": step,
            "tokens_per_step": 4,
            "teraflops_per_step": 2.0,
            "processor_seconds_per_step": seconds,
            "eval_masked_lm_loss": loss_at(step),
            "eval_masked_lm_accuracy": 0.5,
        }
        for step in range(every, last + 1, every)
    ]


def test_work_is_summed_over_the_steps_and_gaps_have_their_neighbours_pace():
    rows = _rows(10, 40, lambda step: 9 - step / 10, 0.5)
    for name in ("processor_seconds_per_step", "eval_masked_lm_loss"):
        del rows[1][name]
    rows[2]["processor_seconds_per_step"] = 1.5
    curve = curves.of_rows(rows, update_teraflops=1.0)
    assert curve[curves.STEPS].tolist() == [10, 30, 40]
    assert curve[curves.TOKENS].tolist() == [40, 120, 160]
    assert curve[curves.TERAFLOPS].tolist() == [30, 90, 120]
    assert curve[curves.SECONDS].tolist() == [5, 35, 40]
    assert curves.of_rows([]) is None
    assert curves.of_rows([{"step": 3, "loss": 1.0}]) is None


def test_a_loss_is_reached_on_the_line_between_two_evaluations():
    curve = curves.of_rows(_rows(10, 40, lambda step: 9 - step / 10, 0.5))
    reached = [
        curves.first_reached(curve, loss, curves.SECONDS)
        for loss in (8.5, 8.0, 7.5, 5.0, 4.9)
    ]
    assert reached == [5.0, 5.0, 7.5, 20.0, None]


def test_the_arithmetic_of_newton_schulz_is_that_of_its_products():
    rng = np.random.default_rng(0)
    counted = 0

    def product(a, b):
        nonlocal counted
        counted += 2 * a.shape[0] * a.shape[1] * b.shape[1]
        return a @ b

    for rows, columns in [(4, 4)] * 4 + [(4, 12)] * 2:
        x = rng.normal(size=(rows, columns))
        x /= np.linalg.norm(x)
        for _ in range(5):
            a = product(x, x.T)
            b = -4.7750 * a + 2.0315 * product(a, a)
            x = 3.4445 * x + product(b, x)
    shape = {"hidden_size": 4, "intermediate_size": 12, "num_hidden_layers": 3}
    ours = curves.newton_schulz_teraflops(shape) * 1e12
    assert ours == pytest.approx(3 * counted)


def _curve(fall, beyond, seconds):
    rows = _rows(10, 40, lambda step: 9 - fall * step + beyond, seconds)
    return curves.of_rows(rows)


def _runs():
    return {
        "slow": [_curve(0.05, beyond, 1.0) for beyond in (-0.1, 0.1)],
        "fast": [_curve(0.1, beyond, 2.0) for beyond in (-0.1, 0.1)],
    }


def test_the_table_has_means_deviations_and_ratios():
    text = table.markdown(_runs(), {"fast": {"task": [0.5, 0.7]}}, ["slow"])
    final, seconds, _ = (
        [[x.strip() for x in line.split("|")[1:-1]] for line in block]
        for block in (b.splitlines() for b in text.strip().split("\n\n"))
    )
    assert final[2][:3] == ["slow", "2", "7.000 ± 0.141"]
    assert final[3][-1] == "0.600 ± 0.141"
    # 2 is what 20 steps of .1 fall by, at 2 seconds each.
    assert seconds[0][0] == "to 7.000, the end of slow"
    assert seconds[2] == ["slow", "40", "1.00 x"]
    assert seconds[3] == ["fast", "40 ± 3", "1.00 x"]
    never = table.markdown(_runs(), {}, ["fast"])
    assert "| slow | not reached |" in never
    assert "| " not in table.plain(text)


def test_the_record_is_small_and_its_picture_needs_no_page(tmp_path):
    one = contenders.read(str(_RECIPES / "plain.flags"))
    runs = {"plain <1>": _runs()["fast"]}
    job = Job(name="a", folder="f", arguments=("run.py", "--x=a b"))
    record.write(str(tmp_path), one, runs, "| a |", [job], str(tmp_path))
    assert (tmp_path / "commands.txt").read_text() == (
        "python run.py '--x=a b'\n"
    )
    kept = json.loads((tmp_path / "curves.json").read_text())
    assert kept["plain <1>"][0]["tokens"] == [40, 80, 120, 160]
    picture = ET.parse(tmp_path / "curves.svg").getroot()
    lines = [x for x in picture.iter() if x.get("class") == "line"]
    assert len(lines) == 4
    assert (tmp_path / "plain.flags").read_bytes() == (
        _RECIPES / "plain.flags"
    ).read_bytes()


@pytest.mark.parametrize("line", [[(3.0, 5.0)], [(0.0, 1.0), (1e6, 1e-3)]])
def test_lines_stay_in_their_chart(line):
    root = ET.fromstring(charts.lines({"a": [line]}, x_name="x", y_name="y"))
    _, top, width, height = map(float, root.get("viewBox").split())
    (path,) = [x for x in root.iter() if x.get("class") == "line"]
    for point in path.get("d").removeprefix("M").split("L"):
        x, y = map(float, point.split())
        assert 0 <= x <= width and top <= y <= top + height


_SCRIPT = """
import pathlib, sys, time
folder = pathlib.Path(sys.argv[1])
with open(folder / "ran", "a") as file:
    file.write("x")
time.sleep(float(sys.argv[2]))
sys.exit(int(sys.argv[3]))
"""


def _jobs(tmp_path, *statuses, secs=0.0):
    script = tmp_path / "script.py"
    script.write_text(_SCRIPT)
    jobs = []
    for number, status in enumerate(statuses):
        folder = f"job_{number}"
        arguments = (str(script), folder, str(secs), str(status))
        before = jobs[number - 1] if number % 2 else None
        jobs.append(
            Job(name=folder, folder=folder, arguments=arguments, after=before)
        )
    return jobs


def _times(tmp_path, jobs):
    paths = [tmp_path / job.folder / "ran" for job in jobs]
    return [len(p.read_text()) if p.exists() else 0 for p in paths]


def test_what_is_done_is_not_done_again_and_what_failed_is(tmp_path, capsys):
    jobs = _jobs(tmp_path, 0, 0, 1, 0)
    failed = jobs_in_turn.run(jobs, str(tmp_path), [0, 0])
    assert [job.folder for job in failed] == ["job_2", "job_3"]
    assert _times(tmp_path, jobs) == [1, 1, 1, 0]
    assert "job_2 failed (1)" in capsys.readouterr().out
    jobs_in_turn.run(jobs, str(tmp_path), [])
    assert _times(tmp_path, jobs) == [1, 1, 2, 0]
    others = _jobs(tmp_path, 1)
    with pytest.raises(ValueError, match=r"job_0 was made with other flags"):
        jobs_in_turn.run(others, str(tmp_path), [])


def test_a_signal_ends_the_jobs_and_the_race(tmp_path):
    _jobs(tmp_path, 0)
    program = (
        "from benchmarks.race import jobs_in_turn as j\n"
        f"jobs = [j.Job(name='a', folder='a', arguments=({str(tmp_path)!r}"
        " + '/script.py', 'a', '60', '0'))]\n"
        f"j.run(jobs, {str(tmp_path)!r}, [])"
    )
    race = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=project.ROOT,
        stderr=subprocess.PIPE,
        text=True,
    )
    ran = pathlib.Path(tmp_path, "a", "ran")
    while not ran.exists() and race.poll() is None:
        time.sleep(0.05)
    race.send_signal(signal.SIGTERM)
    _, error = race.communicate(timeout=30)
    assert "stopped by a signal" in error
    assert not (tmp_path / "a" / "done").exists()


@pytest.mark.slow
def test_a_race_from_text_to_record(tmp_path):
    def run(program, *flags):
        return subprocess.run(
            [sys.executable, "-m", f"benchmarks.{program}", *flags],
            cwd=project.ROOT,
            env=project.environment(),
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    text = ",".join(project.SAMPLES[:2])
    run(
        "recipe_race_data",
        f"--input_file={text}",
        f"--output_dir={tmp_path / 'race/records'}",
        "--heldout_every=4",
        "--records=nsp_128,none_128",
    )
    for _ in range(2):
        said = run(
            "recipe_race",
            f"--contenders={_RECIPES / 'google_1e-3.flags'},"
            f"{_RECIPES / 'plain.flags'}",
            f"--data_dir={tmp_path / 'race/records'}",
            f"--output_dir={tmp_path / 'race'}",
            "--bert_config_file=configs/bert_quickstart.json",
            "--seeds=1",
            f"--tokens={4 * 32 * 128}",
            "--evaluations=2",
            "--heldout_records=32",
            "--cores=0",
            "--against=google_1e-3",
        )
        assert "the end of google_1e-3" in said
    assert "steps" not in said  # None is run again.
    kept = json.loads((tmp_path / "race/record/curves.json").read_text())
    for (curve,) in kept.values():
        assert curve["steps"] == [2, 4]
        assert curve["tokens"] == [2 * 4096, 4 * 4096]
        assert 0 < curve["processor_seconds"][0] < curve["processor_seconds"][1]

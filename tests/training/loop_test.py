"""The host's loop, with a step that only counts."""

import math
import time

import pytest

from training import loop, signals


class _Run:
    """Stands for the device, the checkpoints, the summaries and the signal."""

    def __init__(self, losses=None, skipped=(), stop_at=math.inf, secs=0.0):
        self.losses = losses or {}
        self.skipped = skipped
        self.stop_at = stop_at
        self.secs = secs  # That a step takes.
        self.step = 0
        self.blocks = []
        self.checkpoints = []
        self.reports = {}
        self.evaluated = []
        self.cut_off = ()

    def run_steps(self, batches, num_steps):
        self.blocks.append(int(num_steps))
        self.step += int(num_steps)
        time.sleep(self.secs * int(num_steps))

    def read(self):
        num_steps = self.blocks[-1]
        block = range(self.step - num_steps + 1, self.step + 1)
        num_skipped = sum(step in self.skipped for step in block)
        return {
            "loss": (self.losses.get(self.step, 1.0) * num_steps, num_steps),
            "skipped": (num_skipped, num_steps),
        }

    def metrics(self, sums):
        loss, num_steps = sums["loss"]
        return {
            "loss": loss / num_steps,
            "gradient_norm": 1.0,
            "skipped_steps": sums["skipped"][0],
        }

    def skipped_in_row(self):
        last_good = max(set(range(self.step + 1)) - {*self.skipped})
        return self.step - last_good

    @property
    def is_asked(self):
        return self.step >= self.stop_at

    def agree(self, value):
        return value

    def save(self, step):
        assert step == self.step
        self.checkpoints.append(step)

    def prefix(self, step):
        return f"model.ckpt-{step}"

    def newest(self):
        return self.checkpoints and self.prefix(self.checkpoints[-1])

    def describe_good(self):
        return f"the newest good checkpoint is {self.newest()}"

    def has(self, step):
        return step in self.reports

    def advance(self, step):
        assert step == self.step

    def log(self, line):
        self.lines = [*getattr(self, "lines", ()), line]

    def write(self, step, metrics):
        self.reports[step] = metrics

    def saved(self, prefix, is_last):
        assert prefix == self.newest()

    def evaluate(self, step):
        if step in self.cut_off:
            self.stop_at = step
            return {}
        self.evaluated.append(step)
        return {"eval_loss": 0.5}

    def forget_pace(self):
        self.begun = [*getattr(self, "begun", ()), self.step]

    def sections(self, ends):
        for end in ends:
            if self.step < end:
                # What was before a section is saved before it is asked for.
                saved = self.checkpoints[-1:]
                assert end == ends[0] or saved == [self.step]
                yield loop.Section(
                    end,
                    self.run_steps,
                    None,
                    lambda speed: {"examples_per_second": 8 * speed},
                )

    def train(
        self,
        num_train_steps,
        *,
        max_bad_steps=20,
        loss_is_scaled=False,
        ends=(),
        **intervals,
    ):
        self.totals, self.loss_is_scaled = self, loss_is_scaled
        intervals = {
            "save_every_steps": 10,
            "iterations_per_loop": 10,
        } | intervals
        loop.train(
            self,
            self.sections(ends or [num_train_steps]),
            loop.Cadence(
                start_step=self.step,
                num_train_steps=num_train_steps,
                **intervals,
            ),
            loop.Hooks(
                evaluate=self.evaluate,
            ),
            checkpoints=self,
            summaries=self,
            stop=self,
            max_bad_steps=max_bad_steps,
        )


def test_blocks_end_at_every_save_and_report_and_nowhere_else():
    run = _Run()
    run.train(23, iterations_per_loop=7)
    # The first builds the graph, the second is timed.
    assert run.blocks == [1, 1, 5, 3, 4, 6, 1, 2]
    assert list(run.reports) == [7, 10, 14, 20, 21, 23]
    assert run.checkpoints == [10, 20, 23]


def test_a_section_ends_with_a_save_and_the_next_builds_its_graph():
    run = _Run()
    run.train(23, ends=[13, 23])
    assert run.begun == [0, 13]
    # The first block of each builds its graph.
    assert run.blocks == [1, 1, 8, 3, 1, 1, 5, 3]
    assert list(run.reports) == run.checkpoints == [10, 13, 20, 23]


def test_a_run_stopped_between_sections_begins_the_next_when_it_goes_on():
    run = _Run(stop_at=13)
    with pytest.raises(signals.Stopped):
        run.train(23, ends=[13, 23])
    assert (run.begun, run.checkpoints) == ([0], [10, 13])
    run.stop_at = math.inf
    run.train(23, ends=[13, 23])
    assert (run.begun, run.checkpoints) == ([0, 13], [10, 13, 20, 23])


def test_processor_seconds_leave_out_the_compilation(monkeypatch):
    run = _Run()
    # 100 seconds to compile, a quarter for each step.
    monkeypatch.setattr(
        loop.time,
        "process_time",
        lambda: 100.0 * (run.step > 0) + 0.25 * run.step,
    )
    run.train(20)
    name = "processor_seconds_per_step"
    assert [row[name] for row in run.reports.values()] == [0.25, 0.25]


def test_a_block_lasts_no_longer_than_a_signal_may_wait(monkeypatch):
    monkeypatch.setattr(loop, "_BLOCK_SECS", 0.05)
    run = _Run(secs=0.01)
    run.train(20)
    assert run.blocks[:2] == [1, 1]
    assert 1 < max(run.blocks) <= 5
    # Reports are of all steps since the one before.
    assert list(run.reports) == [10, 20]


def test_a_resumed_run_saves_at_the_same_steps():
    run = _Run()
    run.step = 20
    run.train(40, iterations_per_loop=100)
    assert run.blocks == [1, 1, 8, 10]
    assert run.checkpoints == [30, 40]


def test_a_finished_run_does_nothing():
    run = _Run()
    run.step = 10
    run.train(10)
    assert (run.blocks, run.checkpoints) == ([], [])


@pytest.mark.parametrize("stop_at", [1, 13, 20, 30])
def test_a_signal_ends_the_run_after_a_save(stop_at):
    run = _Run(stop_at=stop_at)
    with pytest.raises(signals.Stopped, match="the same command goes on"):
        run.train(30, eval_every_steps=10)
    assert run.step == run.checkpoints[-1] <= stop_at + 8
    assert (run.step in run.reports) == bool(run.step % 10)
    # There is no time for an evaluation then, nor a line without one.
    assert run.evaluated == [step for step in (10, 20, 30) if step < stop_at]


def test_evaluations_are_reported_with_the_training_at_their_steps():
    run = _Run()
    run.train(30, save_every_steps=100, eval_every_steps=15)
    assert run.evaluated == [15, 30]
    assert [
        step for step in run.reports if "eval_loss" in run.reports[step]
    ] == [
        15,
        30,
    ]
    assert list(run.reports) == [10, 15, 20, 30]


@pytest.mark.parametrize("stop_at", [20, 30])
def test_an_evaluation_that_a_signal_cut_off_is_done_by_the_next_run(stop_at):
    run = _Run(stop_at=stop_at)
    run.cut_off = (20,)
    with pytest.raises(signals.Stopped, match="stopped at step 20"):
        run.train(40, save_every_steps=100, eval_every_steps=20)
    assert (run.checkpoints, list(run.reports)) == ([20], [10])
    run.stop_at, run.cut_off = math.inf, ()
    run.train(40, save_every_steps=100, eval_every_steps=20)
    assert run.evaluated == [20, 40]
    assert [len(report) for report in run.reports.values()] == [5, 1, 5, 6]
    # Nothing is missing: a run that goes on there evaluates nothing again.
    again = _Run()
    again.step, again.reports = 20, dict(run.reports)
    again.train(40, save_every_steps=100, eval_every_steps=20)
    assert again.evaluated == [40]


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_loss_that_is_no_number_stops_the_run_and_is_not_saved(bad):
    run = _Run({20: bad})
    with pytest.raises(ValueError, match=f"loss became {bad}.*ckpt-10"):
        run.train(30)
    assert run.checkpoints == [10]


def test_a_few_skipped_steps_are_counted_and_no_reason_to_stop():
    run = _Run({13: math.nan}, skipped=(1, 4, *range(11, 21)))
    run.train(30, max_bad_steps=11)
    # While steps are being skipped nothing is saved.
    assert run.checkpoints == [10, 30]
    numbers = [report["skipped_steps"] for report in run.reports.values()]
    assert numbers == [2, 10, 0]
    # Steps that were all skipped have no loss.
    assert ["loss" in report for report in run.reports.values()] == [
        True,
        False,
        True,
    ]


def test_too_many_skipped_steps_in_a_row_stop_the_run():
    run = _Run({20: math.nan}, skipped=range(7, 100))
    with pytest.raises(ValueError, match="last 14 steps.*skipped.*is \\[\\]"):
        run.train(100, max_bad_steps=14)
    # A part of the block before step 10 was good: only the end of it counts.
    assert run.checkpoints == []


@pytest.mark.parametrize("is_scaled", [False, True])
def test_a_run_that_ends_in_skipped_steps_is_not_called_done(is_scaled):
    run = _Run(skipped=(29, 30))
    if is_scaled:  # They are the scale's, and the weights are good.
        run.train(30, loss_is_scaled=True)
        assert run.checkpoints == [10, 20, 30]
        return
    with pytest.raises(ValueError, match="last 2 steps .*up to the end at"):
        run.train(30)
    assert run.checkpoints == [10, 20]


def test_a_signal_while_steps_are_skipped_saves_nothing_of_them(caplog):
    run = _Run(skipped=(14, 15), stop_at=15)
    with pytest.raises(signals.Stopped, match="what was learned is saved"):
        run.train(30, iterations_per_loop=5)
    assert run.step == 15 and run.checkpoints == [10]
    assert "step 15 is not saved: the last 2 steps" in caplog.text

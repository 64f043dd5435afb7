"""A run of a clock ends on time and at share 1, whatever its steps take."""

import numpy as np
import pytest

from training import clock, schedules

_SECS = 600.0


class _Machine:
    """Runs blocks of two seconds on a time of its own.

    Args:
        pace: maps the time to the seconds of a step.
        compiling: seconds of the first block.
    """

    def __init__(self, pace, compiling=30.0):
        self.time = 1e6
        self.pace = pace
        self.compiling = compiling
        self.rows = []  # (time, share before the step)

    def run(self, timer, *, until=np.inf, between=lambda: 0.0):
        """Runs to the end, or to a time; returns the number of steps."""
        step, most, started, is_first = 0, 1, self.time, True
        timer.start(step, lambda value: value)
        while not timer.is_over and self.time < until:
            num_steps = timer.begin_block(most)
            assert 1 <= num_steps <= most
            shares = [float(timer.share_at(step + i)) for i in range(num_steps)]
            begun = self.time
            for share in shares:
                self.rows.append((self.time - started, share))
                self.time += self.pace(self.time - started)
            self.time += self.compiling * is_first
            pace = (self.time - begun) / num_steps
            step += num_steps
            timer.end_block(num_steps, None if is_first else pace)
            most = 1 if is_first else max(1, int(2 / pace))
            is_first = False
            self.time += between()
        return step

    def clock(self, minutes=_SECS / 60):
        return clock.Clock(minutes, now=lambda: self.time)


def _steady(now):
    return 0.5


def _slower(now):
    # As where longer sequences begin.
    return 0.1 if now < 300 else 0.8


def _frozen(now):
    return 100.0 if 200 < now < 202 else 0.5


@pytest.mark.parametrize("pace", [_steady, _slower, _frozen])
def test_the_time_is_kept_and_the_share_goes_to_1_without_a_jump(pace):
    machine = _Machine(pace)
    machine.run(machine.clock())
    times, shares = np.array(machine.rows).T
    assert shares[0] == 0.0
    assert 0 <= np.diff(shares).min() <= np.diff(shares).max() < 0.02
    # The last step is one of the line's, as the last one of N is.
    assert 0.97 < shares[-1] < 1.0
    assert times[-1] + pace(times[-1]) == pytest.approx(_SECS, abs=3.0)


def test_steady_steps_have_equal_shares():
    machine = _Machine(_steady)
    machine.run(machine.clock())
    shares = np.array(machine.rows)[3:, 1]
    np.testing.assert_allclose(np.diff(shares), np.diff(shares)[0], rtol=0.02)


def test_pauses_between_blocks_count_and_move_nothing():
    machine = _Machine(_steady)
    machine.run(machine.clock(), between=lambda: 0.5)
    times, shares = np.array(machine.rows).T
    assert np.diff(shares).max() < 0.02
    assert times[-1] == pytest.approx(_SECS, abs=4.0)


def test_a_run_that_was_stopped_has_the_time_that_was_left():
    machine = _Machine(_steady)
    first = machine.clock()
    machine.run(first, until=machine.time + 400)
    saved = {name: x.numpy() for name, x in first.variables().items()}
    assert saved["seconds_done"] == pytest.approx(400, abs=3)
    assert 0.6 < saved["share_done"] < 0.7
    # A night later.
    machine.time += 30_000
    started = machine.time
    second = machine.clock()
    for name, variable in second.variables().items():
        variable.assign(saved[name])
    before = len(machine.rows)
    machine.run(second)
    assert machine.time - started == pytest.approx(200, abs=3)
    assert machine.rows[before][1] == pytest.approx(saved["share_done"])
    assert machine.rows[-1][1] > 0.97


@pytest.mark.parametrize("shape", schedules.SHAPES)
def test_every_schedule_goes_by_the_share(shape):
    parts, of_steps = (
        schedules.Schedule(
            peak=1.0, num_train_steps=n, num_warmup_steps=n // 10, shape=shape
        )
        for n in (1_000_000, 1000)
    )
    timer = clock.Clock(1.0)
    timed = clock.TimedSchedule(parts, timer)
    for step in (0, 50, 100, 101, 500, 920, 1000):
        timer.variables()["share_done"].assign(step / 1000)
        assert float(timed(0)) == pytest.approx(float(of_steps(step)), abs=1e-5)

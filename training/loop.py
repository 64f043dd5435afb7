"""The host's loop: the host decides, the device computes.

The device runs blocks of steps; a block ends where something happens:

    step      0        10        20        23
              |--------|---------|---------|
    blocks    1 1   8        10       3          (a block lasts some seconds)
    reports            x         x         x     every iterations_per_loop
    saves                        x         x     every save_every_steps
    evaluates                    x               every eval_every_steps

A section ends with a save, too; a run with a clock ends when its time is up,
whatever the step. The first block of each builds the graph, so that its time
says nothing.
"""

import dataclasses
import sys
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import tensorflow as tf

from training import signals
from training.bad_steps import BadSteps
from training.checkpoint import Checkpoints
from training.clock import Clock
from training.objective import Sums
from training.step import RunSteps, Totals
from training.summaries import Summaries
from training.trainer import Trainer

# No longer than this, in steps, is a run without a report.
_REPORT_STEPS = 100
# A signal waits for the end of a block of steps: of about so many seconds.
_BLOCK_SECS = 2.0
_FIRST_STEP = (
    "the first step: its graph is built and compiled (XLA), which takes from "
    "some seconds to minutes; no other step waits for it"
)

Metrics = dict[str, float]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cadence:
    """At which steps a run begins, reports, saves, evaluates and ends."""

    start_step: int
    num_train_steps: int
    save_every_steps: int
    iterations_per_loop: int
    eval_every_steps: int = 0  # 0 for never.
    clock: Clock | None = None  # Ends the run in place of num_train_steps.

    @property
    def intervals(self) -> list[int]:
        """The lengths that no block of steps may pass a multiple of."""
        lengths = [
            self.save_every_steps,
            min(self.iterations_per_loop, _REPORT_STEPS),
        ]
        return lengths + [self.eval_every_steps] * bool(self.eval_every_steps)

    def is_over(self, step: int) -> bool:
        return self.clock.is_over if self.clock else self.steps_left(step) <= 0

    def steps_left(self, step: int) -> int:
        """Returns how many steps may follow; those of a clock have no end."""
        return sys.maxsize if self.clock else self.num_train_steps - step

    def evaluates_at(self, step: int) -> bool:
        interval = self.eval_every_steps
        return bool(step and interval and step % interval == 0)


class Section(NamedTuple):
    """Steps that one compiled function runs; a run has one or several."""

    end_step: int
    run_steps: RunSteps  # From `trainer.make_run_steps`.
    batches: Iterator  # Those from its first step on.
    # Maps steps a second to the numbers to report of it.
    speed_of: Callable[[float], Metrics] = lambda steps_a_second: {}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Hooks:
    """What a program does between the steps.

    Args:
        evaluate: a function of the step that returns numbers to report; none
            where a signal cut it off.
        is_enough: says, after each evaluation, whether to end now.
        watch: a function of the step and of what is reported of it.
    """

    evaluate: Callable[[int], Metrics] = lambda step: {}
    is_enough: Callable[[], bool] = lambda: False
    watch: Callable[[int, Metrics], None] = lambda step, metrics: None


def train(
    trainer: Trainer,
    sections: Iterator[Section],
    cadence: Cadence,
    hooks: Hooks,
    *,
    checkpoints: Checkpoints,
    summaries: Summaries,
    stop: signals.Stop,
    max_bad_steps: int,
) -> int:
    """Trains to the end, and saves and reports on the way.

    Nothing is saved while steps are being skipped.

    Args:
        trainer: what is trained.
        sections: from that of the first step on; each is asked for when its
            first step is next, and what was before it is saved.
        cadence: when what happens.
        hooks: what happens then, beside saves and reports.
        checkpoints: of the run.
        summaries: of the run.
        stop: notices signals.
        max_bad_steps: the run ends after so many skipped steps in a row.

    Returns:
        The step it ended at.

    Raises:
        ValueError: the loss or the gradient is no longer a number.
        signals.Stopped: a signal asked for the end; all is saved.
    """
    bad_steps = BadSteps(max_bad_steps, checkpoints, trainer.loss_is_scaled)
    run = _Run(cadence, trainer, bad_steps, summaries, stop)
    if cadence.clock:
        cadence.clock.start(run.step, stop.agree)
    if cadence.evaluates_at(cadence.start_step):
        _evaluate_if_cut_off(
            cadence.start_step, hooks.evaluate, summaries, stop
        )
    is_stopped = False
    is_over = cadence.is_over(run.step) or hooks.is_enough()
    while not (is_over or is_stopped):
        if run.is_between_sections:
            run.begin(next(sections))
        metrics, is_stopped = run.until_next_event(cadence.intervals)
        step = run.step
        if cadence.evaluates_at(step):
            scores = {} if is_stopped else hooks.evaluate(step)
            # Without a line the run that goes on evaluates here.
            metrics = scores and metrics | scores
            is_stopped = not scores
        if metrics:
            summaries.write(step, metrics)
            hooks.watch(step, metrics)
        is_over = cadence.is_over(step) or hooks.is_enough()
        is_last = is_over or is_stopped
        is_due = step % cadence.save_every_steps == 0
        if is_last or is_due or run.is_between_sections:
            run.save(checkpoints, is_last=is_last, is_over=is_over)
    # The chief is the one who saves: the others wait for it here.
    stop.agree(0.0)
    if stop.is_asked:
        raise signals.Stopped(
            f"stopped at step {run.step:,} by a signal; what was learned is "
            "saved, the same command goes on from there"
        )
    return run.step


def evaluate(
    evaluate_steps: RunSteps,
    batches: Iterator,
    totals: Totals,
    *,
    num_steps: int,
    stop: signals.Stop | None = None,
) -> Sums:
    """Returns the sums of `num_steps` evaluation steps.

    Args:
        evaluate_steps: from `step.make_evaluate_steps`.
        batches: the batches to evaluate.
        totals: the `step.Totals` that `evaluate_steps` fills.
        num_steps: how many of them.
        stop: notices signals.

    Returns:
        Those of every term; none where a signal asked for the end of the run.
    """
    sums: Sums = {}
    blocks = _Blocks(evaluate_steps, totals, stop)
    for _, more, _ in blocks.run(batches, num_steps):
        sums = _add(sums, more)
    return {} if blocks.is_stopped else sums


def steps_until_next_event(
    step: int, end_step: int, intervals: list[int]
) -> int:
    """Returns how many steps to run before the next multiple of an interval."""
    return min(
        end_step - step,
        *(interval - step % interval for interval in intervals),
    )


def _evaluate_if_cut_off(step, evaluate, summaries, stop):
    """Makes up for an evaluation that a signal cut off."""
    # Only the chief knows what it wrote, so that the workers ask one another.
    if not stop.agree(float(summaries.has(step))):
        summaries.write(step, evaluate(step))


class _Run:
    """Trains from one event to the next."""

    def __init__(
        self,
        cadence: Cadence,
        trainer: Trainer,
        bad_steps: BadSteps,
        summaries: Summaries,
        stop: signals.Stop,
    ):
        self.step = cadence.start_step
        self._clock = cadence.clock
        self._trainer = trainer
        self._bad_steps = bad_steps
        self._make_metrics = trainer.metrics
        self._summaries = summaries
        self._stop = stop
        self._section: Section | None = None

    @property
    def is_between_sections(self) -> bool:
        return self._section is None or self.step == self._section.end_step

    def begin(self, section: Section) -> None:
        """Goes over to the steps of another section."""
        assert self.step < section.end_step, (self.step, section.end_step)
        self._section = section
        self._blocks = _Blocks(
            section.run_steps, self._trainer.totals, self._stop
        )
        self._summaries.forget_pace()

    def until_next_event(self, intervals: list[int]) -> tuple[Metrics, bool]:
        """Returns what to report of some steps, and whether a signal came."""
        assert self._section
        num_steps = steps_until_next_event(
            self.step, self._section.end_step, intervals
        )
        metrics = self._next_steps(self._section, num_steps)
        return metrics, self._blocks.is_stopped

    def _next_steps(self, section: Section, num_steps: int) -> Metrics:
        """Returns what to report of `num_steps` steps, or of fewer."""
        first = self.step
        sums: Sums = {}
        timed_steps, seconds = 0, 0.0
        started = time.monotonic()
        processor_started = time.process_time()
        if self._blocks.is_first:
            self._summaries.log(_FIRST_STEP)
        for num_block, more, block_seconds in self._blocks.run(
            section.batches, num_steps, self._clock
        ):
            self._bad_steps.check(
                self.step,
                num_block,
                self._make_metrics(more),
                self._blocks.skipped_in_row,
            )
            self.step += num_block
            sums = _add(sums, more)
            if block_seconds:
                timed_steps, seconds = (
                    timed_steps + num_block,
                    seconds + block_seconds,
                )
            else:
                passed = time.monotonic() - started
                processor_started = time.process_time()
                self._summaries.log(f"the first step took {passed:.0f} s")
            self._summaries.advance(self.step)
        metrics = _report(self._make_metrics(sums), self.step - first)
        if self._clock:
            metrics["share_done"] = self._clock.share_done
        if timed_steps:
            metrics |= section.speed_of(timed_steps / seconds)
            spent = time.process_time() - processor_started
            metrics["processor_seconds_per_step"] = spent / timed_steps
        return metrics

    def save(
        self, checkpoints: Checkpoints, *, is_last: bool, is_over: bool
    ) -> None:
        """Saves the weights there are, if they are those of a sound run."""
        if self._bad_steps.allow_save(self.step, is_over):
            checkpoints.save(self.step)
            prefix = checkpoints.prefix(self.step)
            self._summaries.saved(prefix, is_last=is_last)


class _Blocks:
    """Runs steps in blocks of some seconds, until a signal asks for the end."""

    def __init__(
        self, run_steps: RunSteps, totals: Totals, stop: signals.Stop | None
    ):
        self.is_stopped = False
        self.skipped_in_row = 0
        self._run_steps = run_steps
        self._totals = totals
        self._stop = stop
        self._max_steps = 1
        # The first block builds the graph; it says nothing of the next one.
        self.is_first = True

    def run(
        self, batches: Iterator, num_steps: int, clock: Clock | None = None
    ) -> Iterator[tuple[int, Sums, float | None]]:
        """Yields a block's number of steps, what `totals` has, and seconds.

        Seconds are None where the graph was built in them. It ends early where
        the clock's time is up.
        """
        while num_steps and not self.is_stopped:
            num_block = min(num_steps, self._max_steps)
            if clock:
                num_block = clock.begin_block(num_block)
            started = time.monotonic()
            self._run_steps(batches, tf.constant(num_block, tf.int64))
            sums = self._totals.read()
            self.skipped_in_row = self._totals.skipped_in_row()
            seconds = time.monotonic() - started
            pace = seconds / num_block
            if self._stop:
                # The workers run blocks of one length, and end together.
                pace = self._stop.agree(pace)
                self.is_stopped = self._stop.is_asked
            timed = None if self.is_first else seconds
            if clock:
                clock.end_block(num_block, None if self.is_first else pace)
            if not self.is_first:
                self._max_steps = max(1, int(_BLOCK_SECS / max(pace, 1e-6)))
            self.is_first = False
            num_steps -= num_block
            yield num_block, sums, timed
            if clock and clock.is_over:
                return


def _report(metrics: Metrics, num_steps: int) -> Metrics:
    """Numbers of steps that were all skipped are none."""
    if metrics["skipped_steps"] < num_steps:
        return metrics
    return {"skipped_steps": metrics["skipped_steps"]}


def _add(sums: Sums, more: Sums) -> Sums:
    """Adds the sums of blocks, in double precision."""
    if not sums:
        return more
    return {
        name: (sums[name][0] + numerator, sums[name][1] + denominator)
        for name, (numerator, denominator) in more.items()
    }

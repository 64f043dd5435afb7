"""The host's loop: the host decides, the device computes."""

import math
import time

import tensorflow as tf

from training import signals

# No longer than this, in steps, is a run without a report.
_REPORT_STEPS = 100
# A signal waits for the end of a block of steps: of about so many seconds.
_BLOCK_SECS = 2.0


def train(
    run_steps,
    batches,
    totals,
    *,
    start_step,
    num_train_steps,
    save_every_steps,
    iterations_per_loop,
    batch_size,
    make_metrics,
    checkpoints,
    summaries,
    stop,
    max_bad_steps=20,
    eval_every_steps=0,
    evaluate=None,
    watch=None,
):
    """Trains from `start_step` to `num_train_steps`.

    Checkpoints are written at every multiple of `save_every_steps` and at the
    end, reports at every multiple of `iterations_per_loop` or 100, at saves and
    at evaluations.

    Args:
        run_steps: from `step.make_run_steps`.
        batches: an iterator over the batches from `start_step` on.
        totals: the `step.Totals` that `run_steps` fills.
        make_metrics: maps what `totals.read` returns to the numbers to
            report; "loss", "gradient_norm" and "skipped_steps" are among them.
        checkpoints: a `checkpoint.Checkpoints`.
        summaries: a `summaries.Summaries`.
        stop: a `signals.Stop`.
        max_bad_steps: the run ends after so many skipped steps in a row.
        eval_every_steps: steps between evaluations; 0 for none.
        evaluate: a function of the step that returns numbers to report.
        watch: a function of the step and of what is reported of it.

    Raises:
        ValueError: the loss or the gradient is no longer a number.
        signals.Stopped: a signal asked for the end; all is saved.
    """
    step = start_step
    blocks = _Blocks(run_steps, totals, stop)
    bad_steps = _BadSteps(max_bad_steps, checkpoints)
    intervals = [save_every_steps, min(iterations_per_loop, _REPORT_STEPS)]
    intervals += [eval_every_steps] if eval_every_steps else []
    note = " (graph building included)"
    while step < num_train_steps and not blocks.is_stopped:
        first, sums, seconds = step, None, 0.0
        event = step + steps_until_next_event(step, num_train_steps, intervals)
        for num_steps, more, block_seconds in blocks.run(batches, event - step):
            bad_steps.check(step, num_steps, make_metrics(more))
            step += num_steps
            sums, seconds = _add(sums, more), seconds + block_seconds
            summaries.advance(step)
        metrics = _report(make_metrics(sums), step - first)
        metrics["examples_per_second"] = (step - first) * batch_size / seconds
        if eval_every_steps and step % eval_every_steps == 0:
            # A run that is to end now has no time for it.
            metrics |= {} if blocks.is_stopped else evaluate(step)
        summaries.write(step, metrics, note=note)
        note = ""
        if watch:
            watch(step, metrics)
        is_last = step == num_train_steps or blocks.is_stopped
        if is_last or step % save_every_steps == 0:
            checkpoints.save(step)
            summaries.saved(checkpoints.prefix(step), is_last=is_last)
    # The chief is the one who saves: the others wait for it here.
    is_stopped, _ = stop.check(0.0)
    if is_stopped:
        raise signals.Stopped(
            f"stopped at step {step:,} by a signal; all is saved, the same "
            "command goes on from there"
        )


def evaluate(evaluate_steps, batches, totals, *, num_steps, stop=None):
    """Returns the sums of `num_steps` evaluation steps.

    Args:
        evaluate_steps: from `step.make_evaluate_steps`.
        batches: an iterator.
        totals: the `step.Totals` that `evaluate_steps` fills.
        stop: a `signals.Stop`, or None.

    Returns:
        {name: (numerator, denominator)}, or None where a signal asked for the
        end of the run.
    """
    sums = None
    blocks = _Blocks(evaluate_steps, totals, stop)
    for _, more, _ in blocks.run(batches, num_steps):
        sums = _add(sums, more)
    return None if blocks.is_stopped else sums


def steps_until_next_event(step, num_train_steps, intervals):
    """Returns how many steps to run before the next multiple of an interval."""
    return min(
        num_train_steps - step,
        *(interval - step % interval for interval in intervals),
    )


class _Blocks:
    """Runs steps in blocks of some seconds, until a signal asks for the end."""

    def __init__(self, run_steps, totals, stop):
        self.is_stopped = False
        self._run_steps = run_steps
        self._totals = totals
        self._stop = stop
        self._max_steps = 1
        # The first block builds the graph; it says nothing of the next one.
        self._is_first = True

    def run(self, batches, num_steps):
        """Yields a block's number of steps, what `totals` has, and seconds."""
        while num_steps and not self.is_stopped:
            num_block = min(num_steps, self._max_steps)
            started = time.monotonic()
            self._run_steps(batches, tf.constant(num_block, tf.int64))
            sums = self._totals.read()
            seconds = time.monotonic() - started
            pace = seconds / num_block
            if self._stop:
                self.is_stopped, pace = self._stop.check(pace)
            if not self._is_first:
                self._max_steps = max(1, int(_BLOCK_SECS / max(pace, 1e-6)))
            self._is_first = False
            num_steps -= num_block
            yield num_block, sums, seconds


class _BadSteps:
    """Counts the steps that were skipped in a row."""

    def __init__(self, most, checkpoints):
        self._most = most
        self._checkpoints = checkpoints
        self._num_in_row = 0

    def check(self, step, num_steps, metrics):
        """Takes the numbers of the `num_steps` steps after `step`."""
        num_skipped = metrics["skipped_steps"]
        for name in ("loss", "gradient_norm"):
            if num_skipped < num_steps and not math.isfinite(metrics[name]):
                self._fail(f"{name} became {metrics[name]}", step, num_steps)
        # Of a block that was skipped in part nobody knows in which.
        is_whole = num_skipped == num_steps
        self._num_in_row = self._num_in_row + num_steps if is_whole else 0
        if self._num_in_row >= self._most:
            self._fail(
                f"the last {self._num_in_row} steps gave a loss or a gradient "
                "that is no number, and were skipped",
                step,
                num_steps,
            )

    def _fail(self, what, step, num_steps):
        newest = self._checkpoints.newest() or "none"
        raise ValueError(
            f"{what} (noticed between steps {step} and {step + num_steps}); "
            f"the last good checkpoint is {newest}. A lower --learning_rate "
            "or a longer --num_warmup_steps is the usual cure"
        )


def _report(metrics, num_steps):
    """Numbers of steps that were all skipped are none."""
    if metrics["skipped_steps"] < num_steps:
        return metrics
    return {"skipped_steps": metrics["skipped_steps"]}


def _add(sums, more):
    """Adds the sums of blocks, in double precision."""
    if sums is None:
        return more
    return {
        name: (sums[name][0] + numerator, sums[name][1] + denominator)
        for name, (numerator, denominator) in more.items()
    }

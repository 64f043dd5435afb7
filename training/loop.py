"""The host's loop: the host decides, the device computes."""

import time

import tensorflow as tf

from training import signals
from training.bad_steps import BadSteps

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
    make_metrics,
    speed_of,
    checkpoints,
    summaries,
    stop,
    max_bad_steps=20,
    loss_is_scaled=False,
    eval_every_steps=0,
    evaluate=None,
    watch=lambda step, metrics: None,
    is_enough=lambda: False,
):
    """Trains from `start_step` to `num_train_steps`.

    Checkpoints are written at every multiple of `save_every_steps` and at the
    end, but not while steps are being skipped; reports at every multiple of
    `iterations_per_loop` or 100, at saves and at evaluations.

    Args:
        run_steps: from `step.make_run_steps`.
        batches: an iterator over the batches from `start_step` on.
        totals: the `step.Totals` that `run_steps` fills.
        make_metrics: maps what `totals.read` returns to the numbers to
            report; "loss", "gradient_norm" and "skipped_steps" are among them.
        speed_of: maps steps a second to the numbers to report of it.
        checkpoints: a `checkpoint.Checkpoints`.
        summaries: a `summaries.Summaries`.
        stop: a `signals.Stop`.
        max_bad_steps: the run ends after so many skipped steps in a row.
        loss_is_scaled: whether a step is skipped now and then for the scale of
            the loss alone, as in float16.
        eval_every_steps: steps between evaluations; 0 for none.
        evaluate: a function of the step that returns numbers to report; none
            where a signal cut it off.
        watch: a function of the step and of what is reported of it.
        is_enough: says, after each evaluation, whether to end before
            `num_train_steps`.

    Returns:
        The step it ended at.

    Raises:
        ValueError: the loss or the gradient is no longer a number.
        signals.Stopped: a signal asked for the end; all is saved.
    """
    blocks = _Blocks(run_steps, totals, stop)
    bad_steps = BadSteps(max_bad_steps, checkpoints, loss_is_scaled)
    run = _Run(blocks, bad_steps, make_metrics, speed_of, summaries)
    run.step = start_step
    intervals = [save_every_steps, min(iterations_per_loop, _REPORT_STEPS)]
    intervals += [eval_every_steps] if eval_every_steps else []
    if _is_multiple(start_step, eval_every_steps):
        _evaluate_if_cut_off(start_step, evaluate, summaries, stop)
    is_stopped, is_over = False, run.step >= num_train_steps or is_enough()
    while not (is_over or is_stopped):
        metrics = run.next_steps(
            batches,
            steps_until_next_event(run.step, num_train_steps, intervals),
        )
        step, is_stopped = run.step, blocks.is_stopped
        if _is_multiple(step, eval_every_steps):
            found = {} if is_stopped else evaluate(step)
            # Without a line the run that goes on evaluates here.
            metrics = found and metrics | found
            is_stopped = not found
        if metrics:
            summaries.write(step, metrics)
            watch(step, metrics)
        is_over = step == num_train_steps or is_enough()
        is_last = is_over or is_stopped
        if is_last or step % save_every_steps == 0:
            run.save(checkpoints, is_last=is_last, is_over=is_over)
    _raise_if_stopped(run.step, stop)
    return run.step


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


def _evaluate_if_cut_off(step, evaluate, summaries, stop):
    """Makes up for an evaluation that a signal cut off."""
    # Only the chief knows what it wrote.
    _, is_told = stop.check(float(summaries.has(step)))
    if not is_told:
        summaries.write(step, evaluate(step))


def _raise_if_stopped(step, stop):
    # The chief is the one who saves: the others wait for it here.
    is_stopped, _ = stop.check(0.0)
    if is_stopped:
        raise signals.Stopped(
            f"stopped at step {step:,} by a signal; what was learned is saved, "
            "the same command goes on from there"
        )


def _is_multiple(step, interval):
    return bool(step and interval and step % interval == 0)


class _Run:
    """Trains from one event to the next."""

    def __init__(self, blocks, bad_steps, make_metrics, speed_of, summaries):
        self.step = 0
        self._speed_of = speed_of
        self._blocks = blocks
        self._bad_steps = bad_steps
        self._make_metrics = make_metrics
        self._summaries = summaries

    def next_steps(self, batches, num_steps):
        """Returns what to report of `num_steps` steps, or of fewer."""
        first, sums = self.step, None
        timed_steps, seconds = 0, 0.0
        for num_block, more, block_seconds in self._blocks.run(
            batches, num_steps
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
            self._summaries.advance(self.step)
        metrics = _report(self._make_metrics(sums), self.step - first)
        if timed_steps:
            metrics |= self._speed_of(timed_steps / seconds)
        return metrics

    def save(self, checkpoints, *, is_last, is_over):
        """Saves the weights there are, if they are those of a sound run."""
        if self._bad_steps.allow_save(self.step, is_over):
            checkpoints.save(self.step)
            prefix = checkpoints.prefix(self.step)
            self._summaries.saved(prefix, is_last=is_last)


class _Blocks:
    """Runs steps in blocks of some seconds, until a signal asks for the end."""

    def __init__(self, run_steps, totals, stop):
        self.is_stopped = False
        self.skipped_in_row = 0
        self._run_steps = run_steps
        self._totals = totals
        self._stop = stop
        self._max_steps = 1
        # The first block builds the graph; it says nothing of the next one.
        self._is_first = True

    def run(self, batches, num_steps):
        """Yields a block's number of steps, what `totals` has, and seconds.

        Seconds are None where the graph was built in them.
        """
        while num_steps and not self.is_stopped:
            num_block = min(num_steps, self._max_steps)
            started = time.monotonic()
            self._run_steps(batches, tf.constant(num_block, tf.int64))
            sums = self._totals.read()
            self.skipped_in_row = self._totals.skipped_in_row()
            seconds = time.monotonic() - started
            pace = seconds / num_block
            if self._stop:
                self.is_stopped, pace = self._stop.check(pace)
            if self._is_first:
                self._is_first, seconds = False, None
            else:
                self._max_steps = max(1, int(_BLOCK_SECS / max(pace, 1e-6)))
            num_steps -= num_block
            yield num_block, sums, seconds


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

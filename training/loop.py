"""The host's loop: the host decides, the device computes."""

import math
import time

import tensorflow as tf

# No longer than this, in steps, is the host without a word of the device.
_REPORT_STEPS = 100


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
):
    """Trains from `start_step` to `num_train_steps`.

    Each pass runs the longest block of steps that no save and no report
    interrupts. Checkpoints are written at every multiple of `save_every_steps`
    and at the end, reports at every multiple of `iterations_per_loop` or 100.

    Args:
        run_steps: from `step.make_run_steps`.
        batches: an iterator over the batches from `start_step` on.
        totals: the `step.Totals` that `run_steps` fills.
        make_metrics: maps what `totals.read` returns to the numbers to
            report; "loss" and "gradient_norm" are among them.
        checkpoints: a `checkpoint.Checkpoints`.
        summaries: a `summaries.Summaries`.

    Raises:
        ValueError: the loss or the gradient is no longer a number.
    """
    step = start_step
    intervals = (save_every_steps, min(iterations_per_loop, _REPORT_STEPS))
    note = " (graph building included)"
    while step < num_train_steps:
        num_steps = steps_until_next_event(step, num_train_steps, intervals)
        started = time.monotonic()
        run_steps(batches, tf.constant(num_steps, tf.int64))
        metrics = make_metrics(totals.read())
        seconds = time.monotonic() - started
        _check_finite(metrics, step, step + num_steps, checkpoints)
        step += num_steps
        metrics["examples_per_second"] = num_steps * batch_size / seconds
        summaries.write(step, metrics, note=note)
        note = ""
        if step % save_every_steps == 0 or step == num_train_steps:
            checkpoints.save(step)
            summaries.log(f"saved {checkpoints.prefix(step)}")


def evaluate(evaluate_steps, batches, totals, *, num_steps):
    """Returns the sums of `num_steps` evaluation steps.

    Args:
        evaluate_steps: from `step.make_evaluate_steps`.
        batches: an iterator.
        totals: the `step.Totals` that `evaluate_steps` fills.

    Returns:
        {name: (numerator, denominator)}.
    """
    sums = {name: (0.0, 0.0) for name in totals.names}
    for start in range(0, num_steps, _REPORT_STEPS):
        block = min(_REPORT_STEPS, num_steps - start)
        evaluate_steps(batches, tf.constant(block, tf.int64))
        # Blocks are summed in double precision.
        for name, (numerator, denominator) in totals.read().items():
            old_numerator, old_denominator = sums[name]
            sums[name] = (
                old_numerator + numerator,
                old_denominator + denominator,
            )
    return sums


def steps_until_next_event(step, num_train_steps, intervals):
    """Returns how many steps to run before the next multiple of an interval."""
    return min(
        num_train_steps - step,
        *(interval - step % interval for interval in intervals),
    )


def _check_finite(metrics, first_step, last_step, checkpoints):
    for name in ("loss", "gradient_norm"):
        if not math.isfinite(metrics[name]):
            newest = checkpoints.newest() or "none"
            raise ValueError(
                f"{name} became {metrics[name]} between steps {first_step} "
                f"and {last_step}; the last good checkpoint is {newest}. A "
                "lower --learning_rate or a longer --num_warmup_steps is the "
                "usual cure"
            )

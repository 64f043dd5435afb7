"""A job of training, from its first weights to its last results.

    program     settings, records or rows -> objective, `Plan`
    train       go on or start -> loop with checkpoints, reports, evaluations
    program     evaluates, predicts, exports -> `write_results`

Pretraining and fine-tuning differ in what a `Plan` says and in nothing here.
"""

import contextlib
import dataclasses
import functools
import math
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf
from absl import logging

from storage import file_io, lock
from training import (
    best_checkpoint,
    checkpoint,
    compilation,
    loop,
    optimizers,
    phases,
    results_file,
    run_settings,
    strategy,
    tpu,
)
from training.checkpoint import Checkpoints
from training.clock import Clock, TimedSchedule
from training.compilation import Compile
from training.config import RunSettings
from training.objective import Objective
from training.phases import Phase
from training.schedules import Schedule
from training.signals import Stop
from training.summaries import Summaries
from training.trainer import Trainer

_LOCK = "training"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plan:
    """What a program says of its training.

    Args:
        program: its name.
        phases: its steps; it ends with the last one, or with a clock.
        schedule: the learning rate.
        clock: ends the training in place of the last phase.
        arithmetic: lines for the log, what the flags come to.
        description: of settings.json, what else decides on the weights.
        initialize: sets first weights where no checkpoint of this run has
            them; returns what the log says of it.
        refuse: raises ValueError where the settings.json of a run before
            shows that this one cannot go on from it.
        write_files: writes what stands beside the checkpoints.
        hooks: maps the run's first step, checkpoints and `Stop` to what is
            done between steps.
        eval_every_steps: 0 for never.
        is_compiled: whether XLA compiles the step where that is faster.
        around: what is done with the compiled step of a replica.
    """

    program: str
    phases: Sequence[Phase]
    schedule: Schedule | TimedSchedule
    arithmetic: list[str]
    description: Mapping[str, Any]
    initialize: Callable[[], str]
    hooks: Callable[[int, Checkpoints, Stop], loop.Hooks]
    refuse: Callable[[Mapping], None] = lambda before: None
    write_files: Callable[[], None] = lambda: None
    eval_every_steps: int = 0
    is_compiled: bool = True
    around: Compile = compilation.nothing
    clock: Clock | None = None

    def share_done(self, step: int) -> float:
        """Returns the share of the training that is done before a step."""
        if self.clock:
            return self.clock.share_done
        return min(step / self.num_train_steps, 1.0)

    def is_over(self, step: int) -> bool:
        return self.share_done(step) >= 1.0

    def describe_left(self, step: int) -> str:
        if self.clock:
            return f"{self.clock.seconds_left / 60:,.1f} minutes remain"
        return f"{max(self.num_train_steps - step, 0):,} steps remain"

    @property
    def num_train_steps(self) -> int:
        return self.phases[-1].end_step


def hold(output_dir: str, is_writer: bool) -> contextlib.AbstractContextManager:
    """Keeps other trainings out of an --output_dir, local or remote.

    Args:
        output_dir: where.
        is_writer: whether this process writes there; the other workers of a
            training do not.

    Raises:
        BlockingIOError: another training is at work there.
    """
    if not is_writer:
        return contextlib.nullcontext()
    return lock.hold([os.path.join(output_dir, _LOCK)], doing="done")


# What `train` is, or what a tool puts in its place.
Train = Callable[..., int]


def train(
    settings: RunSettings,
    devices: tf.distribute.Strategy,
    objective: Objective,
    plan: Plan,
    *,
    make_trainer: Callable[[], Trainer] | None = None,
) -> int:
    """Trains as planned, from where a run before was stopped; returns the step.

    What `make_trainer` returns, ready for it, takes a new trainer's place.

    Raises:
        ValueError: --output_dir has a run that this one cannot go on from, or
            the loss or the gradient is no longer a number.
        signals.Stopped: a signal asked for the end; all is saved.
        ConnectionError: a host of the TPU is gone.
    """
    if make_trainer:
        trainer = make_trainer()
    else:
        optimizers.warn_of_high_rate(settings, objective)
        with devices.scope():
            trainer = Trainer(
                settings, devices, objective, plan.schedule, seed=settings.seed
            )
    is_chief = strategy.is_chief(devices)
    if is_chief:
        for folder in ("", best_checkpoint.FOLDER):
            file_io.remove_leftovers(os.path.join(settings.output_dir, folder))
    checkpoints = Checkpoints(
        settings.output_dir,
        trainer.variables() | (plan.clock.variables() if plan.clock else {}),
        keep_max=settings.keep_checkpoint_max,
        is_chief=is_chief,
    )
    _log_arithmetic(devices, objective, plan)
    start_step = _start(settings, trainer, checkpoints, plan)
    if plan.is_over(start_step):
        return start_step
    with (
        Summaries(
            settings.output_dir,
            start_step=start_step,
            num_steps=None if plan.clock else plan.num_train_steps,
            cost_of=functools.partial(phases.cost_of, plan.phases),
            shown=objective.shown,
            is_chief=is_chief,
        ) as summaries,
        Stop(devices) as stop,
        tpu.hosts_may_be_lost(devices),
    ):
        summaries.describe(dataclasses.asdict(settings))
        return loop.train(
            trainer,
            phases.run(
                plan.phases,
                start_step,
                trainer,
                devices,
                is_compiled=plan.is_compiled,
                around=plan.around,
            ),
            loop.Cadence(
                start_step=start_step,
                num_train_steps=plan.num_train_steps,
                save_every_steps=settings.save_checkpoints_steps,
                iterations_per_loop=settings.iterations_per_loop,
                eval_every_steps=plan.eval_every_steps,
                clock=plan.clock,
            ),
            plan.hooks(start_step, checkpoints, stop),
            checkpoints=checkpoints,
            summaries=summaries,
            stop=stop,
            max_bad_steps=settings.max_bad_steps,
        )


def _start(
    settings: RunSettings,
    trainer: Trainer,
    checkpoints: Checkpoints,
    plan: Plan,
) -> int:
    """Sets the first weights; returns the step they are of."""
    described = {
        "program": plan.program,
        "config": dataclasses.asdict(settings),
        **plan.description,
    }
    before = run_settings.read(settings.output_dir)
    run_settings.check_program(before, plan.program, settings.output_dir)
    newest = checkpoints.newest()
    if newest:
        optimizers.refuse_change(newest, settings.optimizer)
        plan.refuse(before)
        run_settings.warn_of_changes(
            before,
            settings.deciding("result", "rows", "reading"),
            plan.description["training_rows"],
            newest,
        )
    # A checkpoint of this very run goes first: the same command, given again,
    # must go on and not begin anew.
    resumed_from = checkpoints.restore_newest()
    start_step = trainer.global_step
    left = plan.describe_left(start_step)
    if resumed_from:
        logging.info(
            "resumed at step %s from %s; %s",
            f"{start_step:,}",
            resumed_from,
            left,
        )
    else:
        source, _, table = plan.initialize().partition("\n")
        logging.info("%s; %s%s", source, left, table and f"\n{table}")
    if checkpoints.is_chief and not plan.is_over(start_step):
        plan.write_files()
        run_settings.write(settings.output_dir, described)
    return start_step


def _log_arithmetic(
    devices: tf.distribute.Strategy, objective: Objective, plan: Plan
) -> None:
    """Logs, once, what the flags come to."""
    low = objective.mixed_precision
    logging.info(
        "devices: %s; matrices are multiplied in %s",
        strategy.describe(devices),
        "float32" if low == "none" else low,
    )
    for line in plan.arithmetic:
        logging.info("%s", line)
    num_saved, num_trained = (
        sum(math.prod(variable.shape) for variable in variables)
        for variables in (objective.saved, objective.trained)
    )
    trained = ""
    if num_trained < num_saved:
        trained = f", of them {num_trained:,} trained"
    logging.info("model: %s parameters%s", f"{num_saved:,}", trained)


def restore_weights(
    objective: Objective,
    directories: list[str],
    *,
    otherwise: Callable[[], str] | None,
) -> int:
    """Takes the weights of a run before; returns the step they are of.

    Args:
        objective: what has the variables.
        directories: where to look for a checkpoint, the last one being
            --output_dir.
        otherwise: sets them where there is none, and returns what the log
            says of it; None is an error.

    Raises:
        ValueError: there are none.
    """
    by_path = checkpoint.by_path(objective.saved)
    for directory in directories:
        restored = checkpoint.restore_newest(directory, by_path)
        if restored:
            logging.info("weights of %s", restored)
            return checkpoint.step_of(restored)
    if otherwise is None:
        raise ValueError(
            f"--output_dir={directories[-1]} has no checkpoint; set "
            "--do_train, or --init_checkpoint to a trained model"
        )
    logging.info("%s", otherwise())
    return 0


def write_results(output_dir: str, results: Mapping[str, Any]) -> None:
    """Writes `key = value` lines, sorted, as google-research/bert does."""
    lines = [f"{key} = {results[key]}" for key in sorted(results)]
    file_io.write_lines(os.path.join(output_dir, results_file.NAME), lines)
    for line in lines:
        logging.info("eval: %s", line)

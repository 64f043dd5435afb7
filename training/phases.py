"""Phases of a run: steps of one shape, one after another.

    phase 1              phase 2        each has batches of its own and a step
    |--------------------|---------|    that is compiled for them
    step 0               700       1,000
                         ^ saved, then entered: `enter` changes the weights

A run that is stopped at step 700 has saved what phase 1 left, and enters phase
2 when it goes on; one that is stopped later has entered it and does not again.
So the step of the newest checkpoint alone says what is still to do.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf
from absl import logging

from training import compilation, loop
from training.compilation import Compile
from training.gradients import ComputeTerms
from training.trainer import Trainer


@dataclasses.dataclass(frozen=True, kw_only=True)
class Phase:
    """What is told of the steps of one shape.

    Args:
        end_step: the step at which it ends, and the next one begins.
        batches: maps the first step to a function of an input context that
            returns a `tf.data.Dataset`.
        compute_terms: stands for the objective's, where it is not None.
        title: what the log says when it begins.
        enter: is given {name: variable} of a checkpoint once, when the phase
            before it is over, and may change them; says what it did.
        speed_of: maps steps a second to the numbers to report of it.
        step_cost: what one of its steps costs, in a unit that all share.
    """

    end_step: int
    batches: Callable[[int], Callable[[Any], tf.data.Dataset]]
    compute_terms: ComputeTerms | None = None
    title: str = ""
    enter: Callable[[Mapping[str, keras.Variable]], str] = lambda variables: ""
    speed_of: Callable[[float], dict[str, float]] = lambda steps_a_second: {}
    step_cost: float = 1.0


def cost_of(phases: Sequence[Phase], step: int) -> float:
    """Returns what all steps up to one cost together."""
    cost, first = 0.0, 0
    for phase in phases:
        num_steps = max(0, min(step, phase.end_step) - first)
        cost += num_steps * phase.step_cost
        first = phase.end_step
    return cost


def run(
    phases: Sequence[Phase],
    start_step: int,
    trainer: Trainer,
    devices: tf.distribute.Strategy,
    *,
    is_compiled: bool = True,
    around: Compile = compilation.nothing,
) -> Iterator[loop.Section]:
    """Yields the sections of a run; enters each phase when it is asked for.

    Args:
        phases: of the whole run.
        start_step: where the run begins, or goes on.
        trainer: has the variables and makes the steps.
        devices: where the batches go.
        is_compiled: whether XLA compiles the step where that is faster.
        around: what is done with the compiled step of a replica.
    """
    first = 0
    for phase in phases:
        if start_step < phase.end_step:
            said = [phase.title]
            if first and start_step <= first:
                said.append(phase.enter(trainer.variables()))
            if any(said):
                logging.info("%s", ": ".join(filter(None, said)))
            batches = devices.distribute_datasets_from_function(
                phase.batches(max(first, start_step))
            )
            run_steps = trainer.make_run_steps(
                compute_terms=phase.compute_terms,
                is_compiled=is_compiled,
                around=around,
            )
            yield loop.Section(
                phase.end_step, run_steps, iter(batches), phase.speed_of
            )
        first = phase.end_step

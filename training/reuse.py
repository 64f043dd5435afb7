"""A trainer for run after run, whose steps are compiled once.

To build the graph of a step and to compile it takes longer than a short run.
What runs differ in, rate, number of steps and seed, are variables here, so that
the next run takes the compiled step over. Its numbers are, bit for bit, those
of the first run of such a trainer.
"""

from collections.abc import Hashable
from typing import Any

import tensorflow as tf

from training import compilation, optimizers, step
from training.compilation import Compile
from training.config import RunSettings
from training.gradients import ComputeTerms
from training.objective import Objective
from training.schedules import Schedule, SetSchedule
from training.step import RunSteps
from training.trainer import Trainer


class ReusableTrainer(Trainer):
    """A `Trainer` that `begin` makes ready for another run.

    Create it in the strategy's scope, and call `begin` before its first run.

    Args:
        settings: the flags of the optimizer; those of later runs may have
            another rate.
        devices: a strategy.
        objective: what is trained.
        schedule: of the first run; those of later ones have its shape.
    """

    def __init__(
        self,
        settings: RunSettings,
        devices: tf.distribute.Strategy,
        objective: Objective,
        schedule: Schedule,
    ):
        self._schedule = SetSchedule(schedule.shape)
        self._seed = tf.Variable(0, trainable=False, dtype=tf.int64)
        self._kept: dict[Hashable, RunSteps] = {}
        super().__init__(
            settings, devices, objective, self._schedule, seed=self._seed
        )
        of_objective = {variable.path for variable in objective.saved}
        # Most are zeros, which are not worth keeping.
        self._first = {
            name: value if value.any() else None
            for name, value in (
                (name, variable.numpy())
                for name, variable in self.variables().items()
                if name not in of_objective
            )
        }

    def begin(self, settings: RunSettings, schedule: Schedule) -> None:
        """Sets all but the objective's own variables to those of a new run."""
        optimizers.warn_of_high_rate(settings, self._objective)
        self._schedule.set(schedule)
        self._seed.assign(step.first_dropout_seed(settings.seed))
        self.totals.forget_skipped()
        variables: dict[str, Any] = self.variables()
        for name, value in self._first.items():
            variable = variables[name]
            variable.assign(tf.zeros_like(variable) if value is None else value)

    def make_run_steps(
        self,
        *,
        compute_terms: ComputeTerms | None = None,
        is_compiled: bool = True,
        around: Compile = compilation.nothing,
    ) -> RunSteps:
        key = (compute_terms, is_compiled, around)
        if key not in self._kept:
            self._kept[key] = super().make_run_steps(
                compute_terms=compute_terms,
                is_compiled=is_compiled,
                around=around,
            )
        return self._kept[key]

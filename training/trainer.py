"""What trains an objective: its optimizer, its step, and what that adds up."""

import functools
import math

import keras
import tensorflow as tf
from keras.optimizers.schedules import LearningRateSchedule

from training import checkpoint, compilation, optimizers, step
from training.compilation import Compile, ReplicaStep
from training.config import OptimizerSettings
from training.gradients import ComputeTerms
from training.loss_scale import LossScale
from training.objective import Objective, Sums
from training.step import RunSteps


class Trainer:
    """The step of one replica, with all that it changes.

    `loss_is_scaled` says that a step is skipped now and then for the scale of
    the loss alone, as in float16. Create it in the strategy's scope.

    Args:
        settings: the flags of the optimizer.
        devices: a strategy.
        objective: what is trained.
        schedule: the learning rate.
        seed: decides on dropout; see `step.make_train_step`.
    """

    def __init__(
        self,
        settings: OptimizerSettings,
        devices: tf.distribute.Strategy,
        objective: Objective,
        schedule: LearningRateSchedule,
        *,
        seed: int | tf.Variable,
    ):
        self.optimizer = optimizers.make(settings, schedule, objective)
        self._loss_scale = None
        if objective.mixed_precision == "float16":
            self._loss_scale = LossScale()
        self.loss_is_scaled = self._loss_scale is not None
        self.totals = step.Totals(
            (*objective.term_names, *step.STEP_TERMS), objective.term_lengths
        )
        self._make_train_step = functools.partial(
            step.make_train_step,
            devices,
            optimizer=self.optimizer,
            variables=objective.trained,
            totals=self.totals,
            seed=seed,
            clip_norm=settings.clip_norm,
            num_parts=settings.gradient_accumulation_steps,
            loss_scale=self._loss_scale,
        )
        self.replica_step = self._make_train_step(objective.compute_terms)
        self._devices = devices
        self._objective = objective
        self._mark = optimizers.mark(settings.optimizer)

    @property
    def global_step(self) -> int:
        return int(self.optimizer.iterations.numpy())

    def variables(self) -> dict[str, keras.Variable]:
        """Returns {name: variable} of what a checkpoint holds."""
        scale = self._loss_scale.variables() if self._loss_scale else {}
        return (
            checkpoint.by_path(self._objective.saved)
            | self.optimizer.slots()
            | self._mark
            | scale
            | {checkpoint.GLOBAL_STEP: self.optimizer.iterations}
        )

    def make_run_steps(
        self,
        *,
        compute_terms: ComputeTerms | None = None,
        is_compiled: bool = True,
        around: Compile = compilation.nothing,
    ) -> RunSteps:
        """Returns a function of batches and a number of steps.

        Args:
            compute_terms: what stands for the objective's, of which it may
                leave variables out.
            is_compiled: whether XLA compiles the step where that is faster.
            around: what is done with the compiled step of a replica.
        """
        compile_step = (
            compilation.choose(self._devices, self._objective.mixed_precision)
            if is_compiled
            else compilation.nothing
        )
        replica_step: ReplicaStep = self.replica_step
        if compute_terms:
            replica_step = self._make_train_step(compute_terms)
        return step.make_run_steps(
            self._devices,
            replica_step,
            self.totals,
            compile_step=lambda replica_step: around(
                compile_step(replica_step)
            ),
        )

    def metrics(self, sums: Sums) -> dict[str, float]:
        """Maps what `totals.read` returns to the numbers to report.

        "skipped_steps" is a number of steps, all others are means over the
        steps that were not skipped. Where all were, the loss and the norm of
        the gradient are NaN.
        """
        num_skipped, num_steps = map(round, sums["skipped_steps"])
        metrics = self._objective.metrics(sums)
        if num_skipped == num_steps:
            metrics |= {"loss": math.nan, "gradient_norm": math.nan}
        return metrics | {
            "learning_rate": float(self.optimizer.learning_rate),
            "skipped_steps": num_skipped,
        }

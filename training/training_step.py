"""The training step that a program's flags ask for."""

import math

from training import compilation, loss_scale, optimizers, step


class TrainingStep:
    """The optimizer, the step of one replica, and what it adds up.

    `compile_step` is how `step.make_run_steps` should compile it,
    `loss_is_scaled` says whether steps are skipped for that now and then.

    Create it in the strategy's scope.

    Args:
        config: has the flags of the optimizer, see `optimizers.make`, and
            clip_norm, seed and gradient_accumulation_steps.
        devices: a `tf.distribute.Strategy`.
        objective: has compute_terms, term_names, metrics and mixed_precision.
        schedule: a `schedules.Schedule`.
        variables: the variables to train.
    """

    def __init__(self, config, devices, objective, *, schedule, variables):
        self.optimizer = optimizers.make(config, schedule, variables)
        self._loss_scale = None
        if objective.mixed_precision == "float16":
            self._loss_scale = loss_scale.LossScale()
        self.totals = step.Totals((*objective.term_names, *step.STEP_TERMS))
        self.replica_step = step.make_train_step(
            devices,
            objective.compute_terms,
            self.optimizer,
            variables,
            self.totals,
            seed=config.seed,
            clip_norm=config.clip_norm,
            num_parts=config.gradient_accumulation_steps,
            loss_scale=self._loss_scale,
        )
        self.compile_step = compilation.choose(
            devices, objective.mixed_precision
        )
        self.loss_is_scaled = self._loss_scale is not None
        self._objective = objective
        self._mark = optimizers.mark(config.optimizer)

    def variables(self):
        """Returns {name: variable} of what a checkpoint holds beside weights.

        The step is not among them.
        """
        scale = self._loss_scale.variables() if self._loss_scale else {}
        return self.optimizer.slots() | self._mark | scale

    def metrics(self, sums):
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

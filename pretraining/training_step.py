"""The training step that the flags of pretraining ask for."""

from training import schedules, training_step


class TrainingStep(training_step.TrainingStep):
    """The step of `training.training_step`, with pretraining's schedule.

    Create it in the strategy's scope.

    Args:
        config: a `PretrainingConfig`.
        devices: a `tf.distribute.Strategy`.
        objective: a `masked_lm.MaskedLm`.
    """

    def __init__(self, config, devices, objective):
        super().__init__(
            config,
            devices,
            objective,
            schedule=_make_schedule(config),
            variables=objective.variables,
        )


def _make_schedule(config):
    return schedules.Schedule(
        peak=config.learning_rate,
        num_train_steps=config.num_train_steps,
        num_warmup_steps=num_warmup_steps(config),
        shape=config.lr_schedule,
        poly_power=config.poly_power,
        wsd_decay_share=config.wsd_decay_share,
    )


def num_warmup_steps(config):
    """Returns the steps of warm-up that the two flags come to."""
    if config.warmup_proportion is None:
        return config.num_warmup_steps
    return int(config.num_train_steps * config.warmup_proportion)

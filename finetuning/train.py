"""Fine-tuning, top to bottom, whatever the task."""

import dataclasses
import functools
import math

from finetuning import (
    batches,
    cache,
    evaluation,
    model,
    preflight,
    seeds,
    settings,
    task,
    weights,
)
from storage import file_io
from training import (
    checkpoint,
    compilation,
    loop,
    precision,
    run_lock,
    schedules,
    signals,
    step,
    strategy,
    summaries,
    training_step,
)

# XLA makes a step about twice as fast, and takes half a minute to compile it,
# for each length of its batches.
_STEPS_TO_COMPILE = 50


def run(config, make_task):
    """Trains, evaluates and predicts as a `FinetuningConfig` says.

    A run that was stopped, in whatever way, goes on from its newest checkpoint.

    Args:
        config: a `config.FinetuningConfig`.
        make_task: makes a `task.Task` of a config.

    Returns:
        The numbers of eval_results.txt; none where nothing was evaluated.

    Raises:
        ValueError: a setting or a file is wrong; says which and what to do.
        ConnectionError: the TPU cannot be reached.
        signals.Stopped: a signal asked for the end; all is saved.
    """
    numbers = seeds.parse(config)
    of_task = make_task(config)
    bert = preflight.read_bert_config(config)
    file_io.check_output_directory(config.output_dir, "output_dir")
    # Once: workers cannot connect to one another again.
    devices = strategy.of(config)
    preflight.check_batch_sizes(config, devices)
    run_one = functools.partial(_run, bert=bert, devices=devices)
    is_chief = strategy.is_chief(devices)
    is_writer = is_chief and config.do_train
    with run_lock.hold(config.output_dir, is_writer):
        if not numbers:
            return run_one(config, of_task)
        return seeds.run(config, numbers, make_task, run_one, is_chief=is_chief)


def _run(config, of_task, *, bert, devices):
    if not config.do_train:
        settings.restore_task(config, of_task)
    splits = {
        name: _load(config, of_task, name, strategy.is_chief(devices))
        for name in _wanted_splits(config)
    }
    with devices.scope():
        made = model.Model(
            bert,
            of_task,
            seed=config.seed,
            mixed_precision=precision.choose(config.mixed_precision, devices),
        )
    if config.do_train:
        global_step = _train(config, devices, made, splits)
    else:
        global_step = weights.restore(config, made)
    return evaluation.evaluate(config, devices, made, splits, global_step)


def _wanted_splits(config):
    """Returns the splits that the flags ask for, training's first.

    The labels are those of the training data.
    """
    asked = {
        "train": config.do_train,
        "eval": config.do_eval or (config.do_train and _is_watched(config)),
        "predict": config.do_predict,
    }
    if not any(asked.values()):
        raise ValueError("set --do_train, --do_eval or --do_predict")
    return [name for name, is_asked in asked.items() if is_asked]


def _is_watched(config):
    """Whether the run is evaluated while it trains."""
    return bool(
        config.keep_best or config.early_stopping or config.eval_every_steps
    )


def _load(config, of_task, name, is_chief):
    examples = of_task.read(name)
    description = of_task.describe_rows(name)
    rows = cache.rows(
        cache.path_of(config.output_dir, name),
        description,
        lambda: of_task.make_rows(name, examples),
        is_writer=is_chief,
    )
    return task.Split(name, examples, rows, description)


def _train(config, devices, made, splits):
    """Trains on "train"; returns the step it ended at."""
    rows = splits["train"].rows
    num_rows = splits["train"].num_rows
    num_train_steps = _num_train_steps(config, num_rows)
    lengths = batches.lengths_of_run(config, devices, rows, num_train_steps)
    rows = batches.trim(rows, lengths[-1], per_token=made.head.per_token)
    with devices.scope():
        one_step = _make_step(config, devices, made, num_train_steps)
    checkpoints = checkpoint.Checkpoints(
        config.output_dir,
        checkpoint.by_path(made.variables)
        | one_step.variables()
        | {checkpoint.GLOBAL_STEP: one_step.optimizer.iterations},
        keep_max=config.keep_checkpoint_max,
        is_chief=strategy.is_chief(devices),
    )
    settings.log_arithmetic(
        config, devices, made, num_rows, num_train_steps, lengths
    )
    stated = settings.of_run(config, made.task, splits["train"])
    start_step = weights.start(config, made, one_step, checkpoints, stated)
    if start_step >= num_train_steps:
        return start_step
    if strategy.is_chief(devices):
        settings.write(config, made, stated)
    data = devices.distribute_datasets_from_function(
        lambda context: batches.training_batches(
            rows,
            batch_size=config.train_batch_size,
            seed=config.seed,
            start_step=start_step,
            num_steps=num_train_steps,
            lengths=lengths,
            group_by_length=batches.are_grouped(config, devices),
            context=context,
        )
    )
    return _run_steps(
        config,
        devices,
        made,
        one_step,
        data,
        lengths,
        splits.get("eval"),
        start_step=start_step,
        num_train_steps=num_train_steps,
        checkpoints=checkpoints,
    )


def _num_train_steps(config, num_rows):
    num_steps = int(
        num_rows / config.train_batch_size * config.num_train_epochs
    )
    if not num_steps:
        raise ValueError(
            f"{num_rows} training rows are no step of --train_batch_size="
            f"{config.train_batch_size} in --num_train_epochs="
            f"{config.num_train_epochs:g}"
        )
    schedules.warn_of_few_steps(
        _num_warmup_steps(config, num_steps),
        num_steps,
        "--num_train_epochs, or set --train_batch_size lower",
    )
    return num_steps


def _num_warmup_steps(config, num_train_steps):
    return int(num_train_steps * config.warmup_proportion)


def _make_step(config, devices, made, num_train_steps):
    return training_step.TrainingStep(
        config,
        devices,
        made,
        schedule=schedules.Schedule(
            peak=config.learning_rate,
            num_train_steps=num_train_steps,
            num_warmup_steps=_num_warmup_steps(config, num_train_steps),
            shape=config.lr_schedule,
        ),
        variables=made.trained_variables(
            freeze_encoder=config.freeze_encoder,
            unfreeze_top_layers=config.unfreeze_top_layers,
        ),
    )


def _run_steps(
    config, devices, made, one_step, data, lengths, eval_split, **others
):
    """Trains to the end, or until it is enough; returns the last step."""
    checkpoints = others["checkpoints"]
    start_step, num_train_steps = (
        others["start_step"],
        others["num_train_steps"],
    )
    steps_an_epoch = max(
        1, math.ceil(num_train_steps / config.num_train_epochs)
    )
    watched = evaluation.BetweenSteps(
        config, devices, made, eval_split, checkpoints, start_step
    )
    with (
        summaries.Summaries(
            config.output_dir,
            start_step=start_step,
            num_steps=num_train_steps,
            is_chief=strategy.is_chief(devices),
        ) as told,
        signals.Stop(devices) as stop,
    ):
        told.describe(dataclasses.asdict(config))
        return loop.train(
            _make_run_steps(
                devices,
                one_step,
                lengths,
                per_token=made.head.per_token,
                is_compiled=num_train_steps >= _STEPS_TO_COMPILE,
            ),
            iter(data),
            one_step.totals,
            save_every_steps=config.save_checkpoints_steps,
            iterations_per_loop=config.iterations_per_loop,
            make_metrics=one_step.metrics,
            speed_of=lambda steps_a_second: {
                "examples_per_second": steps_a_second * config.train_batch_size
            },
            summaries=told,
            stop=stop,
            max_bad_steps=config.max_bad_steps,
            loss_is_scaled=one_step.loss_is_scaled,
            eval_every_steps=_is_watched(config)
            and (config.eval_every_steps or steps_an_epoch),
            evaluate=watched.evaluate,
            is_enough=lambda: watched.is_enough(stop),
            **others,
        )


def _make_run_steps(devices, one_step, lengths, *, per_token, is_compiled):
    compile_step = one_step.compile_step if is_compiled else compilation.nothing
    return step.make_run_steps(
        devices,
        one_step.replica_step,
        one_step.totals,
        compile_step=lambda replica_step: model.by_length(
            compile_step(replica_step), lengths, per_token=per_token
        ),
    )

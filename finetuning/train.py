"""Fine-tuning, top to bottom, whatever the task."""

import functools
import math
from collections.abc import Callable

import tensorflow as tf

from finetuning import (
    batches,
    cache,
    directory,
    evaluation,
    model,
    preflight,
    seeds,
    teacher,
)
from finetuning.config import FinetuningConfig
from finetuning.inherited import ConfigT
from finetuning.model import Model
from finetuning.splits import SplitName, wanted
from finetuning.student import Student
from finetuning.task import Split, Task
from modeling.config import BertConfig
from storage import file_io
from text import vocabularies
from training import job, loop, schedules, strategy
from training.checkpoint import Checkpoints
from training.phases import Phase
from training.signals import Stop

# XLA makes a step about twice as fast, and takes half a minute to compile it,
# for each length of its batches.
_STEPS_TO_COMPILE = 50


def run(
    config: ConfigT, make_task: Callable[[ConfigT], Task]
) -> dict[str, float]:
    """Trains, evaluates and predicts as the settings say.

    A run that was stopped, in whatever way, goes on from its newest checkpoint.

    Returns:
        The numbers of eval_results.txt; none where nothing was evaluated.

    Raises:
        ValueError: a setting or a file is wrong; says which and what to do.
        ConnectionError: the TPU cannot be reached.
        signals.Stopped: a signal asked for the end; all is saved.
    """
    numbers = seeds.parse(config)
    task = make_task(config)
    architecture = preflight.read_bert_config(config)
    file_io.check_output_directory(config.output_dir, "output_dir")
    # Once: workers cannot connect to one another again.
    devices = strategy.create(config)
    preflight.check_batch_sizes(config, devices)
    run_one = functools.partial(
        _run, architecture=architecture, devices=devices
    )
    is_chief = strategy.is_chief(devices)
    with job.hold(config.output_dir, is_chief and config.do_train):
        if not numbers:
            return run_one(config, task)
        return seeds.run(config, numbers, make_task, run_one, is_chief=is_chief)


def _run(
    config: FinetuningConfig,
    task: Task,
    *,
    architecture: BertConfig,
    devices: tf.distribute.Strategy,
) -> dict[str, float]:
    if not config.do_train:
        directory.restore_task(config.output_dir, task)
    splits = {
        name: _load(config.output_dir, task, name, strategy.is_chief(devices))
        for name in wanted(config)
    }
    make_model = Model
    if config.do_train and config.is_taught:
        make_model = Student
        splits["train"] = teacher.teach(config, task, splits["train"], devices)
    model = make_model.of(config, architecture, task, devices)
    if config.do_train:
        global_step = _train(config, devices, model, splits)
    else:
        global_step = directory.restore_weights(config, model)
    results = evaluation.evaluate(config, devices, model, splits, global_step)
    if config.do_train and strategy.is_chief(devices):
        task.export(model, config.output_dir, global_step)
    return results


def _load(
    output_dir: str, task: Task, name: SplitName, is_chief: bool
) -> Split:
    examples = task.read(name)
    description = task.describe_rows(name)
    rows = cache.rows(
        cache.path_of(output_dir, name),
        description,
        lambda: task.make_rows(name, examples),
        is_writer=is_chief,
    )
    return Split(name, examples, rows, description)


def _train(
    config: FinetuningConfig,
    devices: tf.distribute.Strategy,
    model: Model,
    splits: dict[SplitName, Split],
) -> int:
    """Trains on "train"; returns the step it ended at."""
    split = splits["train"]
    num_train_steps = _num_train_steps(
        split.num_rows, config.train_batch_size, config.num_train_epochs
    )
    num_warmup_steps = int(num_train_steps * config.warmup_proportion)
    schedules.warn_of_few_steps(
        num_warmup_steps,
        num_train_steps,
        "--num_train_epochs, or set --train_batch_size lower",
    )
    # On a TPU all batches are of one shape.
    is_tpu = isinstance(devices, tf.distribute.TPUStrategy)
    group_by_length = config.group_by_length and not is_tpu
    lengths = batches.lengths_of_run(
        split.rows, num_train_steps, devices, group_by_length=group_by_length
    )
    make_batches = functools.partial(
        _training_batches,
        batches.trim(split.rows, lengths[-1], per_token=model.per_token),
        batch_size=config.train_batch_size,
        seed=config.seed,
        num_steps=num_train_steps,
        lengths=lengths,
        group_by_length=group_by_length,
        draws=model.task.draws(split.rows),
    )
    phase = Phase(
        end_step=num_train_steps,
        batches=make_batches,
        speed_of=lambda steps_a_second: {
            "examples_per_second": steps_a_second * config.train_batch_size
        },
    )
    plan = job.Plan(
        program=model.task.program,
        phases=[phase],
        schedule=schedules.Schedule(
            peak=config.learning_rate,
            num_train_steps=num_train_steps,
            num_warmup_steps=num_warmup_steps,
            shape=config.lr_schedule,
        ),
        arithmetic=[
            f"{split.num_rows:,} rows, batches of {config.train_batch_size}: "
            f"{num_train_steps:,} steps = {config.num_train_epochs:g} epochs; "
            f"rows are cut or padded to {', '.join(map(str, lengths))} tokens"
        ],
        description=directory.describe(model.task, split),
        initialize=functools.partial(directory.initialize, config, model),
        refuse=functools.partial(
            directory.refuse_other_labels, config.output_dir, model.task
        ),
        write_files=functools.partial(
            directory.write_files,
            config.output_dir,
            vocabularies.load(config),
            model,
        ),
        hooks=_hooks(config, devices, model, splits.get("eval")),
        eval_every_steps=_eval_every_steps(config, num_train_steps),
        is_compiled=num_train_steps >= _STEPS_TO_COMPILE,
        around=_by_length(model, lengths),
    )
    return job.train(config, devices, model, plan)


def _num_train_steps(num_rows: int, batch_size: int, num_epochs: float) -> int:
    num_steps = int(num_rows / batch_size * num_epochs)
    if not num_steps:
        raise ValueError(
            f"{num_rows} training rows are no step of --train_batch_size="
            f"{batch_size} in --num_train_epochs={num_epochs:g}"
        )
    return num_steps


def _training_batches(rows, start_step, **settings):
    """Returns what `Phase.batches` does: a function of a context."""
    return lambda context: batches.training_batches(
        rows, start_step=start_step, context=context, **settings
    )


def _by_length(model_of_task, lengths):
    """Returns what `job.Plan.around` is: batches are cut to a length."""
    return lambda replica_step: model.by_length(
        replica_step, lengths, per_token=model_of_task.per_token
    )


def _hooks(config, devices, model, split):
    """Returns what `job.Plan.hooks` is."""

    def hooks(
        start_step: int, checkpoints: Checkpoints, stop: Stop
    ) -> loop.Hooks:
        if split is None:
            return loop.Hooks()
        watched = evaluation.BetweenSteps(
            config, devices, model, split, checkpoints, start_step
        )
        return loop.Hooks(
            evaluate=watched.evaluate,
            is_enough=lambda: watched.is_enough(stop),
        )

    return hooks


def _eval_every_steps(config: FinetuningConfig, num_train_steps: int) -> int:
    if not config.is_watched:
        return 0
    steps_an_epoch = math.ceil(num_train_steps / config.num_train_epochs)
    return config.eval_every_steps or max(1, steps_an_epoch)

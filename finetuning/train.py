"""Fine-tuning, top to bottom, whatever the task."""

import functools
import math
from collections.abc import Callable

import tensorflow as tf

from finetuning import (
    batches,
    directory,
    ensemble,
    evaluation,
    held_out,
    preflight,
    seeds,
    sweep,
    sweep_settings,
)
from finetuning.config import FinetuningConfig
from finetuning.inherited import ConfigT
from finetuning.layer_student import LayerStudent
from finetuning.model import Model, by_length
from finetuning.splits import SplitName, wanted
from finetuning.student import Student
from finetuning.task import Split, Task
from finetuning.workbench import Workbench
from modeling.config import BertConfig
from storage import file_io
from text import vocabularies
from training import job, loop, schedules, strategy
from training.checkpoint import Checkpoints
from training.compilation import Compile
from training.phases import Phase
from training.signals import Stop

# XLA makes a step about twice as fast, and takes half a minute to compile it,
# for each length of its batches.
_STEPS_TO_COMPILE = 50


def run(
    config: ConfigT,
    make_task: Callable[[ConfigT], Task],
    *,
    train: job.Train = job.train,
) -> dict[str, float]:
    """Trains, evaluates and predicts as the settings say.

    A run that was stopped, in whatever way, goes on from its newest checkpoint.

    Args:
        config: of the run.
        make_task: makes its task.
        train: trains the model by a plan.

    Returns:
        The numbers of eval_results.txt; none where nothing was evaluated.

    Raises:
        ValueError: a setting or a file is wrong; says which and what to do.
        ConnectionError: the TPU cannot be reached.
        signals.Stopped: a signal asked for the end; all is saved.
    """
    numbers = seeds.parse(config)
    settings = sweep_settings.of(config)
    bench = Workbench(make_task)
    bench.task(settings[0] if settings else config)
    for setting in [*settings, config]:
        architecture = preflight.read_bert_config(setting)
    file_io.check_output_directory(config.output_dir, "output_dir")
    # Once: workers cannot connect to one another again.
    devices = strategy.create(config)
    for setting in settings or [config]:
        preflight.check_batch_sizes(setting, devices)
    if settings and strategy.has_workers(devices):
        raise ValueError(
            "--sweep is of one process, and TF_CONFIG names several: unset it"
        )
    bench.devices = devices
    run_one = functools.partial(
        _run, architecture=architecture, bench=bench, train=train
    )
    is_chief = strategy.is_chief(devices)
    with job.hold(config.output_dir, is_chief and config.do_train):
        ranked: list[ConfigT] = []
        if settings:
            results, ranked = sweep.run(config, settings, run_one, bench)
        elif numbers:
            results, ranked = seeds.run(config, numbers, run_one, bench)
        else:
            results = run_one(config)
        more: dict[str, float] = {}
        if config.ensemble and ranked:
            members = ranked[: config.ensemble]
            more |= ensemble.run(config, members, architecture, bench)
        if config.test_file:
            more |= held_out.score(config, architecture, bench)
        if more and is_chief:
            job.write_results(config.output_dir, results | more)
        return results | more


def _run(
    config: FinetuningConfig,
    *,
    architecture: BertConfig,
    bench: Workbench,
    train: job.Train,
    num_epochs: float = math.inf,
    rows_dir: str | None = None,
) -> dict[str, float]:
    """Trains, for so many epochs of a run at most, and evaluates.

    Args:
        config: of the run.
        architecture: of the model.
        bench: makes what it needs.
        train: as of `run`.
        num_epochs: where to end before the run's own end; the same run goes on
            from there.
        rows_dir: where the rows are kept, if not in --output_dir.
    """
    devices = bench.devices
    task = bench.task(config)
    if not config.do_train:
        directory.restore_task(config.output_dir, task)
    rows_dir = rows_dir or config.output_dir
    splits = {name: bench.split(name, rows_dir) for name in wanted(config)}
    make: Callable[..., Model] = Model.of
    if config.distillation_of == "layers":
        make = functools.partial(LayerStudent.taught, split=splits["train"])
    elif config.do_train and config.is_taught:
        make = Student.of
        splits["train"] = bench.taught(config, splits["train"])
    model = bench.model(make, config, architecture, task)
    if config.do_train:
        global_step = _train(config, bench, model, splits, train, num_epochs)
    else:
        global_step = directory.restore_weights(config, model)
    results = evaluation.evaluate(config, devices, model, splits, global_step)
    if config.do_train and strategy.is_chief(devices):
        task.export(model, config.output_dir, global_step)
    return results


def _train(
    config: FinetuningConfig,
    bench: Workbench,
    model: Model,
    splits: dict[SplitName, Split],
    train: job.Train,
    num_epochs: float,
) -> int:
    """Trains on "train"; returns the step it ended at."""
    num_rows, batch_size = splits["train"].num_rows, config.train_batch_size
    num_train_steps = _num_train_steps(
        num_rows, batch_size, config.num_train_epochs
    )
    num_warmup_steps = int(num_train_steps * config.warmup_proportion)
    schedules.warn_of_few_steps(
        num_warmup_steps,
        num_train_steps,
        "--num_train_epochs, or set --train_batch_size lower",
    )
    schedule = schedules.Schedule(
        peak=config.learning_rate,
        num_train_steps=num_train_steps,
        num_warmup_steps=num_warmup_steps,
        shape=config.lr_schedule,
    )
    end_step = num_train_steps
    if num_epochs < config.num_train_epochs:
        end_step = max(1, int(num_rows / batch_size * num_epochs))
    return train(
        config,
        bench.devices,
        model,
        _plan(config, bench.devices, model, splits, schedule, end_step),
        make_trainer=functools.partial(bench.trainer, config, model, schedule),
    )


def _plan(
    config: FinetuningConfig,
    devices: tf.distribute.Strategy,
    model: Model,
    splits: dict[SplitName, Split],
    schedule: schedules.Schedule,
    end_step: int,
) -> job.Plan:
    """Returns what a run is told of the rows and the model."""
    split = splits["train"]
    num_train_steps = schedule.num_train_steps
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
        end_step=end_step,
        batches=make_batches,
        speed_of=lambda steps_a_second: {
            "examples_per_second": steps_a_second * config.train_batch_size
        },
    )
    return job.Plan(
        program=model.task.program,
        phases=[phase],
        schedule=schedule,
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
        around=_by_length(tuple(lengths), model.per_token),
    )


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


@functools.cache  # The same function for the same lengths: a step's name.
def _by_length(lengths: tuple[int, ...], per_token: bool) -> Compile:
    """Returns what `job.Plan.around` is: batches are cut to a length."""
    return functools.partial(by_length, lengths=lengths, per_token=per_token)


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

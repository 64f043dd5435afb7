"""Pretraining, top to bottom."""

import dataclasses
import functools
from collections.abc import Mapping, Sequence

import tensorflow as tf

from data.feeding import input_pipeline, record_files
from data.feeding.record_files import RecordFile
from interop import start
from pretraining import (
    export,
    feeds,
    first_values,
    mask_share,
    objectives,
    phases,
    preflight,
    report,
)
from pretraining.config import PretrainingConfig
from pretraining.evaluation import Evaluation
from pretraining.feeds import Feed
from pretraining.objective import PretrainingObjective
from pretraining.stages import Stage, check_same, stage_at
from storage import file_io
from training import checkpoint, job, loop, precision, run_settings, strategy
from training.best_checkpoint import BestCheckpoint
from training.checkpoint import Checkpoints
from training.clock import Clock, TimedSchedule
from training.schedules import Schedule
from training.signals import Stop

PROGRAM = "run_pretraining.py"
# Masks of dynamic records are the same in every evaluation of every run.
_EVAL_SEED = 0
# What a damaged record ends in; other mistakes do, too.
_MAY_BE_RECORDS = (
    tf.errors.DataLossError,
    tf.errors.InvalidArgumentError,
    UnicodeDecodeError,
)


def run(
    config: PretrainingConfig, *, train: job.Train = job.train
) -> dict[str, float] | None:
    """Trains and evaluates as the settings say.

    A run that was stopped, in whatever way, goes on from its newest checkpoint.
    `train` trains the objective by a plan.

    Returns:
        The numbers of eval_results.txt, or None without `do_eval`.

    Raises:
        ValueError: a setting or a file is wrong; says which and what to do.
        ConnectionError: the TPU cannot be reached.
        signals.Stopped: a signal asked for the end; all is saved.
    """
    architecture = preflight.read_bert_config(config)
    file_io.check_output_directory(config.output_dir, "output_dir")
    preflight.warn_of_few_steps(config)
    # Before anything is computed: workers must find one another first.
    devices = strategy.create(config)
    stages = config.stages_of(architecture.num_hidden_layers)
    preflight.check_batch_sizes(config, devices, stages)
    preflight.check_init_checkpoint(config, stages)
    found, eval_files = preflight.find_records_of_stages(
        config, architecture, stages
    )
    fed = feeds.make(config, architecture, stages, found)
    files = feeds.all_files(fed)
    vocabulary = export.find_vocabulary(config, files, architecture)
    with devices.scope():
        objective = objectives.make(
            config,
            architecture,
            precision.choose(config.mixed_precision, devices),
        )
    objective.check_vocabulary(vocabulary, export.vocabulary_hashes(files))
    preflight.check_best_metric(config.keep_best_metric, objective)
    evaluation = None
    if eval_files:
        evaluation = _make_evaluation(config, devices, objective, eval_files)
    try:
        if config.do_train:
            is_chief = strategy.is_chief(devices)
            with job.hold(config.output_dir, is_chief):
                plan = _plan(config, devices, objective, fed, evaluation)
                global_step = train(config, devices, objective, plan)
                if is_chief:
                    export.write(
                        config.output_dir, objective, vocabulary, files
                    )
        else:
            global_step = _restore_weights(config, objective)
        if config.do_eval and evaluation:
            return _evaluate(config, devices, evaluation, stages, global_step)
    except _MAY_BE_RECORDS:
        for feed in fed:
            feeds.refuse_damage(feed.files, feed.parse)
        if evaluation:
            feeds.refuse_damage(evaluation.files, evaluation.parse)
        raise
    return None


def _make_evaluation(
    config: PretrainingConfig,
    devices: tf.distribute.Strategy,
    objective: PretrainingObjective,
    files: list[RecordFile],
) -> Evaluation:
    """Returns the evaluation of --max_seq_length, whatever stage it is in."""
    parse = input_pipeline.parser(
        files,
        mask_share.of_evaluation(config),
        max_seq_length=config.max_seq_length,
        vocab_size=objective.architecture.vocab_size,
        seed=_EVAL_SEED,
        with_teacher=config.teacher_in_records,
    )
    return Evaluation(
        devices,
        objective,
        files,
        parse,
        batch_size=config.eval_batch_size,
        max_steps=config.max_eval_steps,
    )


def make_schedule(config: PretrainingConfig) -> Schedule:
    """Returns the learning rate that the flags ask for."""
    return Schedule(
        peak=config.learning_rate,
        num_train_steps=config.schedule_steps,
        num_warmup_steps=config.warmup_steps,
        shape=config.lr_schedule,
        poly_power=config.poly_power,
        wsd_decay_share=config.wsd_decay_share,
    )


def _plan(
    config: PretrainingConfig,
    devices: tf.distribute.Strategy,
    objective: PretrainingObjective,
    fed: Sequence[Feed],
    evaluation: Evaluation | None,
) -> job.Plan:
    """Returns what a run is told of the records and the objective."""
    stages = [feed.stage for feed in fed]
    schedule, clock = make_schedule(config), None
    if config.train_minutes is not None:
        with devices.scope():
            clock = Clock(config.train_minutes)
        schedule = TimedSchedule(schedule, clock)

    def hooks(
        start_step: int, checkpoints: Checkpoints, stop: Stop
    ) -> loop.Hooks:
        best = config.keep_best_metric and BestCheckpoint(
            checkpoints, metric=config.keep_best_metric
        )
        return loop.Hooks(
            evaluate=lambda step: _evaluate_between(
                step, evaluation, stages, stop, best
            ),
            watch=phases.Watch(fed).look,
        )

    return job.Plan(
        program=PROGRAM,
        phases=phases.make(config, devices, objective, fed),
        schedule=schedule,
        clock=clock,
        arithmetic=phases.arithmetic(config, devices, objective, fed),
        description={
            "training_rows": record_files.describe(feeds.all_files(fed))
        },
        initialize=functools.partial(_first_weights, config, objective, fed[0]),
        refuse=functools.partial(_refuse_other_stages, config, stages),
        hooks=hooks,
        eval_every_steps=config.eval_every_steps,
    )


def _first_weights(
    config: PretrainingConfig,
    objective: PretrainingObjective,
    feed: Feed,
) -> str:
    if config.init_checkpoint:
        return _initialize(config, objective)
    told = "fresh start, random weights"
    if config.output_bias_init == "frequency":
        bias = checkpoint.by_path(objective.initialised)[
            first_values.OUTPUT_BIAS
        ]
        said = first_values.set_output_bias(
            bias, feed.files, feed.parse, config.seed
        )
        told = f"{told}, {said}"
    if config.position_init == "sinusoidal":
        positions = objective.encoder.position_embeddings
        # Those that have none were refused.
        assert positions is not None
        first = objective.architecture.first_position
        told = f"{told}, {first_values.set_positions(positions, first)}"
    return told


def _initialize(
    config: PretrainingConfig, objective: PretrainingObjective
) -> str:
    return start.initialize(
        config,
        checkpoint.by_path(objective.initialised),
        objective.architecture,
    )


def _refuse_other_stages(
    config: PretrainingConfig, stages: Sequence[Stage], before: Mapping
) -> None:
    """Refuses stages in which the newest checkpoint had another shape."""
    newest = checkpoint.saved_steps(config.output_dir)[-1]
    flags = before.get("config", {})
    if config.stages is None and flags.get("stages") is None:
        return
    names = ("stages", "num_train_steps", "max_seq_length", "input_file")
    known = {name: flags[name] for name in names if name in flags}
    theirs = dataclasses.replace(config, **{"stages": None} | known)
    check_same(theirs.stages_of(stages[-1].num_layers), stages, step=newest)


def _evaluate_between(step, evaluation, stages, stop, best):
    """Returns the numbers of an evaluation; none where a signal cut it off."""
    num_layers = stage_at(stages, step).num_layers
    metrics = evaluation.measure(num_layers, stop)
    # Layers that are to come have learned nothing: no model to keep.
    if best and metrics and num_layers == stages[-1].num_layers:
        best.offer(step, metrics)
    return {f"eval_{name}": value for name, value in metrics.items()}


def _restore_weights(
    config: PretrainingConfig, objective: PretrainingObjective
) -> int:
    """Takes the weights to evaluate; returns the step they are of."""
    before = run_settings.read(config.output_dir)
    run_settings.check_program(before, PROGRAM, config.output_dir)
    otherwise = None
    if config.init_checkpoint:
        otherwise = functools.partial(_initialize, config, objective)
    return job.restore_weights(
        objective, [config.output_dir], otherwise=otherwise
    )


def _evaluate(
    config: PretrainingConfig,
    devices: tf.distribute.Strategy,
    evaluation: Evaluation,
    stages: Sequence[Stage],
    global_step: int,
) -> dict[str, float]:
    """Evaluates the weights there are; returns what eval_results.txt says."""
    report.log_evaluation(config, evaluation.files, evaluation.num_steps)
    # Step 0 is that of weights that another run has trained.
    stage = stage_at(stages, global_step) if global_step else stages[-1]
    results = {checkpoint.GLOBAL_STEP: global_step} | evaluation.measure(
        stage.num_layers
    )
    if strategy.is_chief(devices):
        job.write_results(config.output_dir, results)
    return results

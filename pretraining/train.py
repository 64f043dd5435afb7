"""Pretraining, top to bottom."""

import functools

import tensorflow as tf

from data.feeding import input_pipeline, record_checks, record_files
from data.feeding.dynamic_masking import Fall
from data.feeding.input_pipeline import Parse
from data.feeding.record_files import RecordFile
from interop import start
from modeling.config import BertConfig
from pretraining import (
    export,
    first_values,
    mask_share,
    objectives,
    preflight,
    report,
)
from pretraining.config import PretrainingConfig
from pretraining.evaluation import Evaluation
from pretraining.objective import PretrainingObjective
from pretraining.symptoms import Symptoms
from pretraining.utilization import Speed
from storage import file_io
from training import checkpoint, job, loop, precision, run_settings, strategy
from training.best_checkpoint import BestCheckpoint
from training.checkpoint import Checkpoints
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


def run(config: PretrainingConfig) -> dict[str, float] | None:
    """Trains and evaluates as the settings say.

    A run that was stopped, in whatever way, goes on from its newest checkpoint.

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
    preflight.check_batch_sizes(config, devices)
    train_files, eval_files = preflight.find_records(config, architecture)
    vocabulary = export.find_vocabulary(config, train_files, architecture)
    num_records = config.num_train_steps * config.train_batch_size
    parse = _make_parser(
        config,
        architecture,
        train_files,
        config.seed,
        mask_share.of_training(config, num_records),
    )
    eval_parse = _make_parser(
        mask_share.of_evaluation(config),
        architecture,
        eval_files or train_files,
        _EVAL_SEED,
    )

    with devices.scope():
        objective = objectives.make(
            config,
            architecture,
            precision.choose(config.mixed_precision, devices),
        )
    preflight.check_best_metric(config.keep_best_metric, objective)
    evaluation = None
    if eval_files:
        evaluation = Evaluation(
            devices,
            objective,
            eval_files,
            eval_parse,
            batch_size=config.eval_batch_size,
            max_steps=config.max_eval_steps,
        )
    try:
        if config.do_train:
            is_chief = strategy.is_chief(devices)
            with job.hold(config.output_dir, is_chief):
                plan = _plan(
                    config, devices, objective, train_files, parse, evaluation
                )
                global_step = job.train(config, devices, objective, plan)
                if is_chief:
                    export.write(
                        config.output_dir, objective, vocabulary, train_files
                    )
        else:
            global_step = _restore_weights(config, objective)
        if config.do_eval and evaluation:
            return _evaluate(config, devices, evaluation, global_step)
    except _MAY_BE_RECORDS:
        _refuse_damage(train_files, parse)
        _refuse_damage(eval_files, eval_parse)
        raise
    return None


def _refuse_damage(files, parse):
    record_checks.refuse_damage(
        files, lambda rows: input_pipeline.batches_of(rows, parse, 64)
    )


def _make_parser(
    config: PretrainingConfig,
    architecture: BertConfig,
    files: list[RecordFile],
    seed: int,
    fall: Fall | None = None,
) -> Parse:
    return input_pipeline.parser(
        files,
        config,
        max_seq_length=config.max_seq_length,
        vocab_size=architecture.vocab_size,
        seed=seed,
        fall=fall,
    )


def make_schedule(config: PretrainingConfig) -> Schedule:
    """Returns the learning rate that the flags ask for."""
    return Schedule(
        peak=config.learning_rate,
        num_train_steps=config.num_train_steps,
        num_warmup_steps=config.warmup_steps,
        shape=config.lr_schedule,
        poly_power=config.poly_power,
        wsd_decay_share=config.wsd_decay_share,
    )


def _plan(
    config: PretrainingConfig,
    devices: tf.distribute.Strategy,
    objective: PretrainingObjective,
    files: list[RecordFile],
    parse: Parse,
    evaluation: Evaluation | None,
) -> job.Plan:
    """Returns what a run is told of the records and the objective."""
    speed = Speed(
        batch_size=config.train_batch_size,
        sequence_flops=objective.training_flops(
            config.max_seq_length, config.max_predictions_per_seq
        ),
        peak_teraflops=config.peak_teraflops,
        devices=devices,
    )

    def hooks(
        start_step: int, checkpoints: Checkpoints, stop: Stop
    ) -> loop.Hooks:
        best = config.keep_best_metric and BestCheckpoint(
            checkpoints, metric=config.keep_best_metric
        )
        return loop.Hooks(
            evaluate=lambda step: _evaluate_between(
                step, evaluation, stop, best
            ),
            watch=Symptoms(config, files, parse).look,
            speed_of=speed.numbers,
        )

    return job.Plan(
        program=PROGRAM,
        num_train_steps=config.num_train_steps,
        schedule=make_schedule(config),
        arithmetic=report.arithmetic(config, devices, files),
        description={"training_rows": record_files.describe(files)},
        initialize=functools.partial(
            _first_weights, config, objective, files, parse
        ),
        batches=functools.partial(
            _training_batches,
            files,
            parse,
            config.train_batch_size,
            config.seed,
        ),
        hooks=hooks,
        eval_every_steps=config.eval_every_steps,
    )


def _first_weights(
    config: PretrainingConfig,
    objective: PretrainingObjective,
    files: list[RecordFile],
    parse: Parse,
) -> str:
    if config.init_checkpoint:
        return _initialize(config, objective)
    told = "fresh start, random weights"
    if config.output_bias_init == "frequency":
        bias = checkpoint.by_path(objective.initialised)[
            first_values.OUTPUT_BIAS
        ]
        said = first_values.set_output_bias(bias, files, parse, config.seed)
        told = f"{told}, {said}"
    return told


def _initialize(
    config: PretrainingConfig, objective: PretrainingObjective
) -> str:
    return start.initialize(
        config,
        checkpoint.by_path(objective.initialised),
        objective.architecture,
    )


def _training_batches(files, parse, batch_size, seed, start_step):
    return lambda context: input_pipeline.training_batches(
        files,
        parse=parse,
        batch_size=batch_size,
        seed=seed,
        start_record=start_step * batch_size,
        context=context,
    )


def _evaluate_between(step, evaluation, stop, best):
    """Returns the numbers of an evaluation; none where a signal cut it off."""
    metrics = evaluation.measure(stop)
    if best and metrics:
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
    global_step: int,
) -> dict[str, float]:
    """Evaluates the weights there are; returns what eval_results.txt says."""
    report.log_evaluation(config, evaluation.files, evaluation.num_steps)
    results = {checkpoint.GLOBAL_STEP: global_step} | evaluation.measure()
    if strategy.is_chief(devices):
        job.write_results(config.output_dir, results)
    return results

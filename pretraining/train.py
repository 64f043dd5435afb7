"""Pretraining, top to bottom."""

import dataclasses

import tensorflow as tf
from absl import logging

from data.feeding import input_pipeline, record_checks, record_files
from pretraining import (
    evaluation,
    export,
    masked_lm,
    preflight,
    report,
    symptoms,
    training_step,
    utilization,
)
from storage import file_io
from training import (
    best_checkpoint,
    checkpoint,
    loop,
    optimizers,
    precision,
    run_lock,
    run_settings,
    signals,
    step,
    strategy,
    summaries,
)

PROGRAM = "run_pretraining.py"
# Masks of dynamic records are the same in every evaluation of every run.
_EVAL_SEED = 0
# What a damaged record ends in; other mistakes do, too.
_MAY_BE_RECORDS = (
    tf.errors.DataLossError,
    tf.errors.InvalidArgumentError,
    UnicodeDecodeError,
)


def run(config):
    """Trains and evaluates as a `PretrainingConfig` says.

    A run that was stopped, in whatever way, goes on from its newest checkpoint.

    Returns:
        The numbers of eval_results.txt, or None without `do_eval`.

    Raises:
        ValueError: a setting or a file is wrong; says which and what to do.
        ConnectionError: the TPU cannot be reached.
        signals.Stopped: a signal asked for the end; all is saved.
    """
    bert = preflight.read_bert_config(config)
    file_io.check_output_directory(config.output_dir, "output_dir")
    preflight.warn_of_few_steps(config)
    # Before anything is computed: workers must find one another first.
    devices = strategy.of(config)
    preflight.check_batch_sizes(config, devices)
    train_files, eval_files = preflight.find_records(config, bert)
    vocabulary = export.find_vocabulary(config, train_files, bert)
    parse = _make_parser(config, bert, train_files, config.seed)
    eval_parse = _make_parser(config, bert, eval_files, _EVAL_SEED)

    with devices.scope():
        objective = masked_lm.MaskedLm(
            bert,
            use_nsp=config.use_nsp,
            seed=config.seed,
            mixed_precision=precision.choose(config.mixed_precision, devices),
            recompute=config.recompute,
        )
    evaluator = eval_files and evaluation.Evaluation(
        config, devices, objective, eval_files, eval_parse
    )
    try:
        if config.do_train:
            with run_lock.hold(config.output_dir, strategy.is_chief(devices)):
                global_step = _train(
                    config,
                    devices,
                    objective,
                    train_files,
                    parse,
                    evaluator=evaluator,
                    speed=utilization.Speed(config, objective.encoder, devices),
                )
                if strategy.is_chief(devices):
                    export.write(config, objective, vocabulary, train_files)
        else:
            global_step = _restore_weights(config, objective)
        if config.do_eval:
            return _evaluate(config, devices, evaluator, global_step)
    except _MAY_BE_RECORDS:
        _refuse_damage(train_files, parse)
        _refuse_damage(eval_files, eval_parse)
        raise
    return None


def _refuse_damage(files, parse):
    record_checks.refuse_damage(
        files, lambda rows: input_pipeline.batches_of(rows, parse, 64)
    )


def _make_parser(config, bert, files, seed):
    return files and input_pipeline.parser(
        files,
        config,
        max_seq_length=config.max_seq_length,
        vocab_size=bert.vocab_size,
        seed=seed,
    )


def _train(config, devices, objective, files, parse, *, evaluator, speed):
    """Trains to --num_train_steps; returns the step it ended at."""
    with devices.scope():
        one_step = training_step.TrainingStep(config, devices, objective)
    variables = (
        checkpoint.by_path(objective.variables)
        | one_step.variables()
        | {checkpoint.GLOBAL_STEP: one_step.optimizer.iterations}
    )
    is_chief = strategy.is_chief(devices)
    checkpoints = checkpoint.Checkpoints(
        config.output_dir,
        variables,
        keep_max=config.keep_checkpoint_max,
        is_chief=is_chief,
    )
    report.log_arithmetic(config, devices, objective, files)
    start_step = _start(config, objective, one_step, checkpoints, files)
    if start_step >= config.num_train_steps:
        return start_step

    best = config.keep_best_metric and best_checkpoint.BestCheckpoint(
        checkpoints, metric=config.keep_best_metric
    )
    batches = _training_batches(config, devices, files, parse, start_step)
    with (
        summaries.Summaries(
            config.output_dir,
            start_step=start_step,
            num_steps=config.num_train_steps,
            is_chief=is_chief,
        ) as told,
        signals.Stop(devices) as stop,
    ):
        told.describe(dataclasses.asdict(config))
        _run_steps(
            config,
            devices,
            one_step,
            batches,
            start_step=start_step,
            speed_of=speed.numbers,
            checkpoints=checkpoints,
            summaries=told,
            stop=stop,
            evaluate=lambda step: _evaluate_between(
                step, evaluator, stop, best
            ),
            watch=symptoms.Symptoms(config, files, parse).look,
        )
    return config.num_train_steps


def _run_steps(config, devices, one_step, batches, **others):
    loop.train(
        step.make_run_steps(
            devices,
            one_step.replica_step,
            one_step.totals,
            compile_step=one_step.compile_step,
        ),
        iter(batches),
        one_step.totals,
        num_train_steps=config.num_train_steps,
        save_every_steps=config.save_checkpoints_steps,
        iterations_per_loop=config.iterations_per_loop,
        make_metrics=one_step.metrics,
        max_bad_steps=config.max_bad_steps,
        loss_is_scaled=one_step.loss_is_scaled,
        eval_every_steps=config.eval_every_steps,
        **others,
    )


def _evaluate_between(step, evaluator, stop, best):
    """Returns the numbers of an evaluation; none where a signal cut it off."""
    metrics = evaluator.measure(stop) or {}
    if best and metrics:
        best.offer(step, metrics)
    return {f"eval_{name}": value for name, value in metrics.items()}


def _start(config, objective, one_step, checkpoints, files):
    """Sets the first weights; returns the step they are of."""
    newest = checkpoints.newest()
    settings = {
        "program": PROGRAM,
        "config": dataclasses.asdict(config),
        "training_rows": record_files.describe(files),
    }
    before = run_settings.read(config.output_dir)
    run_settings.check_program(before, PROGRAM, config.output_dir)
    if newest:
        optimizers.refuse_change(newest, config.optimizer)
        run_settings.warn_of_changes(before, settings, newest)
    # A checkpoint of this very run goes first: the same command, given again,
    # must go on and not begin anew.
    resumed_from = checkpoints.restore_newest()
    table = None
    if not resumed_from and config.init_checkpoint:
        table = preflight.initialize(config, objective)
    start_step = int(one_step.optimizer.iterations.numpy())
    report.log_start(config, resumed_from, table, start_step)
    if checkpoints.is_chief and start_step < config.num_train_steps:
        run_settings.write(config.output_dir, settings)
    return start_step


def _training_batches(config, devices, files, parse, start_step):
    return devices.distribute_datasets_from_function(
        lambda context: input_pipeline.training_batches(
            files,
            parse=parse,
            batch_size=config.train_batch_size,
            seed=config.seed,
            start_record=start_step * config.train_batch_size,
            context=context,
        )
    )


def _restore_weights(config, objective):
    """Takes the weights to evaluate; returns the step they are of."""
    before = run_settings.read(config.output_dir)
    run_settings.check_program(before, PROGRAM, config.output_dir)
    restored = checkpoint.restore_newest(
        config.output_dir, checkpoint.by_path(objective.variables)
    )
    if restored:
        return checkpoint.step_of(restored)
    if not config.init_checkpoint:
        raise ValueError(
            f"--output_dir={config.output_dir} has no checkpoint to evaluate; "
            "set --do_train or --init_checkpoint"
        )
    logging.info("%s", preflight.initialize(config, objective))
    return 0


def _evaluate(config, devices, evaluator, global_step):
    """Evaluates the weights there are; returns what eval_results.txt says."""
    report.log_evaluation(config, evaluator.files, evaluator.num_steps)
    results = {checkpoint.GLOBAL_STEP: global_step} | evaluator.measure()
    if strategy.is_chief(devices):
        report.write_eval_results(config.output_dir, results)
    return results

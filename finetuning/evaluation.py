"""Scores of the weights there are, at the end or between steps."""

import os

import tensorflow as tf
from absl import logging

from finetuning import prediction, weights
from storage import file_io
from training import (
    best_checkpoint,
    checkpoint,
    metrics_file,
    strategy,
    summaries,
)

EVAL_RESULTS_FILE = "eval_results.txt"


def evaluate(config, devices, made, splits, global_step):
    """Scores "eval" and predicts "predict", where they are asked for.

    Returns:
        The numbers of eval_results.txt; none where nothing was scored.
    """
    if config.do_train and config.keep_best:
        global_step = weights.restore(config, made)
    results = {}
    is_asked = {"eval": config.do_eval, "predict": config.do_predict}
    for name in is_asked:
        if not is_asked[name]:
            continue
        split = splits[name]
        outputs = _predictor(config, devices, made, name).outputs(split.rows)
        if made.task.is_labelled(split):
            found = _score(made, split, outputs)
            found |= made.task.baseline(split)
            _look_at(made.task.symptom(split, outputs), split)
            if results and not _are_same_rows(splits):
                found = {f"{name}_{key}": x for key, x in found.items()}
            results |= found
        if strategy.is_chief(devices):
            made.task.write(split, outputs, config.output_dir)
    if results:
        results = {checkpoint.GLOBAL_STEP: global_step} | results
        if strategy.is_chief(devices):
            write_results(config.output_dir, results)
    return results


def _look_at(symptom, split):
    if symptom:
        logging.warning(
            "HAS THE MODEL LEARNED NOTHING? %s: %s. Too high a --learning_rate "
            "or too few steps does this, too, as do an --init_checkpoint that "
            "was not read and labels that do not belong to their texts",
            split.name,
            symptom,
        )


def _are_same_rows(splits):
    """Whether what is predicted is what was scored before."""
    return splits["eval"].description == splits["predict"].description


def write_results(directory, results):
    """Writes `key = value` lines, sorted, as google-research/bert does."""
    lines = [f"{key} = {results[key]}" for key in sorted(results)]
    file_io.write_lines(os.path.join(directory, EVAL_RESULTS_FILE), lines)
    for line in lines:
        logging.info("eval: %s", line)


class BetweenSteps:
    """Evaluates while a run trains; keeps the best, and says when to end.

    Args:
        config: a `config.FinetuningConfig`.
        devices: a `tf.distribute.Strategy`.
        made: a `model.Model`.
        split: a `task.Split` with labels, or None.
        checkpoints: the `checkpoint.Checkpoints` of the run.
        start_step: where the run starts.
    """

    def __init__(self, config, devices, made, split, checkpoints, start_step):
        self._made = made
        self._split = split
        self._patience = config.early_stopping
        self._metric = _reported(made.task.key_metric)
        self._predictor = split and _predictor(config, devices, made, "eval")
        self._best = config.keep_best and best_checkpoint.BestCheckpoint(
            checkpoints, metric=made.task.key_metric
        )
        # What a run before this one found counts, too.
        path = os.path.join(config.output_dir, summaries.METRICS_FILE)
        self._scores = {
            row["step"]: row[self._metric]
            for row in metrics_file.rows(path, with_name=self._metric)
            if self._metric in row and row["step"] <= start_step
        }

    def evaluate(self, step):
        """Returns the numbers to report of a step."""
        outputs = self._predictor.outputs(self._split.rows)
        metrics = _score(self._made, self._split, outputs)
        if self._best:
            self._best.offer(step, metrics)
        self._scores[step] = metrics[self._made.task.key_metric]
        return {_reported(name): value for name, value in metrics.items()}

    def is_enough(self, stop):
        """Whether the last evaluations were no better than one before.

        Args:
            stop: a `signals.Stop`, by which workers agree: their scores may
                differ in the last digit.
        """
        if not self._patience:
            return False
        _, share = stop.check(float(self._is_worse()))
        return share > 0

    def _is_worse(self):
        if not self._scores:
            return False
        sign = 1 if self._metric.endswith("loss") else -1
        steps = sorted(self._scores)
        best = min(steps, key=lambda step: sign * self._scores[step])
        is_worse = len(steps) - 1 - steps.index(best) >= self._patience
        if is_worse:
            logging.info(
                "--early_stopping=%s: %s was best at step %s",
                self._patience,
                self._metric,
                best,
            )
        return is_worse


def _score(made, split, outputs):
    loss = prediction.loss(made, split.rows, outputs)["loss"]
    scores = made.task.score(split, outputs)
    return {"loss": loss, "eval_loss": loss} | scores


def _reported(name):
    return name if name.startswith("eval_") else f"eval_{name}"


def _predictor(config, devices, made, name):
    batch_sizes = {
        "eval": config.eval_batch_size,
        "predict": config.predict_batch_size,
    }
    is_tpu = isinstance(devices, tf.distribute.TPUStrategy)
    return prediction.Predictor(
        devices,
        made,
        batch_size=batch_sizes[name],
        group_by_length=not is_tpu,
    )

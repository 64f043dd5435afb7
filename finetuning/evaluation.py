"""Scores of the weights there are, at the end or between steps."""

import os

import tensorflow as tf
from absl import logging

from finetuning import directory, prediction
from finetuning.config import FinetuningConfig
from finetuning.model import Model
from finetuning.prediction import Predictor
from finetuning.splits import SplitName
from finetuning.task import Outputs, Split
from training import checkpoint, job, metrics_file, strategy, summaries
from training.best_checkpoint import BestCheckpoint, sign
from training.checkpoint import Checkpoints
from training.signals import Stop


def evaluate(
    config: FinetuningConfig,
    devices: tf.distribute.Strategy,
    model: Model,
    splits: dict[SplitName, Split],
    global_step: int,
) -> dict[str, float]:
    """Scores "eval" and predicts "predict", where they are asked for.

    Returns:
        The numbers of eval_results.txt; none where nothing was scored.
    """
    if config.do_train and config.keep_best:
        global_step = directory.restore_weights(config, model)
    results: dict[str, float] = {}
    asked: list[tuple[SplitName, bool]] = [
        ("eval", config.do_eval),
        ("predict", config.do_predict),
    ]
    for name, is_asked in asked:
        if not is_asked:
            continue
        split = splits[name]
        found = outputs(config, devices, model, split)
        if model.task.is_labelled(split):
            scores = score(model, split, found)
            scores |= model.task.baseline(split)
            _look_at(model.task.symptom(split, found), split)
            if results and not _are_same_rows(splits):
                scores = {f"{name}_{key}": x for key, x in scores.items()}
            results |= scores
        if strategy.is_chief(devices):
            model.task.write(split, found, config.output_dir)
    if results:
        results = {checkpoint.GLOBAL_STEP: global_step} | results
        if strategy.is_chief(devices):
            job.write_results(config.output_dir, results)
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


class BetweenSteps:
    """Evaluates while a run trains; keeps the best, and says when to end.

    Args:
        config: of the run.
        devices: where it runs.
        model: what it trains.
        split: rows with labels.
        checkpoints: of the run.
        start_step: where the run starts.
    """

    def __init__(
        self,
        config: FinetuningConfig,
        devices: tf.distribute.Strategy,
        model: Model,
        split: Split,
        checkpoints: Checkpoints,
        start_step: int,
    ):
        self._model = model
        self._split = split
        self._patience = config.early_stopping
        self._metric = _reported(model.task.key_metric)
        self._predictor = _predictor(devices, model, config.eval_batch_size)
        self._best = config.keep_best and BestCheckpoint(
            checkpoints, metric=model.task.key_metric
        )
        # What a run before this one found counts, too.
        path = os.path.join(config.output_dir, summaries.METRICS_FILE)
        self._scores = {
            row["step"]: row[self._metric]
            for row in metrics_file.rows(path, with_name=self._metric)
            if self._metric in row and row["step"] <= start_step
        }

    def evaluate(self, step: int) -> dict[str, float]:
        """Returns the numbers to report of a step."""
        outputs = self._predictor.outputs(self._split.rows)
        metrics = score(self._model, self._split, outputs)
        if self._best:
            self._best.offer(step, metrics)
        self._scores[step] = metrics[self._model.task.key_metric]
        return {_reported(name): value for name, value in metrics.items()}

    def is_enough(self, stop: Stop) -> bool:
        """Whether the last evaluations were no better than one before.

        Args:
            stop: by which the workers agree, as their scores may differ in
                the last digit.
        """
        if not self._patience:
            return False
        return stop.agree(float(self._is_worse())) > 0

    def _is_worse(self):
        if not self._scores:
            return False
        towards = sign(self._metric)
        steps = sorted(self._scores)
        best = min(steps, key=lambda step: towards * self._scores[step])
        is_worse = len(steps) - 1 - steps.index(best) >= self._patience
        if is_worse:
            logging.info(
                "--early_stopping=%s: %s was best at step %s",
                self._patience,
                self._metric,
                best,
            )
        return is_worse


def outputs(
    config: FinetuningConfig,
    devices: tf.distribute.Strategy,
    model: Model,
    split: Split,
) -> Outputs:
    """Returns what the model computes of the rows of "eval" or "predict"."""
    is_eval = split.name == "eval"
    batch_size = (
        config.eval_batch_size if is_eval else config.predict_batch_size
    )
    return _predictor(devices, model, batch_size).outputs(split.rows)


def score(model: Model, split: Split, outputs: Outputs) -> dict[str, float]:
    """Returns the loss and the metrics of a labelled split."""
    loss = prediction.loss(model, split.rows, outputs)["loss"]
    scores = model.task.score(split, outputs)
    return {"loss": loss, "eval_loss": loss} | scores


def _reported(name):
    return name if name.startswith("eval_") else f"eval_{name}"


def _predictor(
    devices: tf.distribute.Strategy, model: Model, batch_size: int
) -> Predictor:
    if batch_size not in model.predictors:
        is_tpu = isinstance(devices, tf.distribute.TPUStrategy)
        model.predictors[batch_size] = Predictor(
            devices,
            model,
            batch_size=batch_size,
            group_by_length=not is_tpu,
        )
    return model.predictors[batch_size]

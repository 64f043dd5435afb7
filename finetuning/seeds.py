"""The same run with several seeds: how much of a score is luck."""

import os
import statistics
from collections.abc import Callable

from absl import logging

from finetuning.config import FinetuningConfig
from finetuning.inherited import ConfigT
from finetuning.workbench import Workbench
from storage import file_io, json_files
from training import best_checkpoint, checkpoint, job, strategy

_RESULTS_FILE = "seeds.json"
_NOT_COPIED = (".tf_record", "events.out", "metrics.jsonl", ".tmp", ".lock")


def run(
    config: ConfigT,
    numbers: list[int],
    run_one: Callable[[ConfigT], dict[str, float]],
    bench: Workbench,
) -> tuple[dict[str, float], list[ConfigT]]:
    """Runs each of --seeds in a folder of its own.

    The best run's files are then copied to --output_dir, which so becomes a
    fine-tuned directory as a single run leaves it.

    Args:
        config: of all runs.
        numbers: what `parse` returns of it.
        run_one: maps a config to {metric: number}.
        bench: of all runs.

    Returns:
        {metric: the best run's, metric_mean: ..., metric_deviation: ...}, and
        the config of each run, the best first.
    """
    scores = {}
    parts = {}
    for seed in numbers:
        folder = os.path.join(config.output_dir, f"seed_{seed}")
        logging.info("seed %s of %s", seed, config.seeds)
        part = config.one_run(seed=seed, output_dir=folder)
        file_io.check_output_directory(folder, "output_dir")
        parts[seed] = part
        scores[seed] = run_one(part)
    metric = bench.task(part).key_metric
    sign = best_checkpoint.sign(metric)
    ranked = sorted(scores, key=lambda seed: sign * scores[seed][metric])
    best = ranked[0]
    results = scores[best] | {"best_seed": best} | _spread(scores)
    if strategy.is_chief(bench.devices):
        source = os.path.join(config.output_dir, f"seed_{best}")
        copy(source, config.output_dir)
        json_files.write(
            os.path.join(config.output_dir, _RESULTS_FILE),
            {"best": best, "runs": scores},
        )
        job.write_results(config.output_dir, results)
    return results, [parts[seed] for seed in ranked]


def parse(config: FinetuningConfig) -> list[int]:
    """Returns --seeds of a training as integers; none where it has one seed.

    Raises:
        ValueError: they are no integers, or nothing would be compared.
    """
    if not (config.seeds and config.do_train):
        return []
    try:
        numbers = [int(part) for part in config.seeds.split(",")]
    except ValueError:
        numbers = []
    if not numbers or len(set(numbers)) < len(numbers):
        raise ValueError(
            f"--seeds={config.seeds} must be different integers, as 1,2,3"
        )
    if not (config.do_eval or config.do_predict):
        raise ValueError(
            f"--seeds={config.seeds} compares scores: set --do_eval"
        )
    return numbers


def _spread(scores: dict[int, dict[str, float]]) -> dict[str, float]:
    spread = {}
    metrics = next(iter(scores.values()))
    for name in metrics:
        values = [float(of_seed[name]) for of_seed in scores.values()]
        if name != checkpoint.GLOBAL_STEP:
            spread[f"{name}_mean"] = statistics.fmean(values)
            if len(values) > 1:
                spread[f"{name}_deviation"] = statistics.stdev(values)
    return spread


def copy(source: str, target: str, *, drops_others: bool = False) -> None:
    """Copies what a run leaves, but of its checkpoints the newest only.

    Args:
        source: the --output_dir of the run.
        target: where to.
        drops_others: whether other checkpoints there are removed, where they
            are such copies.
    """
    names = [
        name
        for name in file_io.names_in(source)
        if not any(part in name for part in _NOT_COPIED)
    ]
    step = max(checkpoint.saved_steps(source), default=0)
    newest = f"model.ckpt-{step}."
    for name in names:
        path = os.path.join(source, name)
        if file_io.is_directory(path):
            folder = os.path.join(target, name)
            file_io.make_directory(folder)
            copy(path, folder, drops_others=drops_others)
        elif not name.startswith("model.ckpt-") or name.startswith(newest):
            file_io.copy(path, os.path.join(target, name))
    if drops_others:
        for other in set(checkpoint.saved_steps(target)) - {step}:
            checkpoint.remove(target, other)

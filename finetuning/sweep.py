"""Runs of every setting of --sweep, and the best of them.

    OUTPUT_DIR/learning_rate=2e-05__num_train_epochs=2/   a whole run
    OUTPUT_DIR/learning_rate=5e-05__num_train_epochs=2/
    OUTPUT_DIR/sweep.json, sweep.md, sweep.svg            what all scored
    OUTPUT_DIR/...                                        the best run's files

sweep.json is written after each run: what is in it is not run again, and what a
kill cut off goes on from its own newest checkpoint.
"""

import functools
import math
import statistics
import time
from collections.abc import Callable

from absl import logging

from finetuning import seeds, sweep_settings
from finetuning.inherited import ConfigT
from finetuning.sweep_table import Table
from finetuning.workbench import Workbench
from storage import file_io
from training import job, summaries
from training.bad_steps import Diverged

RunOne = Callable[..., dict[str, float]]


def run(
    config: ConfigT,
    settings: list[ConfigT],
    run_one: RunOne,
    bench: Workbench,
) -> tuple[dict[str, float], list[ConfigT]]:
    """Runs the settings, and makes --output_dir that of the best one.

    With --successive_halving all train for one epoch, the best part of them up
    to the next rung, and so on: a run that goes on is the same run, so that
    its end is that of a run which never stopped there.

    Args:
        config: of the sweep.
        settings: what `sweep_settings.of` returns of it.
        run_one: maps a config to {metric: number}; takes num_epochs, where to
            end before the run's own end, and rows_dir.
        bench: of all runs.

    Returns:
        {metric: the best run's, best_NAME: its value of each swept flag}, and
        the settings that came to their end, the best first.

    Raises:
        ValueError: --output_dir has something else, or no run came to its end.
    """
    metric = bench.task(settings[0]).key_metric
    if config.seeds:
        metric += "_mean"
    table = Table.load(config, settings, metric)
    num_epochs = [setting.num_train_epochs for setting in settings]
    factor = config.successive_halving
    rungs = sweep_settings.rungs(factor, num_epochs)
    clock = _Clock(factor, rungs, num_epochs)
    alive = list(range(len(settings)))
    for rung, epochs in enumerate(rungs):
        for place, number in enumerate(alive):
            setting = settings[number]
            until = min(epochs, setting.num_train_epochs)
            if not table.has(number, until):
                _score(config, setting, number, until, table, run_one, bench)
                clock.noted(until - table.epochs_before(number, until))
            left = clock.seconds_left(rung, alive[place + 1 :])
            table.tell(summaries.format_duration(left) if left else "")
        if epochs != rungs[-1]:
            best = table.ranked(alive)[: math.ceil(len(alive) / factor)]
            alive = sorted(best)
            logging.info("%s go on beyond epoch %s", len(alive), epochs)
    return _finish(config, settings, table, run_one)


def _score(config, setting, number, epochs, table, run_one, bench):
    """Runs a setting up to an epoch, and notes what it scored."""
    run_part = functools.partial(
        run_one, num_epochs=epochs, rows_dir=config.output_dir
    )
    logging.info("sweep: %s", table.name(number))
    file_io.check_output_directory(setting.output_dir, "output_dir")
    try:
        numbers = seeds.parse(setting)
        if numbers:
            scores, _ = seeds.run(setting, numbers, run_part, bench)
        else:
            scores = run_part(setting)
    except Diverged as error:
        logging.warning("%s: %s", table.name(number), error)
        scores = None
    table.add(number, epochs, scores)


def _finish(config, settings, table, run_one):
    ranked = table.ranked_whole()
    setting = settings[ranked[0]]
    seeds.copy(setting.output_dir, config.output_dir, drops_others=True)
    if config.do_predict:
        run_one(
            setting.one_run(
                output_dir=config.output_dir,
                do_train=False,
                do_eval=False,
                do_predict=True,
            )
        )
    results = table.scores(ranked[0]) | {
        f"best_{name}": getattr(setting, name) for name in table.names
    }
    job.write_results(config.output_dir, results)
    return results, [settings[number] for number in ranked]


class _Clock:
    """Reckons the time that is left, an epoch taking as long as any other."""

    def __init__(
        self, factor: int, rungs: list[float], num_epochs: list[float]
    ):
        self._num_epochs = num_epochs
        self._rungs = rungs
        self._factor = factor
        self._last = time.monotonic()
        self._paces: list[float] = []  # Seconds an epoch, of each run.

    def noted(self, num_epochs: float) -> None:
        """Notes epochs that were trained since the last ones."""
        now = time.monotonic()
        self._paces.append((now - self._last) / num_epochs)
        self._last = now

    def seconds_left(self, rung: int, waiting: list[int]) -> float:
        """Returns about how long the rest takes; 0 where nobody knows.

        Args:
            rung: that of now.
            waiting: the settings that have not come to it yet.
        """
        if not self._paces:
            return 0.0
        left = sum(self._epochs_of(rung, number) for number in waiting)
        # Who goes on is not known: as many, of the mean length.
        share = 1.0
        for later in range(1, len(self._rungs)):
            share /= self._factor
            if later > rung:
                every = range(len(self._num_epochs))
                left += share * sum(self._epochs_of(later, n) for n in every)
        # Some of them compile, which says nothing of the others.
        return statistics.median(self._paces) * left

    def _epochs_of(self, rung, number):
        """The epochs that a setting trains from one rung to the next."""
        whole = self._num_epochs[number]
        before = self._rungs[rung - 1] if rung else 0
        return min(self._rungs[rung], whole) - min(before, whole)

"""Evaluation of the weights there are, at the end or between steps."""

import tensorflow as tf

from data.feeding import input_pipeline
from data.feeding.input_pipeline import Parse
from data.feeding.record_files import RecordFile
from training import loop, step
from training.objective import Objective
from training.signals import Stop


class Evaluation:
    """The evaluation records and the graph that goes through them.

    Args:
        max_steps: how much is evaluated at most.
        batch_size: how much is evaluated at once.
        devices: where.
        objective: what is evaluated.
        files: the records.
        parse: from `input_pipeline.parser`.
    """

    def __init__(
        self,
        devices: tf.distribute.Strategy,
        objective: Objective,
        files: list[RecordFile],
        parse: Parse,
        *,
        batch_size: int,
        max_steps: int,
    ):
        num_records = sum(file.num_records for file in files)
        self.num_steps = min(max_steps, -(-num_records // batch_size))
        self.files = files
        self._objective = objective
        with devices.scope():
            self._totals = step.Totals(objective.term_names)
        self._evaluate_steps = step.make_evaluate_steps(
            devices, objective.compute_terms, self._totals
        )
        self._batches = devices.distribute_datasets_from_function(
            lambda context: input_pipeline.evaluation_batches(
                files,
                parse=parse,
                batch_size=batch_size,
                context=context,
            )
        )

    def measure(self, stop: Stop | None = None) -> dict[str, float]:
        """Returns {name: number} of the same records each time.

        Args:
            stop: notices signals.

        Returns:
            The numbers; none where a signal asked for the end of the run.
        """
        sums = loop.evaluate(
            self._evaluate_steps,
            iter(self._batches),
            self._totals,
            num_steps=self.num_steps,
            stop=stop,
        )
        return self._objective.metrics(sums) if sums else {}

"""Evaluation of the weights there are, at the end or between steps."""

import tensorflow as tf

from data.feeding import input_pipeline
from data.feeding.input_pipeline import Parse
from data.feeding.record_files import RecordFile
from pretraining.objective import PretrainingObjective
from training import loop, step
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
        objective: PretrainingObjective,
        files: list[RecordFile],
        parse: Parse,
        *,
        batch_size: int,
        max_steps: int,
    ):
        num_records = sum(file.num_records for file in files)
        self.num_steps = min(max_steps, -(-num_records // batch_size))
        self.files = files
        self.parse = parse
        self._objective = objective
        self._devices = devices
        with devices.scope():
            self._totals = step.Totals(
                objective.term_names, objective.term_lengths
            )
        # By the number of layers: those of a model that is to grow.
        self._evaluate_steps: dict[int, step.RunSteps] = {}
        self._batches = devices.distribute_datasets_from_function(
            lambda context: input_pipeline.evaluation_batches(
                files,
                parse=parse,
                batch_size=batch_size,
                context=context,
            )
        )

    def measure(
        self, num_layers: int, stop: Stop | None = None
    ) -> dict[str, float]:
        """Returns {name: number} of the same records each time.

        Args:
            num_layers: how many layers of the model compute.
            stop: notices signals.

        Returns:
            The numbers; none where a signal asked for the end of the run.
        """
        sums = loop.evaluate(
            self._steps_of(num_layers),
            iter(self._batches),
            self._totals,
            num_steps=self.num_steps,
            stop=stop,
        )
        return self._objective.metrics(sums) if sums else {}

    def _steps_of(self, num_layers):
        if num_layers not in self._evaluate_steps:
            self._evaluate_steps[num_layers] = step.make_evaluate_steps(
                self._devices,
                self._objective.compute_terms_of(num_layers),
                self._totals,
            )
        return self._evaluate_steps[num_layers]

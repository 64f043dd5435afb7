"""Evaluation of the weights there are, at the end or between steps."""

from data.feeding import input_pipeline
from training import loop, step


class Evaluation:
    """The evaluation records and the graph that goes through them.

    Args:
        config: a `PretrainingConfig`.
        devices: a `tf.distribute.Strategy`.
        objective: a `masked_lm.MaskedLm`.
        files: a list of `record_files.RecordFile`.
        parse: from `input_pipeline.parser`.
    """

    def __init__(self, config, devices, objective, files, parse):
        num_records = sum(file.num_records for file in files)
        self.num_steps = min(
            config.max_eval_steps, -(-num_records // config.eval_batch_size)
        )
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
                batch_size=config.eval_batch_size,
                context=context,
            )
        )

    def measure(self, stop=None):
        """Returns {name: number} of the same records each time.

        Args:
            stop: a `signals.Stop`, or None.

        Returns:
            The numbers, or None where a signal asked for the end of the run.
        """
        sums = loop.evaluate(
            self._evaluate_steps,
            iter(self._batches),
            self._totals,
            num_steps=self.num_steps,
            stop=stop,
        )
        return sums and self._objective.metrics(sums)

"""What the model computes of all rows of a split.

Shapes: N rows, B batch, T tokens.
"""

import numpy as np
import tensorflow as tf

from finetuning import batches
from finetuning.compiled import Compiled, Predicting
from finetuning.model import Model
from finetuning.task import Outputs, Rows, Tensors

_ROWS_OF_LOSS = 512
# Every length takes a second to prepare.
_FEW_STEPS = 10


class Predictor:
    """Runs the model over rows, the long ones together.

    Args:
        devices: where it runs.
        model: computes a batch.
        batch_size: rows a step, over all replicas.
        group_by_length: whether rows of like length are computed together.
    """

    def __init__(
        self,
        devices: tf.distribute.Strategy,
        model: Predicting,
        *,
        batch_size: int,
        group_by_length: bool,
    ):
        self._devices = devices
        self._model = model
        self._batch_size = batch_size
        self._group = group_by_length
        resolver = devices.cluster_resolver
        num_workers = 1
        # Of several workers each computes all rows, on replicas of its own.
        if isinstance(devices, tf.distribute.MultiWorkerMirroredStrategy):
            num_workers = len(resolver.cluster_spec().as_dict()["worker"])
        self._num_replicas = devices.num_replicas_in_sync // num_workers
        self._run = tf.function(self._predict)
        self._is_alone = devices is tf.distribute.get_strategy()
        self._compiled: Compiled | None = None

    def outputs(self, rows: Rows) -> Outputs:
        """Returns {name: float32 [N, ...]}, token outputs at full length."""
        per_token = self._model.per_token
        lengths = batches.lengths_of_rows(rows)
        num_rows, whole = len(lengths), rows["input_ids"].shape[-1]
        found: dict[str, np.ndarray] = {}
        parts = self._parts_of_one_device if self._is_alone else self._parts
        for chosen, length in parts(lengths, whole):
            filled = chosen
            if not self._is_alone:
                # The last batch is filled up with a row that is then dropped.
                filled = np.resize(chosen, self._batch_size)
            batch = batches.trim(
                {name: value[filled] for name, value in rows.items()},
                length,
                per_token=per_token,
            )
            for name, value in self._compute(batch).items():
                if name not in found:
                    shape = list(value.shape)
                    shape[: 1 + per_token] = [num_rows, whole][: 1 + per_token]
                    found[name] = np.zeros(shape, value.dtype)
                value = value[: len(chosen)]
                if per_token:
                    found[name][chosen, : value.shape[1]] = value
                else:
                    found[name][chosen] = value
        return found

    def _parts_of_one_device(self, lengths, whole):
        """Yields (numbers of rows, tokens to cut them to) of each batch.

        A length depends on the row alone, as `batches.lengths_up_to` says.
        """
        edges = batches.lengths_up_to(whole) if self._group else [whole]
        edges_of_rows = np.searchsorted(edges, lengths)
        for number in np.unique(edges_of_rows):
            of_edge = np.flatnonzero(edges_of_rows == number)
            for begin in range(0, len(of_edge), self._batch_size):
                yield of_edge[begin : begin + self._batch_size], edges[number]

    def _parts(self, lengths, whole):
        """Yields the same for several devices, which share batches evenly."""
        num_rows = len(lengths)
        num_steps = -(-num_rows // self._batch_size)
        order = np.argsort(lengths, kind="stable")
        edges = batches.choose_lengths(lengths, is_one=num_steps < _FEW_STEPS)
        if not self._group:
            order, edges = np.arange(num_rows), edges[-1:]
        for begin in range(0, num_rows, self._batch_size):
            chosen = order[begin : begin + self._batch_size]
            longest = edges[np.searchsorted(edges, lengths[chosen].max())]
            yield chosen, min(longest, whole)

    def _predict(self, per_replica):
        return self._devices.run(self._model.predict, args=(per_replica,))

    def _compute(self, batch):
        if self._is_alone:
            if self._compiled is None:
                self._compiled = Compiled(self._model, batch)
            return self._compiled(self._compiled.rows(batch))
        share = self._batch_size // self._num_replicas

        def of_replica(
            context: tf.distribute.experimental.ValueContext,
        ) -> Tensors:
            number = context.replica_id_in_sync_group % self._num_replicas
            part = slice(number * share, (number + 1) * share)
            return {
                name: tf.constant(value[part]) for name, value in batch.items()
            }

        outputs = self._run(
            self._devices.experimental_distribute_values_from_function(
                of_replica
            )
        )
        return {
            name: np.concatenate(
                [
                    part.numpy()
                    for part in self._devices.experimental_local_results(value)
                ]
            )
            for name, value in outputs.items()
        }


def loss(model: Model, rows: Rows, outputs: Outputs) -> dict[str, float]:
    """Returns {"loss": number, ...}, the task's own terms over all rows.

    Args:
        model: has the task, which knows the loss.
        rows: with labels.
        outputs: of these rows.
    """
    sums = {name: np.zeros(2) for name in model.task.term_names}
    num_rows = len(rows["input_ids"])
    for begin in range(0, num_rows, _ROWS_OF_LOSS):
        part = slice(begin, begin + _ROWS_OF_LOSS)
        terms = model.task.compute_terms(
            {name: tf.constant(value[part]) for name, value in outputs.items()},
            {name: tf.constant(value[part]) for name, value in rows.items()},
        )
        for name, term in terms.items():
            sums[name] += [float(term.numerator), float(term.denominator)]
    return model.metrics({name: (x[0], x[1]) for name, x in sums.items()})

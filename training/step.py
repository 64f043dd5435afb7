"""The training step and the evaluation step, on every replica at once.

The objective's `compute_terms` sees the batch of one replica. The loss is the
sum, over the terms in it, of weight x numerator / denominator, both summed over
all replicas: the same for any number of replicas.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

import keras
import numpy as np
import tensorflow as tf

from training import compilation, gradients, tpu
from training.compilation import Compile, ReplicaStep
from training.gradients import ComputeTerms
from training.loss_scale import LossScale
from training.objective import Batch, Sums
from training.optimizer import Optimizer

CLIP_NORM = 1.0
# What the step adds to the objective's terms in `Totals`. A skipped step
# counts in "skipped_steps" and nowhere else.
STEP_TERMS = ("gradient_norm", "skipped_steps")


# Runs so many steps over the batches of an iterator, as one graph.
RunSteps = Callable[[Iterator, tf.Tensor], None]


class Totals:
    """Sums of numerators and denominators over a block of steps.

    They stay on the devices until `read`.
    """

    def __init__(
        self,
        names: Iterable[str],
        lengths: Mapping[str, int] = MappingProxyType({}),
    ):
        """Creates the sums; call in the strategy's scope.

        Args:
            names: of the terms.
            lengths: how many sums those have that are rows of sums.
        """
        self.names = tuple(names)
        self._lengths = lengths
        num_sums = [lengths.get(name, 1) for name in self.names]
        self._ends = np.cumsum(num_sums)
        self._sums = tf.Variable(
            tf.zeros((sum(num_sums), 2)),
            name="totals",
            trainable=False,
            synchronization=tf.VariableSynchronization.ON_READ,
            aggregation=tf.VariableAggregation.SUM,
        )
        self._skipped_in_row = tf.Variable(
            0.0,
            name="skipped_in_row",
            trainable=False,
            synchronization=tf.VariableSynchronization.ON_READ,
            aggregation=tf.VariableAggregation.MEAN,
        )

    def reset(self) -> None:
        self._sums.assign(tf.zeros_like(self._sums))

    def add(self, sums: Sums) -> None:
        """Adds a dict of (numerator, denominator), in a replica's context."""
        assert sums.keys() == set(self.names), (sums.keys(), self.names)
        pairs = [tf.stack(sums[name], axis=-1) for name in self.names]
        self._sums.assign_add(
            tf.concat([tf.reshape(pair, (-1, 2)) for pair in pairs], axis=0)
        )

    def count_skipped(self, is_skipped: tf.Tensor) -> None:
        """Counts the skipped steps since the last one that was not."""
        more = self._skipped_in_row + 1.0
        self._skipped_in_row.assign(tf.where(is_skipped, more, 0.0))

    def forget_skipped(self) -> None:
        """Begins to count skipped steps anew, for another run."""
        self._skipped_in_row.assign(0.0)

    def skipped_in_row(self) -> int:
        """Returns how many steps in a row the last ones skipped; waits."""
        return round(float(self._skipped_in_row.read_value()))

    def read(self) -> Sums:
        """Returns {name: (numerator, denominator)}; waits for the devices."""
        sums = self._sums.read_value().numpy().astype(float)
        parts = np.split(sums, self._ends[:-1])
        return {
            name: tuple(part.T if name in self._lengths else part[0])
            for name, part in zip(self.names, parts, strict=True)
        }


def make_train_step(
    strategy: tf.distribute.Strategy,
    compute_terms: ComputeTerms,
    optimizer: Optimizer,
    variables: Sequence[keras.Variable],
    totals: Totals,
    *,
    seed: int | tf.Variable,
    clip_norm: float = CLIP_NORM,
    num_parts: int = 1,
    loss_scale: LossScale | None = None,
) -> ReplicaStep:
    """Builds `train_step(batch)`, one training step of one replica.

    With `compiles_gradient=True` as well XLA compiles its gradient alone.

    A step with a gradient that is not finite changes no weight and no slot.

    Args:
        strategy: where it runs.
        compute_terms: the objective's.
        optimizer: a built one. Its `iterations` are the global step.
        variables: the variables to train.
        totals: the `Totals` to fill: the objective's terms and `STEP_TERMS`.
        seed: that from which the dropout seeds of all steps follow; of a
            variable, what `first_dropout_seed` returns.
        clip_norm: the largest norm of the gradient; 0 for no limit.
        num_parts: how many parts of a replica's batch are computed one after
            another.
        loss_scale: for float16 alone.
    """
    num_replicas = strategy.num_replicas_in_sync
    share = 1.0 / num_replicas

    def train_step(batch: Batch, *, compiles_gradient: bool = False) -> None:
        replica = tf.distribute.get_replica_context()
        step = optimizer.iterations.value
        count = step * num_replicas + tf.cast(
            replica.replica_id_in_sync_group, step.dtype
        )
        summands, trained, sums = gradients.compute(
            compute_terms,
            batch,
            variables,
            make_seed=lambda part: _dropout_seed(
                seed, count * num_parts + tf.cast(part, count.dtype)
            ),
            num_parts=num_parts,
            scale=loss_scale and loss_scale.scale.value,
            is_compiled=compiles_gradient,
        )
        found = replica.all_reduce(tf.distribute.ReduceOp.SUM, summands)
        if loss_scale:
            found = [gradient / loss_scale.scale.value for gradient in found]
        clipped, norm = _clip(found, clip_norm)
        optimizer.apply(clipped, trained)
        is_finite = tf.math.is_finite(norm)
        if loss_scale:
            loss_scale.update(is_finite)
        sums |= {"gradient_norm": (norm * share, share)}
        totals.count_skipped(~is_finite)
        skipped = tf.where(is_finite, 0.0, share)
        totals.add(_if(is_finite, sums) | {"skipped_steps": (skipped, share)})

    return train_step


def make_run_steps(
    strategy: tf.distribute.Strategy,
    train_step: ReplicaStep,
    totals: Totals,
    *,
    compile_step: Compile = compilation.nothing,
) -> RunSteps:
    """Builds `run_steps(iterator, num_steps)`.

    It runs `num_steps` (a tensor, so that blocks of different lengths share one
    graph) training steps and leaves the sums of the block in `totals`.

    Args:
        strategy: where it runs.
        train_step: from `make_train_step`.
        totals: the `Totals` that it fills.
        compile_step: a function of `compilation`.
    """
    return _in_blocks(strategy, compile_step(train_step), totals)


def make_evaluate_steps(
    strategy: tf.distribute.Strategy,
    compute_terms: ComputeTerms,
    totals: Totals,
) -> RunSteps:
    """Builds `evaluate_steps(iterator, num_steps)`, as `make_run_steps`."""

    def evaluate_step(batch: Batch) -> None:
        totals.add(gradients.sums_of(compute_terms(batch, None)))

    return _in_blocks(strategy, evaluate_step, totals)


def _in_blocks(
    strategy: tf.distribute.Strategy, replica_step: ReplicaStep, totals: Totals
) -> RunSteps:
    @tf.function
    def run_steps(iterator: Iterator, num_steps: tf.Tensor) -> None:
        totals.reset()
        for _ in tf.range(num_steps):
            strategy.run(replica_step, args=(next(iterator),))

    host = tpu.first_host(strategy)
    if host is None:
        return run_steps

    def run_steps_there(iterator: Iterator, num_steps: tf.Tensor) -> None:
        with tf.device(host):
            run_steps(iterator, num_steps)

    return run_steps_there


def _clip(gradients, clip_norm):
    """Returns gradients of at most this norm, and the norm they had.

    Where the norm is not finite, every number of them is NaN: the optimizer
    takes that as a step to skip.
    """
    norm = tf.linalg.global_norm(gradients)
    if clip_norm:
        return tf.clip_by_global_norm(gradients, clip_norm, norm)
    one = 1.0 + (norm - norm)
    return [gradient * one for gradient in gradients], norm


def _if(condition, sums):
    """Returns `sums`, or zeros where the condition is false."""
    return tf.nest.map_structure(
        lambda value: tf.where(condition, value, 0.0), sums
    )


def first_dropout_seed(seed: int) -> int:
    """Returns where the dropout seeds of a run begin, below 2**32."""
    # The odd factor keeps runs with neighbouring seeds apart.
    return seed * 0x9E3779B1 % 2**32


def _dropout_seed(seed, count):
    """Returns a uint32 that no other part of the run has."""
    if isinstance(seed, int):
        start = tf.constant(first_dropout_seed(seed), tf.uint32)
    else:
        start = tf.cast(seed, tf.uint32)
    return start + tf.cast(count, tf.uint32)

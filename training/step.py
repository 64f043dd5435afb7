"""The training step and the evaluation step, on every replica at once.

An objective is a function

    compute_terms(batch, dropout_seed) -> {name: Term}

of the batch of one replica. The loss is the sum, over the terms in it, of
numerator / denominator, both summed over all replicas: the same for any number
of replicas. `dropout_seed` is None in evaluation.
"""

from typing import Any, NamedTuple

import tensorflow as tf

CLIP_NORM = 1.0


class Term(NamedTuple):
    """A weighted mean over examples or tokens, in two sums of one replica."""

    numerator: Any  # float32 scalar
    denominator: Any  # float32 scalar
    in_loss: bool = False
    # Added to the global denominator in the loss, but not in reports.
    epsilon: float = 0.0


class Totals:
    """Sums of numerators and denominators over a block of steps.

    They stay on the devices until `read`.
    """

    def __init__(self, names):
        """Creates the sums; call in the strategy's scope."""
        self.names = tuple(names)
        self._sums = tf.Variable(
            tf.zeros((len(self.names), 2)),
            trainable=False,
            synchronization=tf.VariableSynchronization.ON_READ,
            aggregation=tf.VariableAggregation.SUM,
        )

    def reset(self):
        self._sums.assign(tf.zeros_like(self._sums))

    def add(self, sums):
        """Adds a dict of (numerator, denominator), in a replica's context."""
        assert sums.keys() == set(self.names), (sums.keys(), self.names)
        self._sums.assign_add(
            tf.stack([tf.stack(sums[name]) for name in self.names])
        )

    def read(self):
        """Returns {name: (numerator, denominator)}; waits for the devices."""
        sums = self._sums.read_value().numpy().astype(float)
        return dict(zip(self.names, map(tuple, sums), strict=True))


def make_run_steps(
    strategy, compute_terms, optimizer, variables, totals, *, seed, jit_compile
):
    """Builds `run_steps(iterator, num_steps)`.

    It runs `num_steps` (a tensor, so that blocks of different lengths share one
    graph) training steps and leaves the sums of the block in `totals`, which
    has, beside the objective's terms, "gradient_norm".

    Args:
        strategy: a `tf.distribute.Strategy`.
        compute_terms: the objective.
        optimizer: a built optimizer that does not sum gradients over replicas.
            Its `iterations` are the global step.
        variables: the variables to train.
        totals: the `Totals` to fill.
        seed: an integer, from which the dropout seeds of all steps follow.
        jit_compile: whether XLA compiles the step. Only with one replica that
            is no TPU: a TPU always compiles.
    """

    def train_step(batch):
        replica = tf.distribute.get_replica_context()
        with tf.GradientTape() as tape:
            terms = compute_terms(
                batch,
                _dropout_seed(
                    seed,
                    optimizer.iterations.value,
                    strategy.num_replicas_in_sync,
                    replica.replica_id_in_sync_group,
                ),
            )
            loss = _loss_share(terms, replica)
        gradients, trained = _dense_gradients(tape, loss, variables)
        gradients = replica.all_reduce(tf.distribute.ReduceOp.SUM, gradients)
        gradients, norm = tf.clip_by_global_norm(gradients, CLIP_NORM)
        optimizer.apply(gradients, trained)
        share = 1.0 / strategy.num_replicas_in_sync
        totals.add(_sums(terms) | {"gradient_norm": (norm * share, share)})

    if jit_compile:
        train_step = tf.function(train_step, jit_compile=True)
    return _in_blocks(strategy, train_step, totals)


def make_evaluate_steps(strategy, compute_terms, totals):
    """Builds `evaluate_steps(iterator, num_steps)`, as `make_run_steps`."""

    def evaluate_step(batch):
        totals.add(_sums(compute_terms(batch, None)))

    return _in_blocks(strategy, evaluate_step, totals)


def _in_blocks(strategy, replica_step, totals):
    @tf.function
    def run_steps(iterator, num_steps):
        totals.reset()
        for _ in tf.range(num_steps):
            strategy.run(replica_step, args=(next(iterator),))

    return run_steps


def _loss_share(terms, replica):
    """Returns this replica's share of the loss: the shares sum to the loss."""
    in_loss = [term for term in terms.values() if term.in_loss]
    denominators = replica.all_reduce(
        tf.distribute.ReduceOp.SUM, [term.denominator for term in in_loss]
    )
    return tf.add_n(
        [
            term.numerator / (tf.stop_gradient(denominator) + term.epsilon)
            for term, denominator in zip(in_loss, denominators, strict=True)
        ]
    )


def _dense_gradients(tape, loss, variables):
    """Returns gradients, and the variables that the loss depends on.

    The gradient of a gather is a list of rows in which a row may come twice:
    squares and norms of it would be wrong, so it is summed into a tensor.
    """
    pairs = [
        (tf.convert_to_tensor(gradient), variable)
        for gradient, variable in zip(
            tape.gradient(loss, variables), variables, strict=True
        )
        if gradient is not None
    ]
    return tuple(map(list, zip(*pairs, strict=True)))


def _sums(terms):
    return {
        name: (term.numerator, term.denominator) for name, term in terms.items()
    }


def _dropout_seed(seed, step, num_replicas, replica_id):
    """Returns a uint32 that no other step and replica of the run has."""
    # The odd factor keeps runs with neighbouring seeds apart.
    start = tf.constant(seed * 0x9E3779B1 % 2**32, tf.uint32)
    count = step * num_replicas + tf.cast(replica_id, step.dtype)
    return start + tf.cast(count, tf.uint32)

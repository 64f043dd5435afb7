"""The gradient of the loss over a batch, computed at once or in parts.

The loss is the sum, over the terms in it, of weight x numerator / denominator,
both summed over all replicas and all parts: a part may hold few masked words,
so means over parts would not average to the mean over the batch.
"""

from collections.abc import Callable, Mapping, Sequence

import keras
import tensorflow as tf

from training.objective import Batch, Sums, Term

# An objective's: of the batch of one replica and the seed of its dropout.
ComputeTerms = Callable[[Batch, tf.Tensor | None], dict[str, Term]]


def compute(
    compute_terms: ComputeTerms,
    batch: Batch,
    variables: Sequence[keras.Variable],
    *,
    make_seed: Callable[[tf.Tensor], tf.Tensor],
    num_parts: int = 1,
    scale: tf.Tensor | None = None,
    is_compiled: bool = False,
) -> tuple[list[tf.Tensor], list[keras.Variable], Sums]:
    """Differentiates the loss in the context of one replica.

    Args:
        compute_terms: the objective, see `step`.
        batch: this replica's batch; its size is a multiple of `num_parts`.
        variables: the variables to differentiate by.
        make_seed: maps the number of a part to its dropout seed.
        num_parts: how many parts of the batch are computed one after another,
            in the memory of one.
        scale: a number to multiply the gradient by, or None for 1.
        is_compiled: whether XLA compiles it, for this replica alone. What
            replicas exchange is outside, for XLA cannot reach other devices.

    Returns:
        The gradients, dense, summed over the parts but not over the replicas;
        the variables they are of, which are those that the loss depends on;
        and {name: (numerator, denominator)} of this replica.
    """
    empty: Sums = {}
    denominators = None
    if num_parts > 1 or is_compiled:
        # The denominators depend on the labels alone. The numerators of this
        # call are not used, and what is not used is not computed.
        terms = compute_terms(batch, None)
        empty = tf.nest.map_structure(tf.zeros_like, sums_of(terms))
        denominators = _global_denominators(terms)

    def differentiate() -> tuple[list[tf.Tensor | None], Sums]:
        if num_parts > 1:
            return _of_parts(
                *(compute_terms, batch, variables, make_seed, num_parts),
                *(scale, empty, denominators),
            )
        gradients, terms = _of_part(
            *(compute_terms, batch, variables, make_seed(0)),
            *(scale, denominators),
        )
        return gradients, sums_of(terms)

    if is_compiled:
        # A function of its own for each replica: one that all share would
        # read the variables of the first.
        differentiate = tf.function(differentiate, jit_compile=True)
    gradients, sums = differentiate()
    trained = [
        (gradient, variable)
        for gradient, variable in zip(gradients, variables, strict=True)
        if gradient is not None
    ]
    return [g for g, _ in trained], [v for _, v in trained], sums


def sums_of(terms: Mapping[str, Term]) -> Sums:
    """Returns {name: (numerator, denominator)} of {name: Term}."""
    return {
        name: (term.numerator, term.denominator) for name, term in terms.items()
    }


def _of_parts(
    compute_terms,
    batch,
    variables,
    make_seed,
    num_parts,
    scale,
    empty,
    denominators,
):
    parts = _split(batch, num_parts)
    is_trained = [False] * len(variables)

    def add_part(
        index: tf.Tensor, gradients: list[tf.Tensor], sums: Sums
    ) -> tuple[tf.Tensor, list[tf.Tensor], Sums]:
        part = {name: value[index] for name, value in parts.items()}
        found, terms = _of_part(
            compute_terms,
            part,
            variables,
            make_seed(index),
            scale,
            denominators,
        )
        is_trained[:] = [gradient is not None for gradient in found]
        gradients = [
            so_far if gradient is None else so_far + gradient
            for so_far, gradient in zip(gradients, found, strict=True)
        ]
        sums = tf.nest.map_structure(tf.add, sums, sums_of(terms))
        return index + 1, gradients, sums

    _, gradients, sums = tf.while_loop(
        lambda index, *_: index < num_parts,
        add_part,
        (
            tf.constant(0),
            [tf.zeros(variable.shape) for variable in variables],
            empty,
        ),
        parallel_iterations=1,
        maximum_iterations=num_parts,
    )
    return [
        gradient if trained else None
        for gradient, trained in zip(gradients, is_trained, strict=True)
    ], sums


def _split(batch, num_parts):
    """Returns {name: value with the number of the part as first axis}."""
    return {
        name: tf.reshape(
            value, (num_parts, value.shape[0] // num_parts, *value.shape[1:])
        )
        for name, value in batch.items()
    }


def _of_part(
    compute_terms, part, variables, seed, scale=None, denominators=None
):
    """Returns a gradient or None for each variable, and the terms."""
    with tf.GradientTape() as tape:
        terms = compute_terms(part, seed)
        if denominators is None:
            denominators = _global_denominators(terms)
        loss = tf.add_n(
            [
                _share_of(terms[name], denominator)
                for name, denominator in denominators.items()
            ]
        )
        if scale is not None:
            loss *= scale
    # The gradient of a gather is a list of rows in which a row may come twice:
    # squares and norms of it would be wrong, so it is summed into a tensor.
    return [
        None if gradient is None else tf.convert_to_tensor(gradient)
        for gradient in tape.gradient(loss, variables)
    ], terms


def _share_of(term, denominator):
    """Returns what a term of one part adds to the loss."""
    share = term.numerator / (denominator + term.epsilon)
    return share if term.weight == 1 else term.weight * share


def _global_denominators(terms):
    """Returns {name: denominator of all replicas} of the terms in the loss."""
    names = [name for name, term in terms.items() if term.in_loss]
    denominators = tf.distribute.get_replica_context().all_reduce(
        tf.distribute.ReduceOp.SUM, [terms[name].denominator for name in names]
    )
    return dict(zip(names, map(tf.stop_gradient, denominators), strict=True))

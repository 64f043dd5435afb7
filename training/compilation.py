"""What XLA compiles of a training step."""

from collections.abc import Callable

import tensorflow as tf

from training.objective import Batch

# What one replica computes of its batch; that of a training takes
# `compiles_gradient` too.
ReplicaStep = Callable[..., None]
Compile = Callable[[ReplicaStep], ReplicaStep]

# oneDNN multiplies bfloat16 by the processor's own instructions, where XLA's
# products on a CPU convert to float32 first; in float32 it is somewhat faster.
_PRODUCTS = {"MatMul", "BatchMatMulV2", "BatchMatMulV3"}


def choose(devices: tf.distribute.Strategy, mixed_precision: str) -> Compile:
    """Returns the fastest of the functions below.

    Args:
        devices: where the step runs.
        mixed_precision: a name in `precision.POLICIES`.
    """
    # A TPU compiles by itself.
    if isinstance(devices, tf.distribute.TPUStrategy):
        return nothing
    on_cpu = not tf.config.list_logical_devices("GPU")
    is_alone = devices.num_replicas_in_sync == 1
    if on_cpu and is_alone and mixed_precision != "float16":
        return all_but_products
    if on_cpu and mixed_precision == "bfloat16":
        return nothing
    return whole if is_alone else gradient


def nothing(step: ReplicaStep) -> ReplicaStep:
    """Leaves the step as it is."""
    return step


def whole(step: ReplicaStep) -> ReplicaStep:
    """Compiles the step as one program."""
    return tf.function(step, jit_compile=True)


def gradient(step: ReplicaStep) -> ReplicaStep:
    """Compiles the gradient of each replica as a program of its own.

    What comes before it and after it, the sums over the replicas and the
    update, is outside: a program of XLA cannot hold them.
    """

    def compiled_gradient(batch: Batch) -> None:
        step(batch, compiles_gradient=True)

    return compiled_gradient


def all_but_products(step: ReplicaStep) -> ReplicaStep:
    """Compiles what stands between the products of matrices."""

    def compiled_around_products(batch: Batch) -> None:
        with tf.xla.experimental.jit_scope(
            compile_ops=lambda node: node.op not in _PRODUCTS
        ):
            step(batch)

    return compiled_around_products

"""What XLA compiles of a training step."""

from collections.abc import Callable

import tensorflow as tf

from training.objective import Batch

# What one replica computes of its batch.
ReplicaStep = Callable[[Batch], None]
Compile = Callable[[ReplicaStep], ReplicaStep]

# oneDNN multiplies bfloat16 by the processor's own instructions; XLA's products
# on a CPU convert to float32 first.
_PRODUCTS = {"MatMul", "BatchMatMulV2", "BatchMatMulV3"}


def choose(devices: tf.distribute.Strategy, mixed_precision: str) -> Compile:
    """Returns the fastest of the functions below.

    Args:
        devices: where the step runs.
        mixed_precision: a name in `precision.POLICIES`.
    """
    # A TPU compiles by itself, and with several replicas a compiled step cannot
    # reach its variables.
    if devices.num_replicas_in_sync > 1 or isinstance(
        devices, tf.distribute.TPUStrategy
    ):
        return nothing
    on_cpu = not tf.config.list_logical_devices("GPU")
    if on_cpu and mixed_precision == "bfloat16":
        return all_but_products
    return whole


def nothing(step: ReplicaStep) -> ReplicaStep:
    """Leaves the step as it is."""
    return step


def whole(step: ReplicaStep) -> ReplicaStep:
    """Compiles the step as one program."""
    return tf.function(step, jit_compile=True)


def all_but_products(step: ReplicaStep) -> ReplicaStep:
    """Compiles what stands between the products of matrices."""

    def compiled_around_products(batch: Batch) -> None:
        with tf.xla.experimental.jit_scope(
            compile_ops=lambda node: node.op not in _PRODUCTS
        ):
            step(batch)

    return compiled_around_products

"""Where training runs: TPU, several workers, several GPUs, or one device."""

import os
from typing import Any

import tensorflow as tf

from storage import json_files
from training import gpus, tpu
from training.config import DeviceSettings

_TF_CONFIG = {
    "cluster?": {str: [str]},
    "task?": {"type": str, "index": object},
}


_NO_FLAGS = DeviceSettings()


def create(settings: DeviceSettings = _NO_FLAGS) -> tf.distribute.Strategy:
    """Returns the strategy for the devices there are.

    A TPU when --use_tpu or --tpu_name asks for one; else several workers when
    TF_CONFIG describes a cluster; else all GPUs; else the one device.

    Raises:
        ValueError: there is no TPU of this name, or it may not be looked up;
            the GPU that there is cannot be used, see `gpus.choose`.
        ConnectionError: the TPU cannot be reached.
    """
    if settings.use_tpu or settings.tpu_name:
        return tpu.connect(
            settings.tpu_name or settings.master or "local",
            settings.tpu_zone,
            settings.gcp_project,
        )
    has_cluster = "cluster" in _cluster_of_environment()
    gpus.choose(settings.device)
    if has_cluster:
        return tf.distribute.MultiWorkerMirroredStrategy()
    if len(tf.config.list_logical_devices("GPU")) > 1:
        return tf.distribute.MirroredStrategy()
    return tf.distribute.get_strategy()


def _cluster_of_environment() -> dict[str, Any]:
    """Returns what TF_CONFIG says, {} where it is not set.

    Raises:
        ValueError: it is of another form, or names no task of its cluster.
    """
    described = json_files.parse(
        os.environ.get("TF_CONFIG") or "{}", "TF_CONFIG", _TF_CONFIG
    )
    if not described.get("cluster"):
        return described
    task = described.get("task", {})
    addresses = described["cluster"].get(task.get("type"), ())
    # Some write the number as a string.
    index = str(task.get("index"))
    if index not in map(str, range(len(addresses))):
        raise ValueError(
            f"TF_CONFIG: the task {json_files.shown(task)} is none of its "
            f"cluster {json_files.shown(described['cluster'])}"
        )
    return described


def check_batch_sizes(
    strategy: tf.distribute.Strategy, batch_sizes: dict[str, int], **parts: int
) -> None:
    """Checks that replicas and their parts can share each batch evenly.

    Args:
        strategy: has the replicas.
        batch_sizes: {flag: batch of all replicas together}.
        parts: {flag: parts that a replica computes its share in}; 1 unless
            given.

    Raises:
        ValueError: one cannot be shared; names the flag and what would do.
    """
    replicas = strategy.num_replicas_in_sync
    for name, batch_size in batch_sizes.items():
        num_parts = parts.get(name, 1)
        in_parts = f" in {num_parts} parts each" if num_parts > 1 else ""
        if batch_size % (replicas * num_parts):
            raise ValueError(
                f"--{name}={batch_size} is the batch of all {replicas} "
                f"replicas together{in_parts} and must be a multiple of "
                f"{replicas * num_parts}"
            )


def has_workers(devices: tf.distribute.Strategy) -> bool:
    """Whether several processes train together."""
    return isinstance(devices, tf.distribute.MultiWorkerMirroredStrategy)


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Returns whether this process writes the files all workers share."""
    resolver = strategy.cluster_resolver
    if resolver is None or not resolver.task_type:
        return True
    if resolver.task_type == "worker":
        has_chief = "chief" in resolver.cluster_spec().as_dict()
        return resolver.task_id == 0 and not has_chief
    return resolver.task_type == "chief"


def describe(strategy: tf.distribute.Strategy) -> str:
    """Returns, for the log, how many devices of which kind there are."""
    replicas = strategy.num_replicas_in_sync
    if isinstance(strategy, tf.distribute.TPUStrategy):
        kind = "TPU"
    else:
        kind = "GPU" if tf.config.list_logical_devices("GPU") else "CPU"
    noun = "replica" if replicas == 1 else "replicas"
    names = gpus.describe() if kind == "GPU" else ""
    return f"{replicas} {kind} {noun}" + (names and f" ({names})")

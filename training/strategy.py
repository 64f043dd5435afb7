"""Where training runs: TPU, several workers, several GPUs, or one device."""

import os
import socket
import urllib.error
import urllib.parse
from typing import Any

import tensorflow as tf
from absl import logging

from storage import json_files
from training import gpus
from training.config import DeviceSettings

_CONNECT_TIMEOUT_SECS = 10
_REASON_CHARACTERS = 300
# What TensorFlow asks to install, and what does not go with its protobuf.
_CLIENT = "cloud-tpu-client"
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
        ValueError: the GPU that there is cannot be used; see `gpus.choose`.
        ConnectionError: the TPU cannot be reached.
    """
    if settings.use_tpu or settings.tpu_name:
        return _tpu(
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


def _tpu(address: str, zone: str | None, project: str | None):
    try:
        _probe(address)
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver(
            tpu=address, zone=zone, project=project
        )
        if address != "local":
            tf.config.experimental_connect_to_cluster(resolver)
        tf.tpu.experimental.initialize_tpu_system(resolver)
        return tf.distribute.TPUStrategy(resolver)
    # The resolver, the connection and the start of the TPU system each fail in
    # their own way, and none of their messages says what to do.
    except (
        ValueError,
        OSError,
        urllib.error.URLError,
        tf.errors.OpError,
        RuntimeError,
    ) as error:
        reason = " ".join(str(error).split())[:_REASON_CHARACTERS]
        if _CLIENT in reason:
            reason = (
                f"to look it up by its name TensorFlow needs {_CLIENT}, which "
                "does not go with TensorFlow's protobuf: give its address, "
                "--tpu_name=grpc://HOST:8470"
            )
        logging.debug("TPU: %s", error)
        raise ConnectionError(
            f"cannot reach the TPU {address!r} ({reason}). On a TPU VM leave "
            "out --tpu_name, set --use_tpu and install tensorflow-tpu; "
            "elsewhere check --tpu_name, --tpu_zone and --gcp_project. To "
            "train on CPU or GPU drop --use_tpu and --tpu_name"
        ) from None


def _probe(address: str) -> None:
    """Opens a TCP connection: TensorFlow itself would wait for minutes."""
    if "://" not in address:
        return
    url = urllib.parse.urlsplit(address)
    if url.hostname is None or url.port is None:
        raise ValueError(f"{address} is not of the form grpc://host:port")
    with socket.create_connection(
        (url.hostname, url.port), timeout=_CONNECT_TIMEOUT_SECS
    ):
        pass

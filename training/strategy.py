"""Where training runs: TPU, several workers, several GPUs, or one device."""

import os
import socket
import urllib.error
import urllib.parse

import tensorflow as tf
from absl import logging

from storage import json_files

_CONNECT_TIMEOUT_SECS = 10
_REASON_CHARACTERS = 300
# What TensorFlow asks to install, and what does not go with its protobuf.
_CLIENT = "cloud-tpu-client"
_TF_CONFIG = {
    "cluster?": {str: [str]},
    "task?": {"type": str, "index": object},
}


def create(
    *,
    use_tpu=False,
    tpu_name=None,
    tpu_zone=None,
    gcp_project=None,
    master=None,
):
    """Returns the `tf.distribute.Strategy` for the devices there are.

    A TPU when `use_tpu` or `tpu_name` asks for one; else several workers when
    TF_CONFIG describes a cluster; else all GPUs; else the one device.

    Args:
        use_tpu: whether to train on a TPU.
        tpu_name: a Cloud TPU's name, grpc://host:port, or "local".
        tpu_zone: the zone of the Cloud TPU.
        gcp_project: the project of the Cloud TPU.
        master: google-research/bert's older name for the TPU's address.

    Raises:
        ConnectionError: the TPU cannot be reached.
    """
    if use_tpu or tpu_name:
        return _tpu(tpu_name or master or "local", tpu_zone, gcp_project)
    if "cluster" in _stated_cluster():
        return tf.distribute.MultiWorkerMirroredStrategy()
    if len(tf.config.list_logical_devices("GPU")) > 1:
        return tf.distribute.MirroredStrategy()
    return tf.distribute.get_strategy()


def _stated_cluster():
    """Returns what TF_CONFIG says, {} where it is not set.

    Raises:
        ValueError: it is of another form, or names no task of its cluster.
    """
    stated = json_files.parse(
        os.environ.get("TF_CONFIG") or "{}", "TF_CONFIG", _TF_CONFIG
    )
    if not stated.get("cluster"):
        return stated
    task = stated.get("task", {})
    addresses = stated["cluster"].get(task.get("type"), ())
    # Some write the number as a string.
    index = str(task.get("index"))
    if index not in map(str, range(len(addresses))):
        raise ValueError(
            f"TF_CONFIG: the task {json_files.shown(task)} is none of its "
            f"cluster {json_files.shown(stated['cluster'])}"
        )
    return stated


def of(config):
    """Returns `create` of the flags of a config."""
    return create(
        use_tpu=config.use_tpu,
        tpu_name=config.tpu_name,
        tpu_zone=config.tpu_zone,
        gcp_project=config.gcp_project,
        master=config.master,
    )


def is_chief(strategy):
    """Returns whether this process writes the files all workers share."""
    resolver = strategy.cluster_resolver
    if resolver is None or not resolver.task_type:
        return True
    if resolver.task_type == "worker":
        has_chief = "chief" in resolver.cluster_spec().as_dict()
        return resolver.task_id == 0 and not has_chief
    return resolver.task_type == "chief"


def describe(strategy):
    """Returns, for the log, how many devices of which kind there are."""
    replicas = strategy.num_replicas_in_sync
    if isinstance(strategy, tf.distribute.TPUStrategy):
        kind = "TPU"
    else:
        kind = "GPU" if tf.config.list_logical_devices("GPU") else "CPU"
    return f"{replicas} {kind} {'replica' if replicas == 1 else 'replicas'}"


def _tpu(address, zone, project):
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


def _probe(address):
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

"""A TPU: its hosts are found, connected to, and missed when they are gone.

--use_tpu                       this process computes on its own chips
--tpu_name=grpc://A:P,grpc://B:P
                                this process sends steps to TensorFlow's
                                servers on hosts A and B
--tpu_name=NAME                 the same; `cloud_tpu` has the addresses
"""

import contextlib
import re
import socket
import urllib.error
import urllib.parse
from collections.abc import Iterator

import tensorflow as tf
from absl import logging

from training import cloud_tpu

_CONNECT_TIMEOUT_SECS = 10
_REASON_CHARACTERS = 300
# What a host that is gone ends a step in, and how that names it.
_LOST = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
)
_ADDRESS = re.compile(r"ipv[46]:([\w.:%\[\]]+\d)")


def connect(
    name: str, zone: str | None, project: str | None
) -> tf.distribute.TPUStrategy:
    """Returns the strategy for a TPU, once its hosts are connected to.

    Args:
        name: of a Cloud TPU; or grpc://HOST:PORT of each of its hosts, joined
            by commas; or "local", the one of this machine.
        zone: where the named one is; None for that of this machine.
        project: whose it is; None for that of this machine.

    Raises:
        ValueError: there is no TPU of this name, or it may not be looked up.
        ConnectionError: it cannot be reached.
    """
    address = name
    if name != "local" and "://" not in name:
        address = cloud_tpu.resolve(name, zone, project)
        logging.info("the TPU %s is at %s", name, address)
    try:
        hosts = _hosts(address)
        for host in hosts:
            _probe(host)
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver(
            tpu=address
        )
        if hosts:
            # Files are read and written here, not on the TPU's first host.
            tf.config.experimental_connect_to_cluster(
                resolver, make_master_device_default=False
            )
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
        logging.debug("TPU: %s", error)
        raise ConnectionError(
            f"cannot reach the TPU {name!r} ({reason}). On a TPU VM leave "
            "out --tpu_name, set --use_tpu and install tensorflow-tpu; "
            "elsewhere check --tpu_name, --tpu_zone and --gcp_project. To "
            "train on CPU or GPU drop --use_tpu and --tpu_name"
        ) from None


def _hosts(address: str) -> list[tuple[str, int]]:
    """Returns host and port of each part of grpc://HOST:PORT[,...]."""
    if address == "local":
        return []
    hosts = []
    for part in address.split(","):
        url = urllib.parse.urlsplit(part if "://" in part else f"grpc://{part}")
        if url.hostname is None or url.port is None:
            raise ValueError(f"{part} is not of the form grpc://host:port")
        hosts.append((url.hostname, url.port))
    return hosts


def _probe(host: tuple[str, int]) -> None:
    """Opens a TCP connection: TensorFlow itself would wait for minutes."""
    try:
        with socket.create_connection(host, timeout=_CONNECT_TIMEOUT_SECS):
            pass
    except OSError as error:
        raise ConnectionError(
            f"{error}: no TensorFlow server answers at {host[0]}:{host[1]}; "
            "docs/tpu.md says how to start one on each host"
        ) from None


def first_host(strategy: tf.distribute.Strategy) -> str | None:
    """Returns the device of a TPU's first host, where that is another process.

    The program sends steps to the hosts of a TPU of a name or an address; the
    loop over a block of steps runs on the first. None where this process
    computes itself.
    """
    resolver = strategy.cluster_resolver
    is_tpu = isinstance(
        resolver, tf.distribute.cluster_resolver.TPUClusterResolver
    )
    if not is_tpu or not resolver.master():
        return None
    return f"{resolver.get_coordination_service_leader()}/device:CPU:0"


@contextlib.contextmanager
def hosts_may_be_lost(strategy: tf.distribute.Strategy) -> Iterator[None]:
    """Says in one line that a host of a TPU is gone, where the body ends so.

    Raises:
        ConnectionError: one is.
    """
    try:
        yield
    except _LOST as error:
        if first_host(strategy) is None:
            raise
        reason = " ".join(str(error.message).split())[:_REASON_CHARACTERS]
        hosts = sorted(set(_ADDRESS.findall(str(error.message))))
        gone = f"a host of the TPU no longer answers ({', '.join(hosts)})"
        if not hosts:
            gone = f"a host of the TPU could not go on ({reason})"
        raise ConnectionError(
            f"{gone}: the same command goes on from the newest checkpoint, "
            "once the TPU is there again"
        ) from None

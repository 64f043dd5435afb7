"""A server of several replicas on a Ray cluster, which Ray Serve keeps alive.

    client -> Ray's proxy, --host and --port -> a replica: guard, queue, models

A replica is the whole of `serving.application`, and is asked once its models
are compiled. One that dies is replaced. SIGTERM or Ctrl-C: no request is sent
to a replica any more, those that were taken are answered.
"""

import asyncio
import dataclasses
import logging as standard_logging
import math
import os
import re
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from absl import logging

from jobs import ray_cluster
from serving.config import ServeConfig

# All that a replica imports.
SHIPPED = (
    "corpus",
    "data",
    "finetuning",
    "interop",
    "jobs",
    "modeling",
    "pages",
    "serving",
    "settings",
    "storage",
    "text",
    "training",
)
_NAME = "hanlin"
# The last line of a traceback.
_CAUSE = re.compile(r"[A-Za-z_.]+(Error|Exception): ")


def run(config: ServeConfig) -> None:
    """Serves until a signal.

    Raises:
        ValueError: there is no cluster, it is too small, or a model cannot be
            read.
    """
    keys = config.keys()
    config = dataclasses.replace(config, model_dir=_absolute(config))
    ended = threading.Event()
    with ray_cluster.connected(config.ray_address, SHIPPED, start=True) as ray:
        from ray import serve

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: ended.set())
        options = _resources(ray.cluster_resources(), config)
        # What it says of its own states is in its own files.
        standard_logging.getLogger("ray.serve").setLevel("WARNING")
        if others := sorted(serve.status().applications):
            raise ValueError(
                f"Ray Serve has {', '.join(others)} on this cluster: end it "
                "by `serve shutdown`, or give another --ray_address"
            )
        try:
            _start(serve, config, keys, options)
            ended.wait()
            logging.info("ending: what was taken is answered yet")
            serve.delete(_NAME)
        except RuntimeError as error:
            raise ValueError(_reason(error, serve.status())) from None
        finally:
            serve.shutdown()


def _start(
    serve: Any,
    config: ServeConfig,
    keys: tuple[str, ...],
    options: dict[str, Any],
) -> None:
    """Returns once all replicas answer."""
    serve.start(http_options={"host": config.host, "port": config.port})
    replica = serve.deployment(
        serve.ingress(_builder(config, keys))(),
        name=_NAME,
        num_replicas=config.replicas,
        ray_actor_options=options,
        max_ongoing_requests=config.max_connections,
        graceful_shutdown_timeout_s=math.ceil(config.deadline_secs),
        max_constructor_retry_count=1,
    )
    serve.run(replica.bind(), name=_NAME)
    logging.info(
        "http://%s:%d (%s), %d replicas",
        config.host,
        config.port,
        f"{len(keys)} keys" if keys else "no key is asked for",
        config.replicas,
    )


def _absolute(config: ServeConfig) -> str:
    """Returns --model_dir as a process of another folder can read it."""
    return ",".join(
        f"{name}={path if '://' in path else os.path.abspath(path)}"
        for name, path in config.directories().items()
    )


def _resources(there: dict[str, float], config: ServeConfig) -> dict[str, Any]:
    """Returns what each replica takes of a cluster, for Ray.

    Raises:
        ValueError: it has not so much.
    """
    cores, cards = int(there.get("CPU", 0)), there.get("GPU", 0)
    if cores < config.replicas:
        raise ValueError(
            f"--replicas={config.replicas}: the cluster has {cores} cores, and "
            "each replica takes one"
        )
    options: dict[str, Any] = {"num_cpus": 1}
    if cards and config.device != "cpu":
        # Several share a card where there are more of them.
        options["num_gpus"] = min(1.0, cards / config.replicas)
    return options


def _builder(config: ServeConfig, keys: tuple[str, ...]) -> Callable[[], Any]:
    def build() -> Any:
        from storage import tensorflow_start

        with tensorflow_start.quiet():
            from serving import application
            from serving.service import Service
        service = Service(config)
        # Here, not where the application begins: Ray would not say why it
        # failed. Ray's own loop runs in this thread.
        with ThreadPoolExecutor(1) as apart:
            apart.submit(asyncio.run, service.start()).result()
        return application.make(service, keys)

    return build


def _reason(error: BaseException, status: Any) -> str:
    """Returns the line that says why a replica or the proxy did not start."""
    told = [
        deployment.message
        for application in status.applications.values()
        for deployment in application.deployments.values()
    ]
    lines = "\n".join([str(error), *told]).splitlines()
    causes = [line.strip() for line in lines if _CAUSE.match(line.strip())]
    last = causes[-1] if causes else str(error).strip() or repr(error)
    return last.removeprefix("ValueError: ").removeprefix("RuntimeError: ")

"""The Ray cluster that a program works on."""

import contextlib
import pathlib
import socket
from collections.abc import Iterator, Sequence
from typing import Any

_ROOT = pathlib.Path(__file__).resolve().parents[1]
_SECS_OF_KNOCKING = 10


@contextlib.contextmanager
def connected(
    address: str, packages: Sequence[str], *, start: bool = False
) -> Iterator[Any]:
    """Yields the module `ray`, connected, and lets the cluster go behind it.

    Args:
        address: of the flag --ray_address.
        packages: of this project, which the cluster is sent.
        start: whether a cluster of this machine alone is started, and ended,
            where the address is "auto" and there is none.

    Raises:
        ValueError: ray is not installed, or there is no such cluster.
        ConnectionError: nobody answers at the address.
    """
    try:
        import ray
    except ImportError:
        raise ValueError(
            "--engine=ray needs the package ray: pip install -e '.[ray]'"
        ) from None
    _knock(address)
    options: dict[str, Any] = {
        "runtime_env": {"py_modules": [str(_ROOT / name) for name in packages]},
        "log_to_driver": False,
        "logging_level": "warning",
    }
    try:
        ray.init(address, **options)
    except (ConnectionError, ValueError) as error:
        if not start or address != "auto":
            raise ValueError(f"--ray_address={address}: {error}") from None
        ray.init("local", include_dashboard=False, **options)
    try:
        yield ray
    finally:
        ray.shutdown()


def _knock(address):
    """Ray itself would wait for minutes where nobody answers."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not port.isdecimal():
        return
    try:
        socket.create_connection((host, int(port)), _SECS_OF_KNOCKING).close()
    except OSError as error:
        raise ConnectionError(
            f"--ray_address={address}: no answer ({error}); does the cluster "
            "run, and is it that of `ray start --head`?"
        ) from None

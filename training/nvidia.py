"""NVIDIA cards, as their driver tells of them, and which TensorFlow can serve.

The standard library alone: `shell/environment.sh` asks it before there is a
TensorFlow.
"""

import dataclasses
import importlib.metadata
import os
import pathlib
import re
import subprocess
import sys
from collections.abc import Sequence

# What the wheels of TensorFlow 2.20 and 2.21 are built for, as
# `tf.sysconfig.get_build_info` has it.
WHEEL = ("sm_60", "sm_70", "sm_80", "sm_89", "compute_90")
# The oldest that runs programs of CUDA 12.
_OLDEST_DRIVER = (525, 60)
_WAIT_SECS = 30
_FIELDS = ("name", "uuid", "driver_version", "memory.total")
# Drivers before 470 do not know this one.
_CAPABILITY = "compute_cap"
# A device file of a card: on Linux, and in Windows' WSL2.
_DEVICES = ("nvidia[0-9]*", "dxg")


@dataclasses.dataclass(frozen=True)
class Card:
    """One card; capability and memory where the driver says them."""

    name: str
    uuid: str
    driver: str
    memory_mib: int | None = None
    capability: tuple[int, int] | None = None

    def __str__(self) -> str:
        if self.memory_mib is None:
            return self.name
        return f"{self.name}, {self.memory_mib / 1024:.0f} GiB"


def cards() -> list[Card]:
    """Returns the cards that `nvidia-smi` lists; none where it fails."""
    lines = _query(*_FIELDS, _CAPABILITY) or _query(*_FIELDS)
    return [_card(*line) for line in lines if len(line) >= len(_FIELDS)]


def _query(*fields: str) -> list[list[str]]:
    command = ["nvidia-smi", f"--query-gpu={','.join(fields)}"]
    try:
        done = subprocess.run(
            [*command, "--format=csv,noheader,nounits"],
            capture_output=True,
            text=True,
            timeout=_WAIT_SECS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    if done.returncode:
        return []
    rows = (line.split(",") for line in done.stdout.splitlines())
    return [[cell.strip() for cell in row] for row in rows]


def _card(name, uuid, driver, memory, capability=""):
    found = re.fullmatch(r"(\d+)\.(\d+)", capability)
    return Card(
        name,
        uuid,
        driver,
        int(memory) if memory.isdigit() else None,
        (int(found[1]), int(found[2])) if found else None,
    )


def is_here(devices: str = "/dev") -> bool:
    """Tells whether this process can see a card's device file."""
    folder = pathlib.Path(devices)
    return any(next(folder.glob(one), None) for one in _DEVICES)


def is_hidden() -> bool:
    """Tells whether CUDA_VISIBLE_DEVICES says that no card be used."""
    shown = os.environ.get("CUDA_VISIBLE_DEVICES")
    return shown is not None and not re.match(r"\s*(\d|GPU-|MIG-)", shown)


def fault(card: Card, built_for: Sequence[str] = WHEEL) -> str | None:
    """Returns why TensorFlow cannot compute on a card; None if it can.

    Args:
        card: one of `cards`.
        built_for: the architectures that TensorFlow has programs for.
    """
    numbers = [int(x) for x in re.findall(r"\d+", card.driver)]
    if numbers and tuple(numbers[:2]) < _OLDEST_DRIVER:
        oldest = ".".join(map(str, _OLDEST_DRIVER))
        return (
            f"its driver {card.driver} is older than {oldest}, which CUDA 12 "
            "asks for"
        )
    if card.capability and not is_served(card.capability, built_for):
        return unserved(card.capability)
    return None


def unserved(capability: tuple[int, int]) -> str:
    """Returns what to say of a card that `is_served` says no of."""
    shown = ".".join(map(str, capability))
    return (
        f"its compute capability {shown} is none that TensorFlow is built for"
    )


def is_served(capability: tuple[int, int], built_for: Sequence[str]) -> bool:
    """Tells whether there are programs for a card of this capability.

    Programs run on cards of the same generation, the first number, from theirs
    on. Text for the driver to compile ("compute_90") would run on later
    generations too, but XLA writes its own and knows none after the newest.
    """
    return any(
        (int(major), int(minor)) <= capability and int(major) == capability[0]
        for major, minor in re.findall(r"_(\d+)(\d)", " ".join(built_for))
    )


def missing_libraries() -> list[str]:
    """Returns the packages of tensorflow[and-cuda] that are not installed."""
    try:
        asked = importlib.metadata.requires("tensorflow") or []
    except importlib.metadata.PackageNotFoundError:
        return []
    names = [
        re.split(r"[^\w.-]", line)[0]
        for line in asked
        if re.search(r"extra *== *.and-cuda", line)
    ]
    return [name for name in names if not _is_installed(name)]


def _is_installed(name):
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def main() -> None:
    """Prints the cards to install CUDA for; ends with 1 where there is none.

    A card that TensorFlow cannot serve is named on the standard error.
    """
    served = []
    for card in [] if is_hidden() else cards():
        reason = fault(card)
        if reason is None:
            served.append(f"{card} (driver {card.driver})")
        else:
            print(f"{card} is left out: {reason}", file=sys.stderr)
    if not served:
        sys.exit(1)
    print(", ".join(served))


if __name__ == "__main__":
    main()

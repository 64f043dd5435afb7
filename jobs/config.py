"""The settings that say where work is done, and how much at a time."""

import dataclasses
from typing import Annotated, Literal

from settings.flag import Flag, Settings


@dataclasses.dataclass(frozen=True, kw_only=True)
class RaySettings(Settings):
    """Where the work is done."""

    engine: Annotated[
        Literal["local", "ray"],
        Flag(
            "Where the work is done: here, or on a Ray cluster that sees the "
            "same files.",
            decides="nothing",
        ),
    ] = "local"
    ray_address: Annotated[
        str,
        Flag(
            "The Ray cluster: host:port, ray://host:port or auto, which finds "
            "the one this machine belongs to.",
            decides="nothing",
        ),
    ] = "auto"


@dataclasses.dataclass(frozen=True, kw_only=True)
class EngineSettings(RaySettings):
    """Where the work on many shards is done."""

    num_workers: Annotated[
        int,
        Flag(
            "Processes that work on shards at the same time; 0 takes all "
            "cores. What they make does not depend on it.",
            "not_negative",
            decides="nothing",
        ),
    ] = 0

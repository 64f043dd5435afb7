"""The settings that say where jobs run, and how many at a time."""

import dataclasses
from typing import Annotated, Literal

from settings.flag import Flag, Settings


@dataclasses.dataclass(frozen=True, kw_only=True)
class EngineSettings(Settings):
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
    engine: Annotated[
        Literal["local", "ray"],
        Flag(
            "Where the shards are worked on: here, or on a Ray cluster that "
            "sees the same files.",
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

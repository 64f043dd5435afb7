"""The settings of tools.serve."""

import dataclasses
import ipaddress
import os
from typing import Annotated

from jobs.config import RaySettings
from settings.flag import Flag
from storage import file_io, inputs
from training.config import GpuSettings

# Keys of the interface, one a line or with commas between.
KEYS_VARIABLE = "HANLIN_API_KEYS"


@dataclasses.dataclass(frozen=True, kw_only=True)
class ServeConfig(GpuSettings, RaySettings):
    """Every setting of serve."""

    model_dir: Annotated[
        str,
        "Models, with commas between: an --output_dir of any program of "
        "training, its export/, or a folder of google-research/bert, Hugging "
        "Face or KerasHub. Each is called by the name of its folder, or what "
        "stands before it in NAME=DIR.",
    ]
    host: Annotated[
        str,
        "The address to listen at; one that others reach needs keys, or "
        "--allow_anyone.",
    ] = "127.0.0.1"
    port: Annotated[
        int, Flag("The port to listen at; 0 is any.", "not_negative")
    ] = 8000
    api_keys_file: Annotated[
        str | None,
        "A file of keys, one a line, of which requests must bear one; the "
        f"variable {KEYS_VARIABLE} may hold them, too.",
    ] = None
    allow_anyone: Annotated[
        bool, "Whether others than this machine may ask without a key."
    ] = False
    replicas: Annotated[
        int,
        Flag(
            "How many of the same are served side by side, each with a core or "
            "a GPU of its own, by --engine=ray.",
            "positive",
        ),
    ] = 1
    max_seq_length: Annotated[
        int | None,
        Flag(
            "Tokens of a row of pretrained encoders; without it as many as "
            "each is made for, 512 at most. Fine-tuned ones have their own.",
            "positive",
        ),
    ] = None
    batch_size: Annotated[
        int,
        Flag(
            "Most rows computed at once. A CPU is no faster with more than 8, "
            "and from 16 on the last digit of an answer may move.",
            "positive",
        ),
    ] = 8
    max_wait_ms: Annotated[
        float,
        Flag(
            "How long a row waits for others that are on their way.",
            "not_negative",
        ),
    ] = 2.0
    max_queue: Annotated[
        int,
        Flag("Most rows that wait; more requests get 429.", "positive"),
    ] = 2048
    deadline_secs: Annotated[
        float,
        Flag("How long a request may take; then it gets 504.", "positive"),
    ] = 30.0
    max_inputs: Annotated[
        int, Flag("Most inputs of a request.", "positive")
    ] = 256
    max_characters: Annotated[
        int, Flag("Most characters of an input.", "positive")
    ] = 20_000
    max_body_bytes: Annotated[
        int, Flag("Most bytes of a request.", "positive")
    ] = 4_000_000
    max_connections: Annotated[
        int, Flag("Most open connections; more get 503.", "positive")
    ] = 1000
    reload_secs: Annotated[
        float,
        Flag(
            "How often is looked whether a model's files changed; 0 is never.",
            "not_negative",
        ),
    ] = 5.0
    drain_secs: Annotated[
        float,
        Flag(
            "How long new requests get 503 after SIGTERM, before the port is "
            "closed.",
            "not_negative",
        ),
    ] = 1.0

    def __post_init__(self):
        super().__post_init__()
        if self.port > 65535:
            raise ValueError(f"--port must be below 65536, got {self.port}")
        if self.replicas > 1 and self.engine != "ray":
            raise ValueError(f"--replicas={self.replicas} needs --engine=ray")
        if self.engine == "ray" and not self.port:
            raise ValueError("--engine=ray needs the number of a --port")

    @property
    def is_local(self) -> bool:
        """Whether only this machine reaches the address."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    def directories(self) -> dict[str, str]:
        """Returns {name: directory} of the models, in their order.

        Raises:
            ValueError: one is not there, or a name is given twice.
        """
        found: dict[str, str] = {}
        for part in filter(None, map(str.strip, self.model_dir.split(","))):
            name, path = "", part
            if "=" in part and not file_io.is_directory(part):
                name, path = part.split("=", 1)
            if not file_io.is_directory(path):
                raise ValueError(f"--model_dir: no folder {path!r}")
            wanted = name or os.path.basename(os.path.abspath(path))
            chosen, number = wanted, 2
            while chosen in found:
                if name:
                    raise ValueError(f"--model_dir: {name} is given twice")
                chosen, number = f"{wanted}-{number}", number + 1
            found[chosen] = path
        if not found:
            raise ValueError(f"--model_dir={self.model_dir!r} names no folder")
        return found

    def keys(self) -> tuple[str, ...]:
        """Returns the keys of which a request must bear one; none without.

        Raises:
            ValueError: the file is missing or holds none, or others reach the
                server and there is no key; says what to do.
        """
        keys = os.environ.get(KEYS_VARIABLE, "").replace(",", "\n").split("\n")
        if self.api_keys_file:
            inputs.check_file(self.api_keys_file, "api_keys_file")
            text = file_io.read_bytes(self.api_keys_file).decode("utf-8")
            of_file = [line.strip() for line in text.splitlines()]
            if not any(of_file):
                raise ValueError(
                    f"--api_keys_file={self.api_keys_file} holds no key"
                )
            keys += of_file
        found = tuple(dict.fromkeys(key.strip() for key in keys if key.strip()))
        if not found and not self.is_local and not self.allow_anyone:
            raise ValueError(
                f"--host={self.host} lets others ask this server: give "
                "--api_keys_file with a key a line, such as `openssl rand -hex "
                "24` makes, or --allow_anyone where a proxy asks for one"
            )
        return found

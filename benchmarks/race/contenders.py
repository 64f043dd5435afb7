"""Contenders: flag files of run_pretraining.py, and what they come to."""

import dataclasses
import os
import pathlib
from collections.abc import Iterator

from pretraining.config import PretrainingConfig
from pretraining.stages import plan_stages

# Of run_pretraining.py, as they are written on a command line.
_DEFAULTS = {
    field.name: str(field.default)
    for field in dataclasses.fields(PretrainingConfig)
    if field.default not in (None, dataclasses.MISSING)
}
# So many that shares of them are whole.
_STEPS = 1_000_000


@dataclasses.dataclass(frozen=True)
class Contender:
    """A recipe under its name.

    Args:
        name: that of the file.
        path: the flag file.
        arguments: what it says, as arguments of a command.
    """

    name: str
    path: str
    arguments: tuple[str, ...]

    def value(self, flag: str) -> str | None:
        """Returns what a flag is set to, the last one winning."""
        found = _DEFAULTS.get(flag)
        for argument in self.arguments:
            name, _, value = argument.removeprefix("--").partition("=")
            if name == flag:
                found = value or "true"
            elif name == f"no{flag}":
                found = "false"
        return found

    def number(self, flag: str) -> int:
        """Returns the value of a flag of whole numbers."""
        return int((self.value(flag) or "").replace(",", ""))

    @property
    def tokens_per_step(self) -> float:
        """Tokens of a step, in the mean over stages, padding included."""
        stages = plan_stages(
            self.value("stages"),
            num_train_steps=_STEPS,
            max_seq_length=self.number("max_seq_length"),
            train_batch_size=self.number("train_batch_size"),
            num_layers=None,
        )
        tokens = sum(x.num_records * x.max_seq_length for x in stages)
        return tokens / _STEPS

    def num_steps(self, num_tokens: int) -> int:
        """Returns the steps of so many tokens; of 0 those of the file."""
        if not num_tokens:
            return self.number("num_train_steps")
        return max(1, round(num_tokens / self.tokens_per_step))


def read(paths: str) -> list[Contender]:
    """Returns the contenders that --contenders names.

    Args:
        paths: a comma list of flag files, and of folders of them.

    Raises:
        ValueError: there is none, or two have one name.
    """
    found: list[str] = []
    for item in paths.split(","):
        path = pathlib.Path(item)
        files = sorted(path.glob("*.flags")) if path.is_dir() else [path]
        if not files or not files[0].is_file():
            raise ValueError(f"--contenders: no flag files at {item!r}")
        found.extend(map(str, files))
    contenders = [_read_one(path) for path in found]
    names = [contender.name for contender in contenders]
    if len({*names}) < len(names):
        raise ValueError(f"--contenders: two are called alike: {names}")
    return contenders


def _read_one(path):
    name = os.path.basename(path).removesuffix(".flags")
    return Contender(name, path, tuple(_arguments(path)))


def _arguments(path: str) -> Iterator[str]:
    """Yields the flags of a file, and of the files that it names."""
    for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines():
        line = line.strip()
        if line.startswith("--flagfile="):
            yield from _arguments(line.partition("=")[2])
        elif line.startswith("--"):
            yield line
        elif line and not line.startswith(("#", "//")):
            raise ValueError(f"{path}: {line!r} is no flag; write --name=value")

"""Cuts raw files into shards, and documents into files of the corpus."""

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from corpus.config import CorpusConfig
from corpus.reading import pieces
from corpus.reading.pieces import Piece

_BYTES_A_MEGABYTE = 1_000_000
# What a worker takes, whatever it reads: files are read as streams.
_MEMORY_BYTES = 1_200_000_000


@dataclasses.dataclass(frozen=True)
class Job:
    """What a worker does at a time, as `jobs.engines` wants it."""

    key: str  # Names its files: 00003 or, of a part, 00003-000.
    num_bytes: int
    memory_bytes = _MEMORY_BYTES

    @property
    def name(self) -> str:
        return f"shard {self.key}"

    @property
    def place(self) -> str:
        """Where it begins, for errors."""
        return "of cleaned text"


@dataclasses.dataclass(frozen=True)
class RawShard(Job):
    """Raw files, or a part of one."""

    pieces: tuple[Piece, ...]

    @property
    def place(self) -> str:
        first = self.pieces[0]
        return f"from byte {first.begin} of {first.path}"


@dataclasses.dataclass(frozen=True)
class TextShard(Job):
    """Documents of a `RawShard`, cleaned: all, or as many as fit in memory."""

    number: int  # Among those of the corpus.


@dataclasses.dataclass(frozen=True)
class CorpusFile(Job):
    """A file of the corpus to write."""

    path: str  # Seen from --output_dir.
    runs: tuple["Run", ...]

    @property
    def name(self) -> str:
        return self.path


class Run(NamedTuple):
    """Some documents of a `TextShard`, in order."""

    key: str
    documents: np.ndarray  # int64: their numbers in the shard


def cut(config: CorpusConfig, paths: Sequence[str]) -> list[RawShard]:
    """Cuts raw files into shards of about --shard_megabytes.

    A file that cannot be entered in its middle is never cut.
    """
    limit = config.shard_megabytes * _BYTES_A_MEGABYTE
    shards: list[RawShard] = []
    gathered: list[Piece] = []
    size = 0
    for path in paths:
        for piece in pieces.cut(path, limit, config):
            num_bytes = piece.end - piece.begin
            if gathered and size + num_bytes > limit:
                shards.append(_raw_shard(len(shards), size, gathered))
                gathered, size = [], 0
            gathered.append(piece)
            size += num_bytes
    shards.append(_raw_shard(len(shards), size, gathered))
    return shards


def _raw_shard(number, num_bytes, gathered):
    return RawShard(f"{number:05}", num_bytes, tuple(gathered))


def deal(
    config: CorpusConfig,
    keys: Sequence[str],
    sizes: Sequence[np.ndarray],
    chosen: Sequence[np.ndarray],
    pattern: str,
    first_number: int,
) -> list[CorpusFile]:
    """Deals documents out to files of the corpus, in order.

    Args:
        keys: of the `TextShard`s, in order.
        sizes: of each, int64 [documents]: the bytes of each.
        chosen: of each, bool [documents]: whether it goes there.
        pattern: of the files' names, with their number, from 1.
        first_number: of the first file, among all.
    """
    limit = config.shard_megabytes * _BYTES_A_MEGABYTE
    shards = np.repeat(np.arange(len(sizes)), [len(x) for x in sizes])
    numbers = np.concatenate([np.arange(len(x)) for x in sizes])
    picked = np.concatenate(list(chosen))
    shards, numbers = shards[picked], numbers[picked]
    lengths = np.concatenate(list(sizes))[picked]
    if not len(lengths):
        return []
    # A file ends with the document that reaches the limit.
    places = (np.cumsum(lengths) - lengths) // limit
    bounds = np.flatnonzero(np.diff(places, prepend=-1))
    files: list[CorpusFile] = []
    for first, last in zip(bounds, [*bounds[1:], len(places)], strict=True):
        number = first_number + len(files)
        runs = _runs(keys, shards[first:last], numbers[first:last])
        num_bytes = int(lengths[first:last].sum())
        path = pattern % (len(files) + 1)
        files.append(CorpusFile(f"{number:05}", num_bytes, path, runs))
    return files


def _runs(keys, shards, numbers):
    bounds = [0, *(np.flatnonzero(np.diff(shards)) + 1), len(shards)]
    return tuple(
        Run(keys[shards[first]], numbers[first:last])
        for first, last in zip(bounds, bounds[1:], strict=False)
    )

"""Cuts a corpus into shards, and shares the output files out among them."""

import bisect
import dataclasses
import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

from absl import logging

from data.config import BuildConfig
from text import corpus

_BYTES_A_MEGABYTE = 1_000_000


class Piece(NamedTuple):
    """Bytes `begin` to `end` of the text of a file."""

    path: str
    begin: int
    end: int


class Part(NamedTuple):
    """The records of one shard that go into one output file."""

    shard: int
    file: int


@dataclasses.dataclass(frozen=True)
class Shard:
    """A corpus of its own: its text and its seed."""

    index: int
    seed: int
    pieces: tuple[Piece, ...]

    @property
    def num_bytes(self) -> int:
        return sum(piece.end - piece.begin for piece in self.pieces)


def cut(config: BuildConfig, paths: Sequence[str]) -> list[Shard]:
    """Cuts the text of some files into shards.

    A shard begins behind a blank line, and all that follow it, the first one
    behind its share of the bytes, and none has less than half a share. Shard k
    has the seed `random_seed` + k.
    """
    encoding = config.encoding
    sizes = [corpus.num_text_bytes(path, encoding) for path in paths]
    starts = [0, *itertools.accumulate(sizes)]
    total = starts[-1]
    limit = config.shard_megabytes * _BYTES_A_MEGABYTE
    num_shards = math.ceil(total / limit) if limit else 1
    bounds = [0]
    for k in range(1, num_shards):
        position = k * total // num_shards
        place = _next_document(paths, starts, position, encoding)
        # A long document may reach nearly up to the place of the next shard.
        smaller = min(place - bounds[-1], total - place)
        if 2 * smaller * num_shards >= total:
            bounds.append(place)
    bounds.append(total)
    shards = [
        Shard(k, config.random_seed + k, _pieces(paths, starts, first, last))
        for k, (first, last) in enumerate(itertools.pairwise(bounds))
    ]
    longest = max(shards, key=lambda shard: shard.num_bytes)
    if limit and longest.num_bytes > 2 * limit:
        logging.warning(
            "%d MB of text around %s have no blank line, so the shard is "
            "larger than --shard_megabytes=%d, and so is the memory it needs",
            longest.num_bytes // _BYTES_A_MEGABYTE,
            longest.pieces[0].path,
            config.shard_megabytes,
        )
    return shards


def _next_document(paths, starts, position, encoding):
    """The place behind the first blank lines that follow `position`."""
    is_between = False
    first = bisect.bisect_right(starts, position) - 1
    for number in range(first, len(paths)):
        begin = position - starts[number] if number == first else 0
        with corpus.open_text(paths[number], begin, encoding) as source:
            # The line at `position` may have begun before it.
            end = begin + len(source.readline()) if begin else 0
            while line := source.readline():
                is_blank = not line.decode("utf-8", "replace").strip()
                if is_between and not is_blank:
                    return starts[number] + end
                is_between = is_between or is_blank
                end += len(line)
    return starts[-1]


def _pieces(paths, starts, first, last):
    """The parts of the files that bytes `first` to `last` of all lie in."""
    if first == last:  # Nothing but empty files.
        return tuple(Piece(path, 0, 0) for path in paths)
    pieces = []
    for number in range(bisect.bisect_right(starts, first) - 1, len(paths)):
        start, end = starts[number], starts[number + 1]
        if start >= last:
            break
        if start < end:
            begin = max(first - start, 0)
            pieces.append(Piece(paths[number], begin, min(end, last) - start))
    return tuple(pieces)


def share_out(num_shards: int, num_files: int) -> list[Part]:
    """Shares out output files among shards, or shards among output files.

    Returns:
        A list of `Part`, sorted by both of its numbers. Either a shard has
        several files, or a file several shards, or each has one.
    """
    if num_shards <= num_files:
        return [
            Part(file * num_shards // num_files, file)
            for file in range(num_files)
        ]
    return [
        Part(shard, shard * num_files // num_shards)
        for shard in range(num_shards)
    ]

"""Does what a worker does with one shard; an engine carries it there."""

import dataclasses
import os
import socket
from typing import NamedTuple

from data.building import earlier, made_from, shard, shards
from data.config import BuildConfig
from data.manifest import MadeFrom, Shard
from jobs.progress import Advance
from storage import file_io
from text import corpus, vocab

# A worker needs this many times the memory of its text, and a little more.
_BYTES_A_BYTE, _BYTES_BESIDE = 3, 500_000_000


class Job(NamedTuple):
    """One shard and where it goes."""

    shard: shards.Shard
    part_paths: tuple[str, ...]  # The files of its records, in order.
    entry_path: str  # Says, once it is there, that the shard is whole.

    @property
    def name(self) -> str:
        return f"shard {self.shard.index}"

    @property
    def num_bytes(self) -> int:
        return self.shard.num_bytes

    @property
    def memory_bytes(self) -> int:
        return _BYTES_A_BYTE * self.num_bytes + _BYTES_BESIDE

    @property
    def place(self) -> str:
        """Where its text begins, for errors."""
        first = self.shard.pieces[0]
        return f"of {first.path}, from byte {first.begin}"


@dataclasses.dataclass(frozen=True)
class Work:
    """What is the same for all shards of a build; sent to a worker once."""

    config: BuildConfig
    vocabulary: vocab.Vocabulary
    made_from: MadeFrom

    def describe_text(self, job: Job, advance: Advance) -> list[corpus.Source]:
        """Returns the bytes and sha256 of the pieces of a shard's text."""
        inputs = []
        for piece in job.shard.pieces:
            digest = corpus.Digest(advance)
            for _ in corpus.read_chunks(
                piece.path,
                digest,
                begin=piece.begin,
                end=piece.end,
                encoding=self.config.encoding,
            ):
                pass
            inputs.append(digest.describe(piece.path))
        return inputs

    def build_shard(self, job: Job, advance: Advance) -> Shard:
        """Builds a shard; returns its entry in the manifest."""
        made_from.check_versions(self.made_from, self.config, self.vocabulary)
        # Another machine may still be at the same shard, cut off or given up.
        mark = f".{socket.gethostname()}-{os.getpid()}.tmp"
        unfinished = [path + mark for path in job.part_paths]
        try:
            entry = shard.build(
                self.config, self.vocabulary, job.shard, unfinished, advance
            )
        except Exception:
            for path in unfinished:
                file_io.remove(path)
            raise
        for path, final in zip(unfinished, job.part_paths, strict=True):
            file_io.rename(path, final)
        earlier.write_entry(job.entry_path, self.made_from, entry)
        return entry

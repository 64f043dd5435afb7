"""What a worker does with one shard; an engine carries it to the worker."""

import os
import socket
from typing import NamedTuple

from data import manifest, pool, shards
from data.config import BuildConfig
from data.layout import Layout
from text import corpus, vocab


class Job(NamedTuple):
    """What a worker needs to build one shard."""

    config: BuildConfig
    vocabulary: vocab.Vocabulary
    shard: shards.Shard
    layout: Layout
    made_from: dict


def describe_text(job, advance):
    """Returns the bytes and sha256 of the pieces of a shard's text."""
    inputs = []
    for piece in job.shard.pieces:
        digest = corpus.Digest(advance)
        for _ in corpus.read_chunks(
            piece.path, digest, begin=piece.begin, end=piece.end
        ):
            pass
        inputs.append(digest.describe(piece.path))
    return inputs


def build_shard(job, advance):
    """Builds a shard; returns its entry in the manifest."""
    number = job.shard.index
    # Another machine may still be at the same shard, cut off or given up.
    mark = f".{socket.gethostname()}-{os.getpid()}.tmp"
    paths = job.layout.part_paths(number)
    made = [path + mark for path in paths]
    try:
        entry = pool.build(job.config, job.vocabulary, job.shard, made, advance)
    except Exception:
        for path in made:
            corpus.remove(path)
        raise
    for path, final in zip(made, paths, strict=True):
        corpus.rename(path, final)
    manifest.write(
        job.layout.entry_path(number), {"made_from": job.made_from} | entry
    )
    return entry

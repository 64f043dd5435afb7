"""Random texts cut into shards hold the documents of the plain reader."""

import dataclasses
import gzip
import itertools
import math
import pathlib
import random
import types

import pytest

from data.building import shards
from tests import google_reference

PARTS = ("天", "a", "a ", "\n", "\n", "\n\n", "\u3000", "\r", "\u2028", "\x0b")
NUM_TEXTS = 500


@pytest.fixture(autouse=True)
def small_megabytes(monkeypatch):
    monkeypatch.setattr(shards, "_BYTES_A_MEGABYTE", 1)


class Words:
    def tokenize(self, text):
        return text.split()


def write(directory, rng):
    """Writes some random texts, plain and packed; returns their paths."""
    paths = []
    for number in range(rng.randint(1, 4)):
        size = rng.choice((0, 1, 5, 40, 100))
        text = "".join(rng.choices(PARTS, k=size)).encode()
        path = directory / f"{number}.txt"
        path.write_bytes(text)
        path.with_name(f"{number}.txt.gz").write_bytes(gzip.compress(text))
        paths.append(str(path))
    return paths


def documents_of(directory, shard):
    paths = []
    for number, (path, begin, end) in enumerate(shard.pieces):
        paths.append(str(directory / f"piece{number}"))
        text = pathlib.Path(path).read_bytes()[begin:end]
        pathlib.Path(paths[-1]).write_bytes(text)
    return google_reference.read_documents(paths, Words())


def bytes_of(shard):
    parts = [
        pathlib.Path(path).read_bytes()[begin:end]
        for path, begin, end in shard.pieces
    ]
    return b"".join(parts)


def test_no_document_is_cut_or_lost_and_no_shard_is_empty(tmp_path):
    num_cut = 0
    for seed in range(NUM_TEXTS):
        rng = random.Random(seed)
        paths = write(tmp_path, rng)
        config = types.SimpleNamespace(
            shard_megabytes=rng.choice((0, 1, 5, 20, 60, 1000)),
            random_seed=rng.randint(-5, 5),
            encoding="UTF-8",
        )
        found = shards.cut(config, paths)
        packed = shards.cut(config, [path + ".gz" for path in paths])
        for plain, other in zip(found, packed, strict=True):
            assert other == dataclasses.replace(
                plain,
                pieces=tuple(
                    piece._replace(path=piece.path + ".gz")
                    for piece in plain.pieces
                ),
            )
        whole = b"".join(pathlib.Path(path).read_bytes() for path in paths)
        assert b"".join(map(bytes_of, found)) == whole
        documents = [documents_of(tmp_path, shard) for shard in found]
        assert sum(documents, []) == (
            google_reference.read_documents(paths, Words())
        )
        assert all(documents[1:])
        total = sum(shard.num_bytes for shard in found)
        asked = math.ceil(total / (config.shard_megabytes or total or 1))
        for shard in found if total else []:
            assert shard.num_bytes >= total / (2 * asked)
        seeds = [config.random_seed + k for k in range(len(found))]
        assert [shard.seed for shard in found] == seeds
        num_cut += len(found) > 1
    assert num_cut > NUM_TEXTS / 4


def test_files_and_shards_are_shared_out_evenly():
    for numbers in itertools.product(range(1, 12), repeat=2):
        parts = shards.share_out(*numbers)
        assert parts == sorted(set(parts))
        assert len(parts) == max(numbers)
        for names, number in zip(
            zip(*parts, strict=True), numbers, strict=True
        ):
            assert list(names) == sorted(names)
            sizes = [names.count(name) for name in range(number)]
            assert min(sizes) >= 1
            assert max(sizes) - min(sizes) <= 1

"""How fast MinHash is, ours beside rensa and datasketch, and what each finds.

All get the same shingles and make as many values of each document: rensa from
numbers, and from strings as its users give them; datasketch from numbers. One
core each. Then each looks
for documents that are nearly an earlier one, and is compared with what a
comparison of all pairs says.

RAYON_NUM_THREADS=1 python -m benchmarks.duplicates_peers --corpus=a.txt.gz
"""

import importlib
import math
import os
import time

import numpy as np
from absl import app, flags

from benchmarks.exhaustive_jaccard import similar_pairs
from corpus.duplicates import minhash, near
from storage import inputs
from text import corpus

_CORPUS = flags.DEFINE_string(
    "corpus", None, "Comma list of texts with blank lines.", required=True
)
_THRESHOLD = flags.DEFINE_float("threshold", 0.6, "Of Jaccard similarity.")
_DOCUMENTS = flags.DEFINE_integer("documents", 12_000, "How many to take.")


class Peers:
    """Each way to find near duplicates, on the same documents."""

    def __init__(self, texts, threshold):
        self.texts = texts
        self.threshold = threshold
        self.sets = [np.unique(minhash.shingles(text)) for text in texts]
        self.bands = minhash.choose_bands(threshold)
        self.num_values = math.prod(self.bands)

    def ours(self):
        """Yields when signatures are made, then what goes."""
        signatures = minhash.signatures(self.texts, self.bands)
        yield
        is_kept = np.ones(len(self.texts), bool)
        yield near.find_near([signatures], is_kept, self.threshold) >= 0

    def datasketch(self):
        datasketch = importlib.import_module("datasketch")
        made = datasketch.MinHash.generator(
            [list(map(int, x)) for x in self.sets],
            num_perm=self.num_values,
            hashfunc=lambda x: x,
        )
        made = list(made)
        yield
        bands = self.bands
        lsh = datasketch.MinHashLSH(
            num_perm=self.num_values, params=(bands.num_bands, bands.num_rows)
        )
        goes = np.zeros(len(self.texts), bool)
        for i, one in enumerate(made):
            goes[i] = any(
                one.jaccard(made[j]) >= self.threshold for j in lsh.query(one)
            )
            if not goes[i]:
                lsh.insert(i, one)
        yield goes

    def rensa(self):
        """From our shingles, which are counted in; it finds none of these."""
        rensa = importlib.import_module("rensa").RMinHash
        shingles = list(map(minhash.shingles, self.texts))
        hashes = np.concatenate(shingles).astype(np.uint64)
        offsets = np.cumsum([0, *map(len, shingles)]).astype(np.uint64)
        rensa.digest_matrix_from_flat_token_hashes(
            hashes, offsets, self.num_values, 1
        )
        yield

    def rensa_strings(self):
        module = importlib.import_module("rensa")
        tokens = [[str(x) for x in one] for one in self.sets]
        # 42 is the only seed that its finder takes.
        made = module.RMinHash.from_token_sets(tokens, self.num_values, 42)
        yield
        finder = module.RMinHashDeduplicator(
            self.threshold, self.num_values, True, self.bands.num_bands
        )
        yield ~np.array([finder.add(str(i), x) for i, x in enumerate(made)])


def exhaustive(texts, threshold):
    """Returns what goes if all pairs are compared; bool [texts]."""
    goes = np.zeros(len(texts), bool)
    for later, earlier, _ in similar_pairs(texts, threshold):
        goes[later] |= not goes[earlier]
    return goes


def measure(steps):
    """Returns seconds of signatures and of the search, and what goes."""
    start = time.process_time()
    seconds = []
    goes = None
    for step in steps:
        now = time.process_time()
        seconds.append(now - start)
        goes = step
        start = time.process_time()
    return seconds, goes


def main(_):
    if os.environ.get("RAYON_NUM_THREADS") != "1":
        raise ValueError("set RAYON_NUM_THREADS=1, so that all have one core")
    found = {}
    for path in inputs.expand(_CORPUS.value):
        parts = (x.strip() for x in corpus.read(path).split("\n\n"))
        found |= dict.fromkeys(filter(None, parts))
    texts = [x for x in found if len(minhash.shingles(x)) > 10]
    texts = texts[:: max(1, len(texts) // _DOCUMENTS.value)]
    peers = Peers(texts, _THRESHOLD.value)
    wanted = exhaustive(texts, _THRESHOLD.value)
    megabytes = sum(len(text.encode()) for text in texts) / 1e6
    print(
        f"{len(texts):,} documents, {megabytes:.1f} MB, {peers.num_values} "
        f"values, {wanted.sum()} near duplicates by all pairs\n"
        f"{'':<16}{'signatures':>16}{'search':>12}  found   wrong"
    )
    measure(peers.ours())  # compiles
    for name in ("ours", "rensa", "rensa_strings", "datasketch"):
        try:
            seconds, goes = measure(getattr(peers, name)())
        except ImportError as error:
            print(f"{name:<16}{error}")
            continue
        line = f"{name:<16}{megabytes / seconds[0]:>11.1f} MB/s"
        if goes is not None:
            line += (
                f"{len(texts) / seconds[1]:>10,.0f}/s"
                f"{(goes & wanted).sum():>7}{(goes & ~wanted).sum():>8}"
            )
        print(line)


if __name__ == "__main__":
    app.run(main)

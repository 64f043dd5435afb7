"""Compares the documents of a whole corpus: copies, and lines of many.

read    exact copies go first: a text that is there ten times would make
        each of its lines one that ten documents have
        lines that many documents have go, but in the first
split   copies of what is left go, exact and near
"""

from collections.abc import Sequence

import numpy as np

from corpus.config import CorpusConfig
from corpus.duplicates import exact, lines, near
from corpus.layout import Layout
from corpus.shards import TextShard
from corpus.tally import NUM_SAMPLES, Count, Sample, Tally
from storage import file_io

_SAMPLE_BYTES = 600


class Comparison:
    """Which documents stay, of those that a stage has written.

    Args:
        stage: "read" or "split".
        texts: all shards, in order.
    """

    def __init__(
        self,
        config: CorpusConfig,
        layout: Layout,
        stage: str,
        texts: Sequence[TextShard],
    ):
        self._config = config
        self._layout = layout
        self._stage = stage
        self._keys = [text.key for text in texts]
        self.tally = Tally()
        sizes = self._arrays("sizes")
        self._starts = np.cumsum([0, *map(len, sizes)])
        self.is_kept = np.concatenate(sizes) > 0  # bool [documents]

    def by_shard(self) -> list[np.ndarray]:
        """`is_kept` of each shard."""
        return np.split(self.is_kept, self._starts[1:-1])

    def write_kept(self) -> None:
        """Writes which documents of each shard stay, for the next stage."""
        for key, is_kept in zip(self._keys, self.by_shard(), strict=True):
            self._layout.write_array("count", key, "is_kept", is_kept)

    def drop_exact(self) -> None:
        """Drops documents whose text an earlier one has."""
        if self._config.exact_duplicates:
            copies = exact.find_exact(self._arrays("digests"))
            self._drop(copies, "document_exact_duplicate")

    def drop_near(self) -> None:
        """Drops documents that are nearly an earlier one."""
        if self._config.near_duplicates:
            copies = near.find_near(
                self._arrays("signatures"),
                self.is_kept,
                self._config.near_duplicate_threshold,
            )
            self._drop(copies, "document_near_duplicate")

    def find_repeated(self) -> lines.Repeated:
        """Finds the lines that many of the documents that stay have."""
        found = []
        if self._config.repeated_line_documents:
            for key, is_kept in zip(self._keys, self.by_shard(), strict=True):
                counts = lines.count(
                    read_lines(self._layout, key), np.asarray(is_kept)
                )
                # On the disk: a corpus has many different lines.
                for name, array in counts._asdict().items():
                    self._layout.write_array("count", key, name, array)
                found.append(
                    lines.LineCounts(
                        *(
                            self._layout.read_array("count", key, name)
                            for name in counts._fields
                        )
                    )
                )
        limit = self._config.repeated_line_documents
        return lines.find_repeated(found, limit)

    def _arrays(self, name):
        return [
            self._layout.read_array(self._stage, key, name)
            for key in self._keys
        ]

    def _drop(self, copies, rule):
        """Drops copies; keeps some to look at, with what each is like."""
        copies[~self.is_kept] = -1
        self.is_kept &= copies == -1
        numbers = np.flatnonzero(copies >= 0)
        if not len(numbers):
            return
        chars = np.concatenate(self._arrays("chars"))[numbers]
        count = self.tally.counts.setdefault(rule, Count())
        count.num, count.num_chars = len(numbers), int(chars.sum())
        # From the whole corpus, one from each stretch of it.
        places = np.linspace(0, len(numbers) - 1, NUM_SAMPLES).astype(int)
        for rank, place in enumerate(dict.fromkeys(places.tolist())):
            number = numbers[place]
            source = f"{self._source(number)} = {self._source(copies[number])}"
            count.samples.append(Sample(rank, source, self._text(number)))

    def _place(self, number):
        """The shard of a document, and its number there."""
        i = int(np.searchsorted(self._starts, number, side="right")) - 1
        return self._keys[i], int(number - self._starts[i])

    def _source(self, number):
        key, place = self._place(number)
        path = self._layout.part("read", key, "sources")
        return file_io.read_bytes(path).decode().split("\n")[place]

    def _text(self, number):
        """How a document begins."""
        key, place = self._place(number)
        sizes = self._layout.read_array(self._stage, key, "sizes")
        size = min(int(sizes[place]), _SAMPLE_BYTES)
        path = self._layout.part(self._stage, key, "txt")
        with file_io.open_binary(path) as file:
            file.seek(int(sizes[:place].sum()))
            return file.read(size).decode("utf-8", "ignore").strip()


def write_lines(layout: Layout, key: str, texts: Sequence[str]) -> None:
    """Writes the hashes of the lines of a shard's documents."""
    for name, array in lines.hash_lines(texts)._asdict().items():
        layout.write_array("read", key, name, array)


def read_lines(layout: Layout, key: str) -> lines.LineHashes:
    """Returns what `write_lines` wrote."""
    fields = lines.LineHashes._fields
    arrays = (np.asarray(layout.read_array("read", key, x)) for x in fields)
    return lines.LineHashes(*arrays)

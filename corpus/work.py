"""Does what a worker does with a shard, in each of three stages.

    read    raw files -> documents, cleaned, a paragraph a line
    split   documents -> sentences, without the lines that others have, too
    write   sentences -> a file of the corpus, without documents that are copies

Between the stages all shards are compared; see `corpus.prepare`.
"""

import dataclasses
import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from corpus import copies, statistics
from corpus.cleaning.cleaner import Cleaner
from corpus.config import CorpusConfig
from corpus.document import Document, num_chars
from corpus.duplicates import exact, lines, minhash
from corpus.layout import Layout
from corpus.reading.pieces import Piece
from corpus.reading.reader import read
from corpus.sentences import Splitter
from corpus.shards import CorpusFile, RawShard, TextShard
from corpus.statistics import Sizes
from corpus.tally import Tally
from jobs.progress import Advance
from storage import file_io
from text.corpus import Source
from text.tokenization import Tokenizer
from text.vocab import Vocabulary

NUM_FREQUENT_LINES = 50  # for the report
_BYTES_A_MEGABYTE = 1_000_000
_BLOCK_BYTES = 1 << 22
_DOCUMENT_END = "\n\n"


@dataclasses.dataclass
class ReadEntry:
    """What was read of a raw shard, and what cleaning left of it."""

    sources: list[Source]
    num_documents: int = 0  # As they were read.
    num_chars: int = 0
    parts: list[int] = dataclasses.field(default_factory=list)  # Their bytes.
    languages: dict[str, int] = dataclasses.field(default_factory=dict)
    tally: dict[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class SplitEntry:
    """What splitting found."""

    num_bytes: int
    frequent_lines: dict[str, str]  # {hash: text} of those that begin here
    tally: dict[str, Any]


@dataclasses.dataclass
class FileEntry:
    """What a file of the corpus holds."""

    sizes: Sizes
    sha256: str


@dataclasses.dataclass(frozen=True)
class Work:
    """What is the same for all shards; sent to a worker once."""

    config: CorpusConfig
    layout: Layout
    made_from: str  # A hash of all that decides on the stage's result.
    repeated: lines.Repeated | None = None
    vocabulary: Vocabulary | None = None

    def describe(self, shard: RawShard, advance: Advance) -> list[Source]:
        """Returns the bytes and sha256 of the raw pieces of a shard."""
        found = [_describe(piece, advance) for piece in shard.pieces]
        ours = self.layout.standard_input
        return [
            dataclasses.replace(x, name="-") if x.name == ours else x
            for x in found
        ]

    def read_shard(self, shard: RawShard, advance: Advance) -> ReadEntry:
        """Reads and cleans raw files."""
        entry = ReadEntry(self.describe(shard, lambda _: None))
        tally = Tally()
        cleaned = self._cleaned(shard, entry, tally, advance)
        limit = self.config.shard_megabytes * _BYTES_A_MEGABYTE
        for block in _blocks(cleaned, limit):
            key = f"{shard.key}-{len(entry.parts):03}"
            entry.parts.append(self._write_documents(key, block))
        entry.tally = tally.plain()
        self.layout.write_entry("read", shard.key, self.made_from, entry)
        return entry

    def _cleaned(self, shard, entry, tally, advance) -> Iterator[Document]:
        cleaner = Cleaner(self.config)
        for piece in shard.pieces:
            for document in read(piece, self.config, tally, advance):
                entry.num_documents += 1
                entry.num_chars += num_chars(document.text)
                text = cleaner.clean(document, tally)
                if text:
                    yield document._replace(text=text)
        entry.languages = cleaner.languages

    def _write_documents(self, key, documents) -> int:
        """Writes cleaned documents and what is compared; returns the bytes."""
        texts = [document.text for document in documents]
        num_bytes = self._write_texts("read", key, texts)
        sources = [document.source.replace("\n", " ") for document in documents]
        path = self.layout.part("read", key, "sources")
        file_io.write_lines(path, sources)
        digests = exact.digests(texts)
        self.layout.write_array("read", key, "digests", digests)
        chars = np.array(list(map(num_chars, texts)), np.int64)
        self.layout.write_array("read", key, "chars", chars)
        if self.config.repeated_line_documents:
            copies.write_lines(self.layout, key, texts)
        return num_bytes

    def _write_texts(self, stage, key, texts):
        """Returns how many bytes they take."""
        encoded = [
            (text + _DOCUMENT_END).encode() if text else b"" for text in texts
        ]
        sizes = np.array([len(data) for data in encoded], np.int64)
        self.layout.write_array(stage, key, "sizes", sizes)
        data = b"".join(encoded)
        file_io.write_whole(self.layout.part(stage, key, "txt"), data)
        return len(data)

    def documents(self, key: str) -> list[Document]:
        """Returns the cleaned documents of a text shard."""
        data = file_io.read_bytes(self.layout.part("read", key, "txt"))
        texts = data.decode().split(_DOCUMENT_END)[:-1]
        return list(map(Document, self.sources(key), texts))

    def sources(self, key: str) -> list[str]:
        """Returns where the documents of a text shard come from."""
        data = file_io.read_bytes(self.layout.part("read", key, "sources"))
        return data.decode().split("\n")[:-1]

    def split_shard(self, shard: TextShard, advance: Advance) -> SplitEntry:
        """Drops lines that earlier documents have, and splits sentences."""
        tally = Tally()
        documents, frequent = self._shortened(shard, tally)
        texts = [document.text for document in documents]
        self._write_comparable(shard.key, texts)
        splitter = Splitter(self.config)
        for i, document in enumerate(documents):
            texts[i] = "\n".join(splitter.split_document(document, tally))
            advance(shard.num_bytes / len(documents))
        num_bytes = self._write_texts("split", shard.key, texts)
        entry = SplitEntry(num_bytes, frequent, tally.plain())
        self.layout.write_entry("split", shard.key, self.made_from, entry)
        return entry

    def _shortened(self, shard, tally):
        """Returns the documents that stay, and lines for the report.

        Writes how many characters each has, by which copies are counted.

        Those that go have no text, so that all keep their numbers.
        """
        documents = self.documents(shard.key)
        is_kept = self.layout.read_array("count", shard.key, "is_kept")
        frequent: dict[str, str] = {}
        if self.repeated is not None and len(self.repeated.hashes):
            hashes = copies.read_lines(self.layout, shard.key)
            dropped = lines.repeats(
                self.repeated, shard.number, hashes, np.asarray(is_kept)
            )
            frequent = self._frequent_lines(documents, hashes, dropped)
            documents = list(lines.without(documents, hashes, dropped, tally))
        chars = np.zeros(len(documents), np.int64)
        for i, document in enumerate(documents):
            source, text = document
            if is_kept[i]:
                chars[i] = num_chars(text)
            is_short = chars[i] < self.config.min_document_chars
            if is_kept[i] and is_short:
                tally.note("document_short", text, source, int(chars[i]))
            if not is_kept[i] or is_short:
                documents[i], chars[i] = Document(source, ""), 0
        self.layout.write_array("split", shard.key, "chars", chars)
        return documents, frequent

    def _write_comparable(self, key, texts):
        """Writes what copies are found by."""
        if self.config.exact_duplicates:
            digests = exact.digests(texts)
            self.layout.write_array("split", key, "digests", digests)
        if self.config.near_duplicates:
            threshold = self.config.near_duplicate_threshold
            bands = minhash.choose_bands(threshold)
            signatures = minhash.signatures(texts, bands)
            self.layout.write_array("split", key, "signatures", signatures)

    def _frequent_lines(self, documents, hashes, dropped):
        """{hash: text} of lines for the report that stay in this shard."""
        order = np.argsort(-self.repeated.documents, kind="stable")
        wanted = self.repeated.hashes[order[:NUM_FREQUENT_LINES]]
        found = {}
        for place in np.flatnonzero(np.isin(hashes.hashes, wanted) & ~dropped):
            owner = np.searchsorted(hashes.starts, place, side="right") - 1
            text = documents[owner].text.split("\n")
            line = text[place - hashes.starts[owner]]
            found.setdefault(str(hashes.hashes[place]), line)
        return found

    @property
    def unk(self) -> int:
        """The id of [UNK]."""
        return self.vocabulary.roles.unk if self.vocabulary else 0

    def tokenizer(self) -> Tokenizer | None:
        """What counts tokens, where there is a vocabulary."""
        if self.vocabulary is None:
            return None
        return statistics.tokenizer(
            self.vocabulary,
            self.config.do_lower_case,
            simplify=self.config.t2s,
        )

    def write_file(self, job: CorpusFile, advance: Advance) -> FileEntry:
        """Writes a file of the corpus, and counts what is in it."""
        counter = statistics.Counter(self.tokenizer(), self.unk)
        digest = hashlib.sha256()
        with file_io.whole(self.layout.part("write", job.key, "txt")) as out:
            for run in job.runs:
                for data in self._chosen(run.key, run.documents):
                    out.write(data)
                    digest.update(data)
                    counter.count(data.decode())
                    advance(len(data))
        counter.sizes.num_bytes = job.num_bytes
        codes = np.flatnonzero(counter.codes)
        table = np.stack([codes, counter.codes[codes]])
        self.layout.write_array("write", job.key, "characters", table)
        entry = FileEntry(counter.sizes, digest.hexdigest())
        self.layout.write_entry("write", job.key, self.made_from, entry)
        return entry

    def _chosen(self, key, documents) -> Iterator[bytes]:
        """Yields the bytes of chosen documents of a text shard, in blocks."""
        sizes = self.layout.read_array("split", key, "sizes")
        ends = np.cumsum(sizes)
        data = file_io.read_bytes(self.layout.part("split", key, "txt"))
        block: list[bytes] = []
        size = 0
        for number in documents:
            block.append(data[ends[number] - sizes[number] : ends[number]])
            size += len(block[-1])
            if size > _BLOCK_BYTES:
                yield b"".join(block)
                block, size = [], 0
        if block:
            yield b"".join(block)


def _describe(piece: Piece, advance: Advance) -> Source:
    digest = hashlib.sha256()
    left = piece.end - piece.begin
    with file_io.open_binary(piece.path) as file:
        file.seek(piece.begin)
        while left and (data := file.read(min(left, _BLOCK_BYTES))):
            digest.update(data)
            left -= len(data)
            advance(len(data))
    num_bytes = piece.end - piece.begin - left
    return Source(piece.path, num_bytes, digest.hexdigest())


def _blocks(
    documents: Iterable[Document], limit: int
) -> Iterator[list[Document]]:
    """Yields documents in order, about as much text at a time as fits."""
    block: list[Document] = []
    size = 0
    for document in documents:
        block.append(document)
        size += 3 * len(document.text)  # Chinese characters have three bytes.
        if size > limit:
            yield block
            block, size = [], 0
    if block:
        yield block

"""Does the whole job of prepare_corpus: raw files to a corpus.

raw files --read--> documents       each worker a shard
                       |
           repeated lines, over all shards      here
                       v
          --split--> sentences      each worker a shard
                       |
           duplicates, over all shards          here
                       v
          --write--> files          each worker a file
"""

import dataclasses
import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
from absl import logging

from corpus import publishing, shards, summary
from corpus.cleaning.config import CleaningSettings
from corpus.config import CorpusConfig
from corpus.copies import Comparison
from corpus.duplicates.config import DuplicatesSettings
from corpus.layout import HELDOUT, TRAINING, Layout, fingerprint
from corpus.manifest import Manifest
from corpus.reading.config import ReadingSettings
from corpus.sentences import SentenceSettings
from corpus.shards import RawShard, TextShard
from corpus.work import FileEntry, ReadEntry, SplitEntry, Work
from jobs import engines
from storage import file_io, inputs, lock
from text import case, vocabularies

T = TypeVar("T")

_BLOCK_BYTES = 1 << 22


def prepare(config: CorpusConfig) -> Manifest:
    """Prepares the corpus that `config` asks for, as far as it is not there.

    Raises:
        ValueError, OSError: the flags or the files are wrong, a corpus of
            other flags is in the way, or another process is at work.
    """
    start = time.monotonic()
    layout = Layout(config.output_dir)
    vocabulary = None
    if config.vocabulary_path:
        vocabulary = vocabularies.load(config)
        case.check(vocabulary, config.do_lower_case)
    file_io.check_output_directory(config.output_dir, "output_dir")
    with lock.hold([os.path.join(config.output_dir, "corpus")], "prepared"):
        paths = _paths(config, layout)
        pieces = shards.cut(config, paths)
        found = publishing.finished(config, layout)
        flags = _flags(config, vocabulary)
        is_same = found is not None and _is_of(
            config, layout, pieces, found, flags
        )
        if found is not None and is_same:
            file_io.remove_tree(layout.folder)
            logging.info("%s: already prepared", config.output_dir)
            return found
        publishing.check_free(config, layout, found)
        result = _prepare(config, layout, pieces, len(paths), vocabulary, flags)
    seconds = time.monotonic() - start
    print(summary.table(result, seconds, engines.peak_bytes()))
    for warning, _ in summary.warnings(result):
        logging.warning("%s", warning)
    return result


def _paths(config, layout):
    """The raw files; standard input is copied to one."""
    if config.reads_standard_input:
        file_io.make_directory(layout.folder)
        with file_io.whole(layout.standard_input) as out:
            while data := sys.stdin.buffer.read(_BLOCK_BYTES):
                out.write(data)
    named = config.named_inputs
    paths = (
        inputs.expand_items(named, "input_file", is_raw=True) if named else []
    )
    output = os.path.join(lock.canonical_file(config.output_dir), "")
    for path in paths:
        if lock.canonical_file(path).startswith(output):
            raise ValueError(
                f"--output_dir={config.output_dir} has {path}, which "
                "--input_file names; write the corpus to another folder"
            )
    if config.reads_standard_input:
        paths.append(layout.standard_input)
    return paths


def _is_of(config, layout, pieces, found, flags):
    """Whether a corpus was made of these files, by these flags."""
    if found.flags != flags:
        return False
    sizes = [source.num_bytes for source in found.sources]
    if sizes != [x.end - x.begin for shard in pieces for x in shard.pieces]:
        return False
    work = Work(config, layout, "")
    described = engines.run_all(
        config, "comparing the files", work.describe, pieces
    )
    hashes = [source.sha256 for source in found.sources]
    return hashes == [source.sha256 for some in described for source in some]


def _flags(config, vocabulary):
    """The flags that decide on the corpus."""
    flags = config.deciding("result", "rows", "reading")
    # By the hash alone, of whichever kind it is.
    flags["vocab_file"] = vocabulary.sha256 if vocabulary else None
    return flags | _contents(config, "bad_words_file")


def _contents(config, *names):
    """{flag: sha256 of the file that it names, or None}."""
    paths = {name: getattr(config, name) for name in names}
    return {
        name: file_io.sha256(path) if path else None
        for name, path in paths.items()
    }


def _prepare(config, layout, pieces, num_files, vocabulary, flags):
    """Prepares what is missing; returns the manifest."""
    file_io.make_directory(layout.folder)
    read_by = _values(config, ReadingSettings, CleaningSettings)
    read_by |= _contents(config, "bad_words_file")
    read_by |= {"shard_megabytes": config.shard_megabytes}
    reading = Work(config, layout, fingerprint("read", read_by))
    reads = _read(reading, pieces)
    texts = _text_shards(pieces, reads)

    whole = Comparison(config, layout, "read", texts)
    whole.drop_exact()
    whole.write_kept()
    repeated = whole.find_repeated()
    sources = [source for entry in reads for source in entry.sources]
    split_by = _values(config, SentenceSettings, DuplicatesSettings)
    made_from = fingerprint(reading.made_from, sources, split_by)
    splitting = Work(config, layout, made_from, repeated=repeated)
    splits = _stage(
        splitting, "split", texts, splitting.split_shard, SplitEntry
    )

    rest = Comparison(config, layout, "split", texts)
    rest.drop_exact()
    rest.drop_near()
    files = _deal(config, layout, texts, rest.by_shard())
    made_from = fingerprint(made_from, flags)
    writing = Work(config, layout, made_from, vocabulary=vocabulary)
    writes = _stage(writing, "write", files, writing.write_file, FileEntry)

    found = summary.Found(
        num_files,
        reads,
        repeated,
        splits,
        [whole.tally, rest.tally],
        list(zip(files, writes, strict=True)),
    )
    result = summary.describe(writing, flags, found)
    publishing.publish(layout, files, result)
    return result


def _text_shards(pieces, reads):
    """The shards of cleaned documents, of which a raw one may have several."""
    keys = [
        (f"{piece.key}-{part:03}", num_bytes)
        for piece, entry in zip(pieces, reads, strict=True)
        for part, num_bytes in enumerate(entry.parts)
    ]
    if not keys:
        raise ValueError(summary.nothing_left(reads))
    return [TextShard(*key, number) for number, key in enumerate(keys)]


def _values(config, *kinds):
    """{name: value} of the settings of some groups."""
    names = {x.name for kind in kinds for x in dataclasses.fields(kind)}
    return {name: getattr(config, name) for name in sorted(names)}


def _read(work: Work, pieces: Sequence[RawShard]) -> list[ReadEntry]:
    """Reads the shards that are not read yet, or whose files have changed."""
    found = [(x, _entry(work, "read", x, ReadEntry)) for x in pieces]
    done = [(piece, entry) for piece, entry in found if entry]
    described = engines.run_all(
        work.config,
        "comparing the files",
        work.describe,
        [piece for piece, _ in done],
    )
    for (piece, entry), sources in zip(done, described, strict=True):
        if entry.sources != sources:
            file_io.remove(work.layout.part("read", piece.key, "json"))
    return _stage(work, "read", pieces, work.read_shard, ReadEntry)


def _entry(work: Work, stage: str, job: Any, kind: type[T]) -> T | None:
    return work.layout.read_entry(stage, job.key, work.made_from, kind)


def _stage(
    work: Work,
    stage: str,
    jobs: Sequence,
    function: Callable,
    kind: type[T],
) -> list[T]:
    """Runs the jobs of a stage that are not done; returns all entries."""
    entries = {}
    for job in jobs:
        if entry := _entry(work, stage, job, kind):
            entries[job.key] = entry
    missing = [job for job in jobs if job.key not in entries]
    if missing and len(missing) < len(jobs):
        logging.info(
            "%s: %d of %d shards are done already",
            stage,
            len(jobs) - len(missing),
            len(jobs),
        )
    titles = {"read": "reading", "split": "splitting", "write": "writing"}
    made = engines.run_all(work.config, titles[stage], function, missing)
    entries |= {job.key: x for job, x in zip(missing, made, strict=True)}
    return [entries[job.key] for job in jobs]


def _deal(config, layout, texts, kept):
    """Deals the documents that are kept out to the files of the corpus."""
    keys = [text.key for text in texts]
    sizes = [layout.read_array("split", key, "sizes") for key in keys]
    held = [_is_held_out(config, layout, key) for key in keys]
    training = shards.deal(
        config,
        keys,
        sizes,
        [a & ~b for a, b in zip(kept, held, strict=True)],
        TRAINING,
        0,
    )
    heldout = shards.deal(
        config,
        keys,
        sizes,
        [a & b for a, b in zip(kept, held, strict=True)],
        HELDOUT,
        len(training),
    )
    return training + heldout


def _is_held_out(config, layout, key):
    """Whether documents are held out: bool [documents], by their own hash."""
    digests = layout.read_array("read", key, "digests")
    # Of the text before lines are dropped, which depends on other documents.
    return digests[:, 0] < np.uint64(int(config.heldout_share * 2**64))

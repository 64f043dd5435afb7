"""Builds one shard, from text to records.

Read, draw, shuffle, write: google-research/bert's create_pretraining_data, for
the text and the seed of one shard. Random segments come from the same shard.
"""

import bisect
import functools
import gzip
import os
from collections.abc import Sequence

import numpy as np

from data import token_counts
from data.building import (
    advice,
    documents,
    duplicates,
    instances,
    joined,
    losses,
    masking,
    mersenne,
    packing,
    recipes,
    shards,
    statistics,
)
from data.building.encoder import Encoder
from data.config import BuildConfig
from data.manifest import FileSize, Shard
from jobs.progress import Advance
from storage import file_io
from text import tokenization
from text.vocab import Vocabulary

_TOKENS_A_CALL = 1 << 19
_RECORDS_A_CALL = 1024
# Recipes are kept in memory up to the bytes of the text and these.
_RECIPES_BYTES = 64 << 20
# The shares of the time that the stages take, for the progress.
_READING, _DRAWING, _WRITING = 0.15, 0.35, 0.5


def build(
    config: BuildConfig,
    vocabulary: Vocabulary,
    shard: shards.Shard,
    paths: Sequence[str],
    advance: Advance,
) -> Shard:
    """Builds the records of a shard.

    Args:
        config: the flags.
        vocabulary: that of --vocab_file.
        shard: its text and its seed.
        paths: the files to write, local or remote; the records go round robin
            over them.
        advance: is told how much is done, in bytes of the text.

    Returns:
        What the manifest says of the shard.

    Raises:
        ValueError: the text is wrong or nothing could be made of it.
    """
    docs = _read(config, vocabulary, shard, advance)
    rules = _rules(config, vocabulary)
    store = recipes.Store(
        recipes.num_words(
            config.max_predictions_per_seq * rules.is_masked, len(vocabulary)
        ),
        shard.num_bytes + _RECIPES_BYTES,
        _scratch_directory(paths),
    )
    state = mersenne.state(shard.seed)
    progress = _Share(advance, shard.num_bytes * _DRAWING)
    sizes: list[np.ndarray] = []
    text = docs.corpus
    num_duplicates, hashes = duplicates.find(text)
    num_special = vocabulary.layout.num_special(config.pair_task != "none")
    longest = None  # Where a long sentence goes on in the next sequence.
    if config.pair_task != "none":
        longest = config.max_seq_length - num_special
    counts = statistics.of_corpus(text, vocabulary.roles.unk, longest)
    words = token_counts.count(text.ids, len(vocabulary))
    if config.fill_sequences == "corpus":
        text = docs.corpus = joined.join(text, rules.sep_id)
    total = statistics.add(
        [
            counts,
            {"num_duplicate_documents": num_duplicates},
            *_draw(
                config, text, rules, state, store, sizes, progress, num_special
            ),
        ]
    )
    if not len(store):
        raise ValueError(advice.no_pair(config, shard.pieces[0].path, total))
    # The recipes stay where they are: their numbers are shuffled.
    order = np.arange(len(store), dtype=np.uint32)
    mersenne.shuffle(state, order)
    progress = _Share(advance, shard.num_bytes * _WRITING)
    encoder = Encoder(text, rules, config.pack_sequences)
    order, starts, ends = _deal(config, order, sizes, len(paths), state)
    parts = _write(config, encoder, store, order, starts, ends, paths, progress)
    if config.pack_sequences:
        num_records = sum(part.num_records for part in parts)
        total = statistics.packed(total, num_records)
    return Shard(
        shard.seed,
        docs.inputs,
        docs.open_ended,
        parts,
        total,
        docs.longest_line,
        statistics.of_characters(docs.unknown),
        hashes,
        words,
    )


# A worker compiles the vocabulary once, however many shards it builds.
_tokenizer = functools.lru_cache(maxsize=1)(tokenization.Tokenizer)


def _read(config, vocabulary, shard, advance):
    tokenizer = _tokenizer(
        vocabulary,
        config.do_lower_case,
        config.word_segmenter,
        simplify=config.t2s,
    )
    num_bytes = shard.num_bytes  # The sum of many pieces.
    progress = _Share(advance, num_bytes * _READING)
    return documents.read(
        shard.pieces,
        tokenizer,
        with_words=config.do_whole_word_mask or config.masking == "dynamic",
        id_type=np.uint16 if len(vocabulary) <= 1 << 16 else np.int32,
        encoding=config.encoding,
        advance=lambda count: progress(count, num_bytes),
    )


def _rules(config, vocabulary):
    return instances.Rules(
        config.max_seq_length,
        config.short_seq_prob,
        instances.PAIR_TASKS[config.pair_task],
        config.fill_sequences != "no",
        config.masking == "static",
        np.int32(vocabulary.roles.cls),
        np.int32(vocabulary.roles.sep),
        np.int32(vocabulary.padding_id),
        *vocabulary.layout,
        masking.make(config, vocabulary),
    )


class _Share:
    """Turns a stage's own progress into its share of the shard's bytes."""

    def __init__(self, advance: Advance, num_bytes: float):
        self._advance = advance
        self._num_bytes = num_bytes

    def __call__(self, count: int, total: int) -> None:
        self._advance(self._num_bytes * count / max(total, 1))


def _scratch_directory(paths):
    """A folder on a local disk, beside the records if they are local."""
    if file_io.is_remote(paths[0]):
        return None
    return os.path.dirname(paths[0]) or "."


def _draw(config, text, rules, state, store, sizes, progress, num_special):
    """Draws all instances into `store`; yields their counts.

    Where they are to be packed, their sizes are added to the list `sizes`.
    """
    num_documents = len(text.documents) - 1
    order = np.arange(num_documents)
    mersenne.shuffle(state, order)
    blocks = _blocks(text, order)
    rows = np.empty((1024, store.num_words), np.uint16)
    marks = losses.no_marks(len(text.ids))
    if config.fill_sequences == "corpus":
        joined.mark(text, rules.sep_id, marks)
    total = num_documents * config.dupe_factor
    for _ in range(config.dupe_factor):
        for first, last in zip(blocks, blocks[1:], strict=False):
            rows, size = instances.draw(
                text, order, first, last, rules, state, rows, marks
            )
            store.append(rows[:size])
            if config.pack_sequences:
                sizes.append(recipes.sizes(rows[:size], num_special))
            yield statistics.of_recipes(rows[:size], num_special)
            progress(last - first, total)
    yield losses.counts(marks, len(text.ids))


def _blocks(text, order):
    """Cuts `order` where about as many tokens as a call takes are reached."""
    starts = text.sentences[text.documents]
    ends = np.cumsum(np.diff(starts)[order])
    cuts = np.arange(0, ends[-1], _TOKENS_A_CALL)
    return np.unique([*np.searchsorted(ends, cuts), len(order)])


def _write(config, encoder, store, order, starts, ends, paths, progress):
    """Writes the records; returns what is in each file."""
    blocks = _encoded(encoder, store, order, starts, ends)
    counts = np.diff(ends, prepend=0).tolist()
    for path, count in zip(paths, counts, strict=True):
        # TensorFlow's files take nothing but bytes.
        part = bytes if file_io.is_remote(path) else memoryview
        with file_io.open_new(path) as raw:
            # Gzip would write the name and the time: without them the same
            # records have the same bytes.
            out = raw
            if config.gzip_compress:
                out = gzip.GzipFile("", "wb", fileobj=raw, mtime=0)
            left = count
            while left:
                num_records, block = next(blocks)
                out.write(part(block))
                progress(num_records, ends[-1])
                left -= num_records
            if out is not raw:
                out.close()
        file_io.sync(path)
    return [
        FileSize(count, file_io.num_bytes(path))
        for path, count in zip(paths, counts, strict=True)
    ]


def _deal(config, order, sizes, num_files, state):
    """Deals the instances out to the files and, there, to records.

    Args:
        order: uint32 [instances]: as they are shuffled.
        sizes: a list of `recipes.sizes`; empty if there is nothing to pack.
        num_files: how many files there are.
        state: the generator, see `mersenne`; it moves on.

    Returns:
        (order, starts, ends): the instances file by file; where in `order` each
        record begins, and the end; how many records there are up to the end of
        each file.
    """
    # Round robin, as google-research/bert deals them out.
    files = [order[first::num_files] for first in range(num_files)]
    ends = np.cumsum([len(file) for file in files])
    if num_files > 1:
        order = np.concatenate(files)
    if not sizes:
        return order, range(len(order) + 1), ends
    sizes = np.concatenate(sizes)
    limits = (
        config.max_seq_length,
        config.max_predictions_per_seq,
        config.pack_sequences,
    )
    counts = [
        packing.pack(file, sizes, limits, state)
        for file in np.split(order, ends[:-1])
    ]
    starts = np.cumsum(np.concatenate([[0], *counts]), dtype=np.uint32)
    return order, starts, np.cumsum([len(file) for file in counts])


def _encoded(encoder, store, order, starts, ends):
    """Yields (num_records, bytes) of all records; no block goes past an end."""
    first = 0
    for rows, chosen in store.in_order(order, starts):
        origin = int(starts[first])
        end = bisect.bisect_left(starts, origin + len(chosen))
        while first < end:
            last = min(
                first + _RECORDS_A_CALL,
                end,
                int(ends[np.searchsorted(ends, first, side="right")]),
            )
            places = np.array(starts[first : last + 1], np.int64) - origin
            block = chosen[places[0] : places[-1]]
            yield last - first, encoder.encode(rows, block, np.diff(places))
            first = last

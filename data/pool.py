"""One shard from text to records: the pool that its random segments are from.

Read, draw, shuffle, write: google-research/bert's create_pretraining_data, for
the text and the seed of one shard.
"""

import gzip
import os

import numpy as np

from data import documents, instances, masking, mersenne, statistics
from data.encoder import Encoder
from data.recipes import Store, num_words
from text import corpus, tokenization

_TOKENS_A_CALL = 1 << 19
_RECORDS_A_CALL = 1024
# Recipes are kept in memory up to the bytes of the text and these.
_RECIPES_BYTES = 64 << 20
# How the time is shared by the stages, for the progress.
_READING, _DRAWING, _WRITING = 0.15, 0.35, 0.5


def build(config, vocabulary, shard, paths, advance):
    """Builds the records of a shard.

    Args:
        config: a `data.config.BuildConfig`.
        vocabulary: a `text.vocab.Vocabulary`.
        shard: a `shards.Shard`.
        paths: the files to write, local or remote; the records go round robin
            over them.
        advance: is told how much is done, in bytes of the text.

    Returns:
        {"seed", "inputs" and "open_ended" (see `documents.Documents`),
        "parts": [{"num_records", "num_bytes"}] of `paths`, "counts" (see
        `statistics`)}.

    Raises:
        ValueError: the text is wrong or nothing could be made of it.
    """
    docs = _read(config, vocabulary, shard, advance)
    rules = _rules(config, vocabulary)
    store = Store(
        num_words(
            config.max_predictions_per_seq * rules.is_masked, len(vocabulary)
        ),
        shard.num_bytes + _RECIPES_BYTES,
        _scratch_directory(paths),
    )
    state = mersenne.state(shard.seed)
    progress = _Share(advance, shard.num_bytes * _DRAWING)
    counts = [
        statistics.of_corpus(docs.corpus, vocabulary.ids["[UNK]"]),
        *_draw(config, docs.corpus, rules, state, store, progress),
    ]
    if not len(store):
        raise ValueError(
            f"--pair_task={config.pair_task}: no document of "
            f"{shard.pieces[0].path} has two sentences; one sentence a line "
            "and blank lines between documents only"
        )
    order = np.arange(len(store), dtype=np.uint32)
    mersenne.shuffle(state, order)
    progress = _Share(advance, shard.num_bytes * _WRITING)
    return {
        "seed": shard.seed,
        "inputs": docs.inputs,
        "open_ended": docs.open_ended,
        "parts": _write(
            config, docs.corpus, rules, store, order, paths, progress
        ),
        "counts": statistics.add(counts),
    }


def _read(config, vocabulary, shard, advance):
    tokenizer = tokenization.Tokenizer(
        vocabulary, config.do_lower_case, config.word_segmenter
    )
    progress = _Share(advance, shard.num_bytes * _READING)
    return documents.read(
        shard.pieces,
        tokenizer,
        convert_t2s=config.t2s,
        with_words=config.do_whole_word_mask or config.masking == "dynamic",
        id_type=np.uint16 if len(vocabulary) <= 1 << 16 else np.int32,
        advance=lambda num_bytes: progress(num_bytes, shard.num_bytes),
    )


def _rules(config, vocabulary):
    return instances.Rules(
        config.max_seq_length,
        config.short_seq_prob,
        instances.PAIR_TASKS[config.pair_task],
        config.masking == "static",
        np.int32(vocabulary.ids["[CLS]"]),
        np.int32(vocabulary.ids["[SEP]"]),
        masking.make(config, vocabulary),
    )


class _Share:
    """Turns a stage's own progress into its share of the shard's bytes."""

    def __init__(self, advance, num_bytes):
        self._advance = advance
        self._num_bytes = num_bytes

    def __call__(self, count, total):
        self._advance(self._num_bytes * count / max(total, 1))


def _scratch_directory(paths):
    """A folder on a local disk, beside the records if they are local."""
    if corpus.is_remote(paths[0]):
        return None
    return os.path.dirname(paths[0]) or "."


def _draw(config, text, rules, state, store, progress):
    """Draws all instances into `store`; yields their counts."""
    num_special = 2 if rules.pair_task == instances.NONE else 3
    num_documents = len(text.documents) - 1
    order = np.arange(num_documents)
    mersenne.shuffle(state, order)
    blocks = _blocks(text, order)
    rows = np.empty((1024, store.num_words), np.uint16)
    total = num_documents * config.dupe_factor
    for _ in range(config.dupe_factor):
        for first, last in zip(blocks, blocks[1:], strict=False):
            rows, size = instances.draw(
                text, order, first, last, rules, state, rows
            )
            store.append(rows[:size])
            yield statistics.of_recipes(rows[:size], num_special)
            progress(last - first, total)


def _blocks(text, order):
    """Cuts `order` where about as many tokens as a call takes are reached."""
    starts = text.sentences[text.documents]
    ends = np.cumsum(np.diff(starts)[order])
    cuts = np.arange(0, ends[-1], _TOKENS_A_CALL)
    return np.unique([*np.searchsorted(ends, cuts), len(order)])


def _write(config, text, rules, store, order, paths, progress):
    """Writes the records; returns what is in each file."""
    num_files = len(paths)
    sizes = [len(order[first::num_files]) for first in range(num_files)]
    if num_files > 1:
        order = np.concatenate([order[k::num_files] for k in range(num_files)])
    encoder = Encoder(text, rules)
    blocks = _encoded(encoder, store, order, np.cumsum(sizes))
    for path, size in zip(paths, sizes, strict=True):
        # TensorFlow's files take nothing but bytes.
        part = bytes if corpus.is_remote(path) else memoryview
        with corpus.open_binary(path, "wb") as raw:
            # No name and no time inside: the same records, the same bytes.
            out = raw
            if config.gzip_compress:
                out = gzip.GzipFile("", "wb", fileobj=raw, mtime=0)
            left = size
            while left:
                num_records, block = next(blocks)
                out.write(part(block))
                progress(num_records, len(order))
                left -= num_records
            if out is not raw:
                out.close()
    return [
        {"num_records": size, "num_bytes": corpus.num_bytes(path)}
        for path, size in zip(paths, sizes, strict=True)
    ]


def _encoded(encoder, store, order, ends):
    """Yields (num_records, bytes) of all records; no block goes past an end."""
    place = 0
    for rows, chosen in store.in_order(order):
        first = 0
        while first < len(chosen):
            room = ends[np.searchsorted(ends, place, side="right")] - place
            block = chosen[first : first + min(room, _RECORDS_A_CALL)]
            yield len(block), encoder.encode(rows, block)
            first += len(block)
            place += len(block)

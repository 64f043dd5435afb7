"""The whole job of create_pretraining_data: text files to record files."""

import dataclasses
import gzip
import os
import resource
import time

import numpy as np
from absl import logging

from data import (
    documents,
    instances,
    manifest,
    masking,
    mersenne,
    records,
    statistics,
)
from data.progress import Progress
from text import corpus, tokenization, vocab

_DOCUMENTS_A_CALL = 512
_RECORDS_A_CALL = 1024
# The text and the vocabulary count by what is in them, not by their names.
_FLAGS_BESIDE_THE_BYTES = (
    "input_file",
    "output_file",
    "vocab_file",
    "overwrite",
)


def build(config):
    """Builds the records that `config` asks for, or finds them built.

    Args:
        config: a `data.config.BuildConfig`.

    Returns:
        The manifest, see `data.manifest`.

    Raises:
        ValueError, OSError: the flags, the vocabulary or the text are wrong,
            or output of other flags is in the way.
    """
    start = time.monotonic()
    vocabulary = vocab.load(config.vocab_file)
    paths = corpus.expand(config.input_file)
    _check_apart(config, paths)
    for warning in config.warnings():
        logging.warning("%s", warning)
    finished = _find_finished(config, vocabulary, paths)
    if finished:
        logging.info("%s: already built", manifest.path_of(config))
        return finished
    _make_directories(config)
    docs = _read(config, vocabulary, paths)
    rules = instances.Rules(
        config.max_seq_length,
        config.short_seq_prob,
        np.int32(vocabulary.ids["[CLS]"]),
        np.int32(vocabulary.ids["[SEP]"]),
        masking.make(config, vocabulary),
    )
    state = mersenne.state(config.random_seed)
    recipes = _draw(config, docs.corpus, rules, state)
    order = np.arange(len(recipes.num_masks))
    mersenne.shuffle(state, order)
    made_from = _made_from(config, vocabulary, docs.inputs)
    counts = statistics.count(config, vocabulary, docs.corpus, recipes)
    for warning in statistics.warnings(counts):
        logging.warning("%s", warning)
    files = _write(config, docs.corpus, recipes, order, rules)
    result = {
        "made_from": made_from,
        "max_seq_length": config.max_seq_length,
        "max_predictions_per_seq": config.max_predictions_per_seq,
        "vocab_size": len(vocabulary),
        "compression": "GZIP" if config.gzip_compress else "",
        "files": files,
        "statistics": counts,
    }
    _publish(config, result)
    seconds = time.monotonic() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(statistics.summary(counts, docs.inputs, files, seconds, peak))
    return result


def _check_apart(config, paths):
    """Refuses to write where a rerun would take the records for text."""
    items = [item.strip() for item in config.input_file.split(",")]
    for output in config.output_paths:
        directory = os.path.dirname(output) or "."
        if output in paths or any(
            os.path.normpath(item) == os.path.normpath(directory)
            for item in items
        ):
            raise ValueError(
                f"--output_file={output} would be part of --input_file="
                f"{config.input_file}; write the records to another folder"
            )


def _made_from(config, vocabulary, inputs):
    """Everything that the bytes of the output depend on."""
    return {
        "flags": {
            name: value
            for name, value in dataclasses.asdict(config).items()
            if name not in _FLAGS_BESIDE_THE_BYTES
        },
        "outputs": [manifest.name_of(p, config) for p in config.output_paths],
        "vocab_sha256": vocabulary.sha256,
        "inputs": inputs,
    }


def _find_finished(config, vocabulary, paths):
    """The manifest of the same build, if it is there whole.

    Raises:
        FileExistsError: the output exists and was made from something else.
    """
    if config.overwrite:
        return None
    existing = [p for p in config.output_paths if corpus.exists(p)]
    if not existing:
        return None
    made_from = _made_from(config, vocabulary, _describe_inputs(paths))
    path = manifest.path_of(config)
    # A build killed while it gave the files their names left its manifest
    # under the temporary name; the files are the same build's.
    for candidate in (path, path + ".tmp"):
        if not corpus.exists(candidate):
            continue
        found = manifest.read(candidate)
        difference = _difference(found["made_from"], made_from)
        if difference:
            raise FileExistsError(
                f"{existing[0]} exists and was made with {difference}; choose "
                "another --output_file or replace it with --overwrite"
            )
        return found if candidate == path and _is_whole(config, found) else None
    raise FileExistsError(
        f"{existing[0]} exists and has no manifest {path}; choose another "
        "--output_file or replace it with --overwrite"
    )


def _describe_inputs(paths):
    inputs = []
    with Progress("comparing the text", None, "B") as progress:
        for path in paths:
            digest = corpus.Digest(progress.advance)
            for _ in corpus.read_chunks(path, digest):
                pass
            inputs.append(digest.describe(path))
    return inputs


def _difference(old, new):
    """Says in words how two `_made_from` differ, or returns None."""
    for name, value in new["flags"].items():
        before = old["flags"].get(name)
        if before != value:
            return f"--{name}={before}, not {value}"
    if old["vocab_sha256"] != new["vocab_sha256"]:
        return "another vocabulary"
    if _contents(old["inputs"]) != _contents(new["inputs"]):
        return "other text"
    if old["outputs"] != new["outputs"]:
        return f"--output_file={','.join(old['outputs'])}"
    return None


def _contents(inputs):
    """What the input files hold, whatever they are called."""
    return [(item["num_bytes"], item["sha256"]) for item in inputs]


def _is_whole(config, found):
    return all(
        corpus.exists(path)
        and corpus.num_bytes(path)
        == found["files"][manifest.name_of(path, config)]["num_bytes"]
        for path in config.output_paths
    )


def _make_directories(config):
    for path in config.output_paths:
        directory = os.path.dirname(path)
        if directory:
            corpus.make_directory(directory)


def _read(config, vocabulary, paths):
    tokenizer = tokenization.Tokenizer(vocabulary, config.do_lower_case)
    is_packed = any(path.endswith(".gz") for path in paths)
    total = None if is_packed else sum(map(corpus.num_bytes, paths))
    with Progress("tokenizing", total, "B") as progress:
        return documents.read(
            paths, tokenizer, convert_t2s=config.t2s, progress=progress
        )


def _draw(config, text, rules, state):
    num_documents = len(text.documents) - 1
    order = np.arange(num_documents)
    mersenne.shuffle(state, order)
    parts = []
    total = num_documents * config.dupe_factor
    with Progress("drawing pairs and masks", total, " documents") as progress:
        for _ in range(config.dupe_factor):
            for first in range(0, num_documents, _DOCUMENTS_A_CALL):
                last = min(first + _DOCUMENTS_A_CALL, num_documents)
                parts.append(
                    instances.draw(text, order, first, last, rules, state)
                )
                progress.advance(last - first)
    return instances.join(parts)


def _write(config, text, recipes, order, rules):
    """Writes the records under temporary names.

    Returns:
        {file name: {"num_records", "num_bytes"}}
    """
    encoder = records.Encoder(text, recipes, rules)
    files = {}
    num_files = len(config.output_paths)
    with Progress("writing", len(order), " records") as progress:
        for index, path in enumerate(config.output_paths):
            chosen = order[index::num_files]
            # TensorFlow's files take nothing but bytes.
            part = bytes if corpus.is_remote(path) else memoryview
            with corpus.open_binary(path + ".tmp", "wb") as raw:
                out = _compressed(raw) if config.gzip_compress else raw
                for first in range(0, len(chosen), _RECORDS_A_CALL):
                    block = chosen[first : first + _RECORDS_A_CALL]
                    out.write(part(encoder.encode(block)))
                    progress.advance(len(block))
                if out is not raw:
                    out.close()
            files[manifest.name_of(path, config)] = {
                "num_records": len(chosen),
                "num_bytes": corpus.num_bytes(path + ".tmp"),
            }
    return files


def _compressed(raw):
    # No name and no time inside: the same records are the same bytes.
    return gzip.GzipFile("", "wb", fileobj=raw, mtime=0)


def _publish(config, result):
    """Gives the files their names; the manifest gets its own last."""
    path = manifest.path_of(config)
    manifest.write(path + ".tmp", result)
    # From here to the last line the files may be a mixture of two builds.
    corpus.remove(path)
    for output in config.output_paths:
        corpus.rename(output + ".tmp", output)
    corpus.rename(path + ".tmp", path)

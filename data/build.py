"""The whole job of create_pretraining_data: text files to record files."""

import dataclasses
import hashlib
import os
import resource
import time

from absl import logging

from data import (
    earlier,
    engines,
    lock,
    manifest,
    shards,
    statistics,
    worker,
)
from data.layout import Layout
from data.progress import Progress
from text import corpus, segmentation, vocab

# The text and the vocabulary count by what is in them, not by their names;
# the rest changes nothing in the records, or shows in the shards.
_FLAGS_BESIDE_THE_BYTES = (
    "input_file",
    "output_file",
    "vocab_file",
    "overwrite",
    "shard_megabytes",
    "num_workers",
    "engine",
    "ray_address",
)


def build(config):
    """Builds the records that `config` asks for, as far as they are not there.

    Args:
        config: a `data.config.BuildConfig`.

    Returns:
        The manifest, see `data.manifest`.

    Raises:
        ValueError, OSError: the flags, the vocabulary or the text are wrong,
            output of other flags is in the way, or another build is at work.
    """
    start = time.monotonic()
    vocabulary = vocab.load(config.vocab_file)
    paths = corpus.expand(config.input_file)
    _check_apart(config, paths)
    for warning in config.warnings():
        logging.warning("%s", warning)
    for path in config.output_paths:
        if os.path.dirname(path):
            corpus.make_directory(os.path.dirname(path))
    with lock.hold(config.output_items) as keep:
        result = _build(config, vocabulary, paths, keep)
    if result is None:
        path = manifest.path_of(config)
        logging.info("%s: already built", path)
        return manifest.read(path)
    seconds = time.monotonic() - start
    print(statistics.summary(result, seconds, _peak_bytes()))
    return result


def _build(config, vocabulary, paths, keep):
    """Builds what is missing; returns the manifest, or None if nothing is."""
    pieces = shards.cut(config, paths)
    places = Layout(config, len(pieces))
    made_from = _made_from(config, vocabulary)
    jobs = [
        worker.Job(config, vocabulary, shard, places, made_from)
        for shard in pieces
    ]
    before = earlier.find(config, places, made_from, pieces)
    entries = _unchanged(config, jobs, before, keep)
    missing = [job for job in jobs if job.shard.index not in entries]
    if before.is_finished and not missing:
        places.remove_folders()
        return None
    if entries:
        logging.info(
            "%d of %d shards are built already", len(entries), len(jobs)
        )
    places.make_folders()
    for job in missing:
        # It would speak for new records if this run were stopped.
        corpus.remove(places.entry_path(job.shard.index))
        for file in places.files_of(job.shard.index):
            if places.is_assembled(file):
                corpus.remove(places.ready_path(file))
    try:
        made = _run(config, "building", worker.build_shard, missing, keep)
    except Exception:
        if not any(
            corpus.exists(places.entry_path(i)) for i in range(len(jobs))
        ):
            places.remove_folders()
        raise
    for file in range(len(config.output_paths)):
        if (before.has_parts | made.keys()).issuperset(places.shards_of(file)):
            places.assemble(file, keep)
    return _finish(config, vocabulary, places, made_from, entries | made)


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


def _made_from(config, vocabulary):
    """What the bytes of the output depend on, beside the text."""
    flags = {
        name: value
        for name, value in dataclasses.asdict(config).items()
        if name not in _FLAGS_BESIDE_THE_BYTES
    }
    flags["word_segmenter"] = segmentation.version(config.word_segmenter)
    if config.similar_words:
        with corpus.open_binary(config.similar_words) as source:
            digest = hashlib.sha256(source.read()).hexdigest()
        flags["similar_words"] = f"a file of sha256 {digest}"
    return {
        "flags": flags,
        "outputs": [manifest.name_of(p, config) for p in config.output_paths],
        "vocab_sha256": vocabulary.sha256,
    }


def _unchanged(config, jobs, before, keep):
    """Returns the entries of those shards whose text is still the same."""
    numbers = before.entries.keys() | before.listed.keys()
    known = [job for job in jobs if job.shard.index in numbers]
    texts = _run(
        config, "comparing the text", worker.describe_text, known, keep
    )
    layout = jobs[0].layout
    for number, entry in before.listed.items():
        for file in layout.files_of(number):
            path = config.output_paths[file]
            is_other = not _is_of(entry, texts[number])
            if is_other and not config.overwrite and corpus.exists(path):
                earlier.refuse(path, "was made with other text")
    same = {
        number: entry
        for number, entry in before.entries.items()
        if _is_of(entry, texts[number])
    }
    for number in range(layout.num_shards):
        for file in [] if number in same else layout.files_of(number):
            # A file of several shards is made anew from all of them.
            for other in layout.shards_of(file):
                if other not in before.has_parts:
                    same.pop(other, None)
    return same


def _is_of(entry, inputs):
    """Whether a shard was made from this text, whatever its files' names."""
    before = [item["sha256"] for item in entry["inputs"]]
    return before == [item["sha256"] for item in inputs]


def _run(config, title, function, jobs, keep):
    """Runs one function for several shards.

    Returns:
        {number of the shard: result}

    Raises:
        ValueError: some failed; names them. The others are done.
    """
    if not jobs:
        return {}
    total = sum(job.shard.num_bytes for job in jobs)
    with Progress(title, total, "B") as progress:
        results = engines.run(config, function, jobs, progress.advance, keep)
    failed = [
        f"shard {job.shard.index} (of {job.shard.pieces[0].path}, from byte "
        f"{job.shard.pieces[0].begin}): {result}"
        for job, result in zip(jobs, results, strict=True)
        if isinstance(result, Exception)
    ]
    if failed:
        raise ValueError(
            f"{len(failed)} of {len(jobs)} shards failed, the others are kept "
            "for the next run:\n" + "\n".join(failed)
        )
    return {
        job.shard.index: result
        for job, result in zip(jobs, results, strict=True)
    }


def _finish(config, vocabulary, layout, made_from, entries):
    """Gives the files their names; the manifest gets its own last."""
    entries = [entries[number] for number in range(layout.num_shards)]
    open_ended = [path for entry in entries for path in entry["open_ended"]]
    _warn_of_glued_documents(config, open_ended)
    counts = statistics.add(entry["counts"] for entry in entries)
    counts = statistics.with_rates(counts, config)
    for warning in statistics.warnings(counts, config):
        logging.warning("%s", warning)
    files = {}
    for file, path in enumerate(config.output_paths):
        parts = [
            entries[number]["parts"][layout.files_of(number).index(file)]
            for number in layout.shards_of(file)
        ]
        files[manifest.name_of(path, config)] = statistics.add(parts)
    result = {
        "made_from": made_from,
        "max_seq_length": config.max_seq_length,
        "max_predictions_per_seq": config.max_predictions_per_seq,
        "pack_sequences": config.pack_sequences,
        "masking": config.masking,
        "pair_task": config.pair_task,
        "word_segmenter": config.word_segmenter,
        "vocab_size": len(vocabulary),
        "mask_id": vocabulary.ids["[MASK]"],
        "special_ids": vocabulary.special_ids.tolist(),
        "compression": "GZIP" if config.gzip_compress else "",
        "files": files,
        "statistics": counts,
        "shards": entries,
    }
    _publish(config, layout, result)
    return result


def _warn_of_glued_documents(config, open_ended):
    paths = corpus.expand(config.input_file)
    glued = [path for path in open_ended if path != paths[-1]]
    if glued:
        logging.warning(
            "%d of %d files do not end with a blank line, the first is %s: "
            "their last document goes on in the next file, as in "
            "google-research/bert",
            len(glued),
            len(paths),
            glued[0],
        )


def _publish(config, layout, result):
    path = manifest.path_of(config)
    manifest.write(layout.manifest_path, result)
    # From here to the last line the files may be a mixture of two builds.
    corpus.remove(path)
    for file, output in enumerate(config.output_paths):
        if corpus.exists(layout.ready_path(file)):
            corpus.rename(layout.ready_path(file), output)
    corpus.rename(layout.manifest_path, path)
    layout.remove_folders()


def _peak_bytes():
    """Memory of the process that took the most, this one or a worker."""
    return 1024 * max(
        resource.getrusage(who).ru_maxrss
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )

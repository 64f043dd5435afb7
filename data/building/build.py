"""Does the whole job of create_pretraining_data: text files to record files."""

import collections
import contextlib
import os
import time

from absl import logging

from data import manifest
from data.building import (
    advice,
    earlier,
    made_from,
    shards,
    statistics,
    worker,
)
from data.building.layout import Layout
from data.config import BuildConfig
from data.manifest import FileSize, Manifest
from jobs import engines
from storage import file_io, inputs, lock
from text import case, content, corpus, vocabularies

# Of more files than these some are looked at, as far apart as it goes.
_LOOKED_AT, _LOOKED_AT_REMOTE = 10_000, 100


def build(config: BuildConfig) -> Manifest:
    """Builds the records that `config` asks for, as far as they are not there.

    Raises:
        ValueError, OSError: the flags, the vocabulary or the text are wrong,
            output of other flags is in the way, or another build is at work.
    """
    start = time.monotonic()
    vocabulary = vocabularies.load(config)
    paths = inputs.expand(config.input_file)
    _check_apart(config.input_file, paths, config.output_paths)
    for warning in config.warnings():
        logging.warning("%s", warning)
    case.check(vocabulary, config.do_lower_case)
    _check_length(config, vocabulary)
    for folder in {os.path.dirname(path) for path in config.output_paths}:
        file_io.check_output_directory(folder or ".", "output_file")
    for path in config.output_paths:
        if not file_io.is_remote(path) and os.path.isdir(path):
            raise ValueError(f"--output_file={path} is a folder; name a file")
    with lock.hold(config.output_items):
        result = _build(config, vocabulary, paths)
    if result is None:
        path = manifest.path_of(config)
        logging.info("%s: already built", path)
        return manifest.read(path)
    seconds = time.monotonic() - start
    print(statistics.summary(result, seconds, engines.peak_bytes()))
    return result


def _build(config, vocabulary, paths):
    """Builds what is missing; returns the manifest, or None if nothing is."""
    pieces = shards.cut(config, paths)
    places = Layout(config.output_paths, len(pieces))
    described = made_from.describe(config, vocabulary)
    work = worker.Work(config, vocabulary, described)
    jobs = [
        worker.Job(
            shard,
            tuple(places.part_paths(shard.index)),
            places.entry_path(shard.index),
        )
        for shard in pieces
    ]
    before = earlier.find(config, places, described, pieces)
    entries = _unchanged(work, places, jobs, before)
    missing = [job for job in jobs if job.shard.index not in entries]
    if before.is_finished and not missing:
        places.remove_folders()
        return None
    if entries:
        logging.info(
            "%d of %d shards are built already", len(entries), len(jobs)
        )
    if missing:
        _look(config, paths)
    places.make_folders()
    for job in missing:
        # Delete the old entry first: if this run were stopped, it would vouch
        # for new records.
        file_io.remove(places.entry_path(job.shard.index))
        for file in places.files_of(job.shard.index):
            if places.is_assembled(file):
                file_io.remove(places.ready_path(file))
    try:
        built = _run(config, "building", work.build_shard, missing)
    except Exception:
        if not any(
            file_io.exists(places.entry_path(i)) for i in range(len(jobs))
        ):
            places.remove_folders()
        raise
    for file in range(len(config.output_paths)):
        if (before.has_parts | built.keys()).issuperset(places.shards_of(file)):
            places.assemble(file)
    result = _describe(work, places, entries | built, len(set(paths)))
    _warn(config, paths, pieces, result)
    _publish(config, places, result)
    return result


def _check_length(config, vocabulary):
    is_pair = config.pair_task != "none"
    least = vocabulary.layout.num_special(is_pair) + 1 + is_pair
    if config.max_seq_length < least:
        raise ValueError(
            f"--max_seq_length={config.max_seq_length} is too short for "
            f"{vocabulary.path}, whose rows take at least {least} tokens"
        )


def _check_apart(input_file, paths, output_paths):
    """Refuses to write where a rerun would take the records for text."""
    items = [item.strip() for item in input_file.split(",")]
    for output in output_paths:
        directory = os.path.dirname(output) or "."
        if output in paths or any(
            os.path.normpath(item) == os.path.normpath(directory)
            for item in items
        ):
            raise ValueError(
                f"--output_file={output} would be part of --input_file="
                f"{input_file}; write the records to another folder"
            )


def _unchanged(work, layout, jobs, before):
    """Returns the entries of those shards whose text is still the same."""
    config = work.config
    numbers = before.entries.keys() | before.listed.keys()
    known = [job for job in jobs if job.shard.index in numbers]
    texts = _run(config, "comparing the text", work.describe_text, known)
    for number, entry in before.listed.items():
        for file in layout.files_of(number):
            path = config.output_paths[file]
            is_other = not _is_of(entry, texts[number])
            if is_other and not config.overwrite and file_io.exists(path):
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
    before = [source.sha256 for source in entry.inputs]
    return before == [source.sha256 for source in inputs]


def _run(config, title, function, jobs):
    """Runs one function for several shards.

    Returns:
        {number of the shard: result}

    Raises:
        ValueError: some failed; names them. The others are done.
    """
    results = engines.run_all(config, title, function, jobs)
    numbers = [job.shard.index for job in jobs]
    return dict(zip(numbers, results, strict=True))


def _describe(work, layout, entries, num_input_files):
    """Returns the manifest of a build."""
    config, vocabulary = work.config, work.vocabulary
    entries = [entries[number] for number in range(layout.num_shards)]
    counts = statistics.of_shards(entries)
    files = {}
    for file, path in enumerate(config.output_paths):
        parts = [
            entries[number].parts[layout.files_of(number).index(file)]
            for number in layout.shards_of(file)
        ]
        files[manifest.name_of(path, config)] = FileSize(
            sum(part.num_records for part in parts),
            sum(part.num_bytes for part in parts),
        )
    return Manifest(
        made_from=work.made_from,
        max_seq_length=config.max_seq_length,
        max_predictions_per_seq=config.max_predictions_per_seq,
        pack_sequences=config.pack_sequences,
        masking=config.masking,
        pair_task=config.pair_task,
        word_segmenter=config.word_segmenter,
        vocab_size=len(vocabulary),
        mask_id=vocabulary.roles.mask,
        special_ids=vocabulary.special_ids.tolist(),
        padding_id=vocabulary.padding_id,
        num_between=vocabulary.layout.num_between,
        second_segment=vocabulary.layout.second_segment,
        compression="GZIP" if config.gzip_compress else "",
        files=files,
        statistics=statistics.with_rates(counts, config),
        unk_characters=statistics.add_characters(entries),
        shards=entries,
        num_input_files=num_input_files,
    )


def _look(config, paths):
    """Warns of files that are no sentences, by their beginnings."""
    most = _LOOKED_AT_REMOTE if file_io.is_remote(paths[0]) else _LOOKED_AT
    some = paths[:: -(-len(paths) // most)]
    found = collections.defaultdict(list)
    for path in some:
        # What cannot be read is told of where it is read.
        with contextlib.suppress(ValueError, OSError):
            with corpus.open_text(path, encoding=config.encoding) as source:
                form = content.look(source.read(content.HEAD_BYTES))
            found[form].append(path)
    found.pop(None, None)
    for form, alike in found.items():
        logging.warning(
            "%d of the %d files looked at seem to be %s, the first is %s: "
            "keys, tags and headers are trained on as words; prepare_corpus.py "
            "takes the text out, see docs/corpus.md",
            len(alike),
            len(some),
            form,
            alike[0],
        )


def _warn(config, paths, pieces, result):
    open_ended = [path for x in result.shards for path in x.open_ended]
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
    for warning in advice.warnings(
        result.statistics,
        config,
        advice.longest_line(pieces, result.shards),
        result.unk_characters,
    ):
        logging.warning("%s", warning)


def _publish(config, layout, result):
    path = manifest.path_of(config)
    manifest.write(layout.manifest_path, result)
    # From here to the rename of the manifest the files may be a mixture of two
    # builds, so that none vouches for them.
    file_io.remove(path)
    for file, output in enumerate(config.output_paths):
        if file_io.exists(layout.ready_path(file)):
            file_io.rename(layout.ready_path(file), output)
    file_io.rename(layout.manifest_path, path)
    layout.remove_folders()

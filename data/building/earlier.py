"""Finds what an earlier build of the same output left, and what can stay."""

from typing import NamedTuple, NoReturn

from absl import logging

from data import manifest
from data.building.layout import Layout
from data.building.shards import Shard as Text
from data.config import BuildConfig
from data.manifest import MadeFrom, Shard
from storage import file_io, json_files, typed_json

# What builds did before there was such a flag.
_LATER_FLAGS = {"pack_sequences": 0, "fill_sequences": "no"}
_ENTRY = {"made_from": dict} | typed_json.shape(Shard)


class Earlier(NamedTuple):
    """Entries of shards that are whole, as far as sizes can tell."""

    entries: dict[int, Shard]  # by the number of the shard
    listed: dict[int, Shard]  # those of the manifest, whole or not
    has_parts: set[int]  # the shards whose own files are there
    is_finished: bool  # whether all files have their names


def find(
    config: BuildConfig,
    layout: Layout,
    made_from: MadeFrom,
    shards: list[Text],
) -> Earlier:
    """Looks for finished and unfinished work of the same build.

    Raises:
        FileExistsError: the output is there, was made from something else,
            and may not be overwritten.
    """
    previous, is_final = _find_manifest(config, layout, made_from, shards)
    listed = dict(enumerate(previous.shards)) if previous else {}
    written = _read_entries(layout, made_from, shards)
    entries = listed | written
    files = range(len(config.output_paths))
    published = {
        file
        for file in files
        if all(
            number in listed and entries[number] == listed[number]
            for number in layout.shards_of(file)
        )
        and not file_io.exists(layout.ready_path(file))
        and _has_size(config.output_paths[file], _size(layout, listed, file))
    }
    whole = published | {
        file
        for file in files
        if _has_size(layout.ready_path(file), _size(layout, written, file))
    }
    has_parts = {
        number
        for number, entry in written.items()
        if all(map(_has_size, layout.part_paths(number), _sizes(entry)))
    }
    return Earlier(
        {
            number: entry
            for number, entry in entries.items()
            if number in has_parts or whole.issuperset(layout.files_of(number))
        },
        listed,
        has_parts,
        is_final and published == set(files),
    )


def _find_manifest(config, layout, made_from, shards):
    """Returns the manifest of the same build, if any, and if it is in place."""
    existing = [p for p in config.output_paths if file_io.exists(p)]
    final = manifest.path_of(config)
    why = f"has no manifest {final}"
    # A build removes the manifest there was before it gives the files their
    # names; stopped then, it left its own where that waited.
    is_final = file_io.exists(final)
    path = final if is_final else layout.manifest_path
    if file_io.exists(path):
        previous = _read_manifest(config, path, is_final)
        difference = _difference(previous, layout, made_from, shards)
        if not difference:
            return previous, is_final
        why = f"was made with {difference}"
    if existing and not config.overwrite:
        refuse(existing[0], why)
    return None, False


def _read_manifest(config, path, is_final):
    """Reads a manifest; a damaged one is none where it may be replaced."""
    try:
        return manifest.read(path)
    except ValueError as error:
        if is_final and not config.overwrite:
            raise ValueError(f"{error}, or set --overwrite") from None
        logging.warning("%s", error)
        return None


def refuse(path: str, why: str) -> NoReturn:
    """Raises the error of output that is in the way."""
    raise FileExistsError(
        f"{path} exists and {why}; choose another --output_file or replace it "
        "with --overwrite"
    )


def _difference(previous, layout, made_from, shards):
    """Says in words what is not the same, or returns None."""
    if previous is None:
        return "what nobody knows, as its manifest is damaged"
    old = previous.made_from
    for name, value in made_from.flags.items():
        before = old.flags.get(name, _LATER_FLAGS.get(name))
        if before != value:
            return f"--{name}={before}, not {value}"
    if old.vocab_sha256 != made_from.vocab_sha256:
        return "another vocabulary"
    if previous.shards is None:
        return "what nobody knows, as its manifest lists no shards"
    if [sizes_of(entry) for entry in previous.shards] != [
        [piece.end - piece.begin for piece in shard.pieces] for shard in shards
    ]:
        return "other text or another --shard_megabytes"
    if old.outputs != made_from.outputs:
        return f"--output_file={','.join(old.outputs)}"
    num_parts = [len(entry.parts) for entry in previous.shards]
    if num_parts != [len(layout.files_of(shard.index)) for shard in shards]:
        return "parts of its shards that are not listed"
    return None


def sizes_of(entry: Shard) -> list[int]:
    """The bytes of the pieces of text that a shard was made from."""
    return [source.num_bytes for source in entry.inputs]


def _read_entries(layout, made_from, shards):
    """The entries of shards that are whole, as far as their files tell."""
    entries = {}
    for shard in shards:
        path = layout.entry_path(shard.index)
        # An entry that a fallen machine has cut counts as missing.
        value = json_files.read_or_none(path, _ENTRY)
        if value is None:
            continue
        entry = typed_json.make(Shard, value)
        if (
            value["made_from"] != typed_json.plain(made_from)
            or sizes_of(entry) != [p.end - p.begin for p in shard.pieces]
            or len(entry.parts) != len(layout.files_of(shard.index))
        ):
            logging.info("%s is of another build and is built again", path)
            continue
        entries[shard.index] = entry
    return entries


def write_entry(path: str, made_from: MadeFrom, entry: Shard) -> None:
    """Writes, beside the records of a shard, that they are whole."""
    before = {"made_from": typed_json.plain(made_from)}
    json_files.write(path, before | typed_json.plain(entry))


def _sizes(entry):
    return [part.num_bytes for part in entry.parts]


def _size(layout, entries, file):
    """Bytes that an output file must have, or None where it is not known."""
    numbers = layout.shards_of(file)
    if not all(number in entries for number in numbers):
        return None
    return sum(
        _sizes(entries[number])[layout.files_of(number).index(file)]
        for number in numbers
    )


def _has_size(path, num_bytes):
    return (
        num_bytes is not None
        and file_io.exists(path)
        and file_io.num_bytes(path) == num_bytes
    )

"""Declares the manifest: a JSON file that says how records were made.

It stands beside the records. The trainer refuses records that do not fit its
flags by it, and the builder knows finished work by it. It is written last:
records with a manifest are whole.
"""

import collections
import dataclasses
import os
from typing import Annotated, Any

from data.config import BuildConfig
from storage import file_io, json_files, typed_json
from text.corpus import Source

SUFFIX = ".manifest.json"
_MANY = 16
_MASKINGS = ("static", "dynamic")


@dataclasses.dataclass(frozen=True, kw_only=True)
class MadeFrom:
    """What the bytes of the records depend on, beside the text."""

    # All flags stand here. Those are checked that somebody asks for.
    flags: Annotated[
        dict[str, Any],
        {
            "masked_lm_prob?": float,
            "do_whole_word_mask?": bool,
            "mask_unit?": str,
            "dupe_factor?": int,
        },
    ] = dataclasses.field(default_factory=dict)
    outputs: list[str] = dataclasses.field(default_factory=list)
    vocab_sha256: str | None = None
    # Older manifests have the texts of their only shard here.
    inputs: Any = None


@dataclasses.dataclass(frozen=True)
class FileSize:
    """How much is in a file of records."""

    num_records: int
    num_bytes: int


@dataclasses.dataclass(frozen=True)
class Line:
    """A line of a shard's text."""

    piece: int  # Which of the shard's inputs it is in.
    line: int  # Its number there, from 1.
    num_tokens: int


@dataclasses.dataclass(frozen=True)
class Shard:
    """What one shard was made from, and what it holds."""

    seed: int
    inputs: list[Source]  # The pieces of text, in order.
    open_ended: list[str]  # Files whose last document goes on in the next one.
    parts: list[FileSize]  # Of its records, one for each file they are in.
    counts: dict[str, int]  # See `data.building.statistics`.
    # What earlier builds did not look for:
    longest_line: Line | None = None
    unk_characters: dict[str, int] | None = None  # The most frequent.
    document_hashes: str | None = None  # See `building.duplicates`.
    token_counts: str | None = None  # See `data.token_counts`.


@dataclasses.dataclass(frozen=True)
class Taught:
    """What a teacher said of the masked words, see `records`."""

    top_k: int
    temperature: float
    vocab_size: int
    weights_sha256: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a build made, and from what.

    A field with a default is one that older manifests lack. A default other
    than None is what those builds did.
    """

    made_from: MadeFrom
    max_seq_length: int | None = None
    max_predictions_per_seq: int | None = None
    pack_sequences: int = 0
    masking: str = "static"  # Who draws the masks: dynamic, the trainer.
    pair_task: str = "nsp"
    word_segmenter: str = "none"
    vocab_size: int | None = None
    mask_id: int | None = None
    special_ids: list[int] | None = None  # Of special tokens and [unusedN].
    # How the vocabulary's rows are laid out, where it is not as BERT's are.
    padding_id: int = 0
    num_between: int = 1  # These two are those of `vocab.Layout`.
    second_segment: int = 1
    compression: str | None = None
    teacher: Taught | None = None
    files: dict[str, FileSize]  # By path, seen from the manifest's folder.
    statistics: dict[str, float] | None = None
    unk_characters: dict[str, int] | None = None  # The most frequent, in order.
    shards: list[Shard] | None = None
    num_input_files: Any = None


# What is taken for true of record files that no manifest lists.
UNKNOWN = Manifest(made_from=MadeFrom(), files={})


def path_of(config: BuildConfig) -> str:
    """Where the manifest of a build stands: beside its first file."""
    return config.output_paths[0] + SUFFIX


def name_of(record_path: str, config: BuildConfig) -> str:
    """What the manifest of a build calls a file: its path from there."""
    return os.path.relpath(record_path, os.path.dirname(path_of(config)) or ".")


class Finder:
    """Finds the manifests of record files, and reads each of them once.

    A local manifest or folder that has changed is read again; remote ones are
    those of the time when they were first asked for.
    """

    def __init__(self):
        # {path: (stamp, manifest)}, {folder: (stamp, paths)}.
        self._manifests = collections.OrderedDict()
        self._listed = {}

    def of(self, record_path: str) -> Manifest | None:
        """Returns the manifest that lists a record file, or None."""
        folder, name = os.path.split(record_path)
        beside = self._beside(folder)
        own = os.path.join(folder, name + SUFFIX)
        for path in [own] if own in beside else beside:
            manifest = self._read(path)
            if name in manifest.files:
                return manifest
        return None

    def missing(self, record_path: str) -> list[str]:
        """Returns the files that the manifest of one lists and are not there.

        Only those that should stand in the same folder.
        """
        manifest = self.of(record_path)
        if manifest is None:
            return []
        folder = os.path.dirname(record_path)
        present = set(file_io.names_in(folder or "."))
        return [
            os.path.join(folder, name)
            for name in manifest.files
            if name not in present and not os.path.dirname(name)
        ]

    def _beside(self, folder):
        """Returns {path: None} of the manifests in a folder, in order."""
        stamp = _stamp(folder or ".")
        if folder not in self._listed or self._listed[folder][0] != stamp:
            names = file_io.names_in(folder or ".")
            paths = [os.path.join(folder, x) for x in names if _is_name(x)]
            self._listed[folder] = stamp, dict.fromkeys(paths)
        return self._listed[folder][1]

    def _read(self, path):
        stamp = _stamp(path)
        if path not in self._manifests or self._manifests[path][0] != stamp:
            self._manifests[path] = stamp, read(path)
        self._manifests.move_to_end(path)
        while len(self._manifests) > _MANY:
            self._manifests.popitem(last=False)
        return self._manifests[path][1]


def _is_name(name):
    return name.endswith(SUFFIX)


def _stamp(path):
    """Changes when a local file or folder does."""
    if file_io.is_remote(path):
        return None
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


_local = Finder()


def find(record_path: str) -> Manifest | None:
    """Returns the manifest that lists a record file, or None.

    Raises:
        ValueError: a manifest beside it is damaged.
    """
    finder = Finder() if file_io.is_remote(record_path) else _local
    return finder.of(record_path)


def read(path: str) -> Manifest:
    """Reads a manifest.

    Raises:
        ValueError: the file is no manifest.
    """
    try:
        manifest = typed_json.read(path, Manifest)
        _check_masking(manifest, path)
        return manifest
    except ValueError as error:
        raise ValueError(
            f"{error}; it is no manifest of create_pretraining_data, or "
            "damaged: remove it, or build the records again"
        ) from None


def _check_masking(manifest, path):
    if manifest.masking not in _MASKINGS:
        raise ValueError(
            f"{path}: masking must be one of {', '.join(_MASKINGS)}, got "
            f"{json_files.shown(manifest.masking)}"
        )


def write(path: str, manifest: Manifest) -> None:
    """Writes a manifest, whole or not at all."""
    json_files.write(path, typed_json.plain(manifest))

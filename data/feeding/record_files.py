"""Finds the record files that a flag names, and what is known of them."""

import concurrent.futures
import functools
import gzip
import hashlib
import os
import struct
import zlib
from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf
from absl import logging
from google.protobuf import message

from data import manifest, records
from data.manifest import UNKNOWN, MadeFrom, Manifest
from storage import file_io, inputs
from text.vocab import Vocabulary

_GZIP_MAGIC = b"\x1f\x8b"
_HEADER_BYTES = 12  # Of a TFRecord: length as uint64, its checksum.
_FOOTER_BYTES = 4  # Checksum of the data.
_MAX_RECORD_BYTES = 1 << 30
_REQUESTS_AT_ONCE = 32
_NUM_NAMED = 3


class RecordFile(NamedTuple):
    path: str
    compression: str  # "" or "GZIP", as tf.data writes it.
    num_records: int
    manifest: Manifest | None  # The one that lists the file.
    # The names of the features of the first record, where no manifest tells.
    features: frozenset[str] | None = None

    @property
    def is_v2(self) -> bool:
        """Whether the features are named as in `records.V2_NAMES`."""
        theirs = set(records.V2_NAMES.values())
        return theirs <= (self.features or set())

    @property
    def has_pairs(self) -> bool:
        """Whether records have labels of pairs."""
        return not self.features or records.PAIR_LABELS in self.features

    @property
    def is_bare(self) -> bool:
        """Whether the features are those of `records.BARE_FEATURES`."""
        bare = {feature.name for feature in records.BARE_FEATURES}
        has_masks = "masked_lm_positions" in (self.features or ())
        return bare <= (self.features or set()) and not has_masks

    @property
    def masking(self) -> str:
        """Who draws the masks: "static" the builder, "dynamic" the trainer."""
        return self.facts.masking

    @property
    def facts(self) -> Manifest:
        """What the manifest says, or what files without one are taken for."""
        return self.manifest or UNKNOWN


def find(patterns: str, *, flag: str = "input_file") -> list[RecordFile]:
    """Finds the record files of a flag and counts their records.

    Counts come from the manifest beside a file, else from the file itself.

    Raises:
        ValueError: nothing matches, or a file is empty or truncated.
    """
    finder = manifest.Finder()
    paths = inputs.expand(patterns, flag)
    files = _inspect_all(paths, finder)
    if not any(file.num_records for file in files):
        raise ValueError(f"--{flag}={patterns}: the files have no records")
    _warn_of_missing(files, finder)
    return files


def with_vocabulary(
    files: Sequence[RecordFile], vocabulary: Vocabulary, max_seq_length: int
) -> list[RecordFile]:
    """Returns files of which bare ones are known as a manifest would say it.

    Args:
        files: from `find`.
        vocabulary: that bare ones were built with.
        max_seq_length: their length.
    """
    stated = Manifest(
        made_from=MadeFrom(vocab_sha256=vocabulary.sha256),
        max_seq_length=max_seq_length,
        masking="dynamic",
        pair_task="electra",
        vocab_size=len(vocabulary),
        mask_id=vocabulary.roles.mask,
        special_ids=vocabulary.special_ids.tolist(),
        padding_id=vocabulary.padding_id,
        num_between=vocabulary.layout.num_between,
        second_segment=vocabulary.layout.second_segment,
        files={},
    )
    return [x._replace(manifest=stated) if x.is_bare else x for x in files]


def _inspect_all(paths, finder):
    inspect = functools.partial(_inspect, finder=finder)
    if not any(map(file_io.is_remote, paths)):
        return list(map(inspect, paths))
    # Each file asks a service some questions and waits for the answers.
    with concurrent.futures.ThreadPoolExecutor(_REQUESTS_AT_ONCE) as pool:
        return list(pool.map(inspect, paths))


def _warn_of_missing(files, finder):
    """Names the files that a manifest lists and that are gone."""
    seen = set()
    for file in files:
        if file.manifest is None or id(file.manifest) in seen:
            continue
        seen.add(id(file.manifest))
        missing = finder.missing(file.path)
        if missing:
            logging.warning(
                "%s FILES OF THE BUILD OF %s ARE GONE, and their records are "
                "not trained on: %s%s",
                len(missing),
                file.path,
                ", ".join(missing[:_NUM_NAMED]),
                " ..." if len(missing) > _NUM_NAMED else "",
            )


def describe(files: Sequence[RecordFile]) -> dict[str, str]:
    """Returns what a run was trained on, in a few words and by a hash."""
    lines = [f"{os.path.basename(x.path)} {x.num_records}\n" for x in files]
    num_records = sum(file.num_records for file in files)
    return {
        "summary": f"{len(files)} files, {num_records} records",
        "sha256": hashlib.sha256("".join(lines).encode()).hexdigest(),
    }


def _inspect(path, finder):
    with file_io.open_binary(path) as file:
        begin = file.read(64)
    file_io.check_is_fetched(begin, path)
    compression = "GZIP" if begin.startswith(_GZIP_MAGIC) else ""
    beside = finder.of(path)
    if beside is None:
        num_records = _count_records(path, compression)
        features = _first_features(path, compression)
        return RecordFile(path, compression, num_records, None, features)
    entry = beside.files[os.path.basename(path)]
    num_bytes = file_io.num_bytes(path)
    if num_bytes != entry.num_bytes:
        # Says where the file is cut, if it is cut and not replaced.
        _count_records(path, compression)
        raise ValueError(
            f"{path} has {num_bytes} bytes where its manifest says "
            f"{entry.num_bytes}: it is not the file that was built; build "
            "it again"
        )
    return RecordFile(path, compression, entry.num_records, beside)


def _first_features(path, compression):
    """Returns the names of the features of the first record, if it is one."""
    rows = tf.data.TFRecordDataset(path, compression).take(1)
    try:
        for row in rows.as_numpy_iterator():
            example = tf.train.Example.FromString(row)
            return frozenset(example.features.feature)
    except (tf.errors.OpError, message.DecodeError):
        return None  # `check` says what is wrong.
    return None


def _count_records(path, compression):
    """Walks from header to header without reading the data between."""
    num_records = offset = 0
    with file_io.open_binary(path) as raw:
        stream = gzip.GzipFile(fileobj=raw) if compression else raw
        try:
            while header := stream.read(_HEADER_BYTES):
                _skip_record(stream, header)
                offset = stream.tell()
                num_records += 1
        except (EOFError, zlib.error, gzip.BadGzipFile):
            raise ValueError(
                f"{path} is truncated, damaged, or no TFRecord file: the "
                f"record at byte offset {offset} is not whole. Build it again"
            ) from None
    return num_records


def _skip_record(stream, header):
    if len(header) < _HEADER_BYTES:
        raise EOFError
    (num_bytes,) = struct.unpack_from("<Q", header)
    if num_bytes > _MAX_RECORD_BYTES:
        raise EOFError
    stream.seek(stream.tell() + num_bytes + _FOOTER_BYTES - 1)
    if not stream.read(1):
        raise EOFError

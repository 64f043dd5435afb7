"""Which record files a flag names, and whether a trainer can use them."""

import gzip
import os
import struct
from typing import NamedTuple

import tensorflow as tf

from data import manifest
from text import corpus

_GZIP_MAGIC = b"\x1f\x8b"
_HEADER_BYTES = 12  # Of a TFRecord: length as uint64, its checksum.
_FOOTER_BYTES = 4  # Checksum of the data.
_MAX_RECORD_BYTES = 1 << 30
_RECORDS_LOOKED_AT = 10


class RecordFile(NamedTuple):
    path: str
    compression: str  # "" or "GZIP", as tf.data writes it.
    num_records: int
    manifest: dict | None  # The one that lists the file.


def find(patterns, *, flag="input_file"):
    """Finds the record files of a flag and counts their records.

    Counts come from the manifest beside a file, else from the file itself.

    Returns:
        A list of `RecordFile`.

    Raises:
        ValueError: nothing matches, or a file is empty or truncated.
    """
    files = [_inspect(path) for path in corpus.expand(patterns, flag)]
    if not any(file.num_records for file in files):
        raise ValueError(f"--{flag}={patterns}: the files have no records")
    return files


def check(files, *, max_seq_length, max_predictions_per_seq, vocab_size):
    """Checks that a model of these sizes can be trained on `files`.

    Looks at the manifests, and at the first records of every file.

    Raises:
        ValueError: it cannot; names the file, both values and the flag.
    """
    lengths = {
        "max_seq_length": max_seq_length,
        "max_predictions_per_seq": max_predictions_per_seq,
    }
    for file in files:
        stated = file.manifest
        if stated is not None:
            for name, wanted in lengths.items():
                _check_length(file.path, name, stated[name], wanted)
            if stated["vocab_size"] > vocab_size:
                _refuse_vocabulary(
                    file.path,
                    f"a vocabulary of {stated['vocab_size']} rows",
                    vocab_size,
                )
    for path, serialized in _first_records(files):
        _check_record(path.decode(), serialized, lengths, vocab_size)


def _inspect(path):
    with corpus.open_binary(path) as file:
        compression = "GZIP" if file.read(2) == _GZIP_MAGIC else ""
    stated = manifest.find(path)
    if stated is None:
        num_records = _count_records(path, compression)
        return RecordFile(path, compression, num_records, None)
    entry = stated["files"][os.path.basename(path)]
    num_bytes = corpus.num_bytes(path)
    if num_bytes != entry["num_bytes"]:
        # Says where the file is cut, if it is cut and not replaced.
        _count_records(path, compression)
        raise ValueError(
            f"{path} has {num_bytes} bytes where its manifest says "
            f"{entry['num_bytes']}: it is not the file that was built; build "
            "it again"
        )
    return RecordFile(path, compression, entry["num_records"], stated)


def _count_records(path, compression):
    """Walks from header to header without reading the data between."""
    num_records = offset = 0
    with corpus.open_binary(path) as raw:
        stream = gzip.GzipFile(fileobj=raw) if compression else raw
        try:
            while header := stream.read(_HEADER_BYTES):
                _skip_record(stream, header)
                offset = stream.tell()
                num_records += 1
        except EOFError:
            raise ValueError(
                f"{path} is truncated, or is no TFRecord file: the record at "
                f"byte offset {offset} is not whole. Build it again"
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


def _first_records(files):
    def first_of(path, compression):
        records = tf.data.TFRecordDataset(path, compression_type=compression)
        return records.take(_RECORDS_LOOKED_AT).map(lambda x: (path, x))

    columns = (
        [file.path for file in files],
        [file.compression for file in files],
    )
    return (
        tf.data.Dataset.from_tensor_slices(columns)
        .interleave(first_of, num_parallel_calls=tf.data.AUTOTUNE)
        .as_numpy_iterator()
    )


def _check_record(path, serialized, lengths, vocab_size):
    features = tf.train.Example.FromString(serialized).features.feature
    for name, flag in (
        ("input_ids", "max_seq_length"),
        ("masked_lm_positions", "max_predictions_per_seq"),
    ):
        if name not in features:
            raise ValueError(
                f"{path} holds no pretraining records: they lack {name!r} and "
                f"have {sorted(features)}"
            )
        got = len(features[name].int64_list.value)
        _check_length(path, flag, got, lengths[flag])
    for name in ("input_ids", "masked_lm_ids"):
        largest = max(features[name].int64_list.value)
        if largest >= vocab_size:
            _refuse_vocabulary(path, f"the token id {largest}", vocab_size)


def _check_length(path, flag, got, wanted):
    if got != wanted:
        raise ValueError(
            f"{path} was built with {flag}={got}, but --{flag}={wanted}; set "
            f"--{flag}={got}, or build the records again"
        )


def _refuse_vocabulary(path, what, vocab_size):
    raise ValueError(
        f"{path} has {what}, but vocab_size={vocab_size} in "
        "--bert_config_file; use the config whose vocab_size is the number of "
        "rows of the --vocab_file the records were built with"
    )

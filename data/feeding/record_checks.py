"""Checks that a trainer can use record files, and says which one is damaged."""

import re
from collections.abc import Callable, Sequence

import tensorflow as tf
from google.protobuf import message

from data import records
from data.feeding import manifest_checks
from data.feeding.record_files import RecordFile

_RECORDS_LOOKED_AT = 10
_NEEDED = {
    "static": ("input_ids", "masked_lm_positions", "masked_lm_ids"),
    "dynamic": ("input_ids", "first_segment_tokens"),
}
_LENGTHS = {
    "input_ids": "max_seq_length",
    "masked_lm_positions": "max_predictions_per_seq",
}


def check(
    files: Sequence[RecordFile],
    *,
    max_seq_length: int,
    max_predictions_per_seq: int,
    vocab_size: int,
) -> None:
    """Checks that a model of these sizes can be trained on `files`.

    Looks at the manifests, and at the first records of every file.

    Raises:
        ValueError: it cannot; names the file, both values and the flag.
    """
    for file in files:
        if file.manifest is not None:
            manifest_checks.check(
                file.path,
                file.manifest,
                max_seq_length=max_seq_length,
                max_predictions_per_seq=max_predictions_per_seq,
                vocab_size=vocab_size,
            )
    _check_alike(files)
    lengths = {
        "max_seq_length": max_seq_length,
        "max_predictions_per_seq": max_predictions_per_seq,
    }
    try:
        for index, serialized in _first_records(files):
            _check_record(files[index], serialized, lengths, vocab_size)
    except tf.errors.DataLossError:
        refuse_damage(files, lambda rows: rows.take(_RECORDS_LOOKED_AT))
        raise


def refuse_damage(
    files: Sequence[RecordFile],
    step: Callable[[tf.data.Dataset], tf.data.Dataset],
) -> None:
    """Says which file cannot be read, and why.

    TensorFlow's errors do not say in which file they are.

    Args:
        files: those that were read.
        step: makes of a dataset of serialized records the one to read through.

    Raises:
        ValueError: one cannot be read.
    """
    for file in files:
        rows = step(tf.data.TFRecordDataset(file.path, file.compression))
        try:
            rows.reduce(0, lambda count, _: count + 1)
            continue
        except tf.errors.OpError as error:
            why = _reason(error)
        except UnicodeDecodeError:
            # TensorFlow quotes bytes of the record, and then cannot say them.
            why = "a record cannot be parsed"
        raise ValueError(
            f"{file.path} is damaged, or not made for this model: {why}; "
            "build it again"
        )


def _reason(error):
    """What a dataset's error says, without the names of its nodes."""
    line = error.message.strip().partition("\n")[0]
    return re.sub(
        r"\{\{.*?\}\} *|Error in user-defined .* iterator: \S+: |"
        r"assertion failed: \[|\]$| *\[Op:.*",
        "",
        line,
    )


def _check_alike(files):
    first = files[0]
    for file in files[1:]:
        kind = _kind(file)
        for name, wanted in _kind(first).items():
            if kind[name] != wanted:
                raise ValueError(
                    f"{file.path} was built with {name}={kind[name]}, but "
                    f"{first.path} with {name}={wanted}; give only files of "
                    "one kind, or build them all with the same flags"
                )


def _kind(file):
    """{name: value} of what all files of a flag must have in common.

    The masking comes first: files that differ in it have not the same names.
    """
    facts = file.facts
    kind = {
        "masking": facts.masking,
        "pair_task": facts.pair_task,
        "pack_sequences": facts.pack_sequences,
    }
    if facts.masking == "dynamic":
        kind |= {
            "mask_id": facts.mask_id,
            "vocab_size": facts.vocab_size,
            "special_ids": facts.special_ids,
            "padding_id": facts.padding_id,
        }
    return kind | {"is_v2": file.is_v2, "has_pairs": file.has_pairs}


def _first_records(files):
    """Yields (index, serialized record), a few of every file."""

    def first_of(
        index: tf.Tensor, path: tf.Tensor, compression: tf.Tensor
    ) -> tf.data.Dataset:
        rows = tf.data.TFRecordDataset(path, compression_type=compression)
        return rows.take(_RECORDS_LOOKED_AT).map(lambda row: (index, row))

    columns = (
        range(len(files)),
        [file.path for file in files],
        [file.compression for file in files],
    )
    return (
        tf.data.Dataset.from_tensor_slices(columns)
        .interleave(first_of, num_parallel_calls=tf.data.AUTOTUNE)
        .as_numpy_iterator()
    )


def _check_record(file, serialized, lengths, vocab_size):
    path = file.path
    try:
        example = tf.train.Example.FromString(serialized)
    except message.DecodeError:
        raise ValueError(
            f"{path} holds no pretraining records: they are no tf.train.Example"
        ) from None
    features = example.features.feature
    _refuse_unstated(file, features)
    needed = _NEEDED[file.masking]
    if file.is_bare:
        needed = tuple(feature.name for feature in records.BARE_FEATURES)
    for name in needed:
        present = records.V2_NAMES.get(name, name) if file.is_v2 else name
        if present not in features:
            raise ValueError(
                f"{path} holds no pretraining records: they lack {name!r} and "
                f"have {sorted(features)}"
            )
        values = features[present].int64_list.value
        if flag := _LENGTHS.get(name):
            _check_length(file, flag, len(values), lengths[flag])
        largest = max(values, default=0)
        if name.endswith("ids") and largest >= vocab_size:
            what = f"the token id {largest}"
            manifest_checks.refuse_vocabulary(
                path, what, largest + 1, vocab_size
            )


def _check_length(file, flag, got, wanted):
    # Records without masks are as long as their tokens: any length up to the
    # limit is right, and a longer one may be cut.
    is_right = file.masking == "dynamic" and got <= wanted
    if not is_right and not manifest_checks.is_cut(file.facts, wanted):
        manifest_checks.check_length(file.path, flag, got, wanted)


def _refuse_unstated(file, features):
    """Refuses records of a kind that only a manifest can tell of."""
    is_packed = "next_sentence_positions" in features
    if "first_segment_tokens" in features and file.masking == "static":
        what = "records without masks"
    elif is_packed and not file.facts.pack_sequences:
        what = "records of several sequences"
    else:
        return
    raise ValueError(
        f"{file.path} holds {what}, and its manifest does not say so: put the "
        "manifest.json of its build beside it, or build it again"
    )

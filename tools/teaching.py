"""What tools.add_teacher does with a file of records.

Shapes: B batch, P predictions, K words that are kept, V vocabulary.
"""

import dataclasses
import hashlib
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from keras import ops

from data import manifest, records
from data.feeding import epochs
from data.feeding.record_files import RecordFile
from data.manifest import FileSize, Manifest, Taught
from interop.variables import PortableModel
from jobs import progress
from modeling.tensor import rows_at
from pretraining import teacher
from storage import file_io
from training import precision, strategy


def check_records(files: Sequence[RecordFile]) -> Manifest:
    """Returns the manifest of records that can be asked about.

    Raises:
        ValueError: they cannot; says what to do.
    """
    first = files[0].facts
    for file in files:
        facts = file.facts
        if file.manifest is None:
            raise ValueError(
                f"{file.path} has no manifest beside it, which says how its "
                "records were made"
            )
        if facts.masking != "static":
            raise ValueError(
                f"{file.path} was built with --masking=dynamic, and is masked "
                "anew in each epoch: build the records with --masking=static, "
                "or train with --teacher_dir"
            )
        if facts.teacher:
            raise ValueError(f"{file.path} has the words of a teacher already")
        if facts.max_seq_length != first.max_seq_length:
            raise ValueError(
                f"{file.path} and {files[0].path} are of two lengths: name "
                "those of one alone"
            )
    names = [os.path.basename(file.path) for file in files]
    if len(set(names)) < len(names):
        raise ValueError("--input_file names two files of one name")
    return first


class Asked:
    """A teacher, and what it says of records.

    Args:
        config: of the tool.
        facts: what is said of the records.

    Raises:
        ValueError: the teacher cannot be read, or reads other words.
    """

    def __init__(self, config: Any, facts: Manifest):
        self._config = config
        self._facts = facts
        model = teacher.load(
            config.teacher_dir, "masked_lm", facts.max_seq_length or 0
        )
        size = model.config.vocab_size
        if (facts.vocab_size or 0) > size:
            raise ValueError(
                f"--teacher_dir={config.teacher_dir} has vocab_size={size}, "
                f"the records {facts.vocab_size}: they must have one vocabulary"
            )
        if config.top_k > size:
            raise ValueError(
                f"--top_k={config.top_k} is more than the {size} words of "
                f"--teacher_dir={config.teacher_dir}"
            )
        devices = strategy.create(config)
        with devices.scope():
            self._teacher = teacher.Teacher(
                config.teacher_dir,
                model,
                precision.choose(config.mixed_precision, devices),
            )
        known = facts.made_from.vocab_sha256
        self._teacher.check_vocabulary(
            model.config, None, {known} if known else set()
        )
        self.taught = Taught(
            config.top_k,
            config.distillation_temperature,
            size,
            _digest(model),
        )
        # Of each batch, the part of a share that its K words have.
        self.shares_kept: list[float] = []
        self._ask = tf.function(self._say)

    def _say(self, batch):
        """Returns the likeliest words, [B, P, K], and shares, [B, P, K + 1]."""
        positions = batch["masked_lm_positions"]
        encoded = self._teacher.encode(batch)
        rows = rows_at(encoded.sequence_output, positions)
        scorer = self._teacher.scorer(rows)
        shares = ops.exp(scorer.log_shares(self.taught.temperature))
        found, words = ops.top_k(shares, self.taught.top_k)
        # Of all but the K, not what these leave of 1, which is rounded.
        is_kept = ops.sum(ops.one_hot(words, shares.shape[-1]), axis=-2)
        others = ops.sum(shares * (1 - is_kept), axis=-1, keepdims=True)
        found = ops.concatenate([found, others], axis=-1)
        shape = ops.shape(positions)
        return (
            ops.reshape(words, (*shape, -1)),
            ops.reshape(found, (*shape, -1)),
        )

    def write(self, file: RecordFile, path: str) -> None:
        """Writes a file of the same records, whole or not at all."""
        parse = records.parse_fn(
            self._facts.max_seq_length or 0,
            self._facts.max_predictions_per_seq or 0,
            self._facts.pack_sequences,
            is_v2=file.is_v2,
            has_pairs=file.has_pairs,
        )
        batches = epochs.read(file.path, file.compression).batch(
            self._config.batch_size
        )
        unfinished = f"{path}.unfinished"
        with (
            tf.io.TFRecordWriter(unfinished, file.compression) as writer,
            progress.Progress(path, file.num_records, " records") as bar,
        ):
            for serialized in batches:
                for record in self._taught_records(parse, serialized):
                    writer.write(record)
                bar.advance(len(serialized))
        file_io.sync(unfinished)
        file_io.rename(unfinished, path)

    def _taught_records(self, parse, serialized):
        batch = parse(serialized)
        # One shape, so that one graph is made.
        missing = self._config.batch_size - len(serialized)
        words, shares = (
            x.numpy()
            for x in self._ask(
                {
                    name: tf.pad(x, [[0, missing]] + [[0, 0]] * (x.ndim - 1))
                    for name, x in batch.items()
                }
            )
        )
        weights = batch["masked_lm_weights"].numpy()
        if weights.any():
            kept = 1 - shares[: len(weights), :, -1][weights > 0]
            self.shares_kept.append(float(kept.mean()))
        for row, record in enumerate(serialized.numpy()):
            example = tf.train.Example.FromString(record)
            found = records.teacher_bytes(
                words[row],
                shares[row].astype(tf.bfloat16.as_numpy_dtype),
                self.taught.vocab_size,
            )
            for name, value in found.items():
                feature = example.features.feature[name]
                feature.bytes_list.value[:] = [value]
            yield example.SerializeToString(deterministic=True)


def _digest(model: PortableModel) -> str:
    """Returns what two teachers have in common only if they are one."""
    found = hashlib.sha256()
    for name, value in sorted(model.values.items()):
        found.update(name.encode())
        found.update(np.ascontiguousarray(value).data)
    return found.hexdigest()


def write_manifest(
    directory: str,
    facts: Manifest,
    taught: Taught,
    sizes: Mapping[str, tuple[int, int]],
) -> None:
    """Writes what the trainer asks about the records; last of all.

    Args:
        directory: of the records.
        facts: those of the records before.
        taught: of the teacher.
        sizes: {file: (its records, its bytes)}.
    """
    path = os.path.join(directory, f"{min(sizes)}{manifest.SUFFIX}")
    changed = dataclasses.replace(
        facts,
        teacher=taught,
        files={name: FileSize(*size) for name, size in sizes.items()},
    )
    manifest.write(path, changed)

"""Writes into records what a teacher says of their masked words, once for all.

python -m tools.add_teacher --teacher_dir=bert_base_chinese \\
    --input_file='records/*.tfrecord' --output_dir=taught --top_k=16
python run_pretraining.py --objective=distillation --teacher_in_records \\
    --input_file='taught/*.tfrecord' --restrict_ce_to_mask --alpha_cos=0 ...

A training then needs no teacher: it is cheaper where records are read more than
once, or by several students. In the place of each masked word the K likeliest
words and their shares are kept, K * 4 + 2 bytes (K * 6 + 2 of vocabularies of
more than 65,536 words); all other words count as one. Records must have been
masked when they were built (--masking=static): else a teacher would see other
masks in each epoch. Given again after a stop, the same command goes on with the
next file.
"""

import dataclasses
import os
from typing import Annotated

import numpy as np
from absl import logging

import config_flags
from interop import look
from settings.flag import Flag
from storage import file_io, json_files, tensorflow_start
from training.config import DeviceSettings, StudentSettings

_BEGUN = "add_teacher.json"


@dataclasses.dataclass(frozen=True, kw_only=True)
class AddTeacherConfig(DeviceSettings, StudentSettings):
    """Every setting of add_teacher."""

    teacher_dir: Annotated[
        str, "The model that is asked; as --init_checkpoint of run_pretraining."
    ]
    input_file: Annotated[
        str, "Records of create_pretraining_data: files or patterns."
    ]
    output_dir: Annotated[
        str, "Where files of the same names are written, and their manifest."
    ]
    top_k: Annotated[
        int, Flag("How many words are kept of each masked one.", "positive")
    ] = 16
    batch_size: Annotated[
        int, Flag("Records that are computed together.", "positive")
    ] = 64


def add(config: AddTeacherConfig) -> str:
    """Writes the records; returns lines for the reader.

    Raises:
        ValueError: the records or the teacher do not fit, or --output_dir
            holds the work of other flags.
    """
    look.check_weights(config.teacher_dir, "teacher_dir")
    with tensorflow_start.quiet():
        from data.feeding import record_files
        from tools import teaching

    files = record_files.find(config.input_file)
    facts = teaching.check_records(files)
    teacher = teaching.Asked(config, facts)
    begun = {
        "teacher": dataclasses.asdict(teacher.taught),
        "files": {os.path.basename(x.path): x.num_records for x in files},
    }
    _begin(config.output_dir, begun)
    sizes = {}
    for file in files:
        name = os.path.basename(file.path)
        path = os.path.join(config.output_dir, name)
        if not file_io.exists(path):
            teacher.write(file, path)
        sizes[name] = file.num_records, file_io.num_bytes(path)
        logging.info("%s: %s records", path, f"{file.num_records:,}")
    before = sum(file_io.num_bytes(file.path) for file in files)
    after = sum(size for _, size in sizes.values())
    teaching.write_manifest(config.output_dir, facts, teacher.taught, sizes)
    file_io.remove(os.path.join(config.output_dir, _BEGUN))
    return (
        f"{len(files)} files, {sum(x.num_records for x in files):,} records, "
        f"{before / 1e6:,.1f} MB before and {after / 1e6:,.1f} MB now; "
        f"{np.mean(teacher.shares_kept):.1%} of the teacher's shares are kept"
        if teacher.shares_kept
        else f"{len(files)} files, all written before"
    )


def _begin(directory, begun):
    """Makes the folder, or goes on in one of the same flags and records."""
    path = os.path.join(directory, _BEGUN)
    if file_io.exists(path):
        if json_files.read(path) != begun:
            raise ValueError(
                f"--output_dir={directory} holds what was begun with another "
                "teacher, other flags or other records: remove it, or name "
                "another folder"
            )
        return
    file_io.check_new_directory(directory, "output_dir")
    file_io.make_directory(directory)
    json_files.write(path, begun)


def run(config: AddTeacherConfig) -> None:
    """Writes the records and prints what came of it."""
    print(add(config))


if __name__ == "__main__":
    config_flags.run(run, AddTeacherConfig)

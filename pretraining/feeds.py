"""What each stage of a run is fed with: its records, and how they are read."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from data.feeding import input_pipeline, record_checks
from data.feeding.input_pipeline import Parse
from data.feeding.record_files import RecordFile
from modeling.config import BertConfig
from pretraining import mask_share, preflight
from pretraining.config import PretrainingConfig
from pretraining.stages import Stage


@dataclasses.dataclass(frozen=True)
class Feed:
    """The records of a stage, and the flags of a run of that stage alone."""

    config: PretrainingConfig
    stage: Stage
    files: list[RecordFile]
    parse: Parse

    def batches(
        self, seed: int, start_step: int
    ) -> Callable[[Any], tf.data.Dataset]:
        """Returns the batches from a step of the stage on; see `Phase`."""
        return lambda context: input_pipeline.training_batches(
            self.files,
            parse=self.parse,
            batch_size=self.stage.batch_size,
            seed=seed,
            start_record=self.stage.record_at(start_step),
            context=context,
        )


def make(
    config: PretrainingConfig,
    architecture: BertConfig,
    stages: Sequence[Stage],
    files_of_stages: Sequence[list[RecordFile]],
) -> list[Feed]:
    """Returns the feed of each stage."""
    feeds: list[Feed] = []
    num_records = sum(stage.num_records for stage in stages)
    num_before = 0
    for stage, files in zip(stages, files_of_stages, strict=True):
        own = dataclasses.replace(
            config,
            stages=None,
            max_seq_length=stage.max_seq_length,
            use_nsp=config.use_nsp and preflight.has_pairs(files),
            train_batch_size=stage.batch_size,
            max_predictions_per_seq=preflight.num_predictions(
                config, stage, files
            ),
        )
        parse = input_pipeline.parser(
            files,
            own,
            max_seq_length=own.max_seq_length,
            vocab_size=architecture.vocab_size,
            seed=config.seed,
            fall=mask_share.of_training(
                config, num_records, num_before - stage.first_record
            ),
            with_teacher=config.teacher_in_records,
        )
        feeds.append(Feed(own, stage, files, parse))
        num_before += stage.num_records
    return feeds


def all_files(feeds: Sequence[Feed]) -> list[RecordFile]:
    """Returns the files of all stages; stages may share a set of them."""
    sets = {id(feed.files): feed.files for feed in feeds}
    return [file for files in sets.values() for file in files]


def refuse_damage(files: list[RecordFile], parse: Parse) -> None:
    """Raises ValueError if a record cannot be read; names its file."""
    record_checks.refuse_damage(
        files, lambda rows: input_pipeline.batches_of(rows, parse, 64)
    )

"""What is checked before anything is computed or written."""

import dataclasses
import itertools
from collections.abc import Sequence

import tensorflow as tf
from absl import logging

from data.config import MaskingConfig
from data.feeding import manifest_checks, record_checks, record_files
from data.feeding.record_files import RecordFile
from interop import start
from modeling.config import BertConfig
from pretraining import mask_share
from pretraining.config import PretrainingConfig
from pretraining.stages import Stage
from text import vocabularies
from training import schedules, strategy
from training.objective import Objective


def read_bert_config(config: PretrainingConfig) -> BertConfig:
    """Reads --bert_config_file and checks it against the other flags."""
    path = config.bert_config_file
    architecture = start.read_config(path, max_seq_length=config.max_seq_length)
    decay = config.layerwise_lr_decay
    start.check_layers_are_apart(
        path,
        architecture,
        {"layerwise_lr_decay": decay if decay != 1 else None},
    )
    if config.position_init == "sinusoidal" and architecture.rotates:
        raise ValueError(
            f"--position_init=sinusoidal: a {architecture.model_type} has no "
            "position embeddings; set --position_init=random"
        )
    if config.use_nsp and not architecture.has_pooler:
        raise ValueError(
            f"--use_nsp: {path} is of the family {architecture.model_type}, "
            "which has no head for pairs of sentences; give --nouse_nsp"
        )
    return architecture


def warn_of_few_steps(config: PretrainingConfig) -> None:
    """Says where the learning rate does not come to its peak."""
    if config.do_train and config.train_minutes is None:
        schedules.warn_of_few_steps(
            config.warmup_steps,
            config.num_train_steps,
            "--num_train_steps, or set --num_warmup_steps lower",
        )


def find_records(
    config: PretrainingConfig, architecture: BertConfig
) -> tuple[list[RecordFile], list[RecordFile]]:
    """Returns the record files to train on at last, and to evaluate on.

    Raises:
        ValueError: there are none, or they do not fit the flags.
    """
    stages = config.stages_of(architecture.num_hidden_layers)
    found, eval_files = find_records_of_stages(config, architecture, stages)
    return found[-1], eval_files


def find_records_of_stages(
    config: PretrainingConfig, architecture: BertConfig, stages: Sequence[Stage]
) -> tuple[list[list[RecordFile]], list[RecordFile]]:
    """Returns the record files of each stage, and those to evaluate on.

    Stages of one set of records have the same list.

    Raises:
        ValueError: there are none, or they do not fit the flags.
    """
    sets = [
        _files_of(config, patterns, "input_file")
        for patterns in config.input_sets
    ]
    files_of_stages = sets if len(sets) > 1 else sets * len(stages)
    for stage, files in zip(stages, files_of_stages, strict=True):
        if config.stages is not None:
            _check_length(stage, files)
        _check(
            config,
            files,
            "input_file",
            # The head of pairs may be left for the last stage.
            wants_pairs=files is files_of_stages[-1],
            vocab_size=architecture.vocab_size,
            max_seq_length=stage.max_seq_length,
            max_predictions_per_seq=num_predictions(config, stage, files),
        )
    eval_files = _find_evaluation_records(
        config, architecture, files_of_stages[-1]
    )
    all_files = [*itertools.chain(*sets), *eval_files]
    _check_masking(config, all_files)
    if config.teacher_in_records:
        _check_teacher(config, all_files)
    return files_of_stages, eval_files


def num_predictions(
    config: PretrainingConfig, stage: Stage, files: Sequence[RecordFile]
) -> int:
    """Returns the most masks of a record of a stage.

    The last stage's are --max_predictions_per_seq. An earlier one has what its
    records were built with, or of records without masks the share that its
    length has of --max_seq_length, rounded up.
    """
    most = config.max_predictions_per_seq
    if stage.end_step == config.last_step:
        return most
    if files[0].masking == "dynamic":
        return -(-most * stage.max_seq_length // config.max_seq_length)
    return files[0].facts.max_predictions_per_seq or most


def _check_length(stage, files):
    """Says of manifests, in words of --stages, what does not fit a stage."""
    wanted = stage.max_seq_length
    for file in files:
        built = file.facts.max_seq_length
        if built in (None, wanted) or manifest_checks.is_cut(
            file.facts, wanted
        ):
            continue
        raise ValueError(
            f"{file.path} was built with max_seq_length={built}, and a stage "
            f"of --stages has {wanted} tokens: build records for each stage "
            "and name them in --input_file, joined by ';'; only longer ones of "
            "--masking=dynamic --pair_task=none can be cut"
        )


def _find_evaluation_records(config, architecture, train_files):
    eval_files = []
    is_evaluated = config.do_eval or config.eval_every_steps
    if is_evaluated and config.eval_input_file:
        eval_files = _files_of(
            config, config.eval_input_file, "eval_input_file"
        )
        _check(
            config,
            eval_files,
            "eval_input_file",
            vocab_size=architecture.vocab_size,
            max_seq_length=config.max_seq_length,
            max_predictions_per_seq=config.max_predictions_per_seq,
        )
    elif is_evaluated:
        logging.warning(
            "NO --eval_input_file: EVALUATING ON THE TRAINING FILES. The "
            "figures say how well these records are remembered, not how well "
            "other text is read"
        )
        eval_files = train_files
    return eval_files


def _check_masking(config, files):
    """Checks that the masks can be drawn as the flags say."""
    mask_share.check_room(config)
    dynamic = [file for file in files if file.masking == "dynamic"]
    given = [
        f"--{field.name}={getattr(config, field.name)}"
        for field in dataclasses.fields(MaskingConfig)
        if field.name != "max_predictions_per_seq"
        and getattr(config, field.name) != field.default
    ]
    if config.masked_lm_prob_end is not None:
        given.append(f"--masked_lm_prob_end={config.masked_lm_prob_end}")
    if given and not dynamic:
        raise ValueError(
            f"{files[0].path} was masked when it was built, so that "
            f"{' '.join(given)} has no effect; remove it, or build the records "
            "again with --masking=dynamic"
        )
    if config.do_whole_word_mask and any(
        file.facts.word_segmenter == "none" for file in dynamic
    ):
        logging.warning(
            "--do_whole_word_mask on records built with --word_segmenter=none: "
            "every Chinese character is a word of its own"
        )


def _check_teacher(config, files):
    """Checks that one teacher has said something of all records."""
    first = files[0].facts.teacher
    for file in files:
        taught = file.facts.teacher
        if taught is None:
            raise ValueError(
                f"--teacher_in_records: no teacher has said anything of "
                f"{file.path}; see tools.add_teacher"
            )
        if taught != first:
            raise ValueError(
                f"--teacher_in_records: {file.path} and {files[0].path} are of "
                "two teachers, or of one with other flags"
            )
    if first.temperature != config.distillation_temperature:
        raise ValueError(
            f"{files[0].path} holds shares at a temperature of "
            f"{first.temperature:g}, but --distillation_temperature="
            f"{config.distillation_temperature:g}; set it to that"
        )


def check_best_metric(metric: str | None, objective: Objective) -> None:
    """Checks that the objective reports what --keep_best_metric names."""
    names = ["loss", *objective.term_names]
    if metric not in (None, *names):
        raise ValueError(
            f"--keep_best_metric={metric} is not among what "
            f"is evaluated: {', '.join(names)}"
        )


def check_batch_sizes(
    config: PretrainingConfig,
    devices: tf.distribute.Strategy,
    stages: Sequence[Stage],
) -> None:
    """Checks that replicas and their parts can share a batch evenly."""
    sizes = {"train_batch_size": config.train_batch_size}
    if config.stages is not None:
        sizes = {
            f"train_batch_size of stage {number} of --stages": stage.batch_size
            for number, stage in enumerate(stages, 1)
        }
    strategy.check_batch_sizes(
        devices,
        sizes | {"eval_batch_size": config.eval_batch_size},
        **dict.fromkeys(sizes, config.gradient_accumulation_steps),
    )


def check_init_checkpoint(
    config: PretrainingConfig, stages: Sequence[Stage]
) -> None:
    """Refuses to copy layers over those that a checkpoint brings."""
    if config.init_checkpoint and stages[0].num_layers < stages[-1].num_layers:
        raise ValueError(
            f"--stages={config.stages} begins with {stages[0].num_layers} of "
            f"{stages[-1].num_layers} layers, and the others would be copies: "
            "leave the layers out with --init_checkpoint, which brings them "
            "all; tools.stack_layers makes more of few"
        )


def _files_of(config, patterns, flag):
    try:
        files = record_files.find(patterns, flag=flag)
    except tf.errors.OpError as error:
        raise ValueError(f"--{flag}: {error.message}") from None
    bare = next((file for file in files if file.is_bare), None)
    if bare is None:
        return files
    if not config.vocabulary_path:
        raise ValueError(
            f"{bare.path} holds records without masks, and no manifest says "
            "which vocabulary they are of: name it with --vocab_file, for "
            "masks to be drawn"
        )
    if config.do_whole_word_mask:
        raise ValueError(
            f"{bare.path} does not say where words begin: leave "
            "--do_whole_word_mask out, or build records with "
            "create_pretraining_data"
        )
    vocabulary = vocabularies.load(config)
    return record_files.with_vocabulary(
        files, vocabulary, config.max_seq_length
    )


def has_pairs(files: Sequence[RecordFile]) -> bool:
    """Whether records are pairs of segments, with a label for each."""
    has_labels = files[0].facts.pair_task in ("nsp", "sop")
    return has_labels and files[0].has_pairs


def _check(config, files, flag, wants_pairs=True, **sizes):
    try:
        record_checks.check(files, **sizes)
    except tf.errors.OpError as error:
        raise ValueError(f"--{flag}: {error.message}") from None
    if not (config.use_nsp and wants_pairs) or has_pairs(files):
        return
    if files[0].has_pairs:
        raise ValueError(
            f"{files[0].path} was built with "
            f"pair_task={files[0].facts.pair_task} and has no pairs to tell, "
            "but --use_nsp=true; set --use_nsp=false"
        )
    raise ValueError(
        f"{files[0].path} has no next_sentence_labels, but --use_nsp=true; "
        "set --use_nsp=false"
    )

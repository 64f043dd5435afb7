"""The tasks there are, and a fine-tuned directory's own."""

import os

from finetuning import model, prediction, preflight, weights
from finetuning.classification import config as classification_config
from finetuning.classification import task as classification
from finetuning.question_answering import config as question_answering_config
from finetuning.question_answering import task as question_answering
from finetuning.tagging import config as tagging_config
from finetuning.tagging import task as tagging
from settings import bounds
from training import precision, run_settings, strategy

_FEW_ROWS = 2
# {name in settings.json: (its config, the task)}
PROGRAMS = {
    "Classification": (
        classification_config.ClassifierConfig,
        classification.Classification,
    ),
    "QuestionAnswering": (
        question_answering_config.QuestionAnsweringConfig,
        question_answering.QuestionAnswering,
    ),
    "Tagging": (tagging_config.TaggingConfig, tagging.Tagging),
}


def load(directory, **changes):
    """Returns the config and the task of a fine-tuned directory.

    Args:
        directory: an --output_dir of a training.
        changes: fields of the config to set otherwise.

    Raises:
        ValueError: it is none.
    """
    stated = run_settings.read(directory)
    if stated.get("task") not in PROGRAMS:
        raise ValueError(
            f"{directory} has no {run_settings.SETTINGS_FILE} of a "
            "fine-tuning: it is not the --output_dir of one"
        )
    path = os.path.join(directory, run_settings.SETTINGS_FILE)
    make_config, make_task = PROGRAMS[stated["task"]]
    settings = {
        **stated.get("config", {}),
        "output_dir": directory,
        "bert_config_file": os.path.join(directory, "bert_config.json"),
        "vocab_file": os.path.join(directory, "vocab.txt"),
        "seeds": None,
        **changes,
    }
    wrong = f"{path}: not the settings of {make_task.program}: "
    try:
        bounds.check_kinds(make_config, settings)
        config = make_config(**settings)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{wrong}{error}") from None
    try:
        made = make_task(config)
        made.restore(stated.get("settings", {}))
    except ValueError as error:
        raise ValueError(f"{wrong}{error}") from None
    return config, made


def load_predictor(config, made):
    """Returns a function that maps rows to the outputs of a directory's model.

    A few rows are not computed as a whole batch, so that who asks one
    question need not wait for the room of many.

    Args:
        config: from `load`.
        made: from `load`.
    """
    bert = preflight.read_bert_config(config)
    devices = strategy.of(config)
    with devices.scope():
        of_task = model.Model(
            bert,
            made,
            seed=config.seed,
            mixed_precision=precision.choose(config.mixed_precision, devices),
        )
    weights.restore(config, of_task)
    few, many = (
        prediction.Predictor(
            devices,
            of_task,
            batch_size=batch_size,
            group_by_length=not config.use_tpu and not config.tpu_name,
        )
        for batch_size in (
            devices.num_replicas_in_sync,
            config.predict_batch_size,
        )
    )

    def outputs_of(rows):
        num_rows = len(rows["input_ids"])
        is_few = num_rows <= _FEW_ROWS * devices.num_replicas_in_sync
        return (few if is_few else many).outputs(rows)

    return outputs_of

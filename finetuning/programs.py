"""The fine-tuning tasks there are, and that of a fine-tuned directory."""

import os
from typing import Any

from finetuning.classification.config import ClassifierConfig
from finetuning.classification.task import Classification
from finetuning.config import FinetuningConfig
from finetuning.question_answering.config import QuestionAnsweringConfig
from finetuning.question_answering.task import QuestionAnswering
from finetuning.tagging.config import TaggingConfig
from finetuning.tagging.task import Tagging
from finetuning.task import Task
from settings.flag import check_kinds
from text import vocabularies
from training import run_settings

# {what settings.json calls the task: (the class of its settings, its own)}
PROGRAMS: dict[str, tuple[type[FinetuningConfig], type[Task]]] = {
    Classification.name: (ClassifierConfig, Classification),
    QuestionAnswering.name: (QuestionAnsweringConfig, QuestionAnswering),
    Tagging.name: (TaggingConfig, Tagging),
}


def load(directory: str, **changes: Any) -> tuple[FinetuningConfig, Task]:
    """Returns the config and the task of a fine-tuned directory.

    Args:
        directory: an --output_dir of a training.
        changes: fields of the config that are to have another value.

    Raises:
        ValueError: it is none.
    """
    settings = run_settings.read(directory)
    if settings.get("task") not in PROGRAMS:
        raise ValueError(
            f"{directory} has no {run_settings.SETTINGS_FILE} of a "
            "fine-tuning: it is not the --output_dir of one"
        )
    make_config, make_task = PROGRAMS[settings["task"]]
    fields = {
        **settings.get("config", {}),
        "output_dir": directory,
        "bert_config_file": os.path.join(directory, "bert_config.json"),
        **vocabularies.flags_of(directory),
        "seeds": None,
        **changes,
    }
    try:
        check_kinds(make_config, fields)
        config = make_config(**fields)
    except (TypeError, ValueError) as error:
        raise _not_settings(directory, make_task, error) from None
    try:
        task = make_task(config)
        task.restore(settings.get("settings", {}))
    except ValueError as error:
        raise _not_settings(directory, make_task, error) from None
    return config, task


def _not_settings(directory, make_task, error):
    path = os.path.join(directory, run_settings.SETTINGS_FILE)
    return ValueError(
        f"{path}: not the settings of {make_task.program}: {error}"
    )

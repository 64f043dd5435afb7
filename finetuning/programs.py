"""The fine-tuning tasks there are, and that of a fine-tuned directory."""

import os
from typing import Any

from finetuning import directory
from finetuning.classification.config import ClassifierConfig
from finetuning.classification.task import Classification
from finetuning.config import FinetuningConfig
from finetuning.question_answering.config import QuestionAnsweringConfig
from finetuning.question_answering.task import QuestionAnswering
from finetuning.tagging.config import TaggingConfig
from finetuning.tagging.task import Tagging
from finetuning.task import Task
from training import run_settings

# {what settings.json calls the task: (the class of its settings, its own)}
PROGRAMS: dict[str, tuple[type[FinetuningConfig], type[Task]]] = {
    Classification.name: (ClassifierConfig, Classification),
    QuestionAnswering.name: (QuestionAnsweringConfig, QuestionAnswering),
    Tagging.name: (TaggingConfig, Tagging),
}


def load(folder: str, **changes: Any) -> tuple[FinetuningConfig, Task]:
    """Returns the config and the task of a fine-tuned directory.

    Args:
        folder: an --output_dir of a training.
        changes: fields of the config that are to have another value.

    Raises:
        ValueError: it is none.
    """
    settings = run_settings.read(folder)
    tasks = settings.get("settings", {}).get("tasks")
    if isinstance(tasks, dict):
        named = ", ".join(os.path.join(folder, name) for name in tasks)
        raise ValueError(f"{folder} has several tasks; name one: {named}")
    if settings.get("task") not in PROGRAMS:
        raise ValueError(
            f"{folder} has no {run_settings.SETTINGS_FILE} of a "
            "fine-tuning: it is not the --output_dir of one"
        )
    return directory.load(folder, *PROGRAMS[settings["task"]], **changes)

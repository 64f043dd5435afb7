"""The table of tasks: what a fine-tuned directory says of itself goes on."""

import re

import pytest

from finetuning import programs
from finetuning.config import FinetuningConfig
from finetuning.task import Task
from tests import project


def test_directories_of_earlier_versions_are_still_known():
    """Their settings.json has these names."""
    assert {
        name: make_task.program
        for name, (_, make_task) in programs.PROGRAMS.items()
    } == {
        "Classification": "run_classifier.py",
        "QuestionAnswering": "run_squad.py",
        "Tagging": "run_ner.py",
    }


@pytest.mark.parametrize("name", programs.PROGRAMS)
def test_a_row_of_the_table_is_a_task_with_a_script(name):
    make_config, make_task = programs.PROGRAMS[name]
    assert make_task.name == name
    assert issubclass(make_config, FinetuningConfig)
    assert issubclass(make_task, Task)
    script = (project.ROOT / make_task.program).read_text(encoding="utf-8")
    folder = make_task.__module__.removesuffix(".task")
    assert re.search(rf"from {folder} import .*\btask\b", script)
    assert f"from {folder}.config import {make_config.__name__}" in script

"""Which tasks a trained model is of."""

import pytest

from tests.finetuning.classification import tiny_classifier


@pytest.mark.parametrize(
    ("trained", "scored", "is_other"),
    [
        ("mnli", "MNLI", False),
        ("SST-2", "sst2", False),
        # GLUE's diagnostic set has nothing to train on.
        ("MNLI", "ax", False),
        ("ax", "mnli", True),
        ("mnli", "qnli", True),
        ("tsv", "jsonl", False),
        ("mnli", "tsv", True),
        ("tsv", "mnli", True),
    ],
)
def test_a_model_is_of_the_task_it_was_trained_for(
    trained, scored, is_other, tmp_path
):
    made = tiny_classifier.settings(tmp_path, task_name=scored)
    assert made.is_other_task(trained) is is_other

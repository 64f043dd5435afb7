"""A card says what the files of a training say."""

import numpy as np
import pytest

from data.feeding import record_files
from serving import cards
from tests import tiny
from training import run_settings


@pytest.mark.parametrize(
    ("rows", "number"),
    [
        (
            record_files.describe(
                [
                    record_files.RecordFile("a", "", 100, None),
                    record_files.RecordFile("b", "", 12_345, None),
                ]
            ),
            12_445,
        ),
        ({"task": "classification", "files": {}}, None),
        (None, None),
    ],
)
def test_records_are_those_that_the_training_noted(tmp_path, rows, number):
    export = tmp_path / "export"
    export.mkdir()
    run_settings.write(str(tmp_path), {"config": {}, "training_rows": rows})
    for folder in (tmp_path, export):
        card = cards.make(
            str(folder), tiny.config(), [np.zeros((3, 4)), np.zeros(5)], 16
        )
        assert card["records"] == number
        assert card["parameters"] == 17

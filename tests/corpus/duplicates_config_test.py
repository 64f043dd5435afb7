"""What of the settings of duplicates is refused, and what rules name."""

import pytest

from corpus.duplicates.config import RULES, DuplicatesSettings
from settings.flag import flags_of


def test_each_rule_names_a_flag():
    assert {rule.flag for rule in RULES.values()} <= {
        *flags_of(DuplicatesSettings)
    }


@pytest.mark.parametrize(
    "given",
    [
        {"repeated_line_documents": 1},
        {"repeated_line_documents": -1},
        {"near_duplicate_threshold": 0.1},
        {"near_duplicate_threshold": 1.1},
    ],
)
def test_a_number_that_finds_everything_or_nothing_is_refused(given):
    with pytest.raises(ValueError, match=f"--{next(iter(given))} must"):
        DuplicatesSettings(**given)


def test_a_low_threshold_that_is_not_used_is_none_of_its_business():
    DuplicatesSettings(near_duplicates=False, near_duplicate_threshold=0.1)

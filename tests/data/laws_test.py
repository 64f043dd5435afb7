"""The table of masking laws is the one place that knows them."""

import typing

import numpy as np
import pytest

from data import config, laws


def test_the_flag_offers_the_laws_there_are():
    kind = typing.get_type_hints(config.MaskingConfig)["mask_unit"]
    assert typing.get_args(kind) == tuple(laws.LAWS)


@pytest.mark.parametrize("law", laws.LAWS.values())
def test_shares_add_up_to_one(law):
    assert sum(law.shares) == pytest.approx(1)
    assert sum(law.stand_ins.values()) == pytest.approx(1)
    assert law.run_lengths[-1] == 1
    assert (np.diff(law.run_lengths) > 0).all()


def test_a_law_may_keep_or_hide_all_that_it_masks():
    assert laws.LAWS["electra"].kept_of_rest == 1
    assert laws.Law(weights=(1.0,), shares=(1.0, 0.0, 0.0)).kept_of_rest == 0


@pytest.mark.parametrize(
    ("unit", "words"),
    [
        ("word", "tokens"),
        ("ngram", "runs of 1 to 3 tokens"),
        ("span", "runs of 1 to 10 tokens"),
        ("macbert", "runs of 1 to 4 tokens"),
        ("electra", "tokens"),
    ],
)
def test_a_law_says_what_it_masks_at_once(unit, words):
    assert laws.LAWS[unit].describe("tokens") == words

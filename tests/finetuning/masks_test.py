"""The words for a mask do not depend on what is asked beside it."""

import numpy as np
import pytest

from finetuning import compiled, masks
from finetuning.task import FEATURES
from interop.network import Network
from tests.interop import berts

_LENGTH = 24
_NUM_WORDS = 128


def _network():
    """Wide enough for a CPU to add up in another order."""
    changes = {
        "hidden_size": 312,
        "intermediate_size": 64,
        "max_position_embeddings": _LENGTH,
        "vocab_size": _NUM_WORDS,
    }
    return Network(berts.bert(head="pretraining", **changes))


def _rows(counts, width):
    """Rows of so many masks each, at places of their own."""
    rng = np.random.default_rng(3)
    ids = rng.integers(1, 50, (len(counts), _LENGTH)).astype(np.int32)
    ones = np.ones_like(ids)
    positions = np.full((len(counts), width), -1, np.int32)
    for row, count in enumerate(counts):
        positions[row, :count] = rng.choice(_LENGTH, count, replace=False)
    rows = dict(zip(FEATURES, (ids, ones, 0 * ones), strict=True))
    return rows | {"positions": positions}


@pytest.mark.parametrize("counts", [(1, 1), (1, 4), (3, 16, 1, 2), (16,) * 8])
def test_words_are_the_same_alone_and_in_company(counts):
    model = masks.MaskModel(_network(), _NUM_WORDS)
    rows = _rows(counts, max(counts))
    computed = compiled.Compiled(model, rows)
    together = computed(rows)
    shape = (len(counts), max(counts), min(100, _NUM_WORDS))
    assert together["scores"].shape == shape
    for number, count in enumerate(counts):
        own = {name: x[number : number + 1] for name, x in rows.items()}
        own["positions"] = own["positions"][:, :count]
        alone = computed(own)
        for name, values in alone.items():
            wanted = together[name][number, :count]
            np.testing.assert_array_equal(values[0], wanted)

"""An answer does not depend on what is computed beside it."""

import numpy as np
import pytest

from finetuning import compiled
from finetuning.task import FEATURES
from modeling import families, task_heads
from modeling.initializers import TruncatedNormal
from tests import tiny

_LENGTH = 24


class _Classifier:
    """A classifier, wide enough for a CPU to differ."""

    per_token = False
    inputs = FEATURES

    def __init__(self):
        config = tiny.config(
            hidden_size=312,
            intermediate_size=64,
            num_hidden_layers=1,
            max_position_embeddings=_LENGTH,
        )
        initializer = TruncatedNormal(0.2, seed=1)
        self._encoder = families.make_encoder(config, initializer)
        self._head = task_heads.SequenceHead(config, initializer, 2)

    def predict(self, batch):
        features = (batch[name] for name in FEATURES)
        return self._head(self._encoder(*features), batch)


def _rows(count):
    ids = np.random.default_rng(2).integers(1, 50, (count, _LENGTH), np.int32)
    ones = np.ones_like(ids)
    return dict(zip(FEATURES, (ids, ones, 0 * ones), strict=True))


@pytest.mark.parametrize("company", [2, 3, 7, 8])
def test_a_row_alone_is_the_same_as_in_company(company):
    model = _Classifier()
    computed = compiled.Compiled(model, _rows(8))
    rows = _rows(8)
    together = computed({n: x[:company] for n, x in rows.items()})["logits"]
    assert together.shape == (company, 2)
    for number in range(company):
        alone = computed({n: x[number : number + 1] for n, x in rows.items()})[
            "logits"
        ]
        np.testing.assert_array_equal(alone[0], together[number])

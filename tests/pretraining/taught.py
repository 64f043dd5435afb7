"""A tiny teacher, and settings of runs that learn from it."""

import numpy as np

from interop import tf1
from interop.variables import PortableModel
from pretraining import masked_lm
from tests import tiny


def write_teacher(directory, model_type="bert", tokenizer=None, **changes):
    """Writes a model of random weights as published; returns its path.

    The weights are large enough that it knows some words better than others.
    """
    config = tiny.config(model_type, **changes)
    objective = masked_lm.MaskedLm(config, use_nsp=False, seed=1)
    rng = np.random.default_rng(7)
    values = {
        x.path: (x.numpy() + rng.normal(size=x.shape, scale=0.1)).astype("f4")
        for x in objective.exported
    }
    model = PortableModel(
        config=config,
        head=objective.exported_head,
        values=values,
        tokenizer=tokenizer or {},
    )
    path = directory / f"teacher_{model_type}"
    tf1.export(str(path), model)
    return str(path)

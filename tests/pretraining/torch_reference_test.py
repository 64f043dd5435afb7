"""Training steps equal those of an independent model in PyTorch."""

import pytest

from pretraining import masked_lm
from tests import tiny
from tests.pretraining import torch_reference
from tests.pretraining.torch_reference import NO_DROPOUT
from training import compilation

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")


def _loss(model, batch):
    out = torch_reference.run(model, batch)
    masked_lm_loss = torch_reference.masked_lm_loss(
        out.prediction_logits, batch
    )
    return masked_lm_loss + torch.nn.functional.cross_entropy(
        out.seq_relationship_logits, batch["next_sentence_labels"].long()
    )


@pytest.mark.parametrize(
    ("num_steps", "compile_step", "bound"),
    [
        (1, compilation.nothing, 1e-5),
        (20, compilation.whole, 1e-4),
        (2, compilation.all_but_products, 1e-5),
    ],
)
def test_steps_equal_pytorch(num_steps, compile_step, bound):
    objective = masked_lm.MaskedLm(
        tiny.config(**NO_DROPOUT), use_nsp=True, seed=5
    )
    theirs = transformers.BertConfig(
        **tiny.CONFIG
        | NO_DROPOUT
        | {"hidden_act": "gelu_new", "layer_norm_eps": 1e-12},
    )
    reference = torch_reference.Reference(
        transformers.BertForPreTraining(theirs),
        _loss,
        {v.path: v.numpy() for v in objective.saved},
    )
    difference = torch_reference.largest_difference(
        objective,
        reference,
        [tiny.batch(8, seed) for seed in range(num_steps)],
        compile_step,
    )
    print(f"{num_steps} steps, {compile_step.__name__}: {difference:.1e}")
    assert difference < bound

"""Steps of TinyBERT's general distillation equal those of PyTorch.

`transformers` has student and teacher, `tiny_bert_torch` the loss.
"""

import numpy as np
import pytest

from interop import formats, variables
from pretraining import transformer_distillation
from pretraining.config import PretrainingConfig
from tests import tiny
from tests.pretraining import taught, tiny_bert_torch, torch_steps
from training import checkpoint, compilation

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

_SMALL = {"hidden_size": 16, "intermediate_size": 24}


def _objective(teacher_dir):
    config = PretrainingConfig(
        input_file="a",
        bert_config_file="b",
        output_dir="c",
        do_train=True,
        use_nsp=False,
        max_seq_length=tiny.NUM_TOKENS,
        objective="transformer_distillation",
        teacher_dir=teacher_dir,
    )
    student = tiny.config(
        num_hidden_layers=2, **_SMALL, **torch_steps.NO_DROPOUT
    )
    return transformer_distillation.TransformerDistillation(
        config, student, "none"
    )


@pytest.mark.parametrize(
    ("num_steps", "compile_step", "bound"),
    [
        (1, compilation.nothing, 1e-5),
        (1, compilation.whole, 1e-5),
        (20, compilation.all_but_products, 1e-4),
    ],
)
def test_steps_equal_pytorch(tmp_path, num_steps, compile_step, bound):
    teacher_dir = taught.write_teacher(tmp_path, num_hidden_layers=4)
    objective = _objective(teacher_dir)
    before = {path: x.numpy() for path, x in _ours(objective).items()}
    kernel, bias = before.pop("fit_dense/kernel"), before.pop("fit_dense/bias")
    student = torch_steps.model_of(
        tmp_path / "student", objective.architecture, before, "encoder"
    )
    # PyTorch's embedding holds the row of [PAD] still, unless told not to.
    student.embeddings.word_embeddings.padding_idx = None
    whole, _ = variables.with_head(formats.read(teacher_dir), "encoder")
    teacher = torch_steps.model_of(
        tmp_path / "theirs", whole.config, whole.values, "encoder"
    ).eval()
    fit_dense = torch.nn.Linear(*kernel.shape)
    with torch.no_grad():
        fit_dense.weight.copy_(torch.tensor(kernel.T))
        fit_dense.bias.copy_(torch.tensor(bias))
    reference = torch_steps.Reference(
        objective.architecture,
        student,
        "encoder",
        {
            "fit_dense/kernel": (fit_dense.weight, True),
            "fit_dense/bias": (fit_dense.bias, False),
        },
    )
    batches = [tiny.batch(8, seed) for seed in range(num_steps)]
    for at, batch in enumerate(batches, start=1):
        loss = tiny_bert_torch.loss(student, teacher, fit_dense, batch)
        reference.train(torch, loss, at)
    torch_steps.train_ours(objective, batches, compile_step)
    theirs, ours = reference.weights(), _ours(objective)
    assert {x for x in theirs if "/pooler/" not in x} == ours.keys()
    difference = max(
        np.abs(x.numpy() - theirs[n]).max() for n, x in ours.items()
    )
    moved = max(np.abs(theirs[n] - x).max() for n, x in before.items())
    print(f"{num_steps} steps: {difference:.1e} of {moved:.1e}")
    assert moved > 1e-4
    assert difference < bound


def _ours(objective):
    return checkpoint.by_path(objective.saved)

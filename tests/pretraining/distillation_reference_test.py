"""Steps of distillation equal those of DistilBERT's script in PyTorch.

`transformers` has student and teacher; the loss is written out below, with
PyTorch's own KLDivLoss and CosineEmbeddingLoss, as the script has it.
"""

import numpy as np
import pytest

from interop import formats
from pretraining import distillation
from pretraining.config import PretrainingConfig
from tests import tiny
from tests.pretraining import taught, torch_steps
from training import checkpoint, compilation

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

_TEMPERATURE, _CE, _MLM, _COS = 2.0, 5.0, 2.0, 1.0


def _objective(tmp_path, family, **settings):
    config = PretrainingConfig(
        input_file="a",
        bert_config_file="b",
        output_dir="c",
        do_train=True,
        use_nsp=False,
        max_seq_length=tiny.NUM_TOKENS,
        objective="distillation",
        teacher_dir=taught.write_teacher(tmp_path),
        **settings,
    )
    student = tiny.config(family, num_hidden_layers=1, **torch_steps.NO_DROPOUT)
    return distillation.Distillation(config, student, "none")


def _loss(student, teacher, batch, restrict):
    """The loss of the script, of one batch."""
    ids = torch.tensor(batch["input_ids"]).long()
    mask = torch.tensor(batch["input_mask"]).long()
    given = {"input_ids": ids, "attention_mask": mask}
    out = student(**given, output_hidden_states=True)
    with torch.no_grad():
        taught_by = teacher(**given, output_hidden_states=True)
    # Labels at the masked tokens, -100 elsewhere.
    labels = torch.full_like(ids, -100)
    for row, (places, words, weights) in enumerate(
        zip(
            batch["masked_lm_positions"],
            batch["masked_lm_ids"],
            batch["masked_lm_weights"],
            strict=True,
        )
    ):
        for place, word, weight in zip(places, words, weights, strict=True):
            if weight:
                labels[row, place] = int(word)
    chosen = labels != -100 if restrict else mask.bool()
    kl = torch.nn.KLDivLoss(reduction="batchmean")(
        torch.log_softmax(out.logits[chosen] / _TEMPERATURE, dim=-1),
        torch.softmax(taught_by.logits[chosen] / _TEMPERATURE, dim=-1),
    )
    masked_lm = torch.nn.functional.cross_entropy(
        out.logits.flatten(0, 1), labels.flatten()
    )
    last, taught_last = (
        x.hidden_states[-1][mask.bool()] for x in (out, taught_by)
    )
    cosine = torch.nn.CosineEmbeddingLoss(reduction="mean")(
        last, taught_last, torch.ones(len(last))
    )
    return _CE * kl * _TEMPERATURE**2 + _MLM * masked_lm + _COS * cosine


@pytest.mark.parametrize(
    ("family", "num_steps", "compile_step", "restrict", "bound"),
    [
        ("distilbert", 1, compilation.nothing, False, 1e-5),
        ("distilbert", 20, compilation.all_but_products, False, 1e-4),
        ("distilbert", 1, compilation.whole, True, 1e-5),
        ("bert", 1, compilation.nothing, False, 1e-5),
    ],
)
def test_steps_equal_pytorch(
    tmp_path, family, num_steps, compile_step, restrict, bound
):
    objective = _objective(tmp_path, family, restrict_ce_to_mask=restrict)
    values = {
        path: x.numpy()
        for path, x in checkpoint.by_path(objective.saved).items()
        # transformers' BertForMaskedLM has no head of pairs.
        if "/seq_relationship/" not in path
    }
    student = torch_steps.model_of(
        tmp_path / "student", objective.architecture, values, "masked_lm"
    )
    model = formats.read(str(tmp_path / "teacher_bert"), head="masked_lm")
    teacher = torch_steps.model_of(
        tmp_path / "theirs",
        model.config,
        {k: x for k, x in model.values.items() if "seq_rel" not in k},
        "masked_lm",
    ).eval()
    reference = torch_steps.Reference(
        objective.architecture, student, "masked_lm", {}
    )
    batches = torch_steps.batches(num_steps)
    for at, batch in enumerate(batches, start=1):
        loss = _loss(student, teacher, batch, restrict)
        reference.train(torch, loss, at)
    torch_steps.train_ours(objective, batches, compile_step)
    theirs, ours = reference.weights(), checkpoint.by_path(objective.saved)
    untrained = {x for x in ours.keys() - theirs.keys()}
    assert all("/pooler/" in x or "/seq_rel" in x for x in untrained)
    difference = {
        name: np.abs(ours[name].numpy() - theirs[name]).max() for name in theirs
    }
    moved = max(np.abs(theirs[x] - values[x]).max() for x in theirs)
    print(f"{family}, {num_steps}: {max(difference.values()):.1e} of {moved}")
    assert moved > 1e-4
    assert max(difference.values()) < bound

"""A fine-tuning run equals one of an independent model in PyTorch.

`transformers`' BertForSequenceClassification, PyTorch's AdamW and clipping; the
schedule of google-research/bert is written out below.
"""

import json

import numpy as np
import pytest

from finetuning import batches, programs
from finetuning.classification import soft_labels, task
from tests import tiny
from tests.finetuning.classification import tiny_classifier

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

_PEAK, _BATCH_SIZE, _NUM_STEPS, _NUM_WARMUP_STEPS = 2e-3, 8, 30, 3
_FEATURES = {
    "input_ids": "input_ids",
    "input_mask": "attention_mask",
    "segment_ids": "token_type_ids",
    "label_ids": "labels",
}


def _write_model(directory):
    tiny_classifier.write_model(directory)
    torch.manual_seed(0)
    shape = tiny.CONFIG | {
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
        "hidden_act": "gelu_new",
        "initializer_range": 0.1,
    }
    transformers.BertForSequenceClassification(
        transformers.BertConfig(**shape, layer_norm_eps=1e-12)
    ).save_pretrained(directory / "model")


def _write_texts(directory):
    rng = np.random.default_rng(0)
    lines = [("label", "text")]
    for _ in range(80):
        words = rng.choice(tiny_classifier.WORDS, rng.integers(2, 12))
        lines.append(("yes" if "good" in words else "no", " ".join(words)))
    return tiny_classifier.write_lines(directory / "train.tsv", lines)


def _rate(step):
    if step < _NUM_WARMUP_STEPS:
        return _PEAK * step / _NUM_WARMUP_STEPS
    return _PEAK * (1 - step / _NUM_STEPS)


def _train(model, rows, seed, loss_of):
    is_decayed = {
        parameter: "LayerNorm" not in name and "bias" not in name
        for name, parameter in model.named_parameters()
    }
    optimizer = torch.optim.AdamW(
        [
            {
                "params": [p for p, x in is_decayed.items() if x == decays],
                "weight_decay": 0.01 * decays,
            }
            for decays in (True, False)
        ],
        eps=1e-6,
    )
    order = batches.training_batches(
        rows,
        batch_size=_BATCH_SIZE,
        seed=seed,
        start_step=0,
        num_steps=_NUM_STEPS,
        lengths=[tiny.NUM_TOKENS],
        group_by_length=False,
        context=None,
    )
    for step, batch in enumerate(order.take(_NUM_STEPS)):
        for group in optimizer.param_groups:
            group["lr"] = _rate(step)
        optimizer.zero_grad()
        loss_of(_run(model, batch), batch).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()


def _run(model, rows):
    return model(
        **{
            theirs: torch.tensor(np.asarray(rows[ours])).long()
            for ours, theirs in _FEATURES.items()
        }
    )


def _compare(directory, loss_of=lambda found, _: found.loss, **changes):
    """Compares a run with PyTorch's.

    Args:
        directory: has the inputs.
        loss_of: the loss to learn from, of what PyTorch's model returns and
            the rows.
        changes: settings of the run.
    """
    path = str(directory / "train.tsv")
    settings = tiny_classifier.settings(
        directory,
        bert_config_file=str(directory / "model" / "config.json"),
        init_checkpoint=str(directory / "model"),
        train_file=path,
        eval_file=path,
        do_train=True,
        do_eval=True,
        learning_rate=_PEAK,
        train_batch_size=_BATCH_SIZE,
        num_train_epochs=_NUM_STEPS * _BATCH_SIZE / 80,
        group_by_length=False,
        labels="no,yes",
        **changes,
    )
    results = task.run(settings)
    _, made = programs.load(settings.output_dir)
    rows = made.make_rows("train", made.read("train"))
    rows["row"] = np.arange(len(rows["input_ids"]), dtype=np.int32)
    model = transformers.BertForSequenceClassification.from_pretrained(
        directory / "model"
    ).train()
    before = float(_run(model, rows).loss.detach())
    _train(model, rows, settings.seed, loss_of)
    with torch.no_grad():
        wanted = _run(model, rows)
    assert abs(before - float(wanted.loss)) > 0.1
    assert results["eval_loss"] == pytest.approx(float(wanted.loss), rel=1e-3)
    lines = (directory / "output" / "eval_predictions.jsonl").read_text()
    found = [json.loads(x)["probabilities"]["yes"] for x in lines.splitlines()]
    np.testing.assert_allclose(
        found, wanted.logits.softmax(-1)[:, 1].numpy(), atol=1e-3
    )


def test_a_run_equals_pytorch(tmp_path):
    _write_model(tmp_path)
    _write_texts(tmp_path)
    _compare(tmp_path)


def test_a_run_with_a_teacher_equals_pytorch(tmp_path):
    """With the loss of Hugging Face's distillation of SQuAD."""
    _write_model(tmp_path)
    path = _write_texts(tmp_path)
    temperature, share = 3.0, 0.7
    settings = tiny_classifier.settings(
        tmp_path, train_file=path, labels="no,yes"
    )
    texts = task.Classification(settings).read("train")
    logits = np.random.default_rng(1).normal(0, 2, (len(texts), 2))
    logits[:, 1] += [8 * (text.label == "yes") for text in texts]
    logits = logits.astype(np.float32)
    file = str(tmp_path / "soft.tsv")
    soft_labels.write(file, texts, logits, ["no", "yes"])
    divergence = torch.nn.KLDivLoss(reduction="batchmean")

    def loss_of(found, rows):
        taught = torch.tensor(logits[np.asarray(rows["row"])])
        apart = divergence(
            torch.log_softmax(found.logits / temperature, dim=-1),
            torch.softmax(taught / temperature, dim=-1),
        )
        return (1 - share) * found.loss + share * temperature**2 * apart

    _compare(
        tmp_path,
        loss_of,
        soft_labels=file,
        distillation_temperature=temperature,
        distillation_share=share,
    )

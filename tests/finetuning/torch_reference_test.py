"""A fine-tuning run equals one of an independent model in PyTorch.

`transformers`' BertForSequenceClassification, PyTorch's AdamW and clipping; the
schedule of google-research/bert is written out below.
"""

import json

import numpy as np
import pytest

from finetuning import batches, programs
from finetuning.classification import task
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


def _train(model, rows, seed):
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
        _run(model, batch).loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()


def _run(model, rows):
    return model(
        **{
            theirs: torch.tensor(np.asarray(rows[ours])).long()
            for ours, theirs in _FEATURES.items()
        }
    )


def test_a_run_equals_pytorch(tmp_path):
    _write_model(tmp_path)
    path = _write_texts(tmp_path)
    settings = tiny_classifier.settings(
        tmp_path,
        bert_config_file=str(tmp_path / "model" / "config.json"),
        init_checkpoint=str(tmp_path / "model"),
        train_file=path,
        eval_file=path,
        do_train=True,
        do_eval=True,
        learning_rate=_PEAK,
        train_batch_size=_BATCH_SIZE,
        num_train_epochs=_NUM_STEPS * _BATCH_SIZE / 80,
        group_by_length=False,
        labels="no,yes",
    )
    results = task.run(settings)
    _, made = programs.load(settings.output_dir)
    rows = made.make_rows("train", made.read("train"))
    model = transformers.BertForSequenceClassification.from_pretrained(
        tmp_path / "model"
    ).train()
    before = float(_run(model, rows).loss)
    _train(model, rows, settings.seed)
    with torch.no_grad():
        wanted = _run(model, rows)
    assert abs(before - float(wanted.loss)) > 0.1
    assert results["eval_loss"] == pytest.approx(float(wanted.loss), rel=1e-3)
    lines = (tmp_path / "output" / "eval_predictions.jsonl").read_text()
    found = [json.loads(x)["probabilities"]["yes"] for x in lines.splitlines()]
    np.testing.assert_allclose(
        found, wanted.logits.softmax(-1)[:, 1].numpy(), atol=1e-3
    )

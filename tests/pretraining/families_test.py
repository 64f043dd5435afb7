"""Every family is pretrained, goes on and is fine-tuned as BERT is."""

import os
import shutil

import numpy as np
import pytest
import tensorflow as tf

from interop import hugging_face, outputs, tf1, variables
from modeling import families
from pretraining import masked_lm
from tests import tiny
from tests.finetuning import tiny_task
from tests.pretraining import tiny_job
from training import checkpoint

os.environ.setdefault("HF_HUB_OFFLINE", "1")
_NO_DROPOUT = {
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
}


@pytest.mark.parametrize("name", families.FAMILIES)
def test_the_gradient_of_a_step_is_that_of_pytorch(tmp_path, name):
    torch = pytest.importorskip("torch")
    pytest.importorskip("transformers")
    config = tiny.config(name, num_hidden_layers=3, **_NO_DROPOUT)
    theirs = variables.family_of(config).hugging_face
    # ELECTRA's is a discriminator's.
    has_pairs = config.has_pooler and "pretraining" in theirs.architectures
    head = "pretraining" if has_pairs else "masked_lm"
    objective = masked_lm.MaskedLm(config, use_nsp=has_pairs, seed=5)
    wanted = variables.wanted(config, head)
    if not has_pairs:
        wanted = wanted.keys() - variables.family_of(config).pooler_names
    by_path = {
        path: x
        for path, x in checkpoint.by_path(objective.saved).items()
        if path in wanted
    }
    model = variables.PortableModel(
        config=config,
        head=head,
        values={path: x.numpy() for path, x in by_path.items()},
    )
    hugging_face.export(str(tmp_path), model)
    reference = theirs.classes()[head].from_pretrained(str(tmp_path)).eval()
    batch = tiny.batch(8, seed=3)
    # In transformers the id before the first position is that of padding, and
    # a table of one segment has no second row.
    batch["input_ids"] = np.maximum(batch["input_ids"], config.first_position)
    num_segments = max(config.type_vocab_size, 1)
    theirs_too = batch | {
        "segment_ids": np.minimum(batch["segment_ids"], num_segments - 1)
    }
    _loss_of_torch(torch, reference, theirs, theirs_too).backward()
    parameters = dict(reference.named_parameters())
    with tf.GradientTape() as tape:
        terms = objective.compute_terms(
            {k: tf.constant(x) for k, x in batch.items()}, None
        )
        loss = sum(
            x.numerator / (x.denominator + x.epsilon)
            for x in terms.values()
            if x.in_loss
        )
    gradients = tape.gradient(loss, [x.value for x in by_path.values()])
    rows = hugging_face._rows(config, head)
    largest = 0.0
    for path, gradient in zip(by_path, gradients, strict=True):
        their_name, is_transposed = rows[path]
        wanted = parameters[their_name].grad.numpy()
        wanted = wanted.T if is_transposed else wanted
        found = np.asarray(tf.convert_to_tensor(gradient))
        largest = max(largest, np.abs(found - wanted).max())
    print(f"{name}: gradients differ by {largest:.1e}")
    assert largest < 1e-6


def _loss_of_torch(torch, model, theirs, batch):
    """The loss of google-research/bert, of a model's own logits."""
    out = model(**outputs.features_of_transformers(model, batch))
    logits = out["prediction_logits"] if theirs.pair_logits in out else out[0]
    positions = torch.tensor(batch["masked_lm_positions"]).long()
    logits = torch.gather(
        logits, 1, positions[..., None].expand(-1, -1, tiny.VOCAB_SIZE)
    )
    nll = torch.nn.functional.cross_entropy(
        logits.transpose(1, 2),
        torch.tensor(batch["masked_lm_ids"]).long(),
        reduction="none",
    )
    weights = torch.tensor(batch["masked_lm_weights"])
    loss = (weights * nll).sum() / (weights.sum() + 1e-5)
    if theirs.pair_logits in out:
        loss = loss + torch.nn.functional.cross_entropy(
            out[theirs.pair_logits],
            torch.tensor(batch["next_sentence_labels"]).long(),
        )
    return loss


@pytest.mark.parametrize("name", families.FAMILIES)
def test_what_is_computed_again_is_computed_alike(name):
    batch = {k: tf.constant(x) for k, x in tiny.batch(4).items()}
    found = []
    for recompute in (False, True):
        objective = masked_lm.MaskedLm(
            tiny.config(name, hidden_dropout_prob=0.1),
            use_nsp=False,
            seed=5,
            recompute=recompute,
        )

        @tf.function
        def gradients(objective=objective):
            with tf.GradientTape() as tape:
                terms = objective.compute_terms(batch, tf.constant(7))
                loss = terms["masked_lm_loss"].numerator
            return loss, tape.gradient(
                loss,
                [x.value for x in objective.encoder.layers[0].weights],
            )

        found.append(tf.nest.flatten(gradients()))
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.parametrize("name", families.FAMILIES)
def test_bfloat16_is_near_float32(name):
    batch = {k: tf.constant(x) for k, x in tiny.batch(4).items()}
    losses = []
    for mixed_precision in ("none", "bfloat16"):
        objective = masked_lm.MaskedLm(
            tiny.config(name),
            use_nsp=False,
            seed=5,
            mixed_precision=mixed_precision,
        )
        term = objective.compute_terms(batch, None)["masked_lm_loss"]
        losses.append(float(term.numerator / term.denominator))
    assert losses[0] == pytest.approx(losses[1], rel=5e-3)
    assert losses[0] != losses[1]


@pytest.fixture(params=[name for name in families.FAMILIES if name != "bert"])
def family(request):
    return request.param


def test_a_run_goes_on_bit_for_bit_and_is_fine_tuned(tmp_path, family):
    tiny_job.write_inputs(tmp_path)
    tiny_task.write_inputs(tmp_path)
    config = tiny.config(family)
    (tmp_path / "bert.json").write_text(config.to_json())
    settings = {
        "use_nsp": config.has_pooler,
        "num_train_steps": 4,
        "save_checkpoints_steps": 2,
        "train_batch_size": 4,
    }
    tiny_job.run(tmp_path, "trained", **settings)
    trained = tmp_path / "trained"
    # As a kill after the save at step 2 leaves it.
    shutil.copytree(trained, tmp_path / "stopped")
    for path in (tmp_path / "stopped").glob("model.ckpt-4.*"):
        path.unlink()
    tiny_job.run(tmp_path, "stopped", **settings)
    wanted = tiny_job.tensors(trained, 4)
    found = tiny_job.tensors(tmp_path / "stopped", 4)
    assert found.keys() == wanted.keys()
    for name, tensor in wanted.items():
        np.testing.assert_array_equal(found[name], tensor)
    exported = tf1.read(str(trained / "export"))
    assert exported.config == config
    for name, value in exported.values.items():
        np.testing.assert_array_equal(value, wanted[name])
    results = tiny_task.run(
        tmp_path,
        "tuned",
        init_checkpoint=str(trained / "export"),
        num_train_epochs=1.0,
        freeze_encoder=True,
    )
    assert 0 <= results["eval_accuracy"] <= 1
    words = f"{exported.family.scope}embeddings/word_embeddings"
    newest = checkpoint.saved_steps(str(tmp_path / "tuned"))[-1]
    tuned = tiny_job.tensors(tmp_path / "tuned", newest)
    np.testing.assert_array_equal(tuned[words], wanted[words])


def test_layers_are_treated_apart_where_they_are_apart(tmp_path, family):
    tiny_task.write_inputs(tmp_path)
    config = tiny.config(family)
    (tmp_path / "bert.json").write_text(config.to_json())
    settings = {"freeze_encoder": True, "unfreeze_top_layers": 1}
    if config.shares_layers:
        with pytest.raises(ValueError, match="^--unfreeze_top_layers=1: the "):
            tiny_task.run(tmp_path, "top", **settings)
        with pytest.raises(ValueError, match="^--layerwise_lr_decay=0.8: the"):
            tiny_task.run(tmp_path, "rates", layerwise_lr_decay=0.8)
        return
    tiny_task.run(tmp_path, "top", num_train_epochs=1.0, **settings)
    encoder = families.make_encoder(config, "zeros")
    depths = {encoder.depth_of(x.path) for x in encoder.weights}
    assert depths == set(range(config.num_hidden_layers + 2))

"""ELECTRA's steps equal those of transformers' two models in PyTorch.

`ElectraForMaskedLM` and `ElectraForPreTraining`, on one set of embeddings,
compute the losses and the gradients. Sampling and the update of
google-research/electra are written out below: the noise is ours, the logits
that it is added to are theirs.
"""

import os

import numpy as np
import pytest
import tensorflow as tf

from interop import hugging_face
from interop.variables import PortableModel
from modeling.electra import generator_of
from pretraining import replaced_token
from tests import tiny
from training import compilation, optimizer, schedules, step

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

_PEAK, _NUM_TRAIN_STEPS, _NUM_WARMUP_STEPS = 1e-3, 30, 4
_NO_DROPOUT = {
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
}
_SEED = 5
_DISC_WEIGHT = 50.0


def _objective(embedding_size):
    config = tiny.config(
        "electra", embedding_size=embedding_size, **_NO_DROPOUT
    )
    return replaced_token.ReplacedToken(
        config,
        generator_of(config, 0.5, 0.5),
        disc_weight=_DISC_WEIGHT,
        seed=_SEED,
    )


class _Reference:
    """Both models of transformers under google-research's optimizer."""

    def __init__(self, directory, objective):
        models = []
        self.parameters, self.is_transposed = {}, {}
        for number, network in enumerate(objective.networks):
            model = PortableModel(
                config=network.architecture,
                head=network.head,
                values={n: x.numpy() for n, x in network.variables.items()},
            )
            folder = str(directory / str(number))
            hugging_face.export(folder, model)
            their_class = model.family.hugging_face.classes()[network.head]
            models.append(their_class.from_pretrained(folder).train())
            named = dict(models[-1].named_parameters())
            rows = hugging_face._rows(network.architecture, network.head)
            for name, variable in network.variables.items():
                theirs, is_transposed = rows[name]
                if network.folder and "/embeddings/" in name:
                    continue  # They are the first one's.
                self.parameters[variable.path] = named[theirs]
                self.is_transposed[variable.path] = is_transposed
        self.discriminator, self.generator = models
        shared = self.discriminator.electra.embeddings
        # [PAD] may be sampled; transformers gives its row no gradient.
        shared.word_embeddings.padding_idx = None
        self.generator.electra.embeddings = shared
        words = shared.word_embeddings.weight
        self.generator.generator_lm_head.weight = words
        self.m = dict.fromkeys(self.parameters, 0.0)
        self.v = dict.fromkeys(self.parameters, 0.0)
        self.num_replaced = []

    def to_ours(self, name, tensor):
        array = tensor.detach().numpy()
        return array.T if self.is_transposed[name] else array

    def loss(self, batch):
        noise = torch.tensor(
            np.asarray(replaced_token.noise(batch, tiny.VOCAB_SIZE, _SEED))
        )
        x = {name: torch.tensor(value) for name, value in batch.items()}
        inputs = {
            "attention_mask": x["input_mask"].long(),
            "token_type_ids": x["segment_ids"].long(),
        }
        ids = x["input_ids"].long()
        rows, slots = torch.nonzero(x["masked_lm_weights"], as_tuple=True)
        places = x["masked_lm_positions"].long()[rows, slots]
        wanted = torch.full_like(ids, -100)
        wanted[rows, places] = x["masked_lm_ids"].long()[rows, slots]
        told = self.generator(input_ids=ids, labels=wanted, **inputs)
        sampled = (told.logits[rows, places] + noise[rows, slots]).argmax(-1)
        fake = ids.clone()
        fake[rows, places] = sampled
        labels = torch.zeros_like(ids)
        labels[rows, places] = (sampled != wanted[rows, places]).long()
        self.num_replaced.append(int(labels.sum()))
        judged = self.discriminator(input_ids=fake, labels=labels, **inputs)
        return told.loss + _DISC_WEIGHT * judged.loss

    def train(self, batch, at):
        for parameter in self.parameters.values():
            parameter.grad = None
        self.loss(batch).backward()
        rate = _PEAK * (1 - at / _NUM_TRAIN_STEPS)
        if at < _NUM_WARMUP_STEPS:
            rate = _PEAK * at / _NUM_WARMUP_STEPS
        gradients = {n: p.grad for n, p in self.parameters.items()}
        norm = sum((g**2).sum() for g in gradients.values()) ** 0.5
        with torch.no_grad():
            for name, parameter in self.parameters.items():
                g = gradients[name] / max(norm, 1.0)
                self.m[name] = 0.9 * self.m[name] + 0.1 * g
                self.v[name] = 0.999 * self.v[name] + 0.001 * g**2
                update = self.m[name] / (self.v[name] ** 0.5 + 1e-6)
                if "LayerNorm" not in name and "bias" not in name:
                    update = update + 0.01 * parameter
                parameter -= rate * update


@pytest.mark.parametrize("embedding_size", [8, 32])
def test_the_gradient_of_a_step_is_that_of_pytorch(tmp_path, embedding_size):
    objective = _objective(embedding_size)
    reference = _Reference(tmp_path, objective)
    assert set(reference.parameters) == {x.path for x in objective.saved}
    batch = tiny.batch(8, seed=3)
    reference.loss(batch).backward()
    with tf.GradientTape() as tape:
        terms = objective.compute_terms(
            {k: tf.constant(x) for k, x in batch.items()}, tf.constant(1)
        )
        loss = sum(
            x.weight * x.numerator / (x.denominator + x.epsilon)
            for x in terms.values()
            if x.in_loss
        )
    found = tape.gradient(loss, [x.value for x in objective.saved])
    # The samples were the same, and no gradient came through them.
    assert int(terms["replaced_rate"].numerator) == reference.num_replaced[0]
    largest = 0.0
    for variable, gradient in zip(objective.saved, found, strict=True):
        parameter = reference.parameters[variable.path]
        wanted = reference.to_ours(variable.path, parameter.grad)
        difference = np.asarray(tf.convert_to_tensor(gradient)) - wanted
        largest = max(largest, np.abs(difference).max())
    print(f"gradients differ by {largest:.1e}")
    assert largest < 1e-5


@pytest.mark.parametrize(
    ("num_steps", "compile_step", "bound"),
    [
        (1, compilation.nothing, 1e-5),
        (20, compilation.whole, 1e-4),
        (2, compilation.all_but_products, 1e-5),
    ],
)
def test_steps_equal_pytorch(tmp_path, num_steps, compile_step, bound):
    objective = _objective(8)
    adam = optimizer.AdamWeightDecay(
        schedules.Schedule(
            peak=_PEAK,
            num_train_steps=_NUM_TRAIN_STEPS,
            num_warmup_steps=_NUM_WARMUP_STEPS,
        )
    )
    adam.build(objective.saved)
    # From a step after warm-up's first, whose rate is 0.
    adam.iterations.assign(1)
    reference = _Reference(tmp_path, objective)
    batches = [tiny.batch(8, seed) for seed in range(num_steps)]
    for at, batch in enumerate(batches, start=1):
        reference.train(batch, at)
    devices = tf.distribute.get_strategy()
    totals = step.Totals(
        (*objective.term_names, *step.STEP_TERMS), objective.term_lengths
    )
    train_step = step.make_train_step(
        devices,
        objective.compute_terms,
        adam,
        objective.saved,
        totals,
        seed=1,
    )
    run_steps = step.make_run_steps(
        devices, train_step, totals, compile_step=compile_step
    )
    stacked = {
        name: np.stack([batch[name] for batch in batches])
        for name in batches[0]
    }
    dataset = tf.data.Dataset.from_tensor_slices(stacked)
    run_steps(iter(dataset), tf.constant(num_steps, tf.int64))
    num_replaced, _ = totals.read()["replaced_rate"]
    assert num_replaced == sum(reference.num_replaced)
    difference = max(
        np.abs(
            x.numpy() - reference.to_ours(x.path, reference.parameters[x.path])
        ).max()
        for x in objective.saved
    )
    print(f"{num_steps} steps, {compile_step.__name__}: {difference:.1e}")
    assert difference < bound

"""The graph of the step is fit for a TPU, and is built once."""

import numpy as np
import pytest
import tensorflow as tf

from pretraining import masked_lm
from tests import tiny
from training import compilation, optimizer, step

# What leaves the device, or makes a shape depend on values.
_HOST_OPS = {
    "DecodeRaw",
    "DynamicPartition",
    "EagerPyFunc",
    "NonMaxSuppressionV3",
    "NumpyFunction",
    "ParseExampleV2",
    "Print",
    "PrintV2",
    "PyFunc",
    "PyFuncStateless",
    "ReadFile",
    "RestoreV2",
    "SaveV2",
    "StringFormat",
    "Unique",
    "UniqueV2",
    "Where",
    "WriteFile",
}
# Its shape is only known to be a vector, and it is folded away.
_HARMLESS = {"BroadcastGradientArgs"}


class _Run:
    """A training run on one device over random batches."""

    def __init__(
        self, *, use_nsp=True, seed=1, compile_step=compilation.nothing
    ):
        self.objective = masked_lm.MaskedLm(
            tiny.config(), use_nsp=use_nsp, seed=seed
        )
        self.adam = optimizer.AdamWeightDecay(1e-3)
        self.adam.build(self.objective.saved)
        self.totals = step.Totals(
            (*self.objective.term_names, *step.STEP_TERMS)
        )
        self.seed = seed
        self.compile_step = compile_step
        self.build()
        self.batches = iter(
            tf.data.Dataset.from_tensors(tiny.batch(4)).repeat()
        )

    def build(self):
        devices = tf.distribute.get_strategy()
        train_step = step.make_train_step(
            devices,
            self.objective.compute_terms,
            self.adam,
            self.objective.saved,
            self.totals,
            seed=self.seed,
        )
        self.run_steps = step.make_run_steps(
            devices, train_step, self.totals, compile_step=self.compile_step
        )

    def train(self, num_steps):
        self.run_steps(self.batches, tf.constant(num_steps, tf.int64))
        return self.objective.metrics(self.totals.read())

    def weights(self):
        return {v.path: v.numpy() for v in self.objective.saved}


@pytest.fixture(scope="module")
def graph():
    run = _Run()
    function = run.run_steps.get_concrete_function(
        run.batches, tf.TensorSpec([], tf.int64)
    )
    return function.graph


def test_no_host_ops_in_the_step(graph):
    definition = graph.as_graph_def()
    nodes = list(definition.node)
    for function in definition.library.function:
        nodes += function.node_def
    assert not {node.op for node in nodes} & _HOST_OPS


def test_all_shapes_in_the_step_are_static():
    run = _Run()

    @tf.function
    def gradients(batch):
        with tf.GradientTape() as tape:
            terms = run.objective.compute_terms(batch, tf.constant(3))
            loss = tf.add_n([term.numerator for term in terms.values()])
        return tape.gradient(loss, run.objective.saved)

    batch = {k: tf.constant(v) for k, v in tiny.batch(4).items()}
    dynamic = [
        (operation.type, tensor.name)
        for operation in gradients.get_concrete_function(
            batch
        ).graph.get_operations()
        for tensor in operation.outputs
        if tensor.dtype not in (tf.resource, tf.variant)
        and not tensor.shape.is_fully_defined()
        and operation.type not in _HARMLESS
    ]
    assert not dynamic


def test_blocks_of_different_lengths_share_one_graph():
    run = _Run()
    for num_steps in (1, 4, 2, 4):
        run.train(num_steps)
    assert run.run_steps.experimental_get_tracing_count() == 1
    assert int(run.adam.iterations) == 11


@pytest.mark.parametrize(
    "compile_step", [compilation.whole, compilation.all_but_products]
)
def test_a_compiled_step_equals_a_plain_one(compile_step):
    plain, compiled = _Run(), _Run(compile_step=compile_step)
    for metrics in zip(
        *(run.train(3).items() for run in (plain, compiled)), strict=True
    ):
        (name, ours), (_, theirs) = metrics
        assert ours == pytest.approx(theirs, rel=1e-4), name
    for path, weight in plain.weights().items():
        np.testing.assert_allclose(
            weight, compiled.weights()[path], atol=1e-5, err_msg=path
        )


def test_the_loss_falls_on_a_batch_seen_again_and_again():
    run = _Run()
    first = run.train(1)["loss"]
    run.train(60)
    assert run.train(1)["loss"] < first - 1


def test_without_nsp_its_head_stays_as_it_was_and_is_not_reported():
    run = _Run(use_nsp=False)
    before = run.weights()
    metrics = run.train(3)
    after = run.weights()
    unchanged = {p for p in before if (before[p] == after[p]).all()}
    assert unchanged == {
        "bert/pooler/dense/kernel",
        "bert/pooler/dense/bias",
        "cls/seq_relationship/output_weights",
        "cls/seq_relationship/output_bias",
    }
    assert metrics.keys() == {
        "loss",
        "masked_lm_loss",
        "masked_lm_accuracy",
        "gradient_norm",
        "skipped_steps",
    }
    assert metrics["loss"] == metrics["masked_lm_loss"]


def test_dropout_differs_from_step_to_step_and_between_seeds():
    def losses(seed):
        run = _Run(seed=1)
        # Same weights at every step: only dropout can change the loss.
        run.adam._learning_rate.assign(0.0)
        run.seed = seed
        run.build()
        return [run.train(1)["loss"] for _ in range(3)]

    first, again, other = losses(1), losses(1), losses(2)
    assert first == again
    assert len(set(first + other)) == 6

"""The whole training step is fit for a TPU: it never asks the host.

What a TPU cannot do a CPU may, compiled or not, so that the graph is looked at:
every operation of it and of the functions in it.
"""

import pytest
import tensorflow as tf

from pretraining import config, masked_lm, train
from tests import tiny
from training.trainer import Trainer

# What leaves the device, or makes a shape depend on values.
_HOST_OPS = {
    "Assert",
    "DecodeRaw",
    "DynamicPartition",
    "EagerPyFunc",
    "InfeedDequeue",
    "NonMaxSuppressionV3",
    "NumpyFunction",
    "OutfeedEnqueue",
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
    "WriteScalarSummary",
    "XlaHostCompute",
}
# Its shape is only known to be a vector, and it is folded away.
_HARMLESS = {"BroadcastGradientArgs"}


def _graph_of(function, batch):
    return tf.function(function).get_concrete_function(batch).graph


def _graphs(graph):
    """The graph and those of the bodies of its loops, one in another."""
    yield graph
    for operation in graph.get_operations():
        if operation.type in ("While", "StatelessWhile"):
            body = graph._get_function(operation.get_attr("body").name)
            yield from _graphs(body.graph)


def host_ops(graph):
    definition = graph.as_graph_def()
    nodes = list(definition.node)
    for function in definition.library.function:
        nodes += function.node_def
    return {node.op for node in nodes} & _HOST_OPS


def dynamic_shapes(graph):
    return {
        (operation.type, tensor.name)
        for inner in _graphs(graph)
        for operation in inner.get_operations()
        for tensor in operation.outputs
        if tensor.dtype not in (tf.resource, tf.variant)
        and not tensor.shape.is_fully_defined()
        and operation.type not in _HARMLESS
    }


def _batch():
    return {
        name: tf.TensorSpec(value.shape, value.dtype)
        for name, value in tiny.batch(4).items()
    }


def _step(mixed_precision="none", recompute=False, **settings):
    objective = masked_lm.MaskedLm(
        tiny.config(num_hidden_layers=1),
        use_nsp=True,
        seed=1,
        mixed_precision=mixed_precision,
        recompute=recompute,
    )
    flags = config.PretrainingConfig(
        bert_config_file="unused",
        input_file="unused",
        output_dir="unused",
        do_train=True,
        **settings,
    )
    return Trainer(
        flags,
        tf.distribute.get_strategy(),
        objective,
        train.make_schedule(flags),
        seed=1,
    )


@pytest.mark.parametrize(
    "settings",
    [
        {"mixed_precision": "bfloat16"},
        {"mixed_precision": "float16", "optimizer": "lamb", "recompute": True},
        {"optimizer": "adafactor", "gradient_accumulation_steps": 2},
    ],
    ids=str,
)
def test_no_host_calls_and_no_dynamic_shapes(settings):
    graph = _graph_of(_step(**settings).replica_step, _batch())
    assert not host_ops(graph)
    assert not dynamic_shapes(graph)


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("EagerPyFunc", lambda x: tf.py_function(lambda v: v, [x], tf.float32)),
        ("PyFunc", lambda x: tf.numpy_function(lambda v: v, [x], tf.float32)),
        ("PrintV2", lambda x: tf.print(x)),
        ("Where", lambda x: tf.where(x > 0)),
        ("Where", lambda x: tf.boolean_mask(x, x > 0)),
        ("UniqueV2", lambda x: tf.raw_ops.UniqueV2(x=x, axis=[0])),
        ("Assert", lambda x: tf.debugging.assert_positive(x)),
    ],
)
@pytest.mark.parametrize("in_loop", [False, True])
def test_a_step_with_a_fault_is_found(name, fault, in_loop):
    def step(batch):
        x = tf.reshape(batch["masked_lm_weights"], (-1,))
        if in_loop:
            for _ in tf.range(batch["input_ids"][0, 0]):
                fault(x)
        else:
            fault(x)

    graph = _graph_of(step, _batch())
    if name == "Where":
        assert dynamic_shapes(graph)
    assert any(found.startswith(name) for found in host_ops(graph))


def test_a_batch_of_unknown_size_is_found():
    def step(batch):
        return tf.reduce_sum(batch * 2, axis=1)

    graph = _graph_of(step, tf.TensorSpec((None, 4), tf.float32))
    assert dynamic_shapes(graph)
    assert not dynamic_shapes(
        _graph_of(step, tf.TensorSpec((3, 4), tf.float32))
    )

"""BERT as TensorFlow's own operations, for graphs that stand alone.

`modeling` computes with the shapes of a training, which are known beforehand;
what a server is asked is of any shape. Conversions hold both equal.

Shapes: B batch, T tokens, H heads, D head width, W = H*D width, V vocabulary,
N labels.
"""

import tensorflow as tf

from interop import variables
from modeling import activations, transformer

_MASKED_SCORE = -10000.0


def compute(model, weights, input_ids, input_mask, segment_ids):
    """Computes what `outputs.of_ours` does.

    Args:
        model: a `variables.Bert`, for its config and head.
        weights: {name: variable}.
        input_ids, input_mask, segment_ids: int32 [B, T].

    Returns:
        {name: float32 tensor}, the names of `interop.outputs`.
    """
    sequence = _encode(
        model.config, weights, input_ids, input_mask, segment_ids
    )
    found = {"sequence_output": sequence}
    if "bert/pooler/dense/kernel" in weights:
        found["pooled_output"] = tf.tanh(
            _dense(sequence[:, 0], weights, "bert/pooler/dense")
        )
    if model.head in ("masked_lm", "pretraining"):
        found["masked_lm_logits"] = _masked_lm(model.config, weights, sequence)
        if model.head == "pretraining":
            found["next_sentence_logits"] = _logits(
                found["pooled_output"], weights, "cls/seq_relationship/"
            )
    elif model.head != "encoder":
        is_answer = model.head == "question_answering"
        found["logits"] = _logits(
            found[
                "sequence_output"
                if model.head in variables.OF_TOKENS
                else "pooled_output"
            ],
            weights,
            "cls/squad/" if is_answer else "",
        )
    return found


def _encode(config, weights, input_ids, input_mask, segment_ids):
    """Returns the output of the last layer, [B, T, W]."""
    at = "bert/embeddings"
    words, segments, positions = (
        weights[f"{at}/{name}_embeddings"]
        for name in ("word", "token_type", "position")
    )
    x = tf.gather(words, input_ids) + tf.gather(segments, segment_ids)
    x = _norm(x + positions[: tf.shape(input_ids)[1]], weights, at)
    bias = _MASKED_SCORE * (1.0 - tf.cast(input_mask, tf.float32))
    activate = activations.ACTIVATIONS[config.hidden_act]
    for i in range(config.num_hidden_layers):
        at = f"bert/encoder/layer_{i}"
        mixed = _attend(config, x, bias[:, None, None], weights, at)
        mixed = _dense(mixed, weights, f"{at}/attention/output/dense")
        x = _norm(mixed + x, weights, f"{at}/attention/output")
        inner = activate(_dense(x, weights, f"{at}/intermediate/dense"))
        inner = _dense(inner, weights, f"{at}/output/dense")
        x = _norm(inner + x, weights, f"{at}/output")
    return x


def _attend(config, x, bias, weights, at):
    """Mixes [B, T, W] by the softmax of scaled scores."""
    shape = tf.shape(x)
    num_heads = config.num_attention_heads
    width = config.hidden_size // num_heads
    query, key, value = (
        tf.transpose(
            tf.reshape(
                _dense(x, weights, f"{at}/attention/self/{name}"),
                (shape[0], shape[1], num_heads, width),
            ),
            (0, 2, 1, 3),
        )
        for name in ("query", "key", "value")
    )
    scores = tf.matmul(query * width**-0.5, key, transpose_b=True) + bias
    mixed = tf.matmul(tf.nn.softmax(scores), value)  # [B, H, T, D]
    return tf.reshape(tf.transpose(mixed, (0, 2, 1, 3)), shape)


def _masked_lm(config, weights, sequence):
    """Scores the vocabulary at every token, [B, T, V]."""
    at = "cls/predictions"
    activate = activations.ACTIVATIONS[config.hidden_act]
    x = activate(_dense(sequence, weights, f"{at}/transform/dense"))
    x = _norm(x, weights, f"{at}/transform")
    words = weights["bert/embeddings/word_embeddings"]
    return tf.einsum("btw,vw->btv", x, words) + weights[f"{at}/output_bias"]


def _dense(x, weights, name):
    kernel, bias = weights[f"{name}/kernel"], weights[f"{name}/bias"]
    return tf.tensordot(x, kernel, 1) + bias


def _logits(x, weights, prefix):
    output_weights = tf.transpose(weights[f"{prefix}output_weights"])
    return tf.tensordot(x, output_weights, 1) + weights[f"{prefix}output_bias"]


def _norm(x, weights, at):
    mean, variance = tf.nn.moments(x, axes=[-1], keepdims=True)
    return tf.nn.batch_normalization(
        x,
        mean,
        variance,
        weights[f"{at}/LayerNorm/beta"],
        weights[f"{at}/LayerNorm/gamma"],
        transformer.LAYER_NORM_EPSILON,
    )

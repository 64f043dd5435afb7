"""SavedModels for serving: text or ids in, what the model's head says out.

A server needs TensorFlow and none of our code: the tokenizer is in the graph;
SentencePiece needs tensorflow-text besides. Signatures: "serving_default" takes
a text, "pairs" two, "ids" token ids. A model without a tokenizer, or with one
that cannot be a graph, has the last one only.

Shapes: B batch, T tokens, N labels.
"""

import contextlib
import os
from collections.abc import Iterator
from typing import Any

import tensorflow as tf
from absl import logging

from interop import (
    graph_tokenizer,
    network,
    outputs,
    tf1,
    tokenizer_files,
    variables,
)
from interop.variables import PortableModel
from storage import file_io, json_files, tensors
from text import vocabularies
from text.vocab import Vocabulary

# Beside the graph, for people; a server does not read them.
_EXTRA = "assets.extra"
_SETTINGS = "serving.json"
# No text has a [MASK], and one text has no next sentence.
_LEFT_OUT = {
    "serving_default": ("masked_lm_logits", "next_sentence_logits"),
    "pairs": ("masked_lm_logits",),
    "ids": (),
}


def export(
    directory: str,
    model: PortableModel,
    *,
    max_seq_length: int | None = None,
    padding: str = "longest",
) -> None:
    """Writes a SavedModel; its saved_model.pb appears last.

    Args:
        directory: made when missing.
        model: what to serve.
        max_seq_length: the most tokens of a text or a pair; longer ones are
            cut. As many as the model has positions, if None.
        padding: "longest" pads texts to the longest of a batch, "max_length"
            to max_seq_length.

    Raises:
        ValueError: the model does not fit its config, its vocabulary or
            max_seq_length.
    """
    variables.check_model(model, directory)
    variables.check_labels(model, directory)
    most = model.config.num_positions
    max_seq_length = max_seq_length or most
    if not 3 <= max_seq_length <= most:
        raise ValueError(
            f"--max_seq_length={max_seq_length} must be from 3 to {most}, the "
            "positions of the model"
        )
    if tensors.is_pattern(directory):
        raise ValueError(
            f"--output_dir={directory}: TensorFlow cannot load a SavedModel "
            "from a folder with [ ] * ? or \\ in its name; choose another"
        )
    extra = os.path.join(directory, _EXTRA)
    file_io.make_directory(extra)
    file_io.write_whole(
        os.path.join(extra, tf1.CONFIG), model.config.to_json().encode() + b"\n"
    )
    json_files.write(
        os.path.join(extra, _SETTINGS),
        {"max_seq_length": max_seq_length, "padding": padding},
    )
    tokenizer_files.write(extra, model.tokenizer)
    vocabulary = load_vocabulary(directory, model)
    if vocabulary is None:
        why = graph_tokenizer.refusal(model.tokenizer)
        logging.warning("%s takes token ids alone, as %s", directory, why)
        served = OfIds(model)
        signatures = {"serving_default": served.of_ids}
    else:
        served = _OfTexts(
            model, vocabulary, max_seq_length=max_seq_length, padding=padding
        )
        signatures = {
            "serving_default": served.of_texts,
            "pairs": served.of_pairs,
        }
    signatures["ids"] = served.of_ids
    with _quiet():
        tf.saved_model.save(served, directory, signatures)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps TensorFlow from telling how it names what nobody sees."""
    loggers = (logging.get_absl_logger(), tf.get_logger())
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel("WARNING")
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def read_settings(directory: str) -> dict[str, Any]:
    """Returns what `export` was told: max_seq_length and padding."""
    path = os.path.join(directory, _EXTRA, _SETTINGS)
    return json_files.read(path, {"max_seq_length": int, "padding": str})


def load_vocabulary(directory: str, model: PortableModel) -> Vocabulary | None:
    """Reads the vocabulary of a SavedModel; None if it takes ids alone.

    Raises:
        ValueError: it has more rows than the model.
    """
    if graph_tokenizer.refusal(model.tokenizer):
        return None
    path = vocabularies.find_in(os.path.join(directory, _EXTRA))
    assert path is not None, "the tokenizer was written there"
    vocabulary = vocabularies.read(path)
    if len(vocabulary) > model.config.vocab_size:
        raise ValueError(
            f"{path}: {len(vocabulary)} rows are more than "
            f"vocab_size={model.config.vocab_size} of the model"
        )
    return vocabulary


def _ids(name):
    return tf.TensorSpec([None, None], tf.int32, name)


def _texts(name):
    return tf.TensorSpec([None], tf.string, name)


class OfIds(tf.Module):
    """What is saved: weights, and a function that takes ids."""

    def __init__(self, model: PortableModel) -> None:
        super().__init__()
        self._model = model
        self._network = network.Network(model)
        # A SavedModel holds the variables that attributes of it lead to.
        self._weights = {
            path: weight.value for path, weight in self._network.weights.items()
        }

    @tf.function(input_signature=[_ids(name) for name in outputs.FEATURES])
    def of_ids(
        self,
        input_ids: tf.Tensor,
        input_mask: tf.Tensor,
        segment_ids: tf.Tensor,
    ) -> dict[str, tf.Tensor]:
        return self._answer(input_ids, input_mask, segment_ids, "ids")

    def _answer(self, input_ids, input_mask, segment_ids, signature):
        found = self._network(input_ids, input_mask, segment_ids)
        if "logits" in found:
            return self._of_labels(found["logits"])
        if "start_logits" in found:
            return {
                name: found[name] for name in ("start_logits", "end_logits")
            }
        left_out = _LEFT_OUT[signature]
        return {n: value for n, value in found.items() if n not in left_out}

    def _of_labels(self, logits):
        """What is asked of a head that scores labels or choices."""
        found = {"logits": logits}
        if self._model.head in variables.LABELLED and logits.shape[-1] > 1:
            found["probabilities"] = tf.nn.softmax(logits)
            labels = variables.labels(self._model.config)
            if labels:
                best = tf.argmax(logits, axis=-1)
                found["label"] = tf.gather(tf.constant(labels), best)
        return found


class _OfTexts(OfIds):
    """A tokenizer, too, and functions that take strings."""

    def __init__(
        self,
        model: PortableModel,
        vocabulary: Vocabulary,
        *,
        max_seq_length: int,
        padding: str,
    ) -> None:
        super().__init__(model)
        with tf.device("CPU"):
            self._tokenizer = graph_tokenizer.make(
                vocabulary, model.do_lower_case
            )
        self._cls = vocabulary.roles.cls
        self._sep = vocabulary.roles.sep
        self._layout = vocabulary.layout
        self._padding_id = vocabulary.padding_id
        self._max_seq_length = max_seq_length
        self._padding = padding

    @tf.function(input_signature=[_texts("text")])
    def of_texts(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        with tf.device("CPU"):
            tokens = self._tokenizer(text)
            tokens = tokens[:, : self._max_seq_length - 2]
            sep = self._all(tokens, self._sep)
            parts = (self._all(tokens, self._cls), tokens, sep)
            features = self._pad(parts, num_first=3)
        return self._answer_texts(features, "serving_default")

    @tf.function(input_signature=[_texts("text_a"), _texts("text_b")])
    def of_pairs(
        self, text_a: tf.Tensor, text_b: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        with tf.device("CPU"):
            first, second = self._tokenizer(text_a), self._tokenizer(text_b)
            most = self._max_seq_length - self._layout.num_special(True)
            first, second = _cut(first, second, most)
            sep = self._all(first, self._sep)
            between = [sep] * self._layout.num_between
            parts = (self._all(first, self._cls), first, *between, second, sep)
            features = self._pad(parts, num_first=len(parts) - 2)
        return self._answer_texts(features, "pairs")

    def _all(self, tokens, token):
        """One token for each row, ragged."""
        return tf.RaggedTensor.from_tensor(tf.fill([tokens.nrows(), 1], token))

    def _pad(self, parts, num_first):
        """Returns ids, mask, segments, int32 [B, T], of ragged parts.

        Args:
            parts: what stands behind one another in each row.
            num_first: how many of them are of the first segment.
        """
        last = max(self._model.config.type_vocab_size - 1, 0)
        second = min(self._layout.second_segment, last)
        segments = [
            tf.ones_like(part) * (second if number >= num_first else 0)
            for number, part in enumerate(parts)
        ]
        ids = tf.concat(parts, axis=1)
        shape = [None, None]
        if self._padding == "max_length":
            shape[1] = self._max_seq_length
        rows = (
            (ids, self._padding_id),
            (tf.ones_like(ids), 0),
            (tf.concat(segments, axis=1), 0),
        )
        return tuple(row.to_tensor(filler, shape=shape) for row, filler in rows)

    def _answer_texts(self, features, signature):
        input_ids, input_mask, _ = features
        return self._answer(*features, signature) | {
            "input_ids": input_ids,
            "input_mask": input_mask,
        }


def _cut(first, second, num_tokens):
    """Cuts pairs to `num_tokens`, from the end of the longer one each time.

    Source: google-research/bert, run_classifier.py, _truncate_seq_pair; where
    both are as long the second one is cut.
    """
    of_first, of_second = first.row_lengths(), second.row_lengths()
    half = (num_tokens + 1) // 2
    of_first = tf.minimum(of_first, tf.maximum(num_tokens - of_second, half))
    of_second = tf.minimum(of_second, num_tokens - of_first)
    return _head(first, of_first), _head(second, of_second)


def _head(ragged, lengths):
    """The first tokens of each row."""
    places = tf.ragged.range(ragged.row_lengths())
    is_kept = places.values < tf.repeat(lengths, ragged.row_lengths())
    return tf.RaggedTensor.from_row_lengths(
        tf.boolean_mask(ragged.values, is_kept), lengths
    )

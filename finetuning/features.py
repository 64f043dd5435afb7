"""The program that writes what the layers of a BERT make of texts.

Shapes: N texts, B batch, T tokens, K layers, W width.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tqdm
from absl import logging
from keras import ops

from finetuning import preflight
from finetuning.classification import rows
from finetuning.features_config import FeaturesConfig
from finetuning.prediction import Predictor
from finetuning.task import FEATURES
from interop import start
from modeling import families
from modeling.encoder import Encoded
from modeling.initializers import TruncatedNormal
from storage import file_io, json_files
from text import corpus, vocabularies
from text.tokenization import Tokenizer
from training import checkpoint, precision, strategy

_TEXTS_AT_ONCE = 512
# As google-research/bert: the last bars with a space on each side part a pair.
_PAIR = re.compile(r"(.*) \|\|\| (.*)", re.DOTALL)
_DIGITS = 6


class LayerFeatures:
    """What is made of an encoder's layers, as `Predictor` takes it.

    Args:
        encode: an encoder of (input_ids, input_mask, segment_ids).
        num_layers: how many it has.
        special_ids: of what begins a row and what ends its segments.
        layers: which are taken, as --layers writes them.
        combine: what is made of several, a key of `_COMBINE`.
        pooling: what is made of the tokens, a key of `POOL`.
        normalize: whether vectors are made of length 1.

    Raises:
        ValueError: there is no such layer.
    """

    def __init__(
        self,
        encode: Callable[..., Encoded],
        num_layers: int,
        special_ids: tuple[int, int],
        *,
        layers: str = "-1",
        combine: str = "none",
        pooling: str = "none",
        normalize: bool = False,
    ):
        # Whether what `predict` returns is [B, T, ...].
        self.per_token = pooling == "none"
        self.inputs = FEATURES
        self.numbers = layer_numbers(layers, num_layers)
        self._encode = encode
        self._combine = _COMBINE[combine]
        self._pool = POOL[pooling]
        self._special_ids = special_ids
        self._normalize = normalize

    def predict(self, batch: Mapping[str, Any]) -> dict[str, Any]:
        """Returns {"values": [B, T or none, K or none, W or K*W]}."""
        encoded = self._encode(*(batch[name] for name in FEATURES))
        chosen = [encoded.layer_outputs[n] for n in self.numbers]
        stacked = ops.cast(ops.stack(chosen, axis=2), "float32")
        values = self._combine(stacked)
        is_token = ops.cast(batch["input_mask"] == 1, "float32")
        is_word = _is_word(batch["input_ids"], is_token, self._special_ids)
        for _ in range(len(values.shape) - 2):
            is_token, is_word = is_token[..., None], is_word[..., None]
        values = self._pool(values, is_token, is_word)
        if self._normalize:
            values = values / _length(values)
        return {"values": values}


def layer_numbers(text: str, num_layers: int) -> list[int]:
    """Returns the layers that --layers names, as it writes them.

    Raises:
        ValueError: there is no such layer.
    """
    if text == "all":
        return [*range(-num_layers, 0)]
    try:
        numbers = [int(part) for part in text.split(",")]
    except ValueError:
        numbers = [num_layers]
    if not all(-num_layers <= n < num_layers for n in numbers):
        raise ValueError(
            f"--layers={text}: wanted numbers from {-num_layers} to "
            f"{num_layers - 1}, or all; the model has {num_layers} layers"
        )
    return numbers


def _concat(stacked):
    num_layers, width = stacked.shape[2:]
    return ops.reshape(stacked, (*ops.shape(stacked)[:2], num_layers * width))


_COMBINE = {
    "none": lambda stacked: stacked,
    "sum": lambda stacked: ops.sum(stacked, axis=2),
    "mean": lambda stacked: ops.mean(stacked, axis=2),
    "concat": _concat,
}


def _is_word(ids, is_token, special_ids):
    """Returns 1 for tokens of the text, 0 for [CLS], [SEP] and padding.

    Text never becomes a special token, so that the ids tell them.
    """
    for special_id in special_ids:
        is_token = ops.where(ids == special_id, 0.0, is_token)
    return is_token


def _mean(values, chosen):
    count = ops.maximum(ops.sum(chosen, axis=1), 1.0)
    return ops.sum(values * chosen, axis=1) / count


def _max(values, chosen):
    # A text without a word has no largest one.
    highest = ops.max(ops.where(chosen > 0, values, -np.inf), axis=1)
    return ops.where(ops.isfinite(highest), highest, 0.0)


def _length(values):
    # Zeros, as of a text without a word, stay zeros.
    squares = ops.sum(values * values, axis=-1, keepdims=True)
    return ops.maximum(ops.sqrt(squares), 1e-12)


# {pooling: of (values, which are tokens, which of them are words)}
POOL: dict[str, Callable[..., Any]] = {
    "none": lambda values, tokens, words: values,
    "cls": lambda values, tokens, words: values[:, 0],
    "mean": lambda values, tokens, words: _mean(values, words),
    "mean_all": lambda values, tokens, words: _mean(values, tokens),
    "max": lambda values, tokens, words: _max(values, words),
}


def run(config: FeaturesConfig) -> None:
    """Writes the features of each line of --input_file.

    Raises:
        ValueError: a setting or a file is wrong; says which and what to do.
    """
    file_io.check_output(config.output_file, "output_file")
    architecture = preflight.read_bert_config(config)
    vocabulary = vocabularies.load(config)
    tokenizer = Tokenizer(vocabulary, config.do_lower_case, simplify=config.t2s)
    pairs = _read(config.input_file)
    devices = strategy.create(config)
    mixed_precision = precision.choose(config.mixed_precision, devices)
    with devices.scope():
        encoder = families.make_encoder(
            architecture,
            TruncatedNormal(architecture.initializer_range, seed=0),
            dtype=precision.POLICIES[mixed_precision],
        )
    layers = LayerFeatures(
        encoder,
        architecture.num_hidden_layers,
        (vocabulary.roles.cls, vocabulary.roles.sep),
        layers=config.layers,
        combine=config.combine,
        pooling=config.pooling,
        normalize=config.normalize,
    )
    variables = checkpoint.by_path(encoder.trainable_variables)
    logging.info("%s", start.initialize(config, variables, architecture))
    predictor = Predictor(
        devices,
        layers,
        batch_size=config.batch_size,
        group_by_length=True,
    )
    write = _write_arrays if config.is_arrays else _write_lines
    write(
        config,
        layers.numbers,
        vocabulary,
        _blocks(pairs, tokenizer, vocabulary, predictor, config.max_seq_length),
    )


def _read(path):
    if not file_io.exists(path):
        raise ValueError(f"--input_file: no file {path!r}")
    text = corpus.read(path)
    pairs = []
    for line in text.removesuffix("\n").split("\n"):
        pair = _PAIR.fullmatch(line.strip())
        pairs.append(pair.groups() if pair else (line.strip(), None))
    return pairs


def _blocks(pairs, tokenizer, vocabulary, predictor, max_seq_length):
    """Yields (values, ids, lengths) of some hundred texts at once."""
    with tqdm.tqdm(total=len(pairs), unit="text", disable=None) as bar:
        for begin in range(0, len(pairs), _TEXTS_AT_ONCE):
            block = pairs[begin : begin + _TEXTS_AT_ONCE]
            features = rows.make(
                block,
                tokenizer,
                vocabulary,
                max_seq_length=max_seq_length,
                truncation="head",
            )
            values = predictor.outputs(features)["values"]
            lengths = features["input_mask"].sum(axis=1)
            yield values, features["input_ids"], lengths
            bar.update(len(block))


def _write_lines(config, numbers, vocabulary, blocks):
    """Writes google-research/bert's JSON lines.

    A text that is pooled is one feature, under the name of its pooling.
    """
    # A sum, mean or row of several layers has no number: it has its name.
    names = numbers if config.combine == "none" else [config.combine]
    index = 0
    with file_io.open_binary(config.output_file, "wb") as file:
        for values, ids, lengths in blocks:
            for value, of_text, length in zip(
                values, ids, lengths, strict=True
            ):
                tokens = [vocabulary.rows[i] for i in of_text[:length]]
                if config.pooling != "none":
                    tokens, value = [config.pooling], value[None]
                features = [
                    {"token": token, "layers": _layers_of(row, names)}
                    for token, row in zip(tokens, value, strict=False)
                ]
                # The misspelt key is the interface.
                line = {"linex_index": index, "features": features}
                file.write(json_files.line(line).encode() + b"\n")
                index += 1


def _layers_of(row, names):
    return [
        {"index": name, "values": [round(float(x), _DIGITS) for x in values]}
        for name, values in zip(names, row.reshape(len(names), -1), strict=True)
    ]


def _write_arrays(config, numbers, vocabulary, blocks):
    """Writes "values"; of tokens also "ids" and where each text "starts"."""
    all_values, all_ids, sizes = [], [], []
    for values, ids, lengths in blocks:
        if config.pooling == "none":
            is_real = np.arange(ids.shape[1]) < lengths[:, None]
            values, ids = values[is_real], ids[is_real]
            all_ids.append(ids)
            sizes.append(lengths)
        all_values.append(values)
    arrays = {
        "values": np.concatenate(all_values),
        "layers": np.array(numbers),
    }
    if config.pooling == "none":
        starts = np.concatenate([[0], np.cumsum(np.concatenate(sizes))])
        arrays |= {"ids": np.concatenate(all_ids), "starts": starts}
    with file_io.open_binary(config.output_file, "wb") as file:
        np.savez(file, **arrays)

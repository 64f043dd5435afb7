"""The program that writes what the layers of a BERT make of texts.

Shapes: N texts, B batch, T tokens, K layers, W width.
"""

import re
from collections.abc import Mapping
from typing import Any

import keras
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
from modeling.config import BertConfig
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
    """An encoder and what is made of its layers, as `Predictor` takes it.

    Create it in the strategy's scope.

    Args:
        config: of the encoder.
        settings: which layers, and what is made of them and of the tokens.
        special_ids: of what begins a row and what ends its segments.
        mixed_precision: a key of `precision.POLICIES`.
    """

    def __init__(
        self,
        config: BertConfig,
        settings: FeaturesConfig,
        *,
        special_ids: tuple[int, int],
        mixed_precision: str,
    ):
        self.config = config
        # Whether what `predict` returns is [B, T, ...].
        self.per_token = settings.pooling == "none"
        self._encoder = families.make_encoder(
            config,
            TruncatedNormal(config.initializer_range, seed=0),
            dtype=precision.POLICIES[mixed_precision],
        )
        self.numbers = layer_numbers(settings.layers, config.num_hidden_layers)
        self._combine = _COMBINE[settings.combine]
        self._pool = _POOL[settings.pooling]
        self._special_ids = special_ids

    @property
    def variables(self) -> list[keras.Variable]:
        return self._encoder.trainable_variables

    def predict(self, batch: Mapping[str, Any]) -> dict[str, Any]:
        """Returns {"values": [B, T or none, K or none, W or K*W]}."""
        encoded = self._encoder(*(batch[name] for name in FEATURES))
        chosen = [encoded.layer_outputs[n] for n in self.numbers]
        stacked = ops.cast(ops.stack(chosen, axis=2), "float32")
        values = self._combine(stacked)
        is_word = _is_word(batch, self._special_ids, values)
        return {"values": self._pool(values, is_word)}


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
    return ops.reshape(stacked, (*stacked.shape[:2], -1))


_COMBINE = {
    "none": lambda stacked: stacked,
    "sum": lambda stacked: ops.sum(stacked, axis=2),
    "mean": lambda stacked: ops.mean(stacked, axis=2),
    "concat": _concat,
}


def _is_word(batch, special_ids, values):
    """Returns 1 for tokens of the text, 0 for [CLS], [SEP] and padding.

    Text never becomes a special token, so that the ids tell them.
    """
    ids = batch["input_ids"]
    inside = batch["input_mask"] == 1
    for special_id in special_ids:
        inside = ops.logical_and(inside, ids != special_id)
    shape = (*ids.shape, *(1,) * (len(values.shape) - 2))
    return ops.reshape(ops.cast(inside, "float32"), shape)


def _mean(values, words):
    count = ops.maximum(ops.sum(words, axis=1), 1.0)
    return ops.sum(values * words, axis=1) / count


def _max(values, words):
    # A text without a word has no largest one.
    highest = ops.max(ops.where(words > 0, values, -np.inf), axis=1)
    return ops.where(ops.isfinite(highest), highest, 0.0)


_POOL = {
    "none": lambda values, words: values,
    "cls": lambda values, words: values[:, 0],
    "mean": _mean,
    "max": _max,
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
    with devices.scope():
        layers = LayerFeatures(
            architecture,
            config,
            special_ids=(vocabulary.roles.cls, vocabulary.roles.sep),
            mixed_precision=precision.choose(config.mixed_precision, devices),
        )
    logging.info(
        "%s",
        start.initialize(
            config, checkpoint.by_path(layers.variables), architecture
        ),
    )
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

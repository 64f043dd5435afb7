"""The shape of a BERT, as published files named bert_config.json give it."""

import dataclasses
import json
import types
from collections.abc import Mapping

from modeling import activations


@dataclasses.dataclass(frozen=True, kw_only=True)
class BertConfig:
    """Sizes and rates of a BERT, under the names of the published files."""

    vocab_size: int
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.1
    max_position_embeddings: int = 512
    # The default of google-research/bert; every released model says 2.
    type_vocab_size: int = 16
    initializer_range: float = 0.02
    # Keys we do not know (pooler_type, directionality ...), kept for writing.
    extra: Mapping = dataclasses.field(
        default_factory=lambda: types.MappingProxyType({})
    )

    def __post_init__(self):
        for field in dataclasses.fields(self):
            if field.name != "extra":
                _check(field, getattr(self, field.name))
        if self.hidden_size % self.num_attention_heads:
            raise ValueError(
                f"hidden_size={self.hidden_size} is not a multiple of "
                f"num_attention_heads={self.num_attention_heads}"
            )

    def to_json(self):
        """Returns the text of a bert_config.json, unknown keys included."""
        values = {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
            if field.name != "extra"
        }
        return json.dumps({**values, **self.extra}, indent=2, sort_keys=True)


def from_json(text, source):
    """Reads a `BertConfig` from the text of a bert_config.json.

    Args:
        text: the JSON.
        source: the file's name, for errors.

    Raises:
        ValueError: not JSON, a key is missing, or a value is impossible.
    """
    try:
        values = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"{source}: not JSON: {error}") from None
    if not isinstance(values, dict) or "vocab_size" not in values:
        raise ValueError(f"{source}: not a BERT config: it has no vocab_size")
    known = {field.name for field in dataclasses.fields(BertConfig)} - {"extra"}
    extra = {key: value for key, value in values.items() if key not in known}
    try:
        return BertConfig(
            **{key: values[key] for key in values if key in known},
            extra=types.MappingProxyType(extra),
        )
    except ValueError as error:
        raise ValueError(f"{source}: {error}") from None


def _check(field, value):
    wanted = {
        int: ("a positive integer", lambda: _is_positive_integer(value)),
        float: ("a number in [0, 1)", lambda: _is_rate(value)),
        str: (
            f"one of {sorted(activations.ACTIVATIONS)}",
            lambda: value in activations.ACTIVATIONS,
        ),
    }
    description, is_good = wanted[field.type]
    if not is_good():
        raise ValueError(f"{field.name} must be {description}, got {value!r}")


def _is_positive_integer(value):
    return type(value) is int and value > 0


def _is_rate(value):
    return type(value) in (int, float) and 0 <= value < 1

"""The shape of a BERT, as published files named bert_config.json give it."""

import dataclasses
import difflib
import json
import types
import typing
from collections.abc import Mapping
from typing import Any, ClassVar, Self

from modeling import activations
from modeling.published_keys import OF_OTHERS, PUBLISHED
from storage import json_files

# How alike a key must be to one of ours to be taken for a slip, of 1.
_NEAR = 0.85
# No list of the variables of more would come to an end.
_MOST_LAYERS = 10_000
_LAYER_NORM_EPSILON = 1e-12
# Keys of which BERT has one value; a file need not say it.
_ONLY = {
    "layer_norm_eps": _LAYER_NORM_EPSILON,
    "position_embedding_type": "absolute",
    "add_cross_attention": False,
    "tie_word_embeddings": True,
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class BertConfig:
    """Sizes and rates of a BERT, under the names of the published files."""

    # The name of the family, as config files have it.
    model_type: ClassVar[str] = "bert"
    # Keys of which the family has one value. A key that is a field here is none
    # of them: a file chooses it.
    only: ClassVar[Mapping[str, Any]] = _ONLY
    # Keys of which every file of the family has one, and none of another, for
    # files without a model_type.
    marks: ClassVar[frozenset[str]] = frozenset()
    # {field: the key of a file}, where files call a field otherwise.
    keys: ClassVar[Mapping[str, str]] = {}
    # Keys that published files have beside the fields and that change nothing.
    published: ClassVar[frozenset[str]] = PUBLISHED | _ONLY.keys()
    # The function that the family's files call "gelu".
    gelu: ClassVar[str] = "gelu"
    # Whether published models have a pooler and a head for pairs of sentences.
    has_pooler: ClassVar[bool] = True
    # What the pooler ends with, or what stands for it in a fine-tuned model.
    pooler_act: ClassVar[str] = "tanh"
    # Whether its input is dropped as that of a classifier is.
    drops_before_pooler: ClassVar[bool] = False
    # The row of the first token among the position embeddings.
    first_position: ClassVar[int] = 0
    # Whether the layers turn queries and keys by their place, in place of
    # position embeddings.
    rotates: ClassVar[bool] = False
    # Whether others have models of the family that see to the left alone.
    may_decode: ClassVar[bool] = True

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
    # Whether a token sees those to its left alone; the last one then speaks for
    # its text.
    is_decoder: bool = False
    # Keys we do not know (pooler_type, directionality ...), kept for writing.
    extra: Mapping = dataclasses.field(
        default_factory=lambda: types.MappingProxyType({})
    )

    def __post_init__(self):
        for key, field in _fields(type(self)).items():
            _check(key, field.type, getattr(self, field.name))
        if self.is_decoder and not self.may_decode:
            raise ValueError(
                f"is_decoder is true: no {_title(type(self))} that sees to the "
                "left alone is known elsewhere; a bert, roberta or roformer may"
            )
        if self.hidden_act == "gelu":
            object.__setattr__(self, "hidden_act", self.gelu)
        if self.num_hidden_layers > _MOST_LAYERS:
            raise ValueError(
                f"num_hidden_layers={self.num_hidden_layers} is more than "
                f"{_MOST_LAYERS}: is it damaged?"
            )
        if self.hidden_size % self.num_attention_heads:
            width, heads = (
                self.keys.get(name, name)
                for name in ("hidden_size", "num_attention_heads")
            )
            raise ValueError(
                f"{width}={self.hidden_size} is not a multiple of "
                f"{heads}={self.num_attention_heads}"
            )

    @property
    def embedding_size(self) -> int:
        """The width of the word embeddings, which other families choose."""
        return self.hidden_size

    @property
    def layer_norm_eps(self) -> float:
        """What keeps layer normalisation from dividing by zero."""
        return float(self.only["layer_norm_eps"])

    @property
    def num_positions(self) -> int:
        """How many tokens of a sequence have a position."""
        return self.max_position_embeddings - self.first_position

    @property
    def classifier_dropout_rate(self) -> float:
        """What a classifier of sequences or choices drops of its input."""
        return self.hidden_dropout_prob

    @property
    def answer_dropout_rate(self) -> float:
        """What a head of answers to questions drops of its input."""
        return 0.0

    @property
    def shares_layers(self) -> bool:
        """Whether a layer has weights of another one."""
        return False

    @classmethod
    def _writes_model_type(cls) -> bool:
        # Files of google-research/bert have none; others keep what they have.
        return cls.model_type != BertConfig.model_type

    @classmethod
    def fixed(cls) -> dict[str, Any]:
        """Returns {key of a file: the one value that it has in this family}."""
        own = _fields(cls)
        others = {k: value for k, value in cls.only.items() if k not in own}
        return {"model_type": cls.model_type, **others}

    @classmethod
    def from_json(cls, text: str | bytes, source: str) -> Self:
        """Reads the text of a bert_config.json.

        Args:
            text: the JSON.
            source: the file's name, for errors.

        Raises:
            ValueError: not JSON, of another model, with a key that is nearly
                one of ours, or a value is impossible.
        """
        values = json_files.parse(text, source, object)
        if not isinstance(values, dict) or "vocab_size" not in values:
            raise ValueError(
                f"{source}: not a BERT config: it has no vocab_size"
            )
        _refuse_other_models(cls, values, source)
        fields = _fields(cls)
        extra = {key: values[key] for key in values if key not in fields}
        if cls._writes_model_type():
            extra.pop("model_type", None)
        _refuse_slips(extra.keys() - cls.published, fields, source)
        try:
            return cls(
                **{
                    field.name: values[key]
                    for key, field in fields.items()
                    if key in values
                },
                extra=types.MappingProxyType(extra),
            )
        except ValueError as error:
            raise ValueError(f"{source}: {error}") from None

    def to_json(self) -> str:
        """Returns the text of a bert_config.json, unknown keys included."""
        values = {
            key: value
            for key, field in _fields(type(self)).items()
            # Files of encoders do not say that they are no decoders.
            if (value := getattr(self, field.name)) is not False
        }
        if self._writes_model_type():
            values["model_type"] = self.model_type
        return json.dumps({**values, **self.extra}, indent=2, sort_keys=True)


def _fields(config_class):
    """Returns {key of a file: the field}."""
    return {
        config_class.keys.get(field.name, field.name): field
        for field in dataclasses.fields(config_class)
        if field.name != "extra"
    }


def _title(config_class):
    return config_class.model_type.upper()


def _refuse_other_models(config_class, values, source):
    own = _fields(config_class)
    for key, (family, same_as) in OF_OTHERS.items():
        if key in own or key in config_class.only:
            continue
        value = values.get(key)
        allowed = [None, False, 0, [], {}]
        if same_as is not None:
            default = getattr(config_class, same_as, None)
            same_key = config_class.keys.get(same_as, same_as)
            allowed.append(values.get(same_key, default))
        if value not in allowed:
            raise ValueError(
                f"{source}: {key} is {json_files.shown(value)}, as in a config "
                f"of {family}: it is of another model than "
                f"{_title(config_class)}"
            )
    for key, wanted in config_class.fixed().items():
        value = values.get(key, wanted)
        if value != wanted:
            raise ValueError(
                f"{source}: {key} is {json_files.shown(value)}, this "
                f"{_title(config_class)} has {json_files.shown(wanted)} only"
            )


def _refuse_slips(unknown, known, source):
    """Refuses keys that are one of ours but for a slip of the pen."""
    for key in unknown:
        near = difflib.get_close_matches(key, known, n=1, cutoff=_NEAR)
        if near:
            raise ValueError(
                f"{source}: {key!r} is no key of a BERT's config; is it "
                f"{near[0]!r}, which would have its default otherwise?"
            )


def unknown_keys(config: BertConfig) -> list[str]:
    """Returns the keys of a file that no published one has, sorted."""
    return sorted(config.extra.keys() - config.published)


def _check(key, kind, value):
    choices = typing.get_args(kind)
    wanted = {
        int: ("a positive integer", lambda: _is_positive_integer(value)),
        float: ("a number in [0, 1)", lambda: _is_rate(value)),
        bool: ("true or false", lambda: type(value) is bool),
        str: _one_of(activations.ACTIVATIONS, value),
    }
    description, is_good = wanted.get(kind) or _one_of(choices, value)
    if not is_good():
        raise ValueError(f"{key} must be {description}, got {value!r}")


def _one_of(choices, value):
    return (
        f"one of {sorted(choices)}",
        lambda: isinstance(value, str) and value in choices,
    )


def _is_positive_integer(value):
    return type(value) is int and value > 0


def _is_rate(value):
    return type(value) in (int, float) and 0 <= value < 1

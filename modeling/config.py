"""The shape of a BERT, as published files named bert_config.json give it."""

import dataclasses
import difflib
import json
import types
from collections.abc import Mapping
from typing import Any, ClassVar, Self

from modeling import activations
from storage import json_files

# How alike a key must be to one of ours to be taken for a slip, of 1.
_NEAR = 0.85
# No list of the variables of more would come to an end.
_MOST_LAYERS = 10_000
_LAYER_NORM_EPSILON = 1e-12
# Keys of other models: {key: (whose, the key of ours it may be equal to)}.
_OF_OTHERS = {
    "embedding_size": ("ALBERT or ELECTRA", "hidden_size"),
    "num_hidden_groups": ("ALBERT", "num_hidden_layers"),
    "inner_group_num": ("ALBERT", None),
    "generator_hidden_size": ("ELECTRA", None),
    "n_layers": ("DistilBERT", "num_hidden_layers"),
    "n_heads": ("DistilBERT", "num_attention_heads"),
    "hidden_dim": ("DistilBERT", "intermediate_size"),
    "n_layer": ("GPT", "num_hidden_layers"),
    "n_head": ("GPT", "num_attention_heads"),
    "n_embd": ("GPT", "hidden_size"),
    "d_model": ("T5, BART or XLNet", "hidden_size"),
    "relative_attention": ("DeBERTa", None),
    "use_relative_position": ("NEZHA", None),
    "max_relative_position": ("NEZHA", None),
    "rotary_value": ("RoFormer", None),
    "use_task_id": ("ERNIE", None),
    "head_ratio": ("ConvBERT", None),
    "attention_window": ("Longformer", None),
    "true_hidden_size": ("MobileBERT", "hidden_size"),
}
# Keys of which BERT has one value; a file need not say it.
_ONLY = {
    "layer_norm_eps": _LAYER_NORM_EPSILON,
    "position_embedding_type": "absolute",
    "is_decoder": False,
    "add_cross_attention": False,
    "tie_word_embeddings": True,
}
# Keys that published files of BERT have beside ours, which change nothing here:
# Google's, and those that transformers has written in all its versions.
PUBLISHED = frozenset(
    {
        *("model_type", *_ONLY, *_OF_OTHERS),
        *("directionality", "pooler_fc_size", "pooler_num_attention_heads"),
        *("pooler_num_fc_layers", "pooler_size_per_head", "pooler_type"),
        *("_name_or_path", "_num_labels", "adapters", "architectures"),
        *("attn_implementation", "attn_type", "auto_map", "bad_words_ids"),
        *("begin_suppress_tokens", "bos_token_id", "chunk_size_feed_forward"),
        *("classifier_dropout", "cross_attention_hidden_size"),
        *("decoder_start_token_id", "diversity_penalty", "do_sample", "dtype"),
        *("early_stopping", "encoder_no_repeat_ngram_size", "eos_token_id"),
        *("exponential_decay_length_penalty", "finetuning_task"),
        *(
            "forced_bos_token_id",
            "forced_eos_token_id",
            "gradient_checkpointing",
        ),
        *("id2label", "is_encoder_decoder", "label2id", "language"),
        *("length_penalty", "max_length", "min_length", "name"),
        *("no_repeat_ngram_size", "num_beam_groups", "num_beams", "num_labels"),
        *("num_return_sequences", "output_attentions", "output_hidden_states"),
        *("output_past", "output_scores", "pad_token_id", "prefix"),
        *("problem_type", "pruned_heads", "remove_invalid_values"),
        *("repetition_penalty", "return_dict", "return_dict_in_generate"),
        *("sep_token_id", "suppress_tokens", "task_specific_params"),
        *("temperature", "tf_legacy_loss", "tie_encoder_decoder"),
        *("tokenizer_class", "top_k", "top_p", "torch_dtype", "torchscript"),
        *("transformers_version", "typical_p", "use_bfloat16", "use_cache"),
        *("xla_device",),
    }
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class BertConfig:
    """Sizes and rates of a BERT, under the names of the published files."""

    # The name of the family, as config files have it.
    model_type: ClassVar[str] = "bert"
    # Keys of which the family has one value. A key that is a field here is none
    # of them: a file chooses it.
    only: ClassVar[Mapping[str, Any]] = _ONLY

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
        if self.num_hidden_layers > _MOST_LAYERS:
            raise ValueError(
                f"num_hidden_layers={self.num_hidden_layers} is more than "
                f"{_MOST_LAYERS}: is it damaged?"
            )
        if self.hidden_size % self.num_attention_heads:
            raise ValueError(
                f"hidden_size={self.hidden_size} is not a multiple of "
                f"num_attention_heads={self.num_attention_heads}"
            )

    @property
    def embedding_size(self) -> int:
        """The width of the word embeddings, which other families choose."""
        return self.hidden_size

    @property
    def layer_norm_eps(self) -> float:
        """What keeps layer normalisation from dividing by zero."""
        return float(self.only["layer_norm_eps"])

    @classmethod
    def _writes_model_type(cls) -> bool:
        # Files of google-research/bert have none; others keep what they have.
        return cls.model_type != BertConfig.model_type

    @classmethod
    def fixed(cls) -> dict[str, Any]:
        """Returns {key of a file: the one value that it has in this family}."""
        own = _own_keys(cls)
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
        known = _own_keys(cls)
        extra = {key: values[key] for key in values if key not in known}
        if cls._writes_model_type():
            extra.pop("model_type", None)
        _refuse_slips(extra, known, source)
        try:
            return cls(
                **{key: values[key] for key in values if key in known},
                extra=types.MappingProxyType(extra),
            )
        except ValueError as error:
            raise ValueError(f"{source}: {error}") from None

    def to_json(self) -> str:
        """Returns the text of a bert_config.json, unknown keys included."""
        values = {key: getattr(self, key) for key in _own_keys(type(self))}
        if self._writes_model_type():
            values["model_type"] = self.model_type
        return json.dumps({**values, **self.extra}, indent=2, sort_keys=True)


def _own_keys(config_class):
    return {x.name for x in dataclasses.fields(config_class)} - {"extra"}


def _refuse_other_models(config_class, values, source):
    own = _own_keys(config_class)
    for key, (family, same_as) in _OF_OTHERS.items():
        if key in own:
            continue
        value = values.get(key)
        allowed = [None, False, 0, [], {}]
        if same_as is not None:
            ours = values.get(same_as, getattr(config_class, same_as, None))
            allowed.append(ours)
        if value not in allowed:
            raise ValueError(
                f"{source}: {key} is {json_files.shown(value)}, as in a config "
                f"of {family}: it is of another model than BERT"
            )
    for key, wanted in config_class.fixed().items():
        value = values.get(key, wanted)
        if value != wanted:
            raise ValueError(
                f"{source}: {key} is {json_files.shown(value)}, this BERT has "
                f"{json_files.shown(wanted)} only"
            )


def _refuse_slips(extra, known, source):
    """Refuses keys that are one of ours but for a slip of the pen."""
    for key in extra.keys() - PUBLISHED:
        near = difflib.get_close_matches(key, known, n=1, cutoff=_NEAR)
        if near:
            raise ValueError(
                f"{source}: {key!r} is no key of a BERT's config; is it "
                f"{near[0]!r}, which would have its default otherwise?"
            )


def unknown_keys(config: BertConfig) -> list[str]:
    """Returns the keys of a file that no published BERT has, sorted."""
    return sorted(config.extra.keys() - PUBLISHED)


def _check(field, value):
    wanted = {
        int: ("a positive integer", lambda: _is_positive_integer(value)),
        float: ("a number in [0, 1)", lambda: _is_rate(value)),
        str: (
            f"one of {sorted(activations.ACTIVATIONS)}",
            lambda: (
                isinstance(value, str) and value in activations.ACTIVATIONS
            ),
        ),
    }
    description, is_good = wanted[field.type]
    if not is_good():
        raise ValueError(f"{field.name} must be {description}, got {value!r}")


def _is_positive_integer(value):
    return type(value) is int and value > 0


def _is_rate(value):
    return type(value) in (int, float) and 0 <= value < 1

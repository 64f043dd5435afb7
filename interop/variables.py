"""A BERT with its head as named arrays, and what names and shapes it must have.

The names are those of google-research/bert, which are ours. Every other format
is a table from these names to its own.
"""

import dataclasses
from collections.abc import Mapping

import numpy as np

from modeling import config as model_config

# V vocabulary, W width, I intermediate width, T token types, P positions,
# N labels.
_EMBEDDINGS = {
    "bert/embeddings/word_embeddings": "VW",
    "bert/embeddings/token_type_embeddings": "TW",
    "bert/embeddings/position_embeddings": "PW",
    "bert/embeddings/LayerNorm/beta": "W",
    "bert/embeddings/LayerNorm/gamma": "W",
}
_LAYER = {
    "attention/self/query/kernel": "WW",
    "attention/self/query/bias": "W",
    "attention/self/key/kernel": "WW",
    "attention/self/key/bias": "W",
    "attention/self/value/kernel": "WW",
    "attention/self/value/bias": "W",
    "attention/output/dense/kernel": "WW",
    "attention/output/dense/bias": "W",
    "attention/output/LayerNorm/beta": "W",
    "attention/output/LayerNorm/gamma": "W",
    "intermediate/dense/kernel": "WI",
    "intermediate/dense/bias": "I",
    "output/dense/kernel": "IW",
    "output/dense/bias": "W",
    "output/LayerNorm/beta": "W",
    "output/LayerNorm/gamma": "W",
}
_POOLER = {"bert/pooler/dense/kernel": "WW", "bert/pooler/dense/bias": "W"}
_MASKED_LM = {
    "cls/predictions/transform/dense/kernel": "WW",
    "cls/predictions/transform/dense/bias": "W",
    "cls/predictions/transform/LayerNorm/beta": "W",
    "cls/predictions/transform/LayerNorm/gamma": "W",
    "cls/predictions/output_bias": "V",
}
_NEXT_SENTENCE = {
    "cls/seq_relationship/output_weights": "NW",
    "cls/seq_relationship/output_bias": "N",
}
_CLASSIFIER = {"output_weights": "NW", "output_bias": "N"}

HEADS = {
    "encoder": {},
    "masked_lm": _MASKED_LM,
    "pretraining": _MASKED_LM | _NEXT_SENTENCE,
    "sequence_classification": _CLASSIFIER,
    "token_classification": _CLASSIFIER,
    "multiple_choice": _CLASSIFIER,
    "question_answering": {
        "cls/squad/output_weights": "NW",
        "cls/squad/output_bias": "N",
    },
}
# What these compute does not pass through the pooler, and files may lack it.
WITHOUT_POOLER = (
    "encoder",
    "masked_lm",
    "token_classification",
    "question_answering",
)
POOLER = tuple(_POOLER)
# What these say is of tokens, what the others say of sequences.
OF_TOKENS = ("token_classification", "question_answering")
# The others have no labels to name.
LABELLED = ("sequence_classification", "token_classification")
_NUM_LISTED = 8


@dataclasses.dataclass(frozen=True, kw_only=True)
class Bert:
    """A model between two formats.

    Its labels, if it has them, are in the config under the key id2label, as
    Hugging Face writes them.
    """

    config: model_config.BertConfig
    head: str  # A key of HEADS.
    values: Mapping[str, np.ndarray]
    # The bytes of a vocab.txt.
    vocabulary: bytes | None = None
    do_lower_case: bool = True
    # Optimizer slots and the step, of a checkpoint that training goes on from.
    state: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)


def num_labels(values):
    """Returns the rows of the head's output_weights, 2 where it has none."""
    for name in ("output_weights", "cls/squad/output_weights"):
        if name in values:
            # A damaged file may have one number for all rows.
            return (*values[name].shape, 2)[0]
    return 2


def wanted(config, head, num_labels=2):
    """Returns {name: shape} of a model of `config`, its head included."""
    sizes = {
        "V": config.vocab_size,
        "W": config.hidden_size,
        "I": config.intermediate_size,
        "T": config.type_vocab_size,
        "P": config.max_position_embeddings,
        "N": num_labels,
    }
    letters = _EMBEDDINGS | {
        f"bert/encoder/layer_{i}/{name}": shape
        for i in range(config.num_hidden_layers)
        for name, shape in _LAYER.items()
    }
    letters |= _POOLER | HEADS[head]
    return {
        name: tuple(sizes[letter] for letter in shape)
        for name, shape in letters.items()
    }


def check(found, wanted, source, optional=()):
    """Refuses a model that has other tensors than it should.

    Args:
        found: {name: shape}.
        wanted: {name: shape}.
        source: the file, for the error.
        optional: names that may be missing.

    Raises:
        ValueError: lists what is missing, has no place or has another shape.
    """
    wrong = [
        f"{name} has shape {list(found[name])}, the config wants "
        f"{list(wanted[name])}"
        for name in wanted
        if name in found and tuple(found[name]) != tuple(wanted[name])
    ]
    wrong += [
        f"{name} {list(wanted[name])} is missing"
        for name in wanted
        if name not in found and name not in optional
    ]
    wrong += [
        f"{name} {list(found[name])} has no place in this model"
        for name in found
        if name not in wanted
    ]
    if wrong:
        more = len(wrong) - _NUM_LISTED
        tail = [f"and {more} more"] if more > 0 else []
        lines = "\n  ".join(wrong[:_NUM_LISTED] + tail)
        raise ValueError(f"{source} does not fit its config:\n  {lines}")


def check_model(model, source):
    """Refuses a `Bert` whose tensors are not those of its config and head."""
    optional = POOLER if model.head in WITHOUT_POOLER else ()
    check(
        shapes(model.values),
        wanted(model.config, model.head, num_labels(model.values)),
        source,
        optional,
    )


def shapes(values):
    """Returns {name: shape} of {name: array}."""
    return {name: tuple(value.shape) for name, value in values.items()}


def infer_head(names, wanted=None):
    """Returns the largest head of which all tensors are there.

    Args:
        names: of a model's tensors.
        wanted: which head is meant where several have these names, as those
            of sequences, tokens and choices do; the first of them if None.
    """
    whole = [head for head in HEADS if HEADS[head].keys() <= set(names)]
    head = max(whole, key=lambda head: len(HEADS[head]))
    if wanted and HEADS[wanted].keys() == HEADS[head].keys():
        return wanted
    return head


def with_head(model, head):
    """Returns the model with a part of its head, and the names left out.

    Raises:
        ValueError: it has no such part.
    """
    if head == model.head:
        return model, []
    missing = HEADS[head].keys() - model.values.keys()
    if missing:
        raise ValueError(
            f"--head={head}: the model has the head {model.head}, without "
            f"{', '.join(sorted(missing))}"
        )
    kept = {
        name: value
        for name, value in model.values.items()
        if name.startswith("bert/") or name in HEADS[head]
    }
    left_out = sorted(model.values.keys() - kept.keys())
    return dataclasses.replace(model, head=head, values=kept), left_out


def expand(table, kinds, num_layers):
    """Returns {our name: (their name, whether it is transposed there)}.

    Args:
        table: rows (our prefix, their prefix, kind); {i} is a layer's number.
        kinds: {kind: rows (our suffix, their suffix, whether transposed)}.
        num_layers: how many layers the model has.
    """
    return {
        ours.format(i=i) + our_end: (theirs.format(i=i) + their_end, is_turned)
        for ours, theirs, kind in table
        for i in range(num_layers if "{i}" in ours else 1)
        for our_end, their_end, is_turned in kinds[kind]
    }


def labels(config):
    """Returns the labels in order, or None where the config names none.

    Raises:
        ValueError: id2label skips a number, or has a key that is none.
    """
    by_id = config.extra.get("id2label")
    if not by_id:
        return None
    try:
        by_id = {int(number): label for number, label in by_id.items()}
    except ValueError:
        raise ValueError(
            f"id2label has keys that are no numbers: {sorted(by_id)[:8]}"
        ) from None
    if any(isinstance(label, (list, dict)) for label in by_id.values()):
        raise ValueError("id2label has a label that is a list or an object")
    if sorted(by_id) != list(range(len(by_id))):
        raise ValueError(f"id2label skips a number: {sorted(by_id)}")
    return [by_id[number] for number in range(len(by_id))]


def with_extra(config, *, drop=(), **added):
    """Returns a config with some of its unknown keys dropped, others added."""
    kept = {k: v for k, v in config.extra.items() if k not in drop}
    return dataclasses.replace(config, extra=kept | added)


def check_labels(model, source):
    """Refuses a model with another number of labels than of their rows."""
    names = labels(model.config)
    num_rows = num_labels(model.values)
    if model.head in LABELLED and names and len(names) != num_rows:
        raise ValueError(
            f"{source}: id2label names {len(names)} labels, output_weights "
            f"has {num_rows} rows"
        )

"""A model between two formats, and what names and shapes it must have.

The names are those of google-research, which are ours. `interop.families` has,
for each family, a table from these names to those of every other library.
"""

import dataclasses
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from interop.families.albert import ALBERT
from interop.families.bert import BERT
from interop.families.distilbert import DISTILBERT
from interop.families.electra import ELECTRA
from interop.families.family import Family, Shapes
from interop.families.roberta import ROBERTA
from interop.families.roformer import ROFORMER
from modeling.albert import AlbertConfig
from modeling.config import BertConfig
from modeling.distilbert import DistilBertConfig
from modeling.electra import ElectraConfig
from modeling.roberta import RobertaConfig
from modeling.roformer import RoFormerConfig

# By the model_type of a config.
FAMILIES = {
    BertConfig.model_type: BERT,
    AlbertConfig.model_type: ALBERT,
    ElectraConfig.model_type: ELECTRA,
    RobertaConfig.model_type: ROBERTA,
    DistilBertConfig.model_type: DISTILBERT,
    RoFormerConfig.model_type: ROFORMER,
}
# What a checkpoint without a config is taken for.
DEFAULT = BERT
HEADS = (
    "encoder",
    "masked_lm",
    "pretraining",
    "sequence_classification",
    "token_classification",
    "multiple_choice",
    "question_answering",
)
# What these compute does not pass through the pooler, and files may lack it.
WITHOUT_POOLER = (
    "encoder",
    "masked_lm",
    "token_classification",
    "question_answering",
)
# The others have no labels to name.
LABELLED = ("sequence_classification", "token_classification")
_NUM_LISTED = 8


@dataclasses.dataclass(frozen=True, kw_only=True)
class PortableModel:
    """A model as arrays, with all that its files say of it.

    Its labels, if it has them, are in the config under the key id2label, as
    Hugging Face writes them.
    """

    config: BertConfig
    head: str  # One of HEADS.
    values: Mapping[str, np.ndarray]  # By our names.
    # {name: contents} of the files of its tokenizer; see `tokenizer_files`.
    tokenizer: Mapping[str, bytes] = dataclasses.field(default_factory=dict)
    do_lower_case: bool = True
    # Optimizer slots and the step, of a checkpoint that training goes on from.
    state: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)

    @property
    def family(self) -> Family:
        return family_of(self.config)


def family_of(config: BertConfig) -> Family:
    """Returns the names and shapes of a config's family."""
    return FAMILIES[config.model_type]


def num_labels(values: Mapping[str, np.ndarray]) -> int:
    """Returns the rows of the head's output_weights, 2 where it has none."""
    for name in ("output_weights", "cls/squad/output_weights"):
        if name in values:
            # A damaged file may have one number for all rows.
            return (*values[name].shape, 2)[0]
    return 2


def wanted(config: BertConfig, head: str, num_labels: int = 2) -> Shapes:
    """Returns {name: shape} of a model of `config`, its head included."""
    sizes = {
        "V": config.vocab_size,
        "E": config.embedding_size,
        "W": config.hidden_size,
        "I": config.intermediate_size,
        "T": config.type_vocab_size,
        "P": config.max_position_embeddings,
        "N": num_labels,
        "1": 1,
    }
    return {
        name: tuple(sizes[letter] for letter in letters)
        for row in family_of(config).rows(config, head)
        for name, letters in row.shapes().items()
    }


def check(
    found: Shapes, wanted: Shapes, source: str, optional: Collection[str] = ()
) -> None:
    """Refuses a model that has other tensors than it should.

    Args:
        found: what it has.
        wanted: what it should have.
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


def check_model(model: PortableModel, source: str) -> None:
    """Refuses a model whose tensors are not those of its config and head."""
    check(
        shapes(model.values),
        wanted(model.config, model.head, num_labels(model.values)),
        source,
        optional_names(model),
    )


def optional_names(model: PortableModel) -> tuple[str, ...]:
    """Returns the names of the pooler where the head does not read it."""
    is_without = model.head in WITHOUT_POOLER
    if model.head == "pretraining":
        is_without = not model.config.has_pooler
    return model.family.pooler_names if is_without else ()


def read_rows(config: BertConfig, name: str, value: np.ndarray) -> np.ndarray:
    """Returns the rows of a variable that a model reads.

    They are all of them, but for those before its first position.
    """
    is_cut = name == family_of(config).positions
    return value[config.first_position :] if is_cut else value


def shapes(values: Mapping[str, np.ndarray]) -> Shapes:
    """Returns {name: shape} of {name: array}."""
    return {name: tuple(value.shape) for name, value in values.items()}


def infer_head(
    family: Family, names: Iterable[str], wanted: str | None = None
) -> str:
    """Returns the largest head of which all tensors are there.

    Args:
        family: of the model.
        names: of a model's tensors.
        wanted: which head is meant where several have these names, as those
            of sequences, tokens and choices do; the first of them if None.
    """
    heads = {head: family.head_names(head) for head in family.heads}
    whole = [head for head in heads if heads[head] <= set(names)]
    head = max(whole, key=lambda head: len(heads[head]))
    if wanted and heads.get(wanted) == heads[head]:
        return wanted
    return head


def with_head(
    model: PortableModel, head: str
) -> tuple[PortableModel, list[str]]:
    """Returns the model with a part of its head, and the names left out.

    Raises:
        ValueError: it has no such part.
    """
    if head == model.head:
        return model, []
    names = model.family.head_names(head)
    missing = names - model.values.keys()
    if missing:
        raise ValueError(
            f"--head={head}: the model has the head {model.head}, without "
            f"{', '.join(sorted(missing))}"
        )
    kept = {
        name: value
        for name, value in model.values.items()
        if name.startswith(model.family.scope) or name in names
    }
    left_out = sorted(model.values.keys() - kept.keys())
    return dataclasses.replace(model, head=head, values=kept), left_out


def with_layers(model: PortableModel, numbers: Sequence[int]) -> PortableModel:
    """Returns a model whose layer i is layer `numbers[i]` of another.

    Args:
        model: of layers that share nothing.
        numbers: counted from 0.
    """
    shape = dataclasses.replace(model.config, num_hidden_layers=len(numbers))
    rows = [
        (row, place)
        for layers in model.family.layers
        for place in layers.places(shape)
        for row in layers.rows
    ]
    copies = {
        target: model.values[source]
        for row, place in rows
        for target, source in zip(
            row.at(place).shapes(),
            row.at({**place, "i": numbers[place["i"]]}).shapes(),
            strict=True,
        )
    }
    of_layers = {
        name
        for layers in model.family.layers
        for place in layers.places(model.config)
        for row in layers.rows
        for name in row.at(place).shapes()
    }
    others = {k: x for k, x in model.values.items() if k not in of_layers}
    return dataclasses.replace(model, config=shape, values=others | copies)


def labels(config: BertConfig) -> list[str] | None:
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


def with_extra(
    config: BertConfig, *, drop: Collection[str] = (), **added: Any
) -> BertConfig:
    """Returns a config with some of its unknown keys dropped, others added."""
    kept = {k: v for k, v in config.extra.items() if k not in drop}
    return dataclasses.replace(config, extra=kept | added)


def check_labels(model: PortableModel, source: str) -> None:
    """Refuses a model with another number of labels than of their rows."""
    names = labels(model.config)
    num_rows = num_labels(model.values)
    if model.head in LABELLED and names and len(names) != num_rows:
        raise ValueError(
            f"{source}: id2label names {len(names)} labels, output_weights "
            f"has {num_rows} rows"
        )

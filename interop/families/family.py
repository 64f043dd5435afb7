"""What a family of models is to the libraries that have it: one table.

A row is a part of the model: what it is called here, its kind and its shape,
and what Hugging Face and KerasHub call it. The rows are read both ways, so that
what is written can be read; a library says for itself how it ends the names of
a kind, and which of them it transposes.
"""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from modeling.config import BertConfig

# {kind: (end of our name, its part of the row's shape)}
_WHOLE, _FIRST, _LAST = slice(None), slice(1), slice(-1, None)
KINDS = {
    "embedding": (("", _WHOLE),),
    "dense": (("/kernel", _WHOLE), ("/bias", _LAST)),
    "norm": (("/beta", _WHOLE), ("/gamma", _WHOLE)),
    "bias": (("output_bias", _WHOLE),),
    "logits": (("output_weights", _WHOLE), ("output_bias", _FIRST)),
}
# {kind: (end of a library's name, whether it is transposed there)}, one for
# each of `KINDS`.
Endings = Mapping[str, tuple[tuple[str, bool], ...]]
# The tokenizer's and, by the head, the model's and the preprocessor's.
KerasHubClasses = tuple[Any, Mapping[str, tuple[Any, Any]]]


Shapes = Mapping[str, tuple[int, ...]]
# Pairs (ours, transformers') of families whose "gelu" is the exact function.
EXACT_GELU = (
    ("gelu_exact", "gelu"),
    ("gelu_new", "gelu_new"),
    ("gelu_new", "gelu_pytorch_tanh"),
)
# The numbers of a part in the names of a row, such as {"i": 3}.
Place = Mapping[str, int]


class Row(NamedTuple):
    """A part of a model; {i} and {j} are numbers of a `Place`."""

    ours: str
    kind: str  # A key of `KINDS`.
    # V vocabulary, E embedding width, W width, I intermediate width, T token
    # types, P positions, N labels, 1 itself.
    shape: str
    hugging_face: str
    keras_hub: str | None  # None where it has no such part.

    def at(self, place: Place) -> "Row":
        """Returns the row with the numbers of one place in its names."""
        return self._replace(
            ours=self.ours.format(**place),
            hugging_face=self.hugging_face.format(**place),
            keras_hub=self.keras_hub and self.keras_hub.format(**place),
        )

    def shapes(self) -> dict[str, str]:
        """Returns {our name: letters of its shape}."""
        return {
            self.ours + ending: self.shape[part]
            for ending, part in KINDS[self.kind]
        }


def under(
    scope: str, rows: Iterable[Row], *, ours: str | None = None
) -> tuple[Row, ...]:
    """Returns rows of BERT's encoder as those of one under another scope.

    Args:
        scope: in transformers, such as "roberta".
        rows: of BERT.
        ours: the scope here, if it is another.
    """
    return tuple(
        row._replace(
            ours=row.ours.replace("bert/", f"{ours or scope}/", 1),
            hugging_face=row.hugging_face.replace("bert.", f"{scope}.", 1),
        )
        for row in rows
    )


def each_layer(config: BertConfig) -> Iterable[Place]:
    """Returns the places of layers of which each has its own weights."""
    return [{"i": number} for number in range(config.num_hidden_layers)]


class Layers(NamedTuple):
    """Rows that a model has at several places."""

    rows: tuple[Row, ...]
    # Of a model: the first number is that of the layer, or of the group.
    places: Callable[[Any], Iterable[Place]] = each_layer


@dataclasses.dataclass(frozen=True, kw_only=True)
class HuggingFace:
    """A family in transformers."""

    prefix: str  # Of the encoder's names in a model with a head.
    architectures: Mapping[str, str]  # {head: the class that is saved}.
    tokenizer: str
    # Heads of which transformers computes nothing by the pooler and saves none.
    without_pooler: tuple[str, ...]
    # Pairs (ours, theirs); the first of ours is what is written.
    activations: tuple[tuple[str, str], ...]
    # {a copy of a tied weight under a name of its own: the weight}.
    tied: Mapping[str, str]
    # Ends of names: numbers of places, which newer versions make anew.
    buffers: tuple[str, ...]
    # {head: what stands for the pooler in its class}, where it has no pooler.
    poolers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    # False for a family that transformers has not.
    is_there: bool = True
    # Its class of a decoder that scores words, where it has decoders.
    decoder: str = ""
    # What its classes call the logits of pairs of sentences.
    pair_logits: str = "seq_relationship_logits"
    # Says what a model has that the library cannot hold; "" for nothing.
    unfit: Callable[[Any], str] = lambda config: ""

    def classes(self) -> dict[str, Any]:
        """Returns {head: the class}, imported only now; none without any."""
        if not self.is_there:
            return {}
        import transformers

        return {
            head: getattr(transformers, name)
            for head, name in self.architectures.items()
        }

    def our_activation(self, name: str) -> str:
        """Returns what we call an activation of a config.json."""
        return {theirs: ours for ours, theirs in self.activations}.get(
            name, name
        )

    def their_activation(self, name: str) -> str:
        """Returns what a config.json calls one of our activations."""
        return dict(reversed(self.activations)).get(name, name)


@dataclasses.dataclass(frozen=True, kw_only=True)
class KerasHub:
    """A family in KerasHub; all of it is empty for one that it has not."""

    # {head: the class that the files of a preset name}.
    names: Mapping[str, str] = dataclasses.field(default_factory=dict)
    tokenizer: str = ""  # Its class.
    settings: tuple[tuple[str, str], ...] = ()  # (ours, theirs) of the config.
    activations: tuple[str, ...] = ()  # Ours, of those that it has.
    # Heads of which its model has no pooler.
    without_pooler: tuple[str, ...] = ()
    # Says what a model has that the library cannot hold; "" for nothing.
    unfit: Callable[[Any], str] = lambda config: ""

    def classes(self) -> KerasHubClasses:
        """Returns the classes, imported only now; none without any.

        Every model but a backbone has a preprocessor of its name.
        """
        if not self.names:
            return None, {}
        from keras_hub import models

        return getattr(models, self.tokenizer), {
            head: (
                getattr(models, name),
                getattr(models, f"{name}Preprocessor")
                if head != "encoder"
                else None,
            )
            for head, name in self.names.items()
        }


@dataclasses.dataclass(frozen=True, kw_only=True)
class Family:
    """The names and shapes of a family's models."""

    title: str  # For errors.
    scope: str  # Of the encoder's variables here.
    embeddings: tuple[Row, ...]
    # Of embeddings that are not as wide as the layers.
    projection: tuple[Row, ...] = ()
    layers: tuple[Layers, ...]
    pooler: tuple[Row, ...]
    # Some of `variables.HEADS`, in their order.
    heads: Mapping[str, tuple[Row, ...]]
    hugging_face: HuggingFace
    keras_hub: KerasHub = KerasHub()
    # Pairs (ours, theirs) of what checkpoints of TensorFlow call otherwise:
    # beginnings of names.
    checkpoint_names: tuple[tuple[str, str], ...] = ()
    # {head: the scope of an encoder beside the first, of which the head is}.
    second_encoders: Mapping[str, str] = dataclasses.field(default_factory=dict)
    # Makes a config of the shapes of a checkpoint, by our names, where models
    # are published without one.
    config_of: Callable[[Shapes], BertConfig] | None = None

    @property
    def words(self) -> str:
        """Our name of the word embeddings."""
        return f"{self.scope}embeddings/word_embeddings"

    @property
    def positions(self) -> str:
        """Our name of the position embeddings."""
        return f"{self.scope}embeddings/position_embeddings"

    @property
    def pooler_names(self) -> tuple[str, ...]:
        """Our names of the pooler's variables."""
        return tuple(name for row in self.pooler for name in row.shapes())

    def head_names(self, head: str) -> set[str]:
        """Returns our names of a head's variables.

        Raises:
            ValueError: the family has no such head.
        """
        if head not in self.heads:
            raise ValueError(
                f"--head={head}: {self.title} has none, but "
                f"{', '.join(self.heads)}"
            )
        return {name for row in self.heads[head] for name in row.shapes()}

    def rows(self, config: BertConfig, head: str) -> list[Row]:
        """Returns every row of a model with a head."""
        is_projected = config.embedding_size != config.hidden_size
        poolers = self.hugging_face.poolers
        return [
            *self.embeddings,
            *(self.projection if is_projected else ()),
            *(
                row.at(place)
                for layers in self.layers
                for place in layers.places(config)
                for row in layers.rows
            ),
            *(
                row._replace(hugging_face=poolers.get(head, row.hugging_face))
                for row in self.pooler
            ),
            *self.heads[head],
        ]

    def translations(
        self,
        config: BertConfig,
        head: str,
        theirs: Callable[[Row], str | None],
        endings: Endings,
    ) -> dict[str, tuple[str, bool]]:
        """Returns {our name: (a library's name, whether it is transposed)}.

        Args:
            config: of the model.
            head: of the model.
            theirs: the column of the library.
            endings: how it ends the names of each kind.
        """
        return {
            row.ours + our_end: (name + their_end, is_transposed)
            for row in self.rows(config, head)
            if (name := theirs(row)) is not None
            for (our_end, _), (their_end, is_transposed) in zip(
                KINDS[row.kind], endings[row.kind], strict=True
            )
        }

"""What a family of models is to the libraries that have it: one table.

A row is a part of the model: what it is called here, its kind and its shape,
and what Hugging Face and KerasHub call it. The rows are read both ways, so that
what is written can be read; a library says for itself how it ends the names of
a kind, and which of them it transposes.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

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


class Row(NamedTuple):
    """A part of a model; {i} is a layer's number."""

    ours: str
    kind: str  # A key of `KINDS`.
    # V vocabulary, E embedding width, W width, I intermediate width, T token
    # types, P positions, N labels.
    shape: str
    hugging_face: str
    keras_hub: str | None  # None where it has no such part.

    def of_layer(self, number: int) -> "Row":
        """Returns the row of one layer."""
        return self._replace(
            ours=self.ours.format(i=number),
            hugging_face=self.hugging_face.format(i=number),
            keras_hub=self.keras_hub and self.keras_hub.format(i=number),
        )

    def shapes(self) -> dict[str, str]:
        """Returns {our name: letters of its shape}."""
        return {
            self.ours + ending: self.shape[part]
            for ending, part in KINDS[self.kind]
        }


@dataclasses.dataclass(frozen=True, kw_only=True)
class HuggingFace:
    """A family in transformers."""

    prefix: str  # Of the encoder's names in a model with a head.
    architectures: Mapping[str, str]  # {head: the class that is saved}.
    # The classes themselves, imported when they are asked for; none of a family
    # that transformers has not.
    classes: Callable[[], Mapping[str, Any]]
    tokenizer: str
    # Heads of which transformers computes nothing by the pooler and saves none.
    without_pooler: tuple[str, ...]
    # Pairs (ours, theirs); the first of ours is what is written.
    activations: tuple[tuple[str, str], ...]
    # {a copy of a tied weight under a name of its own: the weight}.
    tied: Mapping[str, str]
    # Ends of names: numbers of places, which newer versions make anew.
    buffers: tuple[str, ...]

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
    # Returns the tokenizer's class and {head: (model's, preprocessor's or
    # None)}, imported when they are asked for.
    classes: Callable[[], KerasHubClasses] = lambda: (None, {})
    settings: tuple[tuple[str, str], ...] = ()  # (ours, theirs) of the config.
    activations: tuple[str, ...] = ()  # Ours, of those that it has.


@dataclasses.dataclass(frozen=True, kw_only=True)
class Family:
    """The names and shapes of a family's models."""

    title: str  # For errors.
    scope: str  # Of the encoder's variables here.
    embeddings: tuple[Row, ...]
    layer: tuple[Row, ...]
    pooler: tuple[Row, ...]
    heads: Mapping[str, tuple[Row, ...]]  # The keys are `variables.HEADS`.
    hugging_face: HuggingFace
    keras_hub: KerasHub = KerasHub()

    @property
    def pooler_names(self) -> tuple[str, ...]:
        """Our names of the pooler's variables."""
        return tuple(name for row in self.pooler for name in row.shapes())

    def head_names(self, head: str) -> set[str]:
        """Returns our names of a head's variables."""
        return {name for row in self.heads[head] for name in row.shapes()}

    def rows(self, num_layers: int, heads: tuple[str, ...]) -> list[Row]:
        """Returns every row of a model with some heads."""
        return [
            *self.embeddings,
            *(
                row.of_layer(number)
                for number in range(num_layers)
                for row in self.layer
            ),
            *self.pooler,
            *(row for head in heads for row in self.heads[head]),
        ]

    def translations(
        self,
        num_layers: int,
        theirs: Callable[[Row], str | None],
        endings: Endings,
    ) -> dict[str, tuple[str, bool]]:
        """Returns {our name: (a library's name, whether it is transposed)}.

        Args:
            num_layers: of the model.
            theirs: the column of the library.
            endings: how it ends the names of each kind.
        """
        return {
            row.ours + our_end: (name + their_end, is_transposed)
            for row in self.rows(num_layers, tuple(self.heads))
            if (name := theirs(row)) is not None
            for (our_end, _), (their_end, is_transposed) in zip(
                KINDS[row.kind], endings[row.kind], strict=True
            )
        }

"""The models of a server: what each can do, and how a request becomes rows.

A request is answered in three steps, of which only the second computes:

    plan = model.predict(inputs)          texts -> rows
    outputs = batcher.submit(...)         rows -> numbers, with those of others
    plan.finish(outputs)                  numbers -> values for JSON
"""

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from finetuning import batches, masks
from finetuning.answering import Answerer
from finetuning.compiled import Compiled
from finetuning.pretrained import Pretrained
from finetuning.task import Outputs, Rows
from serving import cards, inputs
from serving.config import ServeConfig
from training import run_settings

_ENCODER = "encoder"
_SAMPLE = "a"
# Vectors of more kinds than these are compiled when they are first asked for,
# and then take the place of the oldest.
_MOST_KINDS = 8


@dataclasses.dataclass(frozen=True)
class Plan:
    """A request that is ready to be computed."""

    compute: Compiled
    rows: Rows
    finish: Callable[[Outputs], Any]

    @property
    def num_tokens(self) -> int:
        """Tokens of all rows, without padding."""
        return int(self.rows["input_mask"].sum())


class Model:
    """What all models of a server have.

    Args:
        name: what requests call it.
        directory: where it was read.
    """

    kind: str
    can: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()

    def __init__(self, name: str, directory: str):
        self.name = name
        self.created = int(time.time())
        self._directory = directory
        self.card: dict[str, Any] = {}

    def describe(self) -> dict[str, Any]:
        """Returns what /v1/models says of it."""
        return {
            "id": self.name,
            "object": "model",
            "created": self.created,
            "owned_by": "hanlin",
            "kind": self.kind,
            "can": list(self.can),
            "labels": list(self.labels),
            "card": self.card,
        }


class FineTuned(Model):
    """A fine-tuned directory: answers, as tools.predict gives them."""

    can = ("predict",)

    def __init__(self, name: str, directory: str, config: ServeConfig):
        super().__init__(name, directory)
        self._answerer = Answerer.load(directory, device=config.device)
        task = self._answerer.task
        self.kind = task.answer_kind
        self.labels = tuple(task.labels)
        self._num_texts = task.num_texts
        sample = self._answerer.split_of(
            ["\t".join([_SAMPLE] * task.num_texts)]
        )
        self._compiled = Compiled(self._answerer.model, sample.rows)
        self._compiled.prepare(
            batches.lengths_up_to(self._answerer.max_seq_length)
        )
        self.card = cards.make(
            directory,
            self._answerer.model.architecture,
            self._answerer.model.saved,
            self._answerer.max_seq_length,
        )

    def predict(self, asked: Sequence[inputs.Input]) -> Plan:
        """Returns the plan of inputs.

        Raises:
            ValueError: one is of another form than the task's; names it.
        """
        lines = inputs.lines(asked, self._num_texts)
        split = self._answerer.split_of(lines, "inputs")
        return Plan(
            self._compiled,
            self._compiled.rows(split.rows),
            lambda outputs: list(self._answerer.task.answers(split, outputs)),
        )


class Encoder(Model):
    """A pretrained encoder: vectors, and words in the place of masks."""

    kind = _ENCODER

    def __init__(self, name: str, directory: str, config: ServeConfig):
        super().__init__(name, directory)
        self._pretrained = pretrained = Pretrained(
            directory,
            max_seq_length=config.max_seq_length,
            device=config.device,
        )
        self.can = ("embeddings",)
        self.width = pretrained.config.hidden_size
        self._vectors: dict[Any, Compiled] = {}
        self._example = pretrained.rows([_SAMPLE])
        lengths = batches.lengths_up_to(pretrained.max_seq_length)
        self._compiled_vectors(self._usual).prepare(lengths)
        if pretrained.fills_masks:
            self.can += ("fill-mask",)
            self._masks = Compiled(
                pretrained.mask_model(), pretrained.masked_rows(["[MASK]"])
            )
            self._masks.prepare(lengths)
        self.card = cards.make(
            directory,
            pretrained.config,
            pretrained.weights,
            pretrained.max_seq_length,
        )
        self.card |= {
            "width": self.width,
            "pooling": pretrained.pooling,
            "normalize": pretrained.normalize,
        }

    @property
    def _usual(self):
        return "-1", self._pretrained.pooling, self._pretrained.normalize

    def _compiled_vectors(self, options):
        if options not in self._vectors:
            model = self._pretrained.vector_model(*options)
            if len(self._vectors) >= _MOST_KINDS:
                others = [x for x in self._vectors if x != self._usual]
                del self._vectors[others[0]]
            self._vectors[options] = Compiled(model, self._example)
        return self._vectors[options]

    def embed(
        self,
        texts: Sequence[str],
        *,
        layers: str | None = None,
        pooling: str | None = None,
        normalize: bool | None = None,
        truncate: bool = False,
    ) -> Plan:
        """Returns the plan of vectors of texts, float32 [N, W].

        Args:
            texts: of any characters.
            layers, pooling, normalize: as `Pretrained.vectors` takes them;
                None for what the model's own files say.
            truncate: whether a long text is cut, or refused.

        Raises:
            ValueError: there is no such layer, or a text is too long.
        """
        given = (layers, pooling, normalize)
        options = tuple(
            usual if value is None else value
            for value, usual in zip(given, self._usual, strict=True)
        )
        compiled = self._compiled_vectors(options)
        rows = self._pretrained.rows(texts, truncate=truncate)
        return Plan(compiled, compiled.rows(rows), _values)

    def fill(self, texts: Sequence[str], top_k: int) -> Plan:
        """Returns the plan of words for masks; see `Pretrained.fill`.

        Raises:
            ValueError: a text has no mask, or too many.
        """
        rows = self._pretrained.masked_rows(texts)
        return Plan(
            self._masks,
            rows,
            lambda outputs: masks.answers(
                texts, outputs, self._pretrained.vocabulary, top_k
            ),
        )


def _values(outputs: Outputs) -> np.ndarray:
    return outputs["values"]


def load(name: str, directory: str, config: ServeConfig) -> Model:
    """Returns the model of a directory, ready to compute.

    Raises:
        ValueError: it is none, or its files do not belong together.
    """
    settings: Mapping[str, Any] = run_settings.read(directory)
    kind = FineTuned if settings.get("task") else Encoder
    return kind(name, directory, config)

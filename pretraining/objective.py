"""What pretraining asks of an objective, beside what every training asks."""

import abc
from collections.abc import Collection, Mapping
from typing import NamedTuple

import keras

from modeling.config import BertConfig
from modeling.encoder import Encoded, Encoder
from modeling.tensor import Tensor
from modeling.token_dropping import Dropping
from text.vocab import Vocabulary
from training import checkpoint
from training.gradients import ComputeTerms
from training.objective import Batch, Objective


class Network(NamedTuple):
    """A model that is handed on, alone, as models are published."""

    folder: str  # Below export/; "" for export/ itself.
    architecture: BertConfig
    head: str  # A key of `interop.variables.HEADS`.
    variables: Mapping[str, keras.Variable]  # By their published names.


class PretrainingObjective(Objective):
    """An objective over records; see `pretraining.objectives`."""

    # The shape of the model that is trained and handed on.
    architecture: BertConfig
    # A key of `interop.variables.HEADS`: what `exported` has beside an encoder.
    exported_head: str
    # What grows where a run begins with fewer layers or shorter sequences.
    encoder: Encoder

    @property
    def head_depth(self) -> int:
        return self.encoder.head_depth

    def depth_of(self, path: str) -> int:
        return self.encoder.depth_of(path)

    @property
    def networks(self) -> list[Network]:
        """What is handed on: `exported`, and any second network behind it."""
        by_path = checkpoint.by_path(self.exported)
        return [Network("", self.architecture, self.exported_head, by_path)]

    @abc.abstractmethod
    def compute_terms_of(
        self, num_layers: int, has_pairs: bool = True
    ) -> ComputeTerms:
        """Returns `compute_terms` of the lowest layers of the encoder alone.

        Those above are as if they were not there: the loss does not depend on
        them, and no gradient is theirs. So it is with what is learned of pairs,
        where the records have none.
        """

    def check_vocabulary(
        self, ours: Vocabulary | None, hashes: Collection[str]
    ) -> None:
        """Refuses records whose words are not those of what else is read.

        Args:
            ours: the vocabulary of the records, if it was found.
            hashes: of the vocabularies that the records were built with.

        Raises:
            ValueError: they are others; names the flag.
        """

    @property
    def width(self) -> int:
        return self.architecture.hidden_size

    @abc.abstractmethod
    def training_flops(
        self,
        max_seq_length: int,
        max_predictions_per_seq: int,
        num_layers: int | None = None,
    ) -> int:
        """Returns the arithmetic of matrix products for one sequence.

        A multiplication and an addition are two; the backward pass takes twice
        what the forward pass takes. What is computed again to save memory
        counts once. Without `num_layers` all layers count.
        """


def encode(
    encoder: Encoder,
    batch: Batch,
    dropout_seed: Tensor | None = None,
    num_layers: int | None = None,
    dropping: Dropping | None = None,
) -> Encoded:
    """Returns what an encoder makes of the features of a batch.

    Args:
        encoder: called once.
        batch: of records, packed or not.
        dropout_seed: an integer scalar, or None for no dropout.
        num_layers, dropping: see `Encoder`.
    """
    return encoder(
        batch["input_ids"],
        batch["input_mask"],
        batch["segment_ids"],
        batch.get("next_sentence_positions"),
        dropout_seed=dropout_seed,
        num_layers=num_layers,
        dropping=dropping,
    )

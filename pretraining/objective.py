"""What pretraining asks of an objective, beside what every training asks."""

import abc

from modeling.config import BertConfig
from training.objective import Objective


class PretrainingObjective(Objective):
    """An objective over records; see `pretraining.objectives`."""

    # The shape of the model that is trained and handed on.
    architecture: BertConfig
    # A key of `interop.variables.HEADS`: what `exported` has beside an encoder.
    exported_head: str

    @abc.abstractmethod
    def training_flops(
        self, max_seq_length: int, max_predictions_per_seq: int
    ) -> int:
        """Returns the arithmetic of matrix products for one sequence.

        A multiplication and an addition are two; the backward pass takes twice
        what the forward pass takes. What is computed again to save memory
        counts once.
        """

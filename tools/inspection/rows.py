"""Holds records as arrays that checks and statistics look at.

Shapes: B records, L positions, P masks.
"""

from typing import NamedTuple

import numpy as np


class Rows(NamedTuple):
    """Sound records; the features of other masking are None."""

    numbers: np.ndarray  # int64 [B]: which ones of the file they are
    text: np.ndarray  # int64 [B, L]: the ids before anything was masked
    num_tokens: np.ndarray  # int64 [B]
    num_first: np.ndarray  # int64 [B]: tokens of segment A
    pair_labels: np.ndarray  # int64 [B]
    shown: np.ndarray | None  # int64 [B, P]: ids at the masks
    positions: np.ndarray | None  # int64 [B, P]
    labels: np.ndarray | None  # int64 [B, P]
    num_masks: np.ndarray | None  # int64 [B]
    word_starts: np.ndarray | None  # bool [B, L]
    # int64 [B]: of packed records, of whose sequences each is taken for one.
    sequences: np.ndarray | None = None

    @property
    def is_mask(self) -> np.ndarray:
        """Which of the P places for masks are used, bool [B, P]."""
        assert self.positions is not None and self.num_masks is not None
        return np.arange(self.positions.shape[1]) < self.num_masks[:, None]

    def take(self, chosen: np.ndarray) -> "Rows":
        """The same of some of the records."""
        return self._replace(
            **{k: x[chosen] for k, x in self._asdict().items() if x is not None}
        )

"""Weights of labels in the loss, for sets in which some are rare.

Shapes: L labels.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
from absl import logging


def make(
    text: str,
    labels: Sequence[str],
    count: Callable[[], tuple[np.ndarray, np.ndarray]],
) -> list[float]:
    """Returns the weight of each label, L numbers.

    Args:
        text: what --class_weights says: "balanced", or L numbers.
        labels: their names.
        count: returns what `kinds.OneLabel.count` says of the rows to learn
            from; it is called for "balanced" only.

    Raises:
        ValueError: the text is of another form.
    """
    if text == "balanced":
        counts, others = count()
        # A label that no row has is nowhere in the loss: any weight does.
        weights = np.where(counts > 0, others / np.maximum(counts, 1), 1)
        weights = weights.tolist()
    else:
        weights = _parse(text, labels)
    shown = (
        f"{name} {weight:.3g}"
        for name, weight in zip(labels, weights, strict=True)
    )
    logging.info("weights of the labels: %s", ", ".join(shown))
    return weights


def _parse(text, labels):
    try:
        weights = [float(part) for part in text.split(",")]
    except ValueError:
        weights = []
    is_good = all(0 < weight < math.inf for weight in weights)
    if len(weights) != len(labels) or not is_good:
        raise ValueError(
            f"--class_weights={text} must be balanced, or a positive number "
            f"for each of the labels {', '.join(labels)}"
        )
    return weights

"""How many rows of each of several tasks a training draws."""

from collections.abc import Sequence

import numpy as np


def draws(sizes: Sequence[int], temperature: float) -> list[int]:
    """Returns how many rows of each task come among as many as there are.

    A task of n rows has a share of n^(1/T): of all rows alike at T = 1, of all
    tasks alike where T is large. Each has one at least.
    Source: Arivazhagan et al. 2019, Massively Multilingual Neural Machine
    Translation in the Wild, 4.1.

    Args:
        sizes: how many rows each task has, all above 0.
        temperature: T, above 0.

    Returns:
        As many numbers, whose sum is that of `sizes`.
    """
    logs = np.log(np.asarray(sizes, np.float64)) / temperature
    shares = np.exp(logs - logs.max())
    total = sum(sizes) - len(sizes)
    wanted = shares / shares.sum() * sum(sizes) - 1
    wanted = np.maximum(wanted, 0)
    wanted *= total / max(wanted.sum(), 1e-9)
    drawn = np.floor(wanted).astype(int)
    # What is left goes to the largest remainders.
    rest = total - int(drawn.sum())
    for number in np.argsort(drawn - wanted, kind="stable")[:rest]:
        drawn[number] += 1
    return (drawn + 1).tolist()

"""What a run gave, over what it took: read from its metrics.jsonl.

A row says what a step takes of tokens, arithmetic and processor seconds. The
sum over the steps is that of all starts of the run together, without
compilation, evaluations and steps that were lost to a kill.
"""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from training import metrics_file, results_file

STEPS = "steps"
TOKENS = "tokens"
TERAFLOPS = "teraflops"
SECONDS = "processor_seconds"
LOSS = "masked_lm_loss"
ACCURACY = "masked_lm_accuracy"
# {column: number of metrics.jsonl}
_WORK = {
    TOKENS: "tokens_per_step",
    TERAFLOPS: "teraflops_per_step",
    SECONDS: "processor_seconds_per_step",
}
# A curve: {column: values}, one each evaluation.
Curve = dict[str, np.ndarray]

_NEWTON_SCHULZ_STEPS = 5
_SAME = 1e-9  # Two losses as near as this are one.


def read(run_dir: str, *, update_teraflops: float = 0.0) -> Curve | None:
    """Returns the curve of a run, or None before its first evaluation.

    Args:
        run_dir: the --output_dir of run_pretraining.py.
        update_teraflops: arithmetic of an update that is not the model's.
    """
    rows = metrics_file.rows(os.path.join(run_dir, metrics_file.NAME))
    curve = of_rows(rows, update_teraflops)
    final = results_file.read(run_dir)
    if final and curve:
        # Evaluated behind the last step, on the same records.
        for name in (LOSS, ACCURACY):
            curve[name][-1] = final[name]
    return curve


def of_rows(
    rows: Sequence[Mapping[str, float]], update_teraflops: float = 0.0
) -> Curve | None:
    """Returns the curve of the rows of a run; the last point is its end."""
    paces = {name: _paces(rows, key) for name, key in _WORK.items()}
    if any(pace is None for pace in paces.values()):
        return None
    steps = np.array([row["step"] for row in rows], float)
    taken = np.diff(steps, prepend=0.0)
    sums = {name: np.cumsum(taken * pace) for name, pace in paces.items()}
    sums[TERAFLOPS] += steps * update_teraflops
    points = {STEPS: steps, **sums}
    for name in (LOSS, ACCURACY):
        points[name] = np.array(
            [row.get(f"eval_{name}", np.nan) for row in rows]
        )
    is_shown = ~np.isnan(points[LOSS])
    is_shown[-1] = True
    return {name: values[is_shown] for name, values in points.items()}


def _paces(rows, key):
    """Returns a number of each row; one that lacks it has its neighbour's."""
    values = np.array([row.get(key, np.nan) for row in rows])
    known = np.flatnonzero(~np.isnan(values))
    if not len(known):
        return None
    # The next row that has it, else the last one.
    places = np.searchsorted(known, np.arange(len(rows)))
    return values[known[np.minimum(places, len(known) - 1)]]


def first_reached(curve: Curve, loss: float, column: str) -> float | None:
    """Returns how much of `column` it took to a held-out loss; None: never.

    Between two evaluations the loss is taken to fall on a line.
    """
    losses, work = curve[LOSS], curve[column]
    is_low = np.flatnonzero(losses <= loss + _SAME)
    if not len(is_low):
        return None
    place = is_low[0]
    if place == 0:
        return float(work[0])
    before, behind = losses[place - 1], losses[place]
    share = (before - loss) / (before - behind)
    return float(work[place - 1] + share * (work[place] - work[place - 1]))


def mean(curves: Sequence[Curve]) -> Curve:
    """Returns the mean of the curves of one recipe, as far as all have come."""
    length = min(len(curve[STEPS]) for curve in curves)
    return {
        column: np.mean([curve[column][:length] for curve in curves], axis=0)
        for column in curves[0]
    }


def newton_schulz_teraflops(shape: Mapping[str, Any]) -> float:
    """Returns the arithmetic of an update by Muon of all matrices of a BERT.

    Args:
        shape: of bert_config.json.
    """
    width, inner = shape["hidden_size"], shape["intermediate_size"]
    layer = 4 * _newton_schulz(width, width) + 2 * _newton_schulz(width, inner)
    return shape["num_hidden_layers"] * layer / 1e12


def _newton_schulz(short, long):
    """X X', its square, and their product with X; of a product twice m n k."""
    one = 2 * (2 * short**2 * long + short**3)
    return _NEWTON_SCHULZ_STEPS * one

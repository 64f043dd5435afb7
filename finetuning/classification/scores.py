"""Scores of labels, by scikit-learn and SciPy.

Shapes: N examples, L labels.
"""

from collections.abc import Sequence

import numpy as np
from scipy import stats
from sklearn import metrics


def _accuracy(wanted, decided):
    return {"eval_accuracy": metrics.accuracy_score(wanted, decided)}


def _f1(wanted, decided):
    return {"eval_f1": metrics.f1_score(wanted, decided, zero_division=0)}


def _macro_f1(wanted, decided):
    score = metrics.f1_score(wanted, decided, average="macro", zero_division=0)
    return {"eval_macro_f1": score}


def _f1_of_labels(wanted, decided):
    return {
        f"eval_{name}f1": metrics.f1_score(
            wanted, decided, average=average, zero_division=0
        )
        for name, average in (("", "micro"), ("macro_", "macro"))
    }


def _matthews(wanted, decided):
    return {"eval_matthews": metrics.matthews_corrcoef(wanted, decided)}


def _correlations(wanted, decided):
    if len(wanted) < 2 or np.ptp(wanted) == 0 or np.ptp(decided) == 0:
        pearson = spearman = 0.0  # A constant correlates with nothing.
    else:
        pearson = stats.pearsonr(decided, wanted).statistic
        spearman = stats.spearmanr(decided, wanted).statistic
    return {
        "eval_pearson_spearman": (pearson + spearman) / 2,
        "eval_pearson": pearson,
        "eval_spearman": spearman,
    }


def _squared_error(wanted, decided):
    error = metrics.mean_squared_error(wanted, decided)
    return {"eval_mean_squared_error": error}


# Each maps labels and decisions, [N] or [N, L], to {metric: number}.
METRICS = {
    "accuracy": _accuracy,
    "f1": _f1,
    "macro_f1": _macro_f1,
    "f1_of_labels": _f1_of_labels,
    "matthews": _matthews,
    "correlations": _correlations,
    "squared_error": _squared_error,
}
# {metric: what its first number is called}
KEYS = {
    "accuracy": "eval_accuracy",
    "f1_of_labels": "eval_f1",
    "matthews": "eval_matthews",
    "correlations": "eval_pearson_spearman",
}
# With fewer rows the same answer to all may be chance.
_MIN_ROWS = 10


def is_constant(decided: np.ndarray, wanted: np.ndarray) -> bool:
    """Whether all rows get one answer where they want several.

    Numbers count as one answer where they spread by less than a hundredth of
    the wanted ones.

    Args:
        decided, wanted: [N] or [N, L].
    """
    if len(decided) < _MIN_ROWS:
        return False
    spread, needed = (np.std(x, axis=0).max() for x in (decided, wanted))
    return spread <= needed * 0.01 and needed > 0


def compute(
    names: Sequence[str], wanted: np.ndarray, decided: np.ndarray
) -> dict[str, float]:
    """Returns the numbers of the metrics with these names."""
    numbers: dict[str, float] = {}
    for name in names:
        numbers |= METRICS[name](wanted, decided)
    return {key: float(value) for key, value in numbers.items()}

"""The picture of a run: training_curves.png, drawn from metrics.jsonl."""

import io
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from storage import file_io

# "step" and numbers, as metrics.jsonl has them.
Row = Mapping[str, float]

_EVAL = "eval_"
# More points than a picture has columns only cost time.
_MAX_POINTS = 2_000
_COLUMNS = 3
# Numbers that are drawn, by the ends of their names, and the unit of their
# axis; one quantity a panel, as two of them seldom fit on one axis.
_UNITS = {
    "loss": "nats",
    "accuracy": "share of right answers",
    "auc": "area under the curve",
    "precision": "share of what was called so",
    "recall": "share of what was found",
    "replaced_rate": "share of the tokens",
    "f1": "F1",
    "exact_match": "percent",
    "matthews": "correlation",
    "pearson": "correlation",
    "spearman": "correlation",
    "learning_rate": "rate",
    "examples_per_second": "sequences/s",
}


class Rows:
    """The rows that a picture is drawn from: no more than it can show.

    Args:
        rows: those of a run before this one.
    """

    def __init__(self, rows: Iterable[Row]):
        self._rows: list[Row] = []
        self._stride = 1
        self._count = 0
        for row in rows:
            self.add(row)

    def add(self, row: Row) -> None:
        """Takes one more row; of many those of evaluations all stay."""
        if self._count % self._stride == 0 or _is_evaluation(row):
            self._rows.append(row)
        self._count += 1
        if len(self._rows) > 2 * _MAX_POINTS:
            self._thin_out()

    def _thin_out(self):
        others = [row for row in self._rows if not _is_evaluation(row)]
        if len(others) <= _MAX_POINTS:
            return
        self._stride *= 2
        dropped = {id(row) for row in others[1::2]}
        self._rows = [row for row in self._rows if id(row) not in dropped]

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows)


def _is_evaluation(row: Row) -> bool:
    return any(name.startswith(_EVAL) for name in row)


def write(rows: Iterable[Row], path: str, title: str) -> None:
    """Draws the numbers of a run over its steps.

    Training is drawn as lines, what was held out as points.

    Args:
        path: a local or remote file; it is replaced as a whole.
        title: what stands above.
    """
    # Takes a second, which a run that draws nothing need not wait for.
    from matplotlib import figure

    rows = list(rows)
    names = _quantities(rows)
    num_lines = max(1, -(-len(names) // _COLUMNS))
    drawing = figure.Figure(
        figsize=(4.2 * _COLUMNS, 2.9 * num_lines + 0.6), layout="constrained"
    )
    # A dollar sign would begin a formula.
    drawing.suptitle(title.replace("$", r"\$"), fontsize="medium")
    panels = drawing.subplots(num_lines, _COLUMNS, squeeze=False).flat
    for axes, name in zip(panels, names, strict=False):
        _draw_panel(axes, rows, name)
    for axes in drawing.axes[len(names) :]:
        axes.set_axis_off()
    picture = io.BytesIO()
    drawing.savefig(picture, format="png", dpi=110)
    file_io.write_whole(path, picture.getvalue())


def series(rows: Iterable[Row], name: str) -> tuple[list[float], list[float]]:
    """Returns the steps and the values of a number, where rows have it."""
    points = [(row["step"], row[name]) for row in rows if name in row]
    every = -(-len(points) // _MAX_POINTS) or 1
    # The newest point is always among them.
    points = points[::-1][::every][::-1]
    return [step for step, _ in points], [value for _, value in points]


def _quantities(rows):
    """Returns the names to draw a panel of, losses first."""
    names = dict.fromkeys(
        name.removeprefix(_EVAL) for row in rows for name in row
    )
    # eval_loss and loss of an evaluation are one.
    return [
        name
        for ending in _UNITS
        for name in names
        if name == ending or name.endswith("_" + ending)
    ]


def _draw_panel(axes: Any, rows: Iterable[Row], name: str) -> None:
    steps, values = series(rows, name)
    if steps:
        axes.plot(steps, values, color="C0", label="training")
    held_out = series(rows, _EVAL + name)
    if held_out[0]:
        axes.plot(
            *held_out,
            # Without a line of training to follow the points have their own.
            "o" if steps else "o-",
            color="C1",
            markeredgecolor="white",
            label="held out",
        )
    axes.set_title(name, fontsize="medium")
    unit = next(
        unit for ending, unit in _UNITS.items() if name.endswith(ending)
    )
    axes.set_ylabel(unit)
    axes.set_xlabel("step")
    axes.grid(alpha=0.3)
    axes.margins(x=0.02)
    if name.endswith("learning_rate"):
        axes.ticklabel_format(axis="y", scilimits=(0, 0))
    if name.endswith("examples_per_second"):
        axes.set_ylim(bottom=0)
    axes.legend(fontsize="small")

"""The table of a race: means and deviations, and who needs how much of whom."""

from collections.abc import Mapping, Sequence

import numpy as np

from benchmarks.race import curves
from benchmarks.race.curves import Curve

# {contender: its curves, one a seed}
Runs = Mapping[str, Sequence[Curve]]
# {contender: {column: its values, one a seed}}
Scores = Mapping[str, Mapping[str, Sequence[float]]]

# {column: (its head, how a number is written)}
_FINAL = {
    curves.LOSS: ("held-out masked_lm_loss", "{:.3f}"),
    curves.ACCURACY: ("accuracy", "{:.3f}"),
    curves.TOKENS: ("tokens, M", "{:.2f}"),
    curves.TERAFLOPS: ("model TFLOP", "{:.1f}"),
    curves.SECONDS: ("processor s", "{:,.0f}"),
}
_SCALE = {curves.TOKENS: 1e-6}
_REACHED = {
    curves.SECONDS: ("processor s", "{:,.0f}"),
    curves.TERAFLOPS: ("model TFLOP", "{:.1f}"),
}


def markdown(runs: Runs, scores: Scores, against: Sequence[str]) -> str:
    """Returns all tables of a race.

    Args:
        runs: what was trained.
        scores: what else was scored of it, as by fine-tuning.
        against: the contenders whose final losses the others are to reach.
    """
    blocks = [final(runs, scores)]
    blocks += [
        reached(runs, name, column) for name in against for column in _REACHED
    ]
    return "\n\n".join(blocks) + "\n"


def final(runs: Runs, scores: Scores) -> str:
    """Returns what each contender ended with, over its seeds."""
    more = list(dict.fromkeys(x for row in scores.values() for x in row))
    heads = [
        "contender",
        "seeds",
        *(head for head, _ in _FINAL.values()),
        *more,
    ]
    rows = []
    for name, own in runs.items():
        cells = [name, str(len(own))]
        for column, (_, form) in _FINAL.items():
            scale = _SCALE.get(column, 1.0)
            cells.append(_mean([c[column][-1] * scale for c in own], form))
        for score in more:
            cells.append(_mean(scores.get(name, {}).get(score, []), "{:.3f}"))
        rows.append(cells)
    return _table(heads, rows)


def reached(runs: Runs, target: str, column: str) -> str:
    """Returns what each contender needed for the final loss of one of them.

    It is that of the mean over the seeds, with the deviation where each of
    them came there; a ratio is the whole of the target's over it.
    """
    end = curves.mean(runs[target])
    loss, whole = float(end[curves.LOSS][-1]), float(end[column][-1])
    head, form = _REACHED[column]
    rows = []
    for name, own in runs.items():
        needed = curves.first_reached(curves.mean(own), loss, column)
        if needed is None:
            rows.append([name, "not reached", ""])
            continue
        each = [curves.first_reached(curve, loss, column) for curve in own]
        all_there = [value for value in each if value is not None]
        text = form.format(needed)
        if 1 < len(all_there) == len(own):
            text += f" ± {form.format(float(np.std(all_there, ddof=1)))}"
        rows.append([name, text, f"{whole / max(needed, 1e-9):.2f} x"])
    return _table(
        [
            f"to {loss:.3f}, the end of {target}",
            head,
            f"of {form.format(whole)}",
        ],
        rows,
    )


def _mean(values, form):
    """A mean, and the deviation of a sample where there are several."""
    if not len(values):
        return ""
    text = form.format(float(np.mean(values)))
    if len(values) > 1:
        text += f" ± {form.format(float(np.std(values, ddof=1)))}"
    return text


def _table(heads, rows):
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def plain(text: str) -> str:
    """Returns tables of markdown with columns in line, for a terminal."""
    return "\n\n".join(map(_plain, text.strip().split("\n\n"))) + "\n"


def _plain(block):
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in block.split("\n")
        if not line.startswith("| ---")
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if number else cell.ljust(width)
            for number, (cell, width) in enumerate(
                zip(row, widths, strict=True)
            )
        ).rstrip()
        for row in rows
    )

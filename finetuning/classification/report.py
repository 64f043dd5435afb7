"""Scores by label and what is taken for what, as text and as a picture.

Shapes: N examples, L labels.
"""

import io
import os
import unicodedata
from collections.abc import Sequence

import numpy as np
from sklearn import metrics

from storage import file_io

# The names of the fonts with Chinese of Linux, macOS and Windows begin so.
_FONTS = (
    "notosanscjk-regular",
    "notosanscjk",
    "notosanssc",
    "sourcehansans",
    "wqy-",
    "pingfang",
    "hiragino sans gb",
    "msyh",
    "simhei",
    "notoserifcjk",
    "arial unicode",
)
# With more labels numbers do not fit into the squares, or names beside them.
_MAX_NUMBERS = 20
_MAX_NAMES = 60
_COLUMNS = ("precision", "recall", "f1-score", "support")


def write(
    directory: str,
    wanted: np.ndarray,
    decided: np.ndarray,
    labels: Sequence[str],
) -> None:
    """Writes classification_report.txt and the confusion matrix.

    Only tasks with one label have the matrix, confusion_matrix.txt and .png.

    Args:
        directory: local or remote.
        wanted, decided: int [N], or [N, L] of several labels at once.
        labels: names, in order.
    """
    report = metrics.classification_report(
        wanted,
        decided,
        labels=np.arange(len(labels)),
        target_names=labels,
        output_dict=True,
        zero_division=0,
    )
    _write(directory, "classification_report.txt", _report(report))
    if wanted.ndim > 1:
        return
    matrix = metrics.confusion_matrix(
        wanted, decided, labels=np.arange(len(labels))
    )
    _write(directory, "confusion_matrix.txt", _matrix(matrix, labels))
    file_io.write_whole(
        os.path.join(directory, "confusion_matrix.png"), draw(matrix, labels)
    )


def _write(directory, name, lines):
    file_io.write_lines(os.path.join(directory, name), lines)


def _report(report):
    rows = [("", *_COLUMNS)]
    for name, scores in report.items():
        if not isinstance(scores, dict):  # Accuracy, one number.
            rows.append((name, "", "", f"{scores:.4f}", ""))
            continue
        numbers = [f"{scores[key]:.4f}" for key in _COLUMNS[:-1]]
        rows.append((name, *numbers, f"{scores['support']:.0f}"))
    return _aligned(rows)


def _matrix(matrix, labels):
    names = [f"{number} {name}" for number, name in enumerate(labels)]
    heads = ["wanted \\ decided", *map(str, range(len(labels)))]
    rows = [heads]
    rows += [
        (name, *map(str, counts))
        for name, counts in zip(names, matrix, strict=True)
    ]
    return _aligned(rows)


def _aligned(rows):
    """Returns lines with columns of equal width, the first to the left."""
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    lines = []
    for first, *others in rows:
        parts = [first + " " * (widths[0] - _width(first))]
        parts += [
            " " * (width - _width(cell)) + cell
            for cell, width in zip(others, widths[1:], strict=True)
        ]
        lines.append("  ".join(parts).rstrip())
    return lines


def _width(text):
    """Returns how many columns of a terminal a text takes, two for 中."""
    return sum(
        2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )


def draw(matrix: np.ndarray, labels: Sequence[str]) -> bytes:
    """Returns a PNG of a confusion matrix.

    Names that no font here can write are shown as their numbers.

    Args:
        matrix: int [L, L], rows are what was wanted.
        labels: names, in order.
    """
    # The import takes a second: a run that draws nothing does not wait for it.
    from matplotlib import figure

    count = len(labels)
    side = min(max(4.5, 1.6 + 0.55 * count), 16)
    drawing = figure.Figure(figsize=(side + 1, side), layout="constrained")
    axes = drawing.subplots()
    totals = matrix.sum(axis=1, keepdims=True)
    shares = matrix / np.maximum(totals, 1)
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    drawing.colorbar(image, label="share of the row", shrink=0.8)
    axes.set_xlabel("decided")
    axes.set_ylabel("wanted")
    names, font = _writable(labels)
    if count <= _MAX_NAMES:
        style = {"fontproperties": font} if font else {}
        axes.set_xticks(range(count), names, rotation=45, ha="right", **style)
        axes.set_yticks(range(count), names, **style)
    if count <= _MAX_NUMBERS:
        for (row, column), number in np.ndenumerate(matrix):
            colour = "white" if shares[row, column] > 0.5 else "black"
            axes.text(
                column, row, number, ha="center", va="center", color=colour
            )
    picture = io.BytesIO()
    drawing.savefig(picture, format="png", dpi=110, bbox_inches="tight")
    return picture.getvalue()


def _writable(labels):
    """Returns the names to show and the font to use, None for the default."""
    # matplotlib reads a formula behind a dollar sign.
    names = [name.replace("$", r"\$") for name in labels]
    if all(name.isascii() for name in labels):
        return names, None
    from matplotlib import font_manager

    # matplotlib's own list lacks what was installed after it was made.
    paths = {
        os.path.basename(path).lower(): path
        for path in sorted(font_manager.findSystemFonts())
    }
    suitable = (
        path
        for beginning in _FONTS
        for name, path in paths.items()
        if name.startswith(beginning)
    )
    path = next(suitable, None)
    if path is None:
        return list(map(str, range(len(labels)))), None
    return names, font_manager.FontProperties(fname=path)

"""Draws small charts as SVG, coloured by the style sheet of the page."""

import html
import math
from collections.abc import Mapping, Sequence

import numpy as np

_WIDTH, _HEIGHT = 400, 150
_FOOT = 20  # Below the axis, for its numbers.
_HEAD = 14  # Above the highest bar, for its share.
_MOST_BARS = 40
_LINES_HEIGHT = 240
_LEFT = 40  # Of the first tick of a chart of lines, for its numbers.
_HALF_LETTER = 3.5  # Of a number beside an axis.
_MOST_TICKS = 6
# A standalone picture has no page to colour it.
_STANDALONE = """
svg { background: #ffffff; font-family: system-ui, sans-serif; }
text { fill: #5f6b7a; font-size: 11.5px; }
.strong { fill: #1c2430; font-size: 13px; }
.axis { stroke: #e2dfd7; fill: none; }
.line { fill: none; stroke-width: 1.6; }
"""
# Of lines, by the eye's ease of telling them apart.
LINE_COLOURS = (
    *("#3b6ea5", "#d08b2c", "#8a6bb8", "#1f7a4d", "#b3261e"),
    *("#5f6b7a", "#0e8a8a", "#c2508c", "#7d6a2e", "#20438f"),
)
# [(x, y)], from left to right.
Line = Sequence[tuple[float, float]]


def histogram(counts: np.ndarray, *, unit: str) -> str:
    """Bars of how many sequences have 0, 1, 2, ... of something.

    Args:
        counts: int64 [most + 1]. Many are drawn a few to a bar.
        unit: what is counted, for the bars' tips.
    """
    counts = counts.tolist()
    step = math.ceil(len(counts) / _MOST_BARS)
    # Grouped from the upper end: most sequences have the longest length, which
    # must not share its bar with a few others.
    firsts = range(len(counts) - step, -step, -step)
    groups = [
        (max(first, 0), sum(counts[max(first, 0) : first + step]))
        for first in reversed(firsts)
    ]
    names = []
    for number, (first, _) in enumerate(groups):
        last = min(len(counts), first + step) - 1
        if number + 1 < len(groups):
            last = groups[number + 1][0] - 1
        names.append(str(first) if first == last else f"{first} to {last}")
    every = math.ceil(len(groups) / 6)
    ticks = {
        number: names[number].split()[-1]
        for number in range(len(groups) - 1, -1, -every)
    }
    return _bars([count for _, count in groups], names, ticks, unit)


def bins(
    counts: list[int],
    names: list[str],
    *,
    unit: str,
    ticks: list[str] | None = None,
    things: str = "sequences",
) -> str:
    """Bars of how many sequences, or other things, are in bins with names.

    Args:
        counts: of each bin.
        names: of the bins.
        unit: what the names count, for the bars' tips.
        ticks: what stands under the bars, if not the names.
        things: what is in the bins, for the tips.
    """
    under = dict(enumerate(ticks or names))
    return _bars(counts, names, under, unit, things)


def _bars(counts, names, ticks, unit, things="sequences"):
    total, highest = max(sum(counts), 1), max(max(counts), 1)
    width = _WIDTH / len(counts)
    room = _HEIGHT - _HEAD - _FOOT
    parts = []
    for number, (count, name) in enumerate(zip(counts, names, strict=True)):
        height = room * count / highest
        x = number * width
        tip = f"{name} {unit}: {count:,} {things}, {count / total:.1%}"
        parts.append(
            f'<rect class="f0" x="{x + 0.08 * width:.1f}" '
            f'y="{_HEAD + room - height:.1f}" width="{0.84 * width:.1f}" '
            f'height="{height:.1f}"><title>{tip}</title></rect>'
        )
        middle = min(max(x + width / 2, 12), _WIDTH - 12)
        if number in ticks:
            parts.append(_text(middle, _HEIGHT - 4, ticks[number]))
        if count == highest:
            middle = min(max(middle, 18), _WIDTH - 18)
            y = _HEAD + room - height - 4
            parts.append(_text(middle, y, f"{count / total:.0%}"))
    axis = _HEAD + room + 0.5
    parts.append(f'<path class="axis" d="M0 {axis}H{_WIDTH}"/>')
    return _svg(_HEIGHT, parts)


def shares(
    parts: list[tuple[str, float, str]], *, law: tuple[float, ...] = ()
) -> str:
    """One bar of shares that add up to 1.

    Args:
        parts: [(name, share, class of the colour)].
        law: the shares that are wanted, marked in the bar.
    """
    height = 34
    out = []
    begin = 0.0
    for name, share, colour in parts:
        out.append(
            f'<rect class="{colour}" x="{_WIDTH * begin:.1f}" y="0" '
            f'width="{_WIDTH * share:.1f}" height="{height}">'
            f"<title>{html.escape(name)}: {share:.2%}</title></rect>"
        )
        begin += share
    end = 0.0
    for share in law[:-1]:
        end += share
        x = _WIDTH * end
        out.append(f'<path class="law" d="M{x:.1f} -4V{height + 4}"/>')
    for number, (name, share, colour) in enumerate(parts):
        y = height + 24 + 20 * number
        out.append(
            f'<rect class="{colour}" x="0" y="{y - 10}" width="11" '
            'height="11" rx="2"/>'
        )
        out.append(_text(18, y, name, "start", "strong"))
        out.append(_text(_WIDTH, y, f"{share:.1%}", "end", "strong"))
    return _svg(height + 34 + 20 * len(parts), out, top=-6)


def ranks(rows: list[tuple[str, float]]) -> str:
    """Bars from the left, one below the other: [(name, share)]."""
    highest = max(share for _, share in rows)
    out = []
    for number, (name, share) in enumerate(rows):
        y = 21 * number
        width = (_WIDTH - 150) * share / highest
        out.append(_text(78, y + 14, name, "end", "strong"))
        out.append(
            f'<rect class="f0" x="88" y="{y + 3}" width="{width:.1f}" '
            'height="14" rx="2"/>'
        )
        out.append(_text(94 + width, y + 14, f"{share:.1%}", "start"))
    return _svg(21 * len(rows) + 2, out)


def lines(
    groups: Mapping[str, Sequence[Line]], *, x_name: str, y_name: str
) -> str:
    """Lines over an axis, such as the losses of runs over their seconds.

    Args:
        groups: {name: its lines}, each group in a colour of its own.
        x_name, y_name: what stands at the axes.
    """
    points = [p for group in groups.values() for one in group for p in one]
    x_ticks = _ticks([0.0, *(x for x, _ in points)])
    y_ticks = _ticks([y for _, y in points])
    foot = _LINES_HEIGHT - 2 * _FOOT

    def place(x, y):
        right = (x - x_ticks[0]) / (x_ticks[-1] - x_ticks[0])
        up = (y - y_ticks[0]) / (y_ticks[-1] - y_ticks[0])
        return (
            _LEFT + (_WIDTH - _LEFT - 14) * right,
            _HEAD + (foot - _HEAD) * (1 - up),
        )

    out = [
        _text(0, -4, y_name, "start"),
        _text(_WIDTH, foot + 32, x_name, "end"),
    ]
    for tick in y_ticks:
        _, y = place(x_ticks[0], tick)
        out.append(f'<path class="axis" d="M{_LEFT} {y:.1f}H{_WIDTH - 14}"/>')
        out.append(_text(_LEFT - 5, y + 4, f"{tick:.6g}", "end"))
    for tick in x_ticks:
        x, _ = place(tick, y_ticks[0])
        label = f"{tick:,.6g}"
        # A long one would not end within the picture.
        middle = min(x, _WIDTH - _HALF_LETTER * len(label))
        out.append(_text(middle, foot + 15, label))
    for number, (name, group) in enumerate(groups.items()):
        colour = LINE_COLOURS[number % len(LINE_COLOURS)]
        for line in group:
            path = "L".join("{:.1f} {:.1f}".format(*place(*p)) for p in line)
            out.append(
                f'<path class="line" fill="none" style="stroke:{colour}" '
                f'd="M{path}"><title>{html.escape(name)}</title></path>'
            )
        y = _LINES_HEIGHT + 18 * number
        out.append(
            f'<path style="stroke:{colour};stroke-width:3" '
            f'd="M{_LEFT} {y - 4}h18"/>'
        )
        out.append(_text(_LEFT + 26, y, name, "start", "strong"))
    height = _LINES_HEIGHT + 18 * len(groups)
    return _svg(height + _HEAD, out, top=-_HEAD)


def standalone(charts: Sequence[str]) -> str:
    """Returns a picture of charts, one below the other, that needs no page."""
    out, top = [], 0
    for chart in charts:
        height = int(chart.split('"', 2)[1].split()[3])
        out.append(
            chart.replace(
                "<svg ",
                f'<svg y="{top}" width="{_WIDTH}" height="{height}" ',
                1,
            )
        )
        top += height + _FOOT
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{2 * _WIDTH}" '
        f'viewBox="0 -10 {_WIDTH} {top + 10}"><style>{_STANDALONE}</style>'
        f"{''.join(out)}</svg>\n"
    )


def _ticks(values):
    """Returns round numbers from below the least value to above the most."""
    least, most = min(values), max(values)
    if not most > least:
        least, most = least - 0.5, most + 0.5
    step = 10.0 ** math.floor(math.log10((most - least) / _MOST_TICKS))
    step *= next(
        n for n in (1, 2, 5, 10) if (most - least) / (n * step) <= _MOST_TICKS
    )
    first, last = math.floor(least / step), math.ceil(most / step)
    return [number * step for number in range(first, last + 1)]


def _text(x, y, text, anchor="middle", style=""):
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" '
        f'class="{style}">{html.escape(text)}</text>'
    )


def _svg(height, parts, top=0):
    return (
        f'<svg viewBox="0 {top} {_WIDTH} {height}" role="img">'
        f"{''.join(parts)}</svg>"
    )

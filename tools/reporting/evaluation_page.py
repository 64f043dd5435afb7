"""The page of an evaluation: what it got wrong, to be looked at."""

import collections
import html
import pathlib
from collections.abc import Mapping, Sequence

from pages import frame
from tools.reporting import evaluation_tables as tables
from tools.reporting.case import Case
from tools.reporting.cases import Evaluation

_STYLE = pathlib.Path(__file__).with_name("evaluation.css")
_RIGHT_PART = 5  # One of so many rows shown may be a right one.
# Which cases are shown first: of the wrong ones, and of the right ones.
_MOST_SURE = (
    ("the most sure", "把握最大的"),
    ("the least sure", "把握最小的"),
)
_FIRST = {
    "value": (("the farthest off", "偏差最大的"), ("the nearest", "最接近的")),
    "entities": (("the longest", "最长的"), ("the shortest", "最短的")),
}
_UNITS = {
    "label": ("texts", "文本"),
    "labels": ("labels of texts", "文本的标签"),
    "value": ("numbers", "数值"),
    "entities": ("entities", "实体"),
    "answer": ("answers", "回答"),
}


def make(evaluation: Evaluation, scores: Mapping[str, float], most: int) -> str:
    """Returns the page: HTML in one file, without links or scripts.

    Args:
        evaluation: what was got right and wrong.
        scores: of eval_results.txt.
        most: cases that are shown.
    """
    cases = evaluation.cases
    axes = tables.Axes.of(evaluation)
    shown = choose(cases, most)
    num_wrong = sum(not case.is_right for case in cases)
    share = f"{num_wrong / max(len(cases), 1):.1%}"
    verdict = f"{num_wrong:,} wrong \u00b7 {share}"
    body = [
        frame.head("Evaluation", "评测错误分析", verdict, "sound"),
        frame.tiles(_tiles(evaluation, num_wrong, scores)),
        frame.title(2, "Where it is wrong", "错在哪里"),
        '<form><div class="tables">',
        tables.confusion(evaluation, axes, shown),
        tables.by_length(cases, axes),
        "</div>",
        _list(evaluation, shown, axes),
        "</form>",
    ]
    style = _STYLE.read_text(encoding="utf-8") + tables.rules(cases, axes)
    return frame.document(f"Evaluation: {verdict}", "".join(body), style)


def choose(cases: Sequence[Case], most: int) -> list[Case]:
    """Returns the cases to show: of each cell as many, as far as there are.

    Wrong ones come first, the most sure of each cell; of the right ones, which
    have a fifth of the room, the least sure.
    """
    wrong = [case for case in cases if not case.is_right]
    right = [case for case in cases if case.is_right]
    room = min(len(right), max(most // _RIGHT_PART, most - len(wrong)))
    chosen = _in_turn(wrong, most - room, sign=-1)
    chosen.sort(key=lambda case: -case.weight)
    unsure = _in_turn(right, room, sign=1)
    return chosen + sorted(unsure, key=lambda case: case.weight)


def _in_turn(cases, most, sign):
    """Returns the first of each cell, then the second of each, and so on."""
    ranks = collections.Counter()
    ranked = []
    in_order = sorted(cases, key=lambda x: (sign * x.weight, x.number))
    for order, case in enumerate(in_order):
        cell = case.row, case.column
        ranked.append((ranks[cell], order, case))
        ranks[cell] += 1
    return [case for *_, case in sorted(ranked, key=lambda x: x[:2])[:most]]


def _tiles(evaluation, num_wrong, scores):
    unit = frame.both(*_UNITS[evaluation.kind])
    tiles = [
        (
            frame.both("lines", "行数"),
            f"{evaluation.num_lines:,}",
            "eval_predictions.jsonl",
        ),
        (frame.both("cases", "判断数"), f"{len(evaluation.cases):,}", unit),
        (frame.both("wrong", "错误"), f"{num_wrong:,}", unit),
    ]
    tiles += [
        (frame.shown(name), f"{value:.4f}", "eval_results.txt")
        for name, value in scores.items()
        if name not in ("global_step", "loss", "eval_loss")
        and not name.startswith("majority")
    ]
    return tiles[:8]


def _list(evaluation, shown, axes):
    num_wrong = sum(not case.is_right for case in shown)
    all_wrong = sum(not case.is_right for case in evaluation.cases)
    num_right, all_right = (
        len(shown) - num_wrong,
        len(evaluation.cases) - all_wrong,
    )
    most, least = _FIRST.get(evaluation.kind, _MOST_SURE)
    note = frame.both(
        f"{num_wrong:,} of {all_wrong:,} wrong ones are on this page, "
        f"{most[0]} of each cell, and {num_right:,} of {all_right:,} right "
        f"ones, {least[0]}. The cells of the tables above choose among them.",
        f"本页收录 {all_wrong:,} 个错误中的 {num_wrong:,} 个"
        f"（每格取{most[1]}），以及 {all_right:,} 个正确中的 {num_right:,} 个"
        f"（{least[1]}）。点击上面表格中的格子可以筛选。",
    )
    picks = (
        ("wrong", ("wrong", "错误"), True),
        ("right", ("right", "正确"), False),
        ("both", ("all", "全部"), False),
    )
    buttons = "".join(
        tables.pick(
            "cell", id_, frame.both(*names), f"show {names[0]}", "", checked
        )
        for id_, names, checked in picks
    )
    legend = ""
    if evaluation.kind in ("entities", "answer"):
        legend = (
            f'<p class="legend"><span class="wanted">'
            f"{frame.both('wanted', '正确')}</span> "
            f'<span class="given">{frame.both("given", "模型给出")}</span></p>'
        )
    lines = "".join(
        f'<li class="{" ".join(axes.classes(case))}">{_case(case)}</li>'
        for case in shown
    )
    return (
        f"{frame.title(2, 'To be looked at', '逐条查看')}"
        f'<p class="note">{note}</p><div class="picks">{buttons}</div>{legend}'
        f'<ul class="cases card">{lines}</ul>'
    )


def _case(case):
    said = (
        f"<b>{tables.name_of(case.row)}</b> \u2192 "
        f'<b class="came">{tables.name_of(case.column)}</b> '
        f"<small>{frame.shown(case.note)} \u00b7 "
        f"#{case.number + 1:,}</small>"
    )
    parts = []
    for piece in case.pieces:
        text = frame.shown(piece.text)
        if not piece.mark:
            parts.append(f"<p>{text}</p>")
        elif piece.mark == "plain":
            parts.append(text)
        elif set(piece.mark.split()) <= {"wanted", "given"}:
            parts.append(f'<span class="{piece.mark}">{text}</span>')
        else:
            parts.append(
                f"<p><small>{html.escape(piece.mark)}</small> {text}</p>"
            )
    return f"{said}<div>{''.join(parts)}</div>"

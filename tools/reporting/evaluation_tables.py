"""The tables of an evaluation's page, and the rules by which they filter.

Their cells are the buttons of a form without a script: the one that is chosen
hides all rows but its own, by the style sheet alone.
"""

import collections
import dataclasses
import html
from collections.abc import Iterator, Mapping, Sequence

from pages import frame
from tools.reporting import entity_cases
from tools.reporting.case import Case
from tools.reporting.cases import Evaluation

_MOST_NAMES = 24  # Rows and columns of the table.
_FIRST_LENGTH = 16
_NAMES = {
    "label": (("wanted", "正确标签"), ("decided", "模型判定")),
    "labels": (("label", "标签"), ("what came of it", "结果")),
    "value": (("number wanted", "正确数值"), ("number given", "模型给出")),
    "entities": (("type", "类型"), ("what came of it", "结果")),
    "answer": (
        ("characters of the question", "问题字数"),
        ("answer", "回答"),
    ),
}
# The columns that do not follow from the cases, in their order.
_COLUMNS: Mapping[str, Sequence[str]] = {
    "labels": ("right", "missed", "invented"),
    "entities": entity_cases.COLUMNS,
    "answer": ("exact", "partly", "elsewhere", "no answer given", "invented"),
}
_CHINESE = {
    "right": "正确",
    "missed": "漏掉",
    "invented": "多报",
    "other border": "边界错",
    "other type": "类型错",
    "other border and type": "边界和类型都错",
    "exact": "完全正确",
    "partly": "部分正确",
    "elsewhere": "答非所在",
    "no answer given": "未作答",
}


@dataclasses.dataclass(frozen=True)
class Axes:
    """What the tables have rows and columns of.

    Args:
        rows, columns: of the first table; names, those with the most errors.
        ends: of the ranges of lengths: 16, 32, ... characters.
    """

    rows: Sequence[str]
    columns: Sequence[str]
    ends: Sequence[int]

    @classmethod
    def of(cls, evaluation: Evaluation) -> "Axes":
        """Returns those of an evaluation."""
        rows, columns = _axes(evaluation)
        return cls(rows, columns, _lengths(evaluation.cases))

    def classes(self, case: Case) -> Iterator[str]:
        """Yields the classes of a row, of which `rules` speaks."""
        yield "is-right" if case.is_right else "is-wrong"
        yield f"l{_place(case.length, self.ends)}"
        if case.row in self.rows:
            yield f"r{self.rows.index(case.row)}"
        if case.column in self.columns:
            yield f"k{self.columns.index(case.column)}"


def _axes(evaluation):
    """Returns the names of the table's rows and columns, those that fit."""
    cases = evaluation.cases
    wrong = collections.Counter(x.row for x in cases if not x.is_right)
    fixed = _COLUMNS.get(evaluation.kind)
    if not fixed:
        wrong.update(x.column for x in cases if not x.is_right)
    seen = {x.row for x in cases} | {x.column for x in cases if not fixed}
    names = sorted(seen, key=lambda name: (-wrong[name], name))
    names = sorted(names[:_MOST_NAMES], key=_natural)
    if not fixed:
        return names, names
    there = {x.column for x in cases}
    return names, [name for name in fixed if name in there]


def _natural(name):
    """Orders names by the number that they begin with, if they do."""
    try:
        number = float(name.removeprefix("to ").split(" ")[0])
    except ValueError:
        return 1, 0.0, name
    return 0, number, name


def _lengths(cases):
    """Returns the ends of the ranges of lengths: 16, 32, ... characters."""
    longest = max((case.length for case in cases), default=0)
    ends = [_FIRST_LENGTH]
    while ends[-1] < longest:
        ends.append(2 * ends[-1])
    return ends


def _place(length, ends):
    return next(n for n, end in enumerate(ends) if length <= end)


def rules(cases: Sequence[Case], axes: Axes) -> str:
    """Returns the CSS by which a chosen button hides other rows."""
    rows, columns = axes.rows, axes.columns
    chosen = {"wrong": ".is-wrong", "right": ".is-right"}
    chosen |= {f"l{n}": f".l{n}" for n in range(len(axes.ends))}
    chosen |= {f"r{n}": f".r{n}" for n in range(len(rows))}
    chosen |= {f"k{n}": f".k{n}" for n in range(len(columns))}
    for case in cases:
        if case.row in rows and case.column in columns:
            i, j = rows.index(case.row), columns.index(case.column)
            chosen[f"c{i}-{j}"] = f".r{i}.k{j}"
    return "".join(
        f"form:has(#{id_}:checked) .cases>li:not({kept}){{display:none}}\n"
        for id_, kept in chosen.items()
    )


def pick(
    group: str,
    id_: str,
    text: str,
    said: str,
    look: str = "",
    checked: bool = False,
) -> str:
    """Returns a button of a group, of which one is chosen.

    Args:
        group: its name.
        id_: of the button; see `rules`.
        text: HTML.
        said: what a screen reader says.
        look: "good" or "bad", the colour.
        checked: whether it is the one that is chosen first.
    """
    return (
        f'<label class="pick {look}"><input type="radio" name="{group}" '
        f'id="{id_}" aria-label="{html.escape(said)}"'
        f"{' checked' * checked}>{text}</label>"
    )


def name_of(text: str) -> str:
    """Returns the HTML of a row's or column's name, in both languages."""
    chinese = _CHINESE.get(text)
    return frame.both(text, chinese) if chinese else frame.shown(text)


def confusion(evaluation: Evaluation, axes: Axes, shown: Sequence[Case]) -> str:
    """Returns the table of what was taken for what.

    Args:
        evaluation: what was got right and wrong.
        axes: of its tables.
        shown: the cases on the page, which the cells' tips count.
    """
    here = collections.Counter((x.row, x.column) for x in shown)
    rows, columns = axes.rows, axes.columns
    counts = collections.Counter((x.row, x.column) for x in evaluation.cases)
    wrong = collections.Counter(
        (x.row, x.column) for x in evaluation.cases if not x.is_right
    )
    totals = collections.Counter(x.row for x in evaluation.cases)
    of_row, of_column = _NAMES[evaluation.kind]
    head = "".join(
        f"<th>{pick('cell', f'k{j}', name_of(name), f'all of {name}')}</th>"
        for j, name in enumerate(columns)
    )
    wrong_of_row = collections.Counter(
        x.row for x in evaluation.cases if not x.is_right
    )
    lines = []
    for i, row in enumerate(rows):
        cells = []
        for j, column in enumerate(columns):
            count = counts[row, column]
            look = "bad" if wrong[row, column] else "good"
            share = f"--share:{100 * count / max(totals[row], 1):.0f}%"
            said = f"{row}, {column}: {count:,}"
            cell = pick("cell", f"c{i}-{j}", f"{count:,}", said, look)
            tip = f"{here[row, column]:,} of {count:,} are on this page"
            look = f'<label style="{share}" title="{tip}"'
            cell = cell.replace("<label", look, 1)
            cells.append(f"<td>{cell if count else ''}</td>")
        name = pick("cell", f"r{i}", name_of(row), f"all of {row}")
        lines.append(
            f"<tr><th>{name}</th>{''.join(cells)}"
            f"<td>{wrong_of_row[row] / max(totals[row], 1):.1%}</td></tr>"
        )
    note = frame.both(f"columns: {of_column[0]}", f"列：{of_column[1]}")
    corner = frame.both(f"{of_row[0]} \u2193", of_row[1])
    left_out = len({x.row for x in evaluation.cases}) - len(rows)
    return frame.card(
        "What was taken for what",
        "混淆情况",
        note,
        f'<div class="scrolls"><table class="cells"><tr><th>{corner}</th>{head}'
        f"<th>{frame.both('wrong', '错误率')}</th></tr>{''.join(lines)}"
        f"</table></div>{frame.more(left_out, 0)}",
    )


def by_length(cases: Sequence[Case], axes: Axes) -> str:
    """Returns the table of errors by the length of the text."""
    ends = axes.ends
    rows = []
    for n, end in enumerate(ends):
        some = [case for case in cases if _place(case.length, ends) == n]
        if not some:
            continue
        share = sum(not case.is_right for case in some) / len(some)
        first = ends[n - 1] + 1 if n else 0
        name = f"{first:,}\u2013{end:,}"
        bar = f'<i class="bar" style="width:{160 * share:.0f}px"></i>'
        button = pick("length", f"l{n}", name, f"{first} to {end} characters")
        rows.append((button, f"{len(some):,}", f"{share:.1%} {bar}"))
    every = frame.both("all", "全部")
    rows.insert(
        0,
        (pick("length", "every", every, "all lengths", "", True), "", ""),
    )
    names = (
        ("characters of the text", "文本字数"),
        ("cases", "判断数"),
        ("wrong", "错误率"),
    )
    note = frame.both("of the whole text", "以整段文本计")
    return frame.card(
        "By length", "按长度", note, frame.table("lengths", names, rows)
    )

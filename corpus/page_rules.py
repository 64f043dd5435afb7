"""The part of a corpus's page that tells what was left out, by which rule."""

from collections.abc import Iterator
from typing import NamedTuple

from corpus import rules, sentences, summary
from corpus.manifest import Manifest
from corpus.rules import RULES
from corpus.tally import Count, Rule
from pages import frame

_UNITS = {
    "file": "文件",
    "document": "文档",
    "line": "行",
    "sentence": "句",
    "character": "字符",
}
_STAGES = (
    ("Reading", "读取", rules.READING),
    ("Cleaning", "清洗", rules.CLEANING),
    ("Sentences", "分句", sentences.RULES),
    ("Duplicates", "去重", rules.DUPLICATES),
)


class Stage(NamedTuple):
    """A part of the work, and what its rules did."""

    english: str
    chinese: str
    found: list[tuple[str, Count]]  # In the order of the rules.
    idle: list[Rule]  # Those that found nothing.

    @property
    def num_dropped(self) -> int:
        """Characters that are gone."""
        return sum(x.num_chars for name, x in self.found if RULES[name].drops)


def stages(manifest: Manifest) -> list[Stage]:
    """Returns what was left out and changed, in the order of the work."""
    left = dict(summary.by_rule(manifest))
    result = []
    for english, chinese, table in _STAGES:
        found = [(name, left.pop(name)) for name in table if name in left]
        names = {name for name, _ in found}
        idle = [RULES[name] for name in table if name not in names]
        result.append(Stage(english, chinese, found, idle))
    return result


def share(num_chars: int, manifest: Manifest) -> str:
    """Returns how much of what was read some characters are."""
    if not manifest.num_raw_chars:
        return "\u2013"
    rate = num_chars / manifest.num_raw_chars
    return "&lt;0.01%" if 0 < rate < 1e-4 else f"{rate:.2%}"


def funnel(manifest: Manifest) -> str:
    """Returns how much of the text is left after each stage."""
    rows = [
        (
            frame.both(english, chinese),
            _track(left, gone, manifest),
            f"{gone:,}",
            f"{left:,}",
            share(left, manifest),
        )
        for english, chinese, gone, left in _steps(manifest)
    ]
    names = (
        ("after", "步骤"),
        ("", ""),
        ("left out", "删去字符"),
        ("left", "剩余字符"),
        ("of what was read", "占读入"),
    )
    return (
        f"{frame.title(2, 'What became of the text', '文本去向')}"
        f'<div class="card">{frame.table("funnel", names, rows)}'
        f'<p class="note key"><b></b>{frame.both("left", "剩余")} <u></u>'
        f"{frame.both('left out there', '此步删去')}</p>{_most(manifest)}</div>"
    )


def _steps(manifest) -> Iterator[tuple[str, str, int, int]]:
    """Yields (name, Chinese name, characters left out, characters left)."""
    first, *others = stages(manifest)
    left = manifest.num_raw_chars
    yield first.english, first.chinese, first.num_dropped, left
    for stage in others:
        left -= stage.num_dropped
        yield stage.english, stage.chinese, stage.num_dropped, left
    kept = manifest.sizes.num_chars + manifest.heldout.num_chars
    if left != kept:
        names = "Blanks, ends of lines, repairs", "空白、换行与修复"
        yield *names, left - kept, kept


def _track(left, gone, manifest):
    """A bar of what is left, and of what was there besides."""
    whole = max(manifest.num_raw_chars, 1)
    widths = [100 * min(max(x, 0), whole) / whole for x in (left, gone)]
    widths[1] = min(widths[1], 100 - widths[0])
    return (
        f'<div class="track"><b style="width:{widths[0]:.2f}%"></b>'
        f'<u style="width:{widths[1]:.2f}%"></u></div>'
    )


def _most(manifest):
    """Which rule took most of what was read."""
    dropped = [
        (count.num_chars, name)
        for name, count in summary.by_rule(manifest)
        if RULES[name].drops and count.num_chars and name not in rules.READING
    ]
    if not dropped:
        return ""
    num_chars, name = max(dropped)
    rule = RULES[name]
    part = share(num_chars, manifest)
    english = (
        f"The rule that left out most: \u201c{rule.english}\u201d "
        f"({rule.unit}s), {part} of what was read."
    )
    chinese = (
        f"删去最多的规则：“{rule.chinese}”（{_UNITS[rule.unit]}），"
        f"占读入字符的 {part}。"
    )
    return f'<p class="note">{frame.both(english, chinese)}</p>'


def table(manifest: Manifest) -> str:
    """Returns what each rule did, with texts to look at."""
    parts = [
        frame.title(2, "Rules", "各规则删改情况"),
        '<p class="note">'
        + frame.both(
            "Open a rule to see what it dropped or changed.",
            "点开规则可查看被删除或修改的文本示例。",
        )
        + "</p>",
    ]
    for stage in stages(manifest):
        title = frame.title(3, stage.english, stage.chinese)
        rows = "".join(_row(*item, manifest) for item in stage.found)
        head = _NAMES if rows else ""
        parts.append(
            f'<div class="stage">{title}</div><div class="rules card">{head}'
            f"{rows}{_idle(stage.idle)}</div>"
        )
    return "".join(parts)


def _names():
    cells = "".join(
        f"<span>{frame.both(*name)}</span>"
        for name in (
            ("rule", "规则"),
            ("text", "文本"),
            ("number", "数量"),
            ("characters", "字符数"),
            ("share", "占比"),
            ("flag, origin", "参数、出处"),
        )
    )
    return f'<div class="row names">{cells}</div>'


_NAMES = _names()


def _row(name, count, manifest):
    rule = RULES[name]
    kind = ("dropped", "删除") if rule.drops else ("changed", "修改")
    unit = rule.unit if count.num == 1 else f"{rule.unit}s"
    cells = (
        f"<span>{_name(rule)}</span>"
        f'<span><em class="kind {kind[0]}">{frame.both(*kind)}</em></span>'
        f"<span>{count.num:,} <small>{frame.both(unit, _UNITS[rule.unit])}"
        f"</small></span><span>{count.num_chars:,}</span>"
        f"<span>{share(count.num_chars, manifest)}</span>"
        f"<span>{_set_by(rule, manifest)}</span>"
    )
    return (
        f'<details class="rule"><summary class="row">{cells}</summary>'
        f"{_samples(count)}</details>"
    )


def _name(rule):
    return frame.both(frame.shown(rule.english), frame.shown(rule.chinese))


def _set_by(rule, manifest):
    """The flag as it was set, and who published the rule."""
    flag = rule.flag and f"--{rule.flag}"
    if (value := manifest.flags.get(rule.flag, "")) not in ("", None):
        flag += f"={value}"
    parts = []
    if flag:
        parts.append(f"<code>{frame.shown(flag)}</code>")
    if rule.origin:
        parts.append(f"<small>{frame.shown(rule.origin)}</small>")
    return " ".join(parts)


def _samples(count):
    texts = "".join(
        f"<li><code>{frame.shown(sample.source)}</code>"
        f'<p dir="auto">{frame.shown(sample.text)}</p></li>'
        for sample in count.samples
    )
    shown = len(count.samples)
    note = frame.both(
        f"{shown} of {count.num:,}, the beginning of each",
        f"共 {count.num:,} 处，显示 {shown} 处的开头",
    )
    return f'<div class="texts"><small>{note}</small><ul>{texts}</ul></div>'


def _idle(idle):
    if not idle:
        return ""
    names = "; ".join(
        f"{rule.unit}: {frame.shown(rule.english)}" for rule in idle
    )
    chinese = "；".join(
        f"{_UNITS[rule.unit]}：{frame.shown(rule.chinese)}" for rule in idle
    )
    title = frame.both(
        f"rules that found nothing: {len(idle)}", f"未触发的规则：{len(idle)}"
    )
    return (
        f'<details class="idle"><summary>{title}</summary><p>{names}</p>'
        f"<p>{chinese}</p></details>"
    )

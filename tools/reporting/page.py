"""The page of a pretraining: what was trained, the curves, what it fills in."""

import dataclasses
import html
from collections.abc import Mapping, Sequence

from modeling.config import BertConfig
from pages import charts, frame
from tools.reporting.fill_in import Example

_STYLE = """
.charts { margin-top: 24px; }
.line { stroke-width: 1.6; }
mark { background: var(--mask); color: var(--mask-ink); padding: 0 3px; }
table.fill td, table.fill th { text-align: left; }
pre { font: 12.5px/1.5 ui-monospace, Menlo, Consolas, monospace; }
"""
_MOST_POINTS = 300
_LOSS = "masked_lm_loss"
_ACCURACY = "masked_lm_accuracy"


@dataclasses.dataclass(frozen=True)
class Run:
    """What a pretraining left.

    Args:
        rows: of metrics.jsonl.
        results: of eval_results.txt.
        shape: what bert_config.json says.
        examples: what the model filled in.
        scores: of a fine-tuning.
        plan: what it was planned by.
    """

    rows: Sequence[Mapping[str, float]]
    results: Mapping[str, float]
    shape: BertConfig
    examples: Sequence[Example]
    scores: Mapping[str, float]
    plan: str = ""


def make(run: Run) -> str:
    """Returns the page: HTML in one file, without links."""
    loss = f"{run.results[_LOSS]:.3f}"
    parts = [
        frame.head(
            "Pretraining", "预训练报告", f"held-out loss {loss}", "sound"
        ),
        frame.tiles(_tiles(run)),
        _curves(run),
        _examples(run),
        _scores(run),
        _plan(run),
    ]
    return frame.document(f"Pretraining: {loss}", "".join(parts), _STYLE)


def _tiles(run):
    both = frame.both
    layers, width = run.shape.num_hidden_layers, run.shape.hidden_size
    return [
        (
            both("held-out loss", "留出文本损失"),
            f"{run.results[_LOSS]:.3f}",
            _LOSS,
        ),
        (
            both("held-out accuracy", "留出文本准确率"),
            f"{run.results[_ACCURACY]:.1%}",
            _ACCURACY,
        ),
        (
            both("model", "模型"),
            f"{layers} x {width}",
            both("layers x width", "层数 x 宽度"),
        ),
        (
            both("steps", "步数"),
            f"{run.results['global_step']:,.0f}",
            f"{total(run.rows, 'tokens_per_step') / 1e6:,.1f} M tokens",
        ),
        (
            both("processor time", "处理器时间"),
            f"{total(run.rows, 'processor_seconds_per_step') / 60:,.1f} min",
            both("of the training steps", "仅训练步骤"),
        ),
    ]


def total(rows: Sequence[Mapping[str, float]], name: str) -> float:
    """Returns the sum over all steps of a number that rows give a step."""
    sum_, before, pace = 0.0, 0.0, 0.0
    for row in rows:
        pace = row.get(name, pace)
        sum_ += (row["step"] - before) * pace
        before = row["step"]
    return sum_


def _curves(run):
    cards = []
    for name, chinese in ((_LOSS, "损失"), (_ACCURACY, "准确率")):
        groups = {}
        for label, key in (("training", name), ("held out", f"eval_{name}")):
            points = [(r["step"], r[key]) for r in run.rows if key in r]
            every = len(points) // _MOST_POINTS + 1
            if points:
                groups[label] = [points[::-1][::every][::-1]]
        chart = charts.lines(groups, x_name="step", y_name=name)
        note = frame.both("over the steps", "随步数变化")
        cards.append(frame.card(name, chinese, note, chart))
    return f'<div class="charts">{"".join(cards)}</div>'


def _examples(run):
    if not run.examples:
        return ""
    rows = []
    for one in run.examples:
        line = (
            f"{frame.shown(one.before)}<mark>{frame.shown(one.word)}</mark>"
            f"{frame.shown(one.behind)}"
        )
        guesses = " ".join(
            f"<b>{frame.shown(word)}</b>&nbsp;{share:.0%}"
            if word == one.word
            else f"{frame.shown(word)}&nbsp;{share:.0%}"
            for word, share in one.guesses
        )
        rows.append((line, guesses))
    names = (
        ("held-out text, masked word", "留出文本与被遮盖的字"),
        ("guesses", "猜测"),
    )
    return frame.title(2, "What it fills in", "填空示例") + frame.table(
        "fill", names, rows
    )


def _scores(run):
    if not run.scores:
        return ""
    rows = [
        (frame.shown(name), f"{value:.4f}")
        for name, value in run.scores.items()
    ]
    return frame.title(2, "Fine-tuned", "微调结果") + frame.table(
        "scores", (("number", "指标"), ("value", "数值")), rows
    )


def _plan(run):
    if not run.plan:
        return ""
    lines = html.escape(run.plan)
    return (
        frame.title(2, "The plan", "计划")
        + f'<div class="scrolls"><pre>{lines}</pre></div>'
    )

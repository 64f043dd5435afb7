"""Shows sequences as a person reads them, in HTML."""

import html

import numpy as np

from tools.inspection import files, report
from tools.inspection.rows import Rows

# What label 0 and label 1 say, for each --pair_task.
PAIR_LABELS = {
    "nsp": (("B follows A", "相邻"), ("B is from elsewhere", "随机")),
    "sop": (("A and B in order", "顺序"), ("A and B swapped", "颠倒")),
    "electra": (("neighbours", "相邻"), ("neighbours", "相邻")),
    "none": (("one segment", "单段"), ("one segment", "单段")),
}

_LEGEND = """<span class="tokens"><span class="w"><span class="t"><span>A</span>
</span></span><span class="b"><span class="w"><span class="t"><span>B</span>
</span></span></span> segments</span>
<span class="tokens"><span class="w"><span class="t"><span>play</span></span>
<span class="t"><span><i>##</i>ing</span></span></span> one word</span>"""
_LEGEND_OF_MASKS = """
<span class="tokens"><span class="w"><span class="t mask"><span>MASK</span>
</span></span> [MASK] stands there</span>
<span class="tokens"><span class="w"><span class="t kept"><span>词</span></span>
</span> kept as it is</span>
<span class="tokens"><span class="w"><span class="t random"><span>词</span>
</span></span> another token stands there</span>
<span>below: the label</span>"""


def legend(is_static: bool) -> str:
    """Returns the HTML that says what the colours are."""
    masks = "<span>masks are drawn in training</span>"
    rest = _LEGEND_OF_MASKS if is_static else masks
    return f'<p class="legend card">{_LEGEND}{rest}</p>'


def make(
    path: str, rows: Rows, inspection: report.Inspection, pair_task: str
) -> str:
    """Returns the HTML of one record, or of a sequence of a packed one.

    Args:
        path: its file.
        rows: the record.
        inspection: all that was found.
        pair_task: a key of `PAIR_LABELS`.
    """
    num_tokens, num_first = int(rows.num_tokens[0]), int(rows.num_first[0])
    chips = _chips(rows, num_tokens, inspection)
    is_start = _word_starts(rows, num_tokens, inspection.vocabulary)
    task = pair_task if num_first < num_tokens else "none"
    name, chinese = PAIR_LABELS[task][int(rows.pair_labels[0])]
    facts = [f"<span>{num_tokens} tokens</span>"]
    if rows.num_masks is not None:
        facts.append(f"<span>{rows.num_masks[0]} masks</span>")
    facts.append(f'<strong>{name}<span class="zh">{chinese}</span></strong>')
    number = f"record {rows.numbers[0]}"
    padding = rows.text.shape[1] - num_tokens
    if rows.sequences is not None:
        number += f", sequence {rows.sequences[0] + 1}"
        padding = 0
    segments = [_segment("A", chips, is_start, 0, num_first)]
    if num_first < num_tokens:
        segments.append(_segment("B", chips, is_start, num_first, num_tokens))
    if padding and rows.positions is not None:
        segments.append(f'<div class="pad">+ {padding} padding</div>')
    return (
        f'<article class="sample card"><header><code>{html.escape(path)}'
        f"</code><span>{number}</span>{''.join(facts)}"
        f"</header>{''.join(segments)}</article>"
    )


def _segment(name, chips, is_start, first, last):
    bounds = [n for n in range(first, last) if n == first or is_start[n]]
    words = [
        f'<span class="w">{"".join(chips[begin:end])}</span>'
        for begin, end in zip(bounds, [*bounds[1:], last], strict=True)
    ]
    return (
        f'<div class="segment {name.lower()}"><b>{name}</b>'
        f'<div class="tokens">{"".join(words)}</div></div>'
    )


def _word_starts(rows, num_tokens, vocabulary):
    """Whether a word begins at each position."""
    if rows.word_starts is not None:
        return rows.word_starts[0]
    if vocabulary is None:
        return np.ones(num_tokens, bool)
    starts = ~vocabulary.is_continuation[rows.text[0, :num_tokens]]
    # The first token of a text goes on in no word.
    first = int(rows.num_first[0]) + vocabulary.layout.num_between - 1
    starts[:2] = True
    starts[first : first + 1] = True
    return starts


def _chips(rows, num_tokens, inspection):
    """One HTML element a token."""
    layout = files.layout_of(inspection.vocabulary, inspection.manifest)
    special = inspection.statistics.special_ids
    first = int(rows.num_first[0]) - 1
    ends = {0, num_tokens - 1, *range(first, first + layout.num_between)}
    chips = []
    for place, label in enumerate(rows.text[0, :num_tokens].tolist()):
        kind = "special" if place in ends else ""
        if label == special.get("unk"):
            kind = "unk"
        chips.append(_chip(kind, _name(inspection, label)))
    if rows.positions is None:
        return chips
    for k in range(int(rows.num_masks[0])):
        label, shown = int(rows.labels[0, k]), int(rows.shown[0, k])
        text = _name(inspection, shown)
        kind = "kept" if shown == label else "random"
        if shown == special.get("mask"):
            kind, text = "mask", "MASK"
        below = f"<em>{_name(inspection, label)}</em>"
        chips[int(rows.positions[0, k])] = _chip(kind, text, below)
    return chips


def _chip(kind, text, below=""):
    return f'<span class="t {kind}"><span>{text}</span>{below}</span>'


def _name(inspection, label):
    text = html.escape(report.token(inspection.vocabulary, label))
    if text.startswith("##"):
        return f"<i>##</i>{text[2:]}"
    return text

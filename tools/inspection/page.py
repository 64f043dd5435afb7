"""Makes a page of what was found, in one file that a person can look at."""

import html
import pathlib

from pages import charts, frame
from text.visible import visible
from tools.inspection import findings, report, samples
from tools.inspection.statistics import UNK_ENDS

_STYLE = pathlib.Path(__file__).with_name("page.css")
_NUM_LABELS = 8
_MAX_FILES = 50
_MAX_TEXTS = 10
_COLOURS = ("fm", "fk", "fr")  # Of the names of a law.


def make(inspection: report.Inspection) -> str:
    """Returns the page of an inspection, HTML without links."""
    manifest = inspection.manifest
    pair_task = manifest.pair_task
    parts = [
        _head(inspection),
        _tiles(inspection),
        _findings(inspection.found),
        _charts(inspection, pair_task),
        _files(inspection),
        _flags(manifest),
        _samples(inspection, pair_task),
        "<footer>Records are numbered from 0. Charts, numbers and samples are "
        "of the records without an error.</footer>",
    ]
    return frame.document(
        f"Records: {report.verdict(inspection.found)}",
        "".join(parts),
        _STYLE.read_text(encoding="utf-8"),
    )


def _head(inspection):
    found = inspection.found
    kind = "sound"
    for severity in (findings.WARNING, findings.ERROR):
        kind = severity if found.number(severity) else kind
    return frame.head(
        "Training records", "训练样本检查", report.verdict(found), kind
    )


def _tiles(inspection):
    counts = inspection.statistics
    tiles = [
        ("files", f"{len(inspection.files):,}", ""),
        ("sound records", f"{counts.num_records:,}", ""),
    ]
    if counts.num_sequences > counts.num_records:
        a_record = counts.num_sequences / counts.num_records
        note = f"{a_record:.2f} a record"
        tiles.append(("sequences", f"{counts.num_sequences:,}", note))
    if counts.num_records:
        tiles += [
            ("tokens", f"{counts.num_tokens:,}", ""),
            (
                "mean length",
                f"{counts.num_tokens / counts.num_sequences:.1f}",
                f"median {counts.percentile(0.5)}",
            ),
            ("padding", f"{1 - counts.num_tokens / counts.num_places:.1%}", ""),
            (
                "same text",
                f"{counts.num_same / counts.num_sequences:.2%}",
                "sequences whose text an earlier one has",
            ),
        ]
    lost = (inspection.manifest.statistics or {}).get("lost_rate")
    if lost is not None:
        note = "of the tokens of the text, by the manifest"
        tiles.append(("lost to truncation", f"{lost:.1%}", note))
    if counts.num_static:
        a_sequence = counts.num_masks / counts.num_static
        tiles.append(("masks a sequence", f"{a_sequence:.1f}", ""))
    return frame.tiles(tiles)


def _findings(found):
    cards = []
    for rule, count, shown in found.by_rule():
        places = "".join(_place(item) for item in shown)
        if count > len(shown):
            places += f"<li>... and {count - len(shown):,} more</li>"
        cards.append(
            f'<div class="finding card {rule.severity}"><h3>{rule.severity}: '
            f"{html.escape(rule.title)} <small>({count:,})</small></h3>"
            f'<ul>{places}</ul><p class="advice">What to do: '
            f"{html.escape(rule.advice)}.</p></div>"
        )
    if not cards:
        return ""
    return frame.title(2, "Findings", "发现的问题") + "".join(cards)


def _place(item):
    wanted = f", wanted {html.escape(item.wanted)}" if item.wanted else ""
    return (
        f"<li><code>{html.escape(item.where)}</code>: {html.escape(item.got)}"
        f"{wanted}</li>"
    )


def _charts(inspection, pair_task):
    counts = inspection.statistics
    if not counts.num_records:
        return ""
    cards = [
        frame.card(
            "Length",
            "序列长度",
            "tokens of a sequence, without padding",
            charts.histogram(counts.lengths, unit="tokens"),
        )
    ]
    if counts.num_static:
        cards.append(
            frame.card(
                "Masks",
                "掩码数",
                "masked tokens of a sequence",
                charts.histogram(counts.masks, unit="masks"),
            )
        )
    if inspection.vocabulary:
        cards.append(_unk_card(counts))
    if inspection.manifest.unk_characters:
        cards.append(_unk_characters_card(inspection.manifest))
    if counts.num_pairs:
        cards.append(_pair_card(counts, pair_task))
    if counts.shown_as.any():
        law = inspection.law.stand_ins
        actual = counts.shown_as / counts.num_masks
        parts = zip(law, actual, _COLOURS, strict=True)
        usual = " : ".join(f"{100 * share:.0f}" for share in law.values())
        cards.append(
            frame.card(
                "What stands at a mask",
                "掩码替换方式",
                f"lines: {usual}, as it should be",
                charts.shares(list(parts), law=tuple(law.values())),
            )
        )
    if counts.num_masks:
        cards.append(_label_card(inspection))
    title = frame.title(2, "Distributions", "分布")
    return f'{title}<div class="charts">{"".join(cards)}</div>'


def _unk_card(counts):
    names = ["none", *(f"\u2264 {end:.0%}" for end in UNK_ENDS[1:-1])]
    names.append(f"> {UNK_ENDS[-2]:.0%}")
    rate = counts.num_unk / counts.num_tokens
    return frame.card(
        "[UNK] in a sequence",
        "未登录词",
        f"{rate:.3%} of all tokens are not in the vocabulary",
        charts.bins(counts.unk_records.tolist(), names, unit="[UNK]"),
    )


def _unk_characters_card(manifest):
    total = (manifest.statistics or {}).get("num_unk_tokens", 0)
    rows = [
        (visible(character), number / max(total, number))
        for character, number in manifest.unk_characters.items()
        if number > 0
    ]
    if not rows:
        return ""
    return frame.card(
        "Characters that became [UNK]",
        "最常见的未登录字符",
        "share of all [UNK] that the build made of the text",
        charts.ranks(rows[:_NUM_LABELS]),
    )


def _pair_card(counts, pair_task):
    share = counts.num_label_1 / counts.num_pairs
    names = [f"{name} {zh}" for name, zh in samples.PAIR_LABELS[pair_task]]
    return frame.card(
        "Second segment",
        "句对标签",
        f"next_sentence_labels of {counts.num_pairs:,} pairs",
        charts.shares([(names[0], 1 - share, "f0"), (names[1], share, "f1")]),
    )


def _label_card(inspection):
    rows = [
        (report.token(inspection.vocabulary, label), share)
        for label, share in report.most_frequent(
            inspection.statistics, _NUM_LABELS
        )
    ]
    return frame.card(
        "Most frequent labels",
        "最常被掩盖的词",
        "share of all masked tokens",
        charts.ranks(rows),
    )


def _files(inspection):
    rows = "".join(
        f"<tr><td><code>{html.escape(file.path)}</code></td>"
        f"<td>{file.num_records:,}</td><td>{file.num_tokens:,}</td>"
        f"<td>{file.num_bytes / 1e6:.2f}</td>"
        f"<td>{inspection.found.of_files[file.path]:,}</td></tr>"
        for file in inspection.files[:_MAX_FILES]
    )
    left = len(inspection.files) - _MAX_FILES
    more = f"<p>... and {left:,} more files</p>" if left > 0 else ""
    return (
        f"{frame.title(2, 'Files', '文件')}"
        '<div class="card"><table><tr><th>file</th><th>records</th>'
        f"<th>tokens</th><th>MB</th><th>errors</th></tr>{rows}</table>{more}"
        "</div>"
    )


def _flags(manifest):
    """How the records were built, of the first manifest."""
    made_from = manifest.made_from
    flags = "".join(
        f"<li><code>--{html.escape(f'{name}={value}')}</code></li>"
        for name, value in made_from.flags.items()
    )
    if not flags:
        return ""
    inputs = [x for shard in manifest.shards or () for x in shard.inputs]
    names = [
        *(item["name"] for item in made_from.inputs or ()),
        *(source.name for source in inputs),
    ]
    names = list(dict.fromkeys(names))
    texts = html.escape(", ".join(names[:_MAX_TEXTS]))
    if len(names) > _MAX_TEXTS:
        texts += f" and {len(names) - _MAX_TEXTS:,} more"
    return (
        f"{frame.title(2, 'Built with', '生成参数')}"
        f'<div class="card"><ul class="flags">{flags}</ul>'
        f"<p><small>text: {texts}</small></p></div>"
    )


def _samples(inspection, pair_task):
    drawn = inspection.statistics.samples
    if not drawn:
        return ""
    order = {file.path: n for n, file in enumerate(inspection.files)}
    drawn = sorted(drawn, key=lambda x: (order[x[1]], x[2].numbers[0]))
    records = "".join(
        samples.make(path, rows, inspection, pair_task)
        for _, path, rows in drawn
    )
    title = frame.title(2, f"{len(drawn)} of the sequences", "随机样本")
    legend = samples.legend(inspection.statistics.num_static > 0)
    return f"{title}{legend}{records}"

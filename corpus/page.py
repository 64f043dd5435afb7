"""Makes the page of a corpus: what it holds, and what was left out and why."""

import collections
import pathlib

from corpus import page_contents, page_rules, statistics, summary
from corpus.manifest import Manifest
from corpus.statistics import Sizes
from pages import frame

_STYLE = pathlib.Path(__file__).with_name("page.css")
_MAX_FILES = 50
_KILO = 1000
_UNITS = ("kB", "MB", "GB", "TB")


def make(manifest: Manifest) -> str:
    """Returns the page of a corpus: HTML in one file, without links."""
    kept = statistics.add((manifest.sizes, manifest.heldout))
    parts = [
        _head(manifest, kept),
        _tiles(manifest, kept),
        _notices(manifest),
        page_rules.funnel(manifest),
        page_rules.table(manifest),
        page_contents.make(manifest, kept),
        _files(manifest),
        _raw_files(manifest),
        _flags(manifest),
        _footer(),
    ]
    return frame.document(
        f"Corpus: {_verdict(manifest, kept)[0]}",
        "".join(parts),
        _STYLE.read_text(encoding="utf-8"),
    )


def _verdict(manifest, kept):
    share = page_rules.share(kept.num_chars, manifest)
    return f"{share} of the text is kept", f"保留 {share} 的文本"


def _head(manifest, kept):
    is_sound = next(iter(summary.warnings(manifest)), None) is None
    verdict = " \u00b7 ".join(_verdict(manifest, kept))
    kind = "sound" if is_sound else "warning"
    return frame.head("Corpus", "语料报告", verdict, kind)


def _tiles(manifest, kept: Sizes):
    chars = frame.both("characters", "字符")
    tiles = [
        (
            frame.both("raw files", "原始文件"),
            f"{manifest.num_raw_files:,}",
            _bytes(manifest.num_raw_bytes),
        ),
        (
            frame.both("documents read", "读入文档"),
            f"{manifest.num_raw_documents:,}",
            f"{manifest.num_raw_chars:,} {chars}",
        ),
        (
            frame.both("documents kept", "保留文档"),
            f"{kept.num_documents:,}",
            f"{kept.num_chars:,} {chars}",
        ),
        (
            frame.both("of these held out", "其中留作评估"),
            f"{manifest.heldout.num_documents:,}",
            f"{manifest.heldout.num_chars:,} {chars}",
        ),
        (frame.both("sentences", "句子"), f"{kept.num_sentences:,}", ""),
        (
            frame.both("mean sentence", "平均句长"),
            _mean(kept.num_chars, kept.num_sentences),
            chars,
        ),
        (
            frame.both("mean document", "平均文档长度"),
            _mean(kept.num_chars, kept.num_documents),
            chars,
        ),
    ]
    if kept.num_tokens:
        note = frame.both("by the vocabulary", "按词表切分")
        tiles.append(
            (frame.both("tokens", "词元"), f"{kept.num_tokens:,}", note)
        )
        note = f"{kept.num_unk_tokens:,} {frame.both('tokens', '词元')}"
        share = f"{kept.num_unk_tokens / kept.num_tokens:.3%}"
        tiles.append((frame.both("[UNK]", "词表外"), share, note))
    return frame.tiles(tiles)


def _mean(total, number):
    return f"{total / number:,.1f}" if number else "\u2013"


def _bytes(number):
    if number < _KILO:
        return f"{number} bytes"
    power = min((len(str(number)) - 1) // 3, len(_UNITS))
    return f"{number / _KILO**power:,.1f} {_UNITS[power - 1]}"


def _notices(manifest):
    """What is legal and likely a mistake, as the program says it."""
    notices = [
        f"<li>{frame.both(frame.shown(english), frame.shown(chinese))}</li>"
        for english, chinese in summary.warnings(manifest)
    ]
    if not notices:
        return ""
    title = frame.title(3, "Worth a look", "值得留意")
    return f'<div class="notices card">{title}<ul>{"".join(notices)}</ul></div>'


def _files(manifest):
    files = list(manifest.files.items())
    rows = [
        (
            f"<code>{frame.shown(name)}</code>",
            f"{file.num_documents:,}",
            f"{file.num_sentences:,}",
            _bytes(file.num_bytes),
        )
        for name, file in files[:_MAX_FILES]
    ]
    names = (
        ("file", "文件"),
        ("documents", "文档"),
        ("sentences", "句子"),
        ("size", "大小"),
    )
    return (
        f"{frame.title(2, 'Files of the corpus', '语料文件')}"
        f'<div class="card">{frame.table("files", names, rows)}'
        f"{frame.more(len(files), _MAX_FILES)}</div>"
    )


def _raw_files(manifest):
    sizes = collections.Counter()  # A large file has several pieces.
    for source in manifest.sources:
        sizes[source.name] += source.num_bytes
    rows = [
        (f"<code>{frame.shown(name)}</code>", _bytes(num_bytes))
        for name, num_bytes in list(sizes.items())[:_MAX_FILES]
    ]
    names = (("file", "文件"), ("size", "大小"))
    return (
        f"{frame.title(2, 'Raw files', '原始文件')}"
        f'<div class="card">{frame.table("files", names, rows)}'
        f"{frame.more(len(sizes), _MAX_FILES)}</div>"
    )


def _flags(manifest):
    flags = "".join(
        f"<li><code>--{frame.shown(f'{name}={value}')}</code></li>"
        for name, value in manifest.flags.items()
        if value is not None
    )
    return (
        f"{frame.title(2, 'Made with', '所用参数')}"
        f'<div class="card"><ul class="flags">{flags}</ul></div>'
    )


def _footer():
    words = frame.both(
        "Shares are of the characters that were read as documents; what "
        "reading itself left out is none of them.",
        "占比以读入文档的字符数为准；读取阶段排除的内容不计入其中。",
    )
    return f"<footer>{words}</footer>"

"""Sums up what became of a corpus, for the manifest and for people."""

import collections
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from corpus import statistics
from corpus.duplicates.lines import Repeated
from corpus.layout import HELDOUT
from corpus.manifest import CorpusFile, Manifest
from corpus.rules import RULES
from corpus.shards import CorpusFile as Job
from corpus.tally import Count, Tally
from corpus.work import (
    NUM_FREQUENT_LINES,
    FileEntry,
    ReadEntry,
    SplitEntry,
    Work,
)

_NUM_CHARACTERS = 200
_NUM_UNKNOWN = 100
_NUM_ROWS = 8
# Less of the text than this is worth a look at what took the rest.
_LOW_SHARE_KEPT = 0.5
_HIGH_UNK_RATE = 0.05


class Found(NamedTuple):
    """What the stages found."""

    num_files: int  # raw ones
    reads: Sequence[ReadEntry]
    repeated: Repeated
    splits: Sequence[SplitEntry]
    copies: Sequence[Tally]
    files: Sequence[tuple[Job, FileEntry]]


def describe(work: Work, flags: dict[str, Any], found: Found) -> Manifest:
    """Returns the manifest of a corpus.

    Args:
        work: of the last stage.
        flags: those that decide on the corpus.
        found: what the stages found.
    """
    num_files, reads, repeated, splits, copies, files = found
    tally = Tally()
    for plain in [x.tally for x in reads] + [x.tally for x in splits]:
        tally.add(Tally.of(plain))
    for other in copies:
        tally.add(other)
    codes = _add_codes(work, files)
    frequent = np.argsort(-codes, kind="stable")[:_NUM_CHARACTERS]
    unknown = {}
    tokenizer = work.tokenizer()
    if tokenizer:
        unknown = statistics.unknown(codes, tokenizer, work.unk)
    prefix = HELDOUT.partition("/")[0]
    return Manifest(
        flags=flags,
        made_from=work.made_from,
        sources=[source for entry in reads for source in entry.sources],
        files={
            job.path: CorpusFile(
                entry.sizes.num_documents,
                entry.sizes.num_sentences,
                entry.sizes.num_bytes,
                entry.sha256,
            )
            for job, entry in files
        },
        num_raw_bytes=sum(x.num_bytes for e in reads for x in e.sources),
        num_raw_files=num_files,
        num_raw_documents=sum(entry.num_documents for entry in reads),
        num_raw_chars=sum(entry.num_chars for entry in reads),
        sizes=statistics.add(
            entry.sizes
            for job, entry in files
            if not job.path.startswith(prefix)
        ),
        heldout=statistics.add(
            entry.sizes for job, entry in files if job.path.startswith(prefix)
        ),
        languages=_languages(reads),
        tally=tally.plain(),
        frequent_lines=_frequent_lines(repeated, splits),
        characters={chr(x): int(codes[x]) for x in frequent if codes[x]},
        unknown_characters=dict(list(unknown.items())[:_NUM_UNKNOWN]),
    )


def _languages(reads):
    """The most frequent first."""
    total: collections.Counter[str] = collections.Counter()
    for entry in reads:
        total.update(entry.languages)
    return dict(sorted(total.items(), key=lambda x: (-x[1], x[0])))


def _add_codes(work, files):
    codes = np.zeros(statistics.NUM_CODES, np.int64)
    for job, _ in files:
        found, counts = work.layout.read_array("write", job.key, "characters")
        codes[found] += counts
    codes[ord("\n")] = 0
    return codes


def _frequent_lines(repeated, splits):
    texts: dict[str, str] = {}
    for entry in splits:
        texts |= entry.frequent_lines
    order = np.argsort(-repeated.documents, kind="stable")[:NUM_FREQUENT_LINES]
    return [
        {
            "documents": int(repeated.documents[i]),
            "text": texts[str(repeated.hashes[i])],
        }
        for i in order.tolist()
        if str(repeated.hashes[i]) in texts
    ]


def table(manifest: Manifest, seconds: float, peak_bytes: int) -> str:
    """Returns the report that ends a preparation."""
    sizes, heldout = manifest.sizes, manifest.heldout
    kept = sizes.num_chars + heldout.num_chars
    rows = {
        "raw": f"{manifest.num_raw_bytes / 1e6:,.1f} MB in "
        f"{manifest.num_raw_files:,} file(s)",
        "read": f"{manifest.num_raw_documents:,} documents, "
        f"{manifest.num_raw_chars:,} characters",
        "kept": f"{sizes.num_documents + heldout.num_documents:,} documents, "
        f"{kept:,} characters, "
        f"{kept / max(manifest.num_raw_chars, 1):.1%} of what was read",
        "to train on": _sizes(sizes),
        "held out": _sizes(heldout),
    }
    shown = [
        f"{name} {count:,}"
        for name, count in list(manifest.languages.items())[:_NUM_ROWS]
    ]
    rows["languages"] = ", ".join(shown) + " documents"
    if sizes.num_tokens:
        share = sizes.num_unk_tokens / sizes.num_tokens
        rows["[UNK]"] = f"{share:.3%} of {sizes.num_tokens:,} tokens"
    rows["time"] = (
        f"{seconds:.1f} s, {manifest.num_raw_bytes / 1e6 / seconds:.2f} MB/s"
    )
    rows["peak memory"] = f"{peak_bytes / 1e6:,.0f} MB a process"
    lines = [f"{name:<12} {value}" for name, value in rows.items()]
    return "\n".join([*lines, *_rules(manifest)])


def _sizes(sizes):
    return (
        f"{sizes.num_documents:,} documents, {sizes.num_sentences:,} "
        f"sentences, {sizes.num_bytes / 1e6:,.1f} MB"
    )


def _rules(manifest):
    """The rules that took most, by characters, a line each."""
    for title, drops in (("left out", True), ("changed", False)):
        counts = [x for x in by_rule(manifest) if RULES[x[0]].drops == drops]
        if counts:
            yield f"{title}, the most first:"
        counts.sort(key=lambda x: -x[1].num_chars)
        for name, count in counts[:_NUM_ROWS]:
            rule = RULES[name]
            unit = rule.unit if count.num == 1 else f"{rule.unit}s"
            yield (
                f"  {count.num_chars:>13,} characters, {count.num:>9,} "
                f"{unit:<10} {rule.english}"
            )
        if len(counts) > _NUM_ROWS:
            yield f"  and {len(counts) - _NUM_ROWS} more rules, in the report"


def by_rule(manifest: Manifest) -> list[tuple[str, Count]]:
    """Returns what each rule did, in the order of the work."""
    counts = dict(Tally.of(manifest.tally))
    return [(name, counts[name]) for name in RULES if name in counts]


def warnings(manifest: Manifest) -> Iterator[tuple[str, str]]:
    """Yields, in English and Chinese, what is legal and likely a mistake."""
    kept = manifest.sizes.num_chars + manifest.heldout.num_chars
    share = kept / max(manifest.num_raw_chars, 1)
    counts = by_rule(manifest)
    dropped = [x for x in counts if RULES[x[0]].drops]
    if share < _LOW_SHARE_KEPT and dropped:
        name, count = max(dropped, key=lambda x: x[1].num_chars)
        rule, num = RULES[name], f"{count.num_chars:,}"
        flag = rule.flag and f"--{rule.flag}"
        yield (
            f"{share:.0%} of the text was kept; most was dropped as "
            f"{rule.english} ({num} characters)"
            + (flag and f": see {flag} and the report"),
            f"只保留了 {share:.0%} 的文本；删去最多的是“{rule.chinese}”"
            f"（{num} 个字符）" + (flag and f"，见 {flag}"),
        )
    for name, count in counts:
        if RULES[name].unit == "file":
            places = [sample.source for sample in count.samples[:3]]
            shown = ", ".join(places) + (
                " ..." if count.num > len(places) else ""
            )
            yield (
                f"{count.num:,} file(s): {RULES[name].english}: {shown}",
                f"{count.num:,} 个文件：{RULES[name].chinese}：{shown}",
            )
    sizes = manifest.sizes
    if sizes.num_unk_tokens > _HIGH_UNK_RATE * sizes.num_tokens:
        unk = f"{sizes.num_unk_tokens / sizes.num_tokens:.1%}"
        shown = " ".join(list(manifest.unknown_characters)[:10])
        yield (
            f"{unk} of the tokens are [UNK], above all {shown}: does "
            "--vocab_file fit the language, --do_lower_case and --t2s?",
            f"{unk} 的词元是 [UNK]，最多的是 {shown}："
            "--vocab_file 与语言、--do_lower_case、--t2s 相符吗？",
        )
    if not sizes.num_documents:
        yield (
            "no document is left to train on: all are held out",
            "没有文档可供训练：全部被留出",
        )


def nothing_left(reads: Sequence[ReadEntry]) -> str:
    """Says why no document is left."""
    tally = Tally()
    for entry in reads:
        tally.add(Tally.of(entry.tally))
    reasons = [
        f"{count.num:,} x {RULES[name].english} ({count.samples[0].source})"
        for name, count in sorted(tally, key=lambda x: -x[1].num)[:3]
    ]
    num_documents = sum(entry.num_documents for entry in reads)
    return (
        f"--input_file: {num_documents:,} documents were read and none is "
        "kept: " + ("; ".join(reasons) or "the files are empty")
    )

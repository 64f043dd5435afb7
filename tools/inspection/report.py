"""Writes what was found as text."""

from collections.abc import Iterator
from typing import NamedTuple

from data.building import advice
from data.building import statistics as built
from data.laws import Law
from data.manifest import Manifest
from text import vocab
from text.visible import visible
from tools.inspection import files, findings
from tools.inspection.statistics import Statistics

_NUM_LABELS = 10


class Inspection(NamedTuple):
    """All there is to tell."""

    files: list[files.File]
    statistics: Statistics
    found: findings.Findings
    vocabulary: vocab.Vocabulary | None
    manifest: Manifest  # The first there is, or one that says nothing.
    law: Law


def text(inspection: Inspection) -> str:
    """Returns the report: files, numbers, findings, verdict."""
    parts = [
        _table(inspection),
        "\n".join(f"{name:<18} {value}" for name, value in numbers(inspection)),
        *_findings(inspection.found),
        verdict(inspection.found),
    ]
    return "\n\n".join(part for part in parts if part)


def verdict(found: findings.Findings) -> str:
    """The outcome in a line."""
    num_errors = found.number(findings.ERROR)
    num_warnings = found.number(findings.WARNING)
    warnings = _counted(num_warnings, "warning")
    if num_errors:
        return f"not sound: {_counted(num_errors, 'error')}, {warnings}"
    return f"sound, {warnings}" if num_warnings else "sound"


def _counted(number, noun):
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _table(inspection):
    rows = [("file", "records", "tokens", "MB", "errors")]
    for file in inspection.files:
        rows.append(
            (
                file.path,
                f"{file.num_records:,}",
                f"{file.num_tokens:,}",
                f"{file.num_bytes / 1e6:.2f}",
                f"{inspection.found.of_files[file.path]:,}",
            )
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(
                zip(row, widths, strict=True)
            )
        )
        for row in rows
    )


def numbers(inspection: Inspection) -> Iterator[tuple[str, str]]:
    """Yields (name, value) of the sound records of all files."""
    counts = inspection.statistics
    yield "sound", f"{_counted(counts.num_records, 'record')}"
    if not counts.num_records:
        return
    if counts.num_sequences > counts.num_records:
        a_record = counts.num_sequences / counts.num_records
        yield "sequences", f"{counts.num_sequences:,}, {a_record:.2f} a record"
    yield "tokens", f"{counts.num_tokens:,}"
    percentiles = ", ".join(
        f"{share:.0%} {counts.percentile(share)}" for share in (0.05, 0.5, 0.95)
    )
    mean = counts.num_tokens / counts.num_sequences
    yield "length", f"mean {mean:.1f}; {percentiles}"
    yield "padding", f"{1 - counts.num_tokens / counts.num_places:.1%}"
    if inspection.vocabulary:
        unk = counts.num_unk / counts.num_tokens
        yield "[UNK]", f"{unk:.3%} of the tokens"
    yield from _numbers_of_build(inspection.manifest)
    if counts.num_pairs:
        ones = counts.num_label_1 / counts.num_pairs
        yield "label 1", f"{ones:.1%} of the pairs"
    same = counts.num_same / counts.num_sequences
    yield "same text", f"{same:.2%} of the sequences"
    if counts.num_static:
        yield from _numbers_of_masks(inspection)


def _numbers_of_build(manifest):
    """What the records no longer show: what of the text is not in them."""
    if manifest.unk_characters:
        yield "[UNK] characters", advice.shown(manifest.unk_characters)
    lost = built.losses(manifest.statistics or {})
    if lost:
        yield "lost to truncation", f"{lost} of the text"


def _numbers_of_masks(inspection):
    counts = inspection.statistics
    num_masks = counts.num_masks
    yield "masks", f"{num_masks / counts.num_static:.1f} a sequence"
    if counts.num_static == counts.num_sequences:
        yield "masked", f"{num_masks / counts.num_tokens:.1%} of the tokens"
    if not num_masks:
        return
    if counts.shown_as.any():
        yield (
            "shown as",
            ", ".join(
                f"{name} {number / num_masks:.1%}"
                for name, number in zip(
                    inspection.law.stand_ins, counts.shown_as, strict=True
                )
            ),
        )
    yield (
        "labels",
        ", ".join(
            f"{token(inspection.vocabulary, label)} {share:.1%}"
            for label, share in most_frequent(counts, _NUM_LABELS)
        ),
    )


def most_frequent(counts: Statistics, number: int) -> list[tuple[int, float]]:
    """The most frequent labels: [(id, share of the masks)]."""
    order = (-counts.labels).argsort(kind="stable")[:number]
    shares = counts.labels / counts.num_masks
    return [(int(label), shares[label]) for label in order if shares[label]]


def token(vocabulary: vocab.Vocabulary | None, label: int) -> str:
    """An id as a person reads it."""
    if vocabulary is None or not 0 <= label < len(vocabulary):
        return str(label)
    return visible(vocabulary.readable[label])


def _findings(found):
    for rule, count, shown in found.by_rule():
        lines = [f"{rule.severity}: {rule.title} ({count:,})"]
        for item in shown:
            wanted = f", wanted {item.wanted}" if item.wanted else ""
            lines.append(f"  {item.where}: {item.got}{wanted}")
        if count > len(shown):
            lines.append(f"  ... and {count - len(shown):,} more")
        lines.append(f"  what to do: {rule.advice}")
        yield "\n".join(lines)

"""Reads a record file, compares it with its manifest, checks and counts."""

import dataclasses
import os
from typing import NamedTuple

from data import manifest
from data.laws import LAWS
from data.manifest import UNKNOWN, Manifest
from jobs.progress import Advance
from storage import file_io
from text import vocab
from text.vocab import Layout
from tools.inspection import checks, findings, frames, schema
from tools.inspection.statistics import Statistics

_SHORTEST = 3  # [CLS], a token, [SEP]


class Context(NamedTuple):
    """What all files share."""

    vocabulary: vocab.Vocabulary | None
    special_ids: dict[str, int]  # By role; grows with what is learned.
    max_records: int  # Of each file; 0: all.
    statistics: Statistics
    found: findings.Findings


@dataclasses.dataclass
class File:
    """A record file and what was read of it."""

    path: str
    num_bytes: int
    is_packed: bool
    manifest: Manifest | None
    kind: schema.Schema | None = None
    num_records: int = 0
    num_tokens: int = 0


def inspect(path: str, context: Context, advance: Advance) -> File:
    """Reads and checks a file.

    Args:
        path: a local or remote file.
        context: its findings and statistics grow.
        advance: is told the bytes of the file as they are read.
    """
    file = File(
        path,
        file_io.num_bytes(path),
        frames.is_packed(path),
        _find_manifest(path, context.found),
    )
    _Reader(file, context).read(advance)
    return file


def _find_manifest(path, found):
    try:
        return manifest.find(path)
    except ValueError as error:
        found.add("manifest", path, got=str(error), wanted="")
        return None


class _Reader:
    """Reads one file."""

    def __init__(self, file: File, context: Context):
        self._file = file
        self._context = context
        self._found = context.found
        self._checker = None

    def read(self, advance: Advance) -> None:
        self._check_vocabulary()
        num_seen = 0
        is_damaged = False
        for block in frames.read(self._file.path, advance):
            is_damaged |= bool(block.damages)
            for damage in block.damages:
                self._add(damage.kind, damage.record, damage.got, "")
            limit = self._context.max_records
            if limit:
                block = block.first(limit - num_seen)
            num_seen += len(block.records)
            if block.records and not self._read_block(block):
                return
            if 0 < limit <= num_seen:
                self._check_manifest(is_whole=False)
                return
        self._check_manifest(is_whole=not is_damaged)
        stated = self._stated_of_file()
        is_meant = stated is not None and stated.num_records == 0
        if not (is_damaged or num_seen or is_meant):
            self._add("empty", None, f"{self._file.num_bytes} bytes", "")

    def _add(self, rule, record, got, wanted):
        record = None if record is None else int(record)
        path = self._file.path
        self._found.add(rule, path, record, got=got, wanted=wanted)

    def _read_block(self, block):
        """Returns whether the file is one to go on with."""
        if self._checker is None and not self._begin(block):
            return self._file.kind is None
        others = schema.other_features(block.records[0], self._file.kind)
        if others:
            number = block.numbers[0]
            self._add("other features", number, ", ".join(others), "")
        features, numbers = self._parse(block.records, block.numbers)
        self._file.num_records += len(block.records)
        if features is None:
            return True
        rows = self._checker.check(features, numbers)
        self._file.num_tokens += int(rows.num_tokens.sum())
        width = self._file.kind.max_seq_length or rows.text.shape[1]
        self._context.statistics.add(self._file.path, rows, width)
        return True

    def _begin(self, block):
        """Learns from the first record that parses what the others hold."""
        for number, record in zip(block.numbers, block.records, strict=True):
            found = schema.of_record(record)
            if found:
                break
            got = f"{len(record)} bytes that do not parse"
            self._add("example", number, got, "")
        else:
            return False
        self._file.kind = found
        reason = schema.explain(record, found)
        if found.masking == schema.DYNAMIC:
            length = self._stated.max_seq_length or 0
            self._file.kind = found._replace(max_seq_length=length)
        elif not reason and found.max_seq_length < _SHORTEST:
            reason = "length", f"{found.max_seq_length} input_ids", "3 or more"
        elif not reason and not found.max_predictions_per_seq:
            reason = "length", "no masked_lm_positions", "1 or more"
        if reason:
            self._add(reason[0], number, *reason[1:])
            return False
        self._checker = checks.Checker(
            self._file.path, self._expected(), self._found
        )
        return True

    def _expected(self):
        stated = self._stated
        flags = stated.made_from.flags
        law = LAWS.get(flags.get("mask_unit", "word"))
        vocabulary = self._context.vocabulary
        if stated.mask_id is not None:
            self._context.special_ids.setdefault("mask", stated.mask_id)
        return checks.Expected(
            vocab_size=len(vocabulary) if vocabulary else stated.vocab_size,
            max_seq_length=self._file.kind.max_seq_length or None,
            special_ids=self._context.special_ids,
            padding_id=(vocabulary or stated).padding_id,
            layout=layout_of(vocabulary, stated),
            pair_task=stated.pair_task if self._file.manifest else None,
            masked_lm_prob=flags.get("masked_lm_prob"),
            # A longer run or word that finds no room is left out.
            masks_all_wanted=not flags.get("do_whole_word_mask")
            and bool(law and law.fills_budget),
            has_separators=flags.get("fill_sequences") == "corpus",
        )

    def _parse(self, records, numbers):
        """Returns (features, numbers) of the records that parse, or Nones."""
        kind = self._file.kind
        features = schema.parse(records, kind)
        if features is not None:
            return features, numbers
        sound = []
        for row, record in enumerate(records):
            reason = schema.explain(record, kind)
            if not reason and schema.parse([record], kind) is None:
                reason = "example", f"{len(record)} bytes that do not parse", ""
            if reason:
                self._add(reason[0], numbers[row], *reason[1:])
            else:
                sound.append(row)
        if not sound:
            return None, None
        kept = [records[row] for row in sound]
        return schema.parse(kept, kind), numbers[sound]

    def _check_vocabulary(self):
        vocabulary = self._context.vocabulary
        wanted = self._stated.made_from.vocab_sha256
        if vocabulary and wanted not in (None, vocabulary.sha256):
            got = f"{vocabulary.path}, sha256 {vocabulary.sha256[:12]}..."
            self._add("manifest vocabulary", None, got, f"{wanted[:12]}...")

    @property
    def _stated(self):
        """What the manifest says, or one that says nothing."""
        return self._file.manifest or UNKNOWN

    def _stated_of_file(self):
        """What the manifest says of the file, or None without a manifest."""
        return self._stated.files.get(os.path.basename(self._file.path))

    def _check_manifest(self, is_whole):
        file, stated = self._file, self._file.manifest
        if stated is None:
            return
        size = self._stated_of_file()
        rows = [("manifest bytes", file.num_bytes, size.num_bytes)]
        if is_whole:
            rows.append(("manifest count", file.num_records, size.num_records))
        for rule, got, wanted in rows:
            if got != wanted:
                self._add(rule, None, f"{got:,}", f"{wanted:,}")
        kind = file.kind
        if kind and kind.masking == schema.STATIC:
            lengths = {
                "max_seq_length": (kind.max_seq_length, stated.max_seq_length),
                "max_predictions_per_seq": (
                    kind.max_predictions_per_seq,
                    stated.max_predictions_per_seq,
                ),
                "pack_sequences": (kind.pack_sequences, stated.pack_sequences),
            }
            for name, (got, wanted) in lengths.items():
                if got != wanted:
                    self._add(
                        "manifest lengths", None, f"{name}={got}", f"{wanted}"
                    )


def compare(files: list[File], found: findings.Findings) -> None:
    """Finds files that cannot be trained on together.

    Args:
        files: those that were read.
        found: what is added to.
    """
    read = [file for file in files if file.kind]
    for file in read:
        if file.kind != read[0].kind:
            found.add(
                "other lengths",
                file.path,
                got=_described(file.kind),
                wanted=f"{_described(read[0].kind)} as {read[0].path}",
            )


def layout_of(vocabulary: vocab.Vocabulary | None, stated: Manifest) -> Layout:
    """How rows are laid out, by their vocabulary or else their manifest."""
    if vocabulary:
        return vocabulary.layout
    return Layout(stated.num_between, stated.second_segment)


def manifest_of(files: list[File]) -> Manifest:
    """Returns the first manifest beside the files, or one that says nothing."""
    return next((file.manifest for file in files if file.manifest), UNKNOWN)


def _described(kind):
    return f"{kind.masking} masking, " + ", ".join(
        f"{name}={value}"
        for name, value in kind._asdict().items()
        if name != "masking" and value
    )

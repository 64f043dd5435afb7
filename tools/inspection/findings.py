"""Collects what is wrong with records, where, and what to do about it.

A rule is a fact that holds for every record that was built right (error), or
for all useful ones (warning).
"""

import collections
from collections.abc import Iterator
from typing import NamedTuple

ERROR, WARNING = "error", "warning"
MAX_SHOWN = 10

_COPY = "copy the file again from where it was built, or build it again"
_BUILD = "the records were not written by a sound build: build them again"
_VOCABULARY = (
    "name the vocabulary they were built with in --vocab_file, or build them "
    "again"
)
_MANIFEST = "records and manifest are of two builds: build them again"


class Rule(NamedTuple):
    severity: str
    title: str
    advice: str
    feature: str = ""


RULES = {
    "truncated": Rule(ERROR, "the file ends inside a record", _COPY),
    "length checksum": Rule(
        ERROR,
        "the checksum of a record's length is wrong; what follows in the file "
        "was not read",
        f"{_COPY}; was it a TFRecord file at all?",
    ),
    "data checksum": Rule(
        ERROR, "the checksum of a record's data is wrong", _COPY
    ),
    "gzip": Rule(ERROR, "the gzip file is damaged", _COPY),
    "empty": Rule(
        ERROR, "the file holds no record", f"{_COPY}; or do not train on it"
    ),
    "example": Rule(ERROR, "a record is no tf.train.Example", _BUILD),
    "features": Rule(
        ERROR,
        "features are missing",
        "these are no records for pretraining, or of another builder: build "
        "them with create_pretraining_data.py",
    ),
    "other features": Rule(
        WARNING,
        "features that the trainer does not read",
        "they only take room",
    ),
    "kind": Rule(ERROR, "a feature has values of another kind", _BUILD),
    "length": Rule(ERROR, "a feature has another number of values", _BUILD),
    "other lengths": Rule(
        ERROR,
        "files differ in the length of their sequences, masking or packing",
        "train on them one after the other, or build all with the same flags",
    ),
    "input_mask": Rule(
        ERROR,
        "input_mask is not ones for the tokens, then zeros",
        _BUILD,
        "input_mask",
    ),
    "sequences": Rule(
        ERROR,
        "input_mask is not 1, 2, ... for the sequences, then zeros",
        _BUILD,
        "input_mask",
    ),
    "sequence positions": Rule(
        ERROR,
        "next_sentence_positions are not where the sequences begin",
        _BUILD,
        "next_sentence_positions",
    ),
    "sequence labels": Rule(
        ERROR,
        "next_sentence_labels are not 0 behind those of the sequences",
        _BUILD,
        "next_sentence_labels",
    ),
    "sequence weights": Rule(
        ERROR,
        "next_sentence_weights are not ones for the sequences, then zeros",
        _BUILD,
        "next_sentence_weights",
    ),
    "segment_ids": Rule(
        ERROR,
        "segment_ids are not 0 for A, 1 for B, 0 behind",
        _BUILD,
        "segment_ids",
    ),
    "first_segment_tokens": Rule(
        ERROR,
        "first_segment_tokens is not within the sequence",
        _BUILD,
        "first_segment_tokens",
    ),
    "word_starts": Rule(
        ERROR, "word_starts does not fit the sequence", _BUILD, "word_starts"
    ),
    "padding": Rule(
        ERROR, "input_ids are not 0 behind the sequence", _BUILD, "input_ids"
    ),
    "id": Rule(
        ERROR, "a token id is not in the vocabulary", _VOCABULARY, "input_ids"
    ),
    "label id": Rule(
        ERROR, "a label is not in the vocabulary", _VOCABULARY, "masked_lm_ids"
    ),
    "weights": Rule(
        ERROR,
        "masked_lm_weights are not ones, then zeros",
        _BUILD,
        "masked_lm_weights",
    ),
    "positions": Rule(
        ERROR,
        "masked_lm_positions do not ascend within the text, 0 behind",
        _BUILD,
        "masked_lm_positions",
    ),
    "labels behind": Rule(
        ERROR,
        "masked_lm_ids are not 0 behind the masks",
        _BUILD,
        "masked_lm_ids",
    ),
    "next_sentence_labels": Rule(
        ERROR,
        "next_sentence_labels is not what the segments want",
        _BUILD,
        "next_sentence_labels",
    ),
    "pair task": Rule(
        ERROR, "segments are not as the manifest says", _MANIFEST, "number"
    ),
    "segments": Rule(
        ERROR, "a segment has no token", _BUILD, "tokens of A and B"
    ),
    "[CLS]": Rule(
        ERROR, "[CLS] is not the first token", _VOCABULARY, "input_ids"
    ),
    "[SEP]": Rule(
        ERROR, "[SEP] does not end each segment", _VOCABULARY, "input_ids"
    ),
    "special": Rule(
        ERROR,
        "a special token stands in the text where nothing is masked",
        _BUILD,
        "input_ids",
    ),
    "label": Rule(
        ERROR, "the label of a mask is a special token", _BUILD, "the token at"
    ),
    "masks": Rule(
        ERROR,
        "the number of masks is not what the flags of the build ask for",
        _MANIFEST,
        "number of masks",
    ),
    "manifest": Rule(
        ERROR, "the manifest beside the file cannot be read", _MANIFEST
    ),
    "manifest count": Rule(
        ERROR, "the manifest has another number of records", _MANIFEST
    ),
    "manifest bytes": Rule(
        ERROR, "the manifest has another number of bytes", _MANIFEST
    ),
    "manifest vocabulary": Rule(
        ERROR, "the records were built with another vocabulary", _VOCABULARY
    ),
    "manifest lengths": Rule(
        ERROR, "the manifest has other lengths than the records", _MANIFEST
    ),
    "replaced": Rule(
        WARNING,
        "what stands at the masks, [MASK] : kept : other, is not as usual",
        "look at the builder's masking; BERT's law is in Devlin et al. 2019, "
        "section 3.1",
    ),
    "no masks": Rule(
        WARNING,
        "records without a mask teach nothing",
        "longer words than --max_predictions_per_seq allows? Raise it",
    ),
    "masked share": Rule(
        WARNING,
        "the share of masked tokens is far from the usual 15 %",
        "--masked_lm_prob, and a --max_predictions_per_seq that allows it",
    ),
    "one label": Rule(
        WARNING,
        "next_sentence_labels are nearly all the same",
        "one sentence a line, blank lines between documents only; or train "
        "with --use_nsp=false",
    ),
    "[UNK]": Rule(
        WARNING,
        "many tokens are [UNK]",
        "does --vocab_file fit the language, --do_lower_case and --t2s?",
    ),
    "padding share": Rule(
        WARNING,
        "most of the sequences is padding",
        "a smaller --max_seq_length trains faster; are there blank lines "
        "inside of documents?",
    ),
    "same text": Rule(
        WARNING,
        "many records have the text of another one",
        "a lower --dupe_factor, or remove repeated documents",
    ),
    "frequent label": Rule(
        WARNING, "one token is most of the labels", "look at the text"
    ),
}


class Finding(NamedTuple):
    """A place where a rule does not hold."""

    path: str | None  # None: all files.
    record: int | None  # None: the whole file.
    got: str
    wanted: str

    @property
    def where(self) -> str:
        """The file and the record, as a person names them."""
        if self.record is None:
            return self.path or "all files"
        return f"{self.path} record {self.record}"


class Findings:
    """Counts what was found; keeps the first few of each kind."""

    def __init__(self):
        self.counts = collections.Counter()
        self.of_files = collections.Counter()  # Errors.
        self._shown = collections.defaultdict(list)

    def add(
        self,
        rule: str,
        path: str | None = None,
        record: int | None = None,
        *,
        got: str,
        wanted: str,
    ) -> None:
        """Counts a finding, and keeps it if it is among the first."""
        if len(self._shown[rule]) < MAX_SHOWN:
            self._shown[rule].append(Finding(path, record, got, wanted))
        self.count(rule, path, 1)

    def count(self, rule: str, path: str | None, number: int) -> None:
        """Counts findings that are not kept."""
        self.counts[rule] += number
        if RULES[rule].severity == ERROR:
            self.of_files[path] += number

    def number(self, severity: str) -> int:
        """How many errors or warnings were found."""
        return sum(
            count
            for rule, count in self.counts.items()
            if RULES[rule].severity == severity
        )

    def by_rule(self) -> Iterator[tuple[Rule, int, list[Finding]]]:
        """Yields (rule, count, list of `Finding`), errors first."""
        for severity in (ERROR, WARNING):
            for name, found in self._shown.items():
                if RULES[name].severity == severity:
                    yield RULES[name], self.counts[name], found

"""Every setting of create_pretraining_data, written once."""

import dataclasses
import functools
import math
import re
from collections.abc import Collection, Iterator
from typing import Annotated, Literal, Self

from jobs.config import EngineSettings
from settings.flag import Flag, Settings
from storage import lock
from text import case, encodings
from text.config import TextSettings

MIN_SEQ_LENGTH = 5
_SHORTEST_SEQUENCE = 3  # [CLS], a token and [SEP]
MAX_OUTPUT_FILES = 99_999


@dataclasses.dataclass(frozen=True, kw_only=True)
class MaskingConfig(Settings):
    """How tokens are masked: by the builder, or by the trainer's input."""

    do_whole_word_mask: Annotated[
        bool,
        "Whether to mask the pieces of a word together: those that begin with "
        "##, and the characters of a Chinese word where --word_segmenter says "
        "which they are.",
    ] = False
    mask_unit: Annotated[
        Literal["word", "ngram", "span", "macbert", "electra"],
        "What is masked at once. word: a token, or with --do_whole_word_mask "
        "a word; ngram: one to three of these (ALBERT); span: one to ten "
        "(SpanBERT); macbert: one to four, similar words in their place; "
        "electra: as word, and no random words in their place.",
    ] = "word"
    random_words: Annotated[
        Literal["all", "no_specials"],
        "What a random word is drawn from: all rows of the vocabulary, as in "
        "google-research/bert, or all but [PAD] and its like and [unusedN].",
    ] = "all"
    max_predictions_per_seq: Annotated[
        int, Flag("Most masked tokens in a sequence.", "positive")
    ] = 20
    masked_lm_prob: Annotated[
        float, Flag("Share of the tokens to mask.", "share")
    ] = 0.15


@dataclasses.dataclass(frozen=True, kw_only=True)
class BuildConfig(MaskingConfig, TextSettings, EngineSettings):
    """The flags of google-research/bert's create_pretraining_data, and more."""

    input_file: Annotated[
        str,
        Flag(
            "Comma list of text files, globs or directories, local or gs://; "
            ".gz files are unpacked. One sentence a line, a blank line "
            "between documents.",
            decides="content",
        ),
    ]
    output_file: Annotated[
        str,
        Flag(
            "Comma list of TFRecord files to write; the instances go round "
            "robin over them. name@N stands for name-00000-of-0000N and so on.",
            decides="content",
        ),
    ]
    encoding: Annotated[
        str,
        Flag(
            "What the text is encoded in: UTF-8, GB18030 (also for GBK and "
            "GB2312), Big5, UTF-16 or another name that Python knows.",
            decides="content",
        ),
    ] = "UTF-8"
    word_segmenter: Annotated[
        Literal["none", "jieba", "spaces"],
        "What says where Chinese words begin. jieba: the library; spaces: "
        "those in the text, put there by a segmenter of your choice.",
    ] = "none"
    similar_words: Annotated[
        str | None,
        "File for --mask_unit=macbert: a word, a tab, similar words between "
        "spaces. Words that are not in it are replaced by random ones.",
    ] = None
    pair_task: Annotated[
        Literal["nsp", "sop", "none", "electra"],
        "What the two segments are. nsp: neighbours or random (BERT); sop: "
        "neighbours, in order or swapped (ALBERT); none: one segment of whole "
        "sentences (RoBERTa); electra: neighbours in order, or one segment.",
    ] = "nsp"
    masking: Annotated[
        Literal["static", "dynamic"],
        "static: the masks are in the records; dynamic: the trainer draws "
        "new ones every epoch, so that --dupe_factor=1 is enough.",
    ] = "static"
    max_seq_length: Annotated[
        int, "Tokens of a sequence, [CLS] and [SEP] included."
    ] = 128
    pack_sequences: Annotated[
        int,
        Flag(
            "Most sequences that stand in one record, one behind another and "
            "blind to one another, so that little of it is padding. "
            "--max_predictions_per_seq then holds for a record, too. 0 is a "
            "record for each, as in google-research/bert.",
            "not_negative",
        ),
    ] = 0
    fill_sequences: Annotated[
        Literal["no", "document", "corpus"],
        "How far the text goes on where a sequence of --pair_task=none is not "
        "full. no: sentences stay whole, and the rest is padding; document: a "
        "sentence is cut there and goes on in the next sequence; corpus: the "
        "next document follows, behind a [SEP] (RoBERTa).",
    ] = "no"
    random_seed: Annotated[int, "Seed of every random draw."] = 12345
    dupe_factor: Annotated[
        int | None,
        Flag(
            "How often to go through the corpus, with new pairs and masks; 10 "
            "unless given, and 1 with --masking=dynamic.",
            "positive",
        ),
    ] = None
    short_seq_prob: Annotated[
        float | None,
        Flag(
            "Share of the documents whose sequences are made short; 0.1 unless "
            "given, 0 with --fill_sequences, and with --pair_task=electra 0.05 "
            "of the sequences.",
            "share",
        ),
    ] = None
    gzip_compress: Annotated[
        bool, "Whether to write GZIP-compressed TFRecord files."
    ] = False
    shard_megabytes: Annotated[
        int,
        Flag(
            "A corpus of more text is cut into shards of about this size at "
            "the ends of documents; each is built by itself, with the seeds "
            "from --random_seed on. 0 never cuts.",
            "not_negative",
            decides="nothing",
        ),
    ] = 256
    overwrite: Annotated[
        bool,
        Flag(
            "Whether to replace output that other flags or text made.",
            decides="nothing",
        ),
    ] = False

    def __post_init__(self):
        if self.dupe_factor is None:
            dupe_factor = 10 if self.masking == "static" else 1
            object.__setattr__(self, "dupe_factor", dupe_factor)
        if self.short_seq_prob is None:
            short_seq_prob = 0.1 if self.fill_sequences == "no" else 0.0
            if self.pair_task == "electra":
                short_seq_prob = 0.05
            object.__setattr__(self, "short_seq_prob", short_seq_prob)
        super().__post_init__()
        if self.max_seq_length < MIN_SEQ_LENGTH:
            raise ValueError(
                f"--max_seq_length must be at least {MIN_SEQ_LENGTH} ([CLS], "
                f"[SEP], [SEP] and a token on each side), got "
                f"{self.max_seq_length}"
            )
        if self.max_seq_length > 1 << 15:
            raise ValueError(
                f"--max_seq_length must be at most {1 << 15}, got "
                f"{self.max_seq_length}"
            )
        encodings.check(self.encoding)
        self._check_outputs()
        self._check_masking()
        self._check_packing()
        self._check_filling()

    def _check_outputs(self):
        if not self.output_paths:
            raise ValueError("--output_file names no file")
        spelled = set(map(lock.canonical_file, self.output_paths))
        if len(spelled) < len(self.output_paths):
            raise ValueError(
                f"--output_file names a file twice: {self.output_file}"
            )

    def _check_masking(self):
        if self.similar_words and self.mask_unit != "macbert":
            raise ValueError("--similar_words wants --mask_unit=macbert")
        is_static = self.masking == "static"
        if (
            is_static
            and self.word_segmenter != "none"
            and (not self.do_whole_word_mask)
        ):
            raise ValueError(
                f"--word_segmenter={self.word_segmenter} has no effect "
                "without --do_whole_word_mask"
            )

    def _check_packing(self):
        if self.pack_sequences and self.masking == "dynamic":
            raise ValueError(
                "--pack_sequences wants the masks in the records, as how many "
                "fit in depends on them; with --masking=dynamic "
                "--pair_task=none --fill_sequences=corpus leaves no padding"
            )
        most = self.max_seq_length // _SHORTEST_SEQUENCE
        if self.pack_sequences > most:
            raise ValueError(
                f"--pack_sequences must be at most {most}, as no more fit in "
                f"--max_seq_length={self.max_seq_length}, got "
                f"{self.pack_sequences}"
            )

    def _check_filling(self):
        fill = self.fill_sequences
        if fill != "no" and self.pair_task != "none":
            raise ValueError(
                f"--fill_sequences={fill} wants --pair_task=none: pairs are "
                f"of whole sentences; got --pair_task={self.pair_task}"
            )
        if fill != "corpus":
            return
        if self.masking == "static":
            raise ValueError(
                "--fill_sequences=corpus wants --masking=dynamic: the builder "
                "masks one document at a time; got --masking=static"
            )
        if self.short_seq_prob:
            raise ValueError(
                "--fill_sequences=corpus makes no sequence short; got "
                f"--short_seq_prob={self.short_seq_prob:g}, set it to 0"
            )

    def settled(self, given: Collection[str]) -> Self:
        """Returns the settings with the case that the vocabulary is made for.

        Args:
            given: names of the flags that were given.
        """
        return case.settle(self, given, [self.vocabulary_path])

    @property
    def output_items(self) -> list[str]:
        """What --output_file names, with name@N as it stands there."""
        parts = (part.strip() for part in self.output_file.split(","))
        return [part for part in parts if part]

    @functools.cached_property
    def output_paths(self) -> list[str]:
        """The files of --output_file, in order."""
        return [path for x in self.output_items for path in _numbered(x)]

    def warnings(self) -> Iterator[str]:
        """Yields what is legal in these settings and likely a mistake."""
        wanted = self.max_seq_length * self.masked_lm_prob
        if not 0.8 * wanted <= self.max_predictions_per_seq <= 1.5 * wanted:
            yield (
                f"--max_predictions_per_seq={self.max_predictions_per_seq} is "
                f"far from max_seq_length * masked_lm_prob = {wanted:.1f}; "
                f"{math.ceil(wanted)} would fit"
            )
        if self.mask_unit == "macbert" and not self.similar_words:
            yield (
                "--mask_unit=macbert without --similar_words puts random words "
                "in the place of all words"
            )
        if self.mask_unit == "macbert" and not self.do_whole_word_mask:
            yield (
                "--mask_unit=macbert without --do_whole_word_mask and "
                "--word_segmenter looks for words of one character"
            )


def _numbered(item):
    """The files that `name@N` stands for, named as TensorFlow names shards."""
    match = re.fullmatch(r"(.*[^/])@(\d+)", item)
    if not match:
        return [item]
    name, num_files = match[1], int(match[2])
    if not 1 <= num_files <= MAX_OUTPUT_FILES:
        raise ValueError(
            f"--output_file={item}: from 1 to {MAX_OUTPUT_FILES} files, got "
            f"{num_files}"
        )
    return [f"{name}-{i:05}-of-{num_files:05}" for i in range(num_files)]

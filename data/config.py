"""Every setting of create_pretraining_data, written once."""

import dataclasses
import math
from typing import Annotated

MIN_SEQ_LENGTH = 5


@dataclasses.dataclass(frozen=True, kw_only=True)
class BuildConfig:
    """The flags of google-research/bert's create_pretraining_data, and more."""

    input_file: Annotated[
        str,
        "Comma list of text files, globs or directories, local or gs://; .gz "
        "files are unpacked. One sentence a line, a blank line between "
        "documents, UTF-8.",
    ]
    output_file: Annotated[
        str,
        "Comma list of TFRecord files to write; the instances go round robin "
        "over them.",
    ]
    vocab_file: Annotated[str, "The vocabulary that the model is trained on."]
    do_lower_case: Annotated[
        bool,
        "Whether to lower-case the text and strip its accents; True for "
        "uncased and Chinese models.",
    ] = True
    t2s: Annotated[
        bool, "Whether to convert traditional to simplified Chinese (OpenCC)."
    ] = False
    do_whole_word_mask: Annotated[
        bool,
        "Whether to mask the ## pieces of a word together. Has no effect on "
        "Chinese characters, each of which is a word.",
    ] = False
    max_seq_length: Annotated[
        int, "Tokens of a sequence, [CLS] and [SEP] included."
    ] = 128
    max_predictions_per_seq: Annotated[
        int, "Most masked tokens in a sequence."
    ] = 20
    random_seed: Annotated[int, "Seed of every random draw."] = 12345
    dupe_factor: Annotated[
        int, "How often to go through the corpus, with new pairs and masks."
    ] = 10
    masked_lm_prob: Annotated[float, "Share of the tokens to mask."] = 0.15
    short_seq_prob: Annotated[
        float, "Share of the documents whose sequences are made short."
    ] = 0.1
    gzip_compress: Annotated[
        bool, "Whether to write GZIP-compressed TFRecord files."
    ] = False
    overwrite: Annotated[
        bool, "Whether to replace output that other flags or text made."
    ] = False

    def __post_init__(self):
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
        for name in ("max_predictions_per_seq", "dupe_factor"):
            if getattr(self, name) < 1:
                raise ValueError(
                    f"--{name} must be at least 1, got {getattr(self, name)}"
                )
        for name in ("masked_lm_prob", "short_seq_prob"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(
                    f"--{name} must be between 0 and 1, got "
                    f"{getattr(self, name)}"
                )
        if not self.output_paths:
            raise ValueError("--output_file names no file")
        if len(set(self.output_paths)) < len(self.output_paths):
            raise ValueError(
                f"--output_file names a file twice: {self.output_file}"
            )

    @property
    def output_paths(self):
        """The files of --output_file, in order."""
        parts = (part.strip() for part in self.output_file.split(","))
        return [part for part in parts if part]

    def warnings(self):
        """Yields what is legal in these settings and likely a mistake."""
        wanted = self.max_seq_length * self.masked_lm_prob
        if not 0.8 * wanted <= self.max_predictions_per_seq <= 1.5 * wanted:
            yield (
                f"--max_predictions_per_seq={self.max_predictions_per_seq} is "
                f"far from max_seq_length * masked_lm_prob = {wanted:.1f}; "
                f"{math.ceil(wanted)} would fit"
            )

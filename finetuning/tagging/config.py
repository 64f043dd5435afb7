"""The settings of run_ner.py."""

import dataclasses
from typing import Annotated, Literal

from finetuning.config import FolderSettings
from settings.flag import Flag

# [CLS] and [SEP].
_NUM_SPECIAL_TOKENS = 2


@dataclasses.dataclass(frozen=True, kw_only=True)
class TaggingConfig(FolderSettings):
    """Names and defaults of google-research/bert's and CLUE's scripts."""

    train_file: Annotated[
        str | None,
        Flag(
            "Sentences to train on: a word a line, its label last, a blank "
            "line behind each sentence; or CLUENER's JSON lines. .gz is "
            "unpacked.",
            decides="nothing",
        ),
    ] = None
    max_seq_length: Annotated[
        int,
        Flag(
            "Tokens of a row; a longer sentence is several.",
            "positive",
            decides="rows",
        ),
    ] = 128
    window_overlap: Annotated[
        int,
        Flag(
            "Tokens that two rows of one sentence share.",
            "not_negative",
            decides="rows",
        ),
    ] = 32
    ner_head: Annotated[
        Literal["softmax", "crf", "bilstm", "bilstm_crf"],
        "What labels come from: each token's scores (softmax), the best path "
        "through them (crf), or either with an LSTM in between (bilstm, "
        "bilstm_crf).",
    ] = "softmax"
    head_layers: Annotated[
        Literal[
            "embeddings",
            "second_to_last",
            "last",
            "sum_last_four",
            "concat_last_four",
            "sum_all",
        ]
        | None,
        "What the head reads in place of the last layer, as table 7 of BERT's "
        "paper; sums have learned weights. With --freeze_encoder they are "
        "features: the encoder computes without dropout, forwards alone.",
    ] = None
    constrained: Annotated[
        bool,
        "Whether a CRF is barred from labels that cannot follow one another, "
        "such as I-PER after O.",
    ] = True
    lstm_size: Annotated[
        int,
        Flag(
            "With --ner_head=bilstm or bilstm_crf: its width in each "
            "direction.",
            "positive",
        ),
    ] = 128
    lstm_layers: Annotated[
        int,
        Flag(
            "With --ner_head=bilstm or bilstm_crf: how many LSTMs stand above "
            "one another.",
            "positive",
        ),
    ] = 1
    token_digits: Annotated[
        Literal["auto", "keep", "strip"],
        Flag(
            "Whether the digits behind a character (its place in a word, as in "
            "the Weibo set) are taken off; auto: where nearly all words have "
            "them.",
            decides="reading",
        ),
    ] = "auto"

    def __post_init__(self):
        super().__post_init__()
        room = self.max_seq_length - _NUM_SPECIAL_TOKENS
        if room < 1:
            raise ValueError(
                f"--max_seq_length={self.max_seq_length} leaves no room "
                "between [CLS] and [SEP]; give at least 3"
            )
        if not 0 <= self.window_overlap < room:
            raise ValueError(
                f"--window_overlap={self.window_overlap} must be at least 0 "
                f"and less than --max_seq_length - 2 = {room}"
            )
        if self.ensemble and self.ner_head != "softmax":
            raise ValueError(
                f"--ensemble averages each word's probabilities, so it wants "
                f"--ner_head=softmax, not {self.ner_head}"
            )
        is_lstm = self.ner_head in ("bilstm", "bilstm_crf")
        if self.lstm_layers != 1 and not is_lstm:
            raise ValueError(
                f"--lstm_layers={self.lstm_layers} needs --ner_head=bilstm or "
                f"bilstm_crf, got {self.ner_head}"
            )
        if self.is_taught and self.ner_head != "softmax":
            raise ValueError(
                f"--teacher_dir teaches each word's scores, so it wants "
                f"--ner_head=softmax, not {self.ner_head}"
            )

    @property
    def is_chain(self) -> bool:
        """Whether labels are those of the best path."""
        return self.ner_head in ("crf", "bilstm_crf")

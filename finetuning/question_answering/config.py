"""The settings of run_squad.py."""

import dataclasses
from typing import Annotated, Literal

from finetuning.config import FinetuningConfig
from settings.flag import Flag

# [CLS] and two [SEP].
NUM_SPECIAL_TOKENS = 3


@dataclasses.dataclass(frozen=True, kw_only=True)
class QuestionAnsweringConfig(FinetuningConfig):
    """Names and defaults of google-research/bert's run_squad.py."""

    train_file: Annotated[
        str | None,
        Flag(
            "Questions to train on: SQuAD's JSON, which CMRC 2018 and DRCD "
            "have, too; .gz is unpacked.",
            decides="nothing",
        ),
    ] = None
    predict_file: Annotated[
        str | None,
        Flag(
            "Questions to answer, in the same form; where it has answers, "
            "they are scored.",
            decides="nothing",
        ),
    ] = None
    eval_file: Annotated[
        str | None,
        Flag(
            "Questions with answers for --keep_best and --early_stopping; "
            "without it those of --predict_file.",
            decides="nothing",
        ),
    ] = None
    do_predict: Annotated[
        bool,
        Flag(
            "Whether to answer the questions of --predict_file.",
            decides="nothing",
        ),
    ] = False
    max_seq_length: Annotated[
        int,
        Flag(
            "Tokens of a row: the question and a part of its text.",
            "positive",
            decides="rows",
        ),
    ] = 384
    doc_stride: Annotated[
        int,
        Flag(
            "Tokens from one part of a long text to the next.",
            "positive",
            decides="rows",
        ),
    ] = 128
    max_query_length: Annotated[
        int,
        Flag(
            "Tokens of a question; what is longer is cut.",
            "positive",
            decides="rows",
        ),
    ] = 64
    n_best_size: Annotated[
        int,
        Flag(
            "How many answers nbest_predictions.json lists to a question.",
            "positive",
            decides="nothing",
        ),
    ] = 20
    max_answer_length: Annotated[
        int,
        Flag("Most tokens of an answer.", "positive", decides="nothing"),
    ] = 30
    version_2_with_negative: Annotated[
        bool,
        Flag(
            "Whether some questions have no answer, as in SQuAD 2.0.",
            decides="reading",
        ),
    ] = False
    null_score_diff_threshold: Annotated[
        float,
        Flag(
            "With --version_2_with_negative: a question has no answer where "
            "that scores higher than the best one by more than this. "
            "eval_results.txt tells the best one as best_f1_thresh.",
            decides="nothing",
        ),
    ] = 0.0
    answer_metric: Annotated[
        Literal["auto", "squad", "cmrc"],
        Flag(
            "How answers are scored: squad by English words; cmrc by "
            "characters, as CMRC 2018 and DRCD; auto looks whether the texts "
            "are Chinese.",
            decides="nothing",
        ),
    ] = "auto"
    verbose_logging: Annotated[
        bool,
        Flag(
            "Accepted for older scripts: an answer is cut from the text "
            "itself, so there is nothing left to tell of.",
            decides="nothing",
        ),
    ] = False

    def __post_init__(self):
        super().__post_init__()
        if self.max_seq_length <= self.max_query_length + NUM_SPECIAL_TOKENS:
            raise ValueError(
                f"--max_seq_length={self.max_seq_length} has no room for a "
                f"text after a question of --max_query_length="
                f"{self.max_query_length} and {NUM_SPECIAL_TOKENS} special "
                "tokens; raise the one or lower the other"
            )
        for asked, needed in _NEEDED.items():
            if getattr(self, asked) and not getattr(self, needed):
                raise ValueError(f"--{asked} needs --{needed}")


_NEEDED = {"do_train": "train_file", "do_predict": "predict_file"}

"""The settings that all fine-tuning programs share."""

import dataclasses
import os
from typing import Annotated, Any, Literal, Self

from finetuning import inherited
from interop.config import ModelSettings
from settings.flag import Flag
from text.config import TextSettings
from training.config import RunSettings, StudentSettings

# The flags that make several runs, or ask something of the whole of them, as
# each run by itself has them.
ONE_RUN: dict[str, Any] = {
    "seeds": None,
    "sweep": None,
    "successive_halving": 0,
    "ensemble": 0,
    "test_file": None,
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class FinetuningConfig(
    ModelSettings, TextSettings, StudentSettings, RunSettings
):
    """One field, one flag; names and defaults of google-research/bert."""

    train_file: Annotated[
        str | None, Flag("The file to train on.", decides="nothing")
    ] = None
    eval_file: Annotated[
        str | None, Flag("The file to score on.", decides="nothing")
    ] = None
    predict_file: Annotated[
        str | None, Flag("The file to predict.", decides="nothing")
    ] = None
    do_predict: Annotated[
        bool, Flag("Whether to predict without labels.", decides="nothing")
    ] = False
    predict_batch_size: Annotated[
        int,
        Flag(
            "Rows a prediction step, over all replicas.",
            "positive",
            decides="nothing",
        ),
    ] = 8
    num_train_epochs: Annotated[
        float, Flag("How often each training row is seen.", "positive")
    ] = 3.0
    warmup_proportion: float = 0.1
    lr_schedule: Literal["linear", "linear_from_peak", "cosine", "constant"] = (
        "linear"
    )
    mixed_precision: Literal["bfloat16", "none"] | None = None
    keep_checkpoint_max: int = 2
    freeze_encoder: Annotated[bool, "Whether to train the head alone."] = False
    unfreeze_top_layers: Annotated[
        int,
        Flag(
            "With --freeze_encoder: how many of the top layers are trained "
            "after all, and with them the pooler.",
            "not_negative",
        ),
    ] = 0
    max_train_rows: Annotated[
        int,
        Flag(
            "Trains on so many rows of the file, drawn once and for all, so "
            "that 100 are among 300; 0 is all.",
            "not_negative",
        ),
    ] = 0
    teacher_dir: Annotated[
        str | None,
        "The --output_dir of a larger model of the same program and labels: "
        "what it says of the training rows is learned, too.",
    ] = None
    distillation_of: Annotated[
        Literal["answers", "layers"],
        "What is learned of --teacher_dir: its answers, beside the labels; or "
        "what its layers do, without labels, before a second run that learns "
        "answers (TinyBERT).",
    ] = "answers"
    distillation_share: Annotated[
        float,
        Flag(
            "How much of the loss is the teacher's; the labels have the rest.",
            "share",
        ),
    ] = 0.5
    group_by_length: Annotated[
        bool,
        "Whether batches are made of rows of like length, which saves padding; "
        "not on a TPU, where all batches are of one shape.",
    ] = True
    eval_every_steps: Annotated[
        int,
        Flag(
            "Steps between evaluations during training; 0 is once an epoch "
            "where --keep_best or --early_stopping asks for them, else none.",
            "not_negative",
            decides="nothing",
        ),
    ] = 0
    keep_best: Annotated[
        bool,
        Flag(
            "Whether the checkpoint that the evaluations during training find "
            "best is kept in best/ and is the one that is evaluated and "
            "predicts.",
            decides="nothing",
        ),
    ] = False
    early_stopping: Annotated[
        int,
        Flag(
            "Training ends after so many evaluations in a row without a "
            "better score; 0 is never.",
            "not_negative",
            decides="nothing",
        ),
    ] = 0
    strict: Annotated[
        bool,
        Flag(
            "Whether a row that cannot be used is an error, not left out.",
            decides="nothing",
        ),
    ] = False
    seeds: Annotated[
        str | None,
        Flag(
            "Several seeds, as 1,2,3: a run of each in seed_N of --output_dir, "
            "their mean and deviation, and the best one's results.",
            decides="nothing",
        ),
    ] = None
    sweep: Annotated[
        str | None,
        Flag(
            "Settings to try, as 'learning_rate=2e-5,5e-5; "
            "num_train_epochs=2,3': a run of each combination in a folder of "
            "--output_dir, which then has a table of the scores on the "
            "evaluation's rows and the files of the best run.",
            decides="nothing",
        ),
    ] = None
    successive_halving: Annotated[
        int,
        Flag(
            "With --sweep: after 1, N, N*N ... epochs only the best 1/N of the "
            "runs that are left go on; 0 trains all to their end.",
            "not_negative",
            decides="nothing",
        ),
    ] = 0
    ensemble: Annotated[
        int,
        Flag(
            "With --seeds or --sweep: so many of the best runs answer "
            "together, by the mean of their probabilities: into ensemble/ "
            "and, as ensemble_..., eval_results.txt; 0 is none.",
            "not_negative",
            decides="nothing",
        ),
    ] = 0
    test_file: Annotated[
        str | None,
        Flag(
            "A file with labels, scored once at the end, by the best run where "
            "there are several: into test/ and, as test_..., eval_results.txt.",
            decides="nothing",
        ),
    ] = None

    def __post_init__(self):
        super().__post_init__()
        if self.successive_halving and not self.sweep:
            raise ValueError("--successive_halving needs --sweep")
        if self.ensemble and not (self.seeds or self.sweep):
            raise ValueError("--ensemble needs --seeds or --sweep")
        if self.ensemble == 1:
            raise ValueError(
                "--ensemble=1 is the best run alone: give 2 or more"
            )
        if self.successive_halving == 1:
            raise ValueError(
                "--successive_halving=1 gives nothing up: 2 keeps every "
                "second setting, 0 keeps all"
            )
        if self.unfreeze_top_layers and not self.freeze_encoder:
            raise ValueError("--unfreeze_top_layers needs --freeze_encoder")
        for name in (
            "distillation_of",
            "distillation_temperature",
            "distillation_share",
        ):
            is_given = getattr(self, name) != getattr(type(self), name)
            if is_given and not self.is_taught:
                raise ValueError(f"--{name} needs --teacher_dir")
        if self.distillation_of == "layers":
            self._check_layers()
        if self.teacher_dir and _are_one(self.teacher_dir, self.output_dir):
            raise ValueError(
                f"--teacher_dir={self.teacher_dir} is --output_dir, where the "
                "student is trained: give another --output_dir"
            )

    def _check_layers(self):
        """Refuses flags that mean nothing where layers alone are learned."""
        if not self.teacher_dir:
            raise ValueError("--distillation_of=layers needs --teacher_dir")
        for name in (
            "do_eval",
            "do_predict",
            "freeze_encoder",
            "distillation_temperature",
            "distillation_share",
            "eval_every_steps",
            "keep_best",
            "early_stopping",
            "seeds",
            "sweep",
            "test_file",
        ):
            if getattr(self, name) != getattr(type(self), name):
                raise ValueError(
                    f"--{name}: --distillation_of=layers trains no head that "
                    "could answer and looks at no labels; leave it out, and "
                    "fine-tune from --output_dir then"
                )

    def settled(self, given: set[str]) -> Self:
        """Returns the settings with what the model says of its own.

        Args:
            given: names of the flags that were given.
        """
        return inherited.settle(self, given)

    def one_run(self, **changes: Any) -> Self:
        """Returns the settings of a single run, with these fields changed."""
        return dataclasses.replace(self, **{**ONE_RUN, **changes})

    @property
    def is_taught(self) -> bool:
        """Whether there is a teacher to learn from."""
        return bool(self.teacher_dir)

    @property
    def is_watched(self) -> bool:
        """Whether the run is evaluated while it trains."""
        return bool(
            self.keep_best or self.early_stopping or self.eval_every_steps
        )


def _are_one(path, other):
    return os.path.normpath(path) == os.path.normpath(other)


@dataclasses.dataclass(frozen=True, kw_only=True)
class FolderSettings(FinetuningConfig):
    """The flags of tasks whose files may stand in one folder."""

    data_dir: Annotated[
        str | None,
        Flag(
            "A folder with the files of the task, under their own names, for "
            "the splits that have no flag of their own.",
            decides="nothing",
        ),
    ] = None
    labels: Annotated[
        str | None,
        "All labels, as negative,positive or O,B-PER,I-PER; without this flag "
        "those that the training file has.",
    ] = None

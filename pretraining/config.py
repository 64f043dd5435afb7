"""Every setting of run_pretraining, beside those it shares with others."""

import dataclasses
import sys
from typing import Annotated, ClassVar, Literal

from data.config import MaskingConfig
from interop.config import ModelSettings
from pretraining.distillation_config import DistillationSettings
from pretraining.generator_config import GeneratorSettings
from pretraining.stages import Stage, plan_stages, sets_of
from settings.flag import Flag
from text.config import RowSettings
from training.config import RunSettings

# Of the time of --train_minutes, and the warm-up's share of it.
_PARTS = 1_000_000
_WARMUP_PROPORTION = 0.1
# Objectives whose loss is of masked words alone.
_OF_MASKED_WORDS = ("masked_lm", "span_boundary")


@dataclasses.dataclass(frozen=True, kw_only=True)
class PretrainingConfig(
    DistillationSettings,
    MaskingConfig,
    ModelSettings,
    RowSettings,
    GeneratorSettings,
    RunSettings,
):
    """The flags of google-research/bert's run_pretraining, and a few more."""

    input_file: Annotated[
        str,
        "Records to train on, from create_pretraining_data: a comma list of "
        "files, globs and directories, local or gs://; with --stages also one "
        "list for each stage, joined by ';'.",
    ]
    eval_input_file: Annotated[
        str | None,
        Flag(
            "Records to evaluate on; without it, those of --input_file, which "
            "says little about other text.",
            decides="nothing",
        ),
    ] = None
    # Rows are there already, so that training can do without it.
    wants_vocabulary: ClassVar[bool] = False
    vocab_file: Annotated[
        str | None,
        Flag(
            "The vocabulary that the records were built with, for export/ of "
            "--output_dir; looked for where it may be without this flag.",
            decides="content",
        ),
    ] = None
    max_seq_length: Annotated[
        int,
        Flag(
            "Tokens a sequence; the value the records were built with. Of "
            "records of --masking=dynamic and --pair_task=none, fewer: each "
            "epoch then takes another window of each record.",
            "positive",
            decides="rows",
        ),
    ] = 128
    objective: Annotated[
        Literal[
            "masked_lm",
            "span_boundary",
            "left_to_right",
            "replaced_token",
            "distillation",
            "transformer_distillation",
        ],
        "What is learned. masked_lm: masked words, and next sentences with "
        "--use_nsp (Devlin et al. 2019). span_boundary: those, and the words "
        "of each masked span from the tokens beside it (Joshi et al. 2020). "
        "left_to_right: each token from those before it. replaced_token: "
        "which tokens a generator put in (Clark et al. 2020). distillation: "
        "masked words, and what --teacher_dir says of the words (Sanh et al. "
        "2019). transformer_distillation: the attention and the hidden states "
        "of --teacher_dir (Jiao et al. 2020).",
    ] = "masked_lm"
    use_nsp: Annotated[
        bool, "Whether next sentence prediction is part of the loss."
    ] = True
    masked_lm_prob_end: Annotated[
        float | None,
        Flag(
            "The share of the tokens to mask at the end of the training; "
            "--masked_lm_prob goes there in a line, for records of "
            "--masking=dynamic. Evaluations mask this share.",
            "share",
        ),
    ] = None
    output_bias_init: Annotated[
        Literal["zeros", "frequency"],
        "What the output bias of the words begins with. zeros: as in "
        "google-research/bert; frequency: the log frequency of each word in "
        "the records, so that it has not to be learned first.",
    ] = "zeros"
    position_init: Annotated[
        Literal["random", "sinusoidal"],
        "What the position embeddings begin with. random: as in "
        "google-research/bert; sinusoidal: sines and cosines, among which "
        "neighbours are found sooner. They are trained in both cases.",
    ] = "random"
    token_dropping: Annotated[
        float,
        Flag(
            "Share of the tokens that all layers but the first and the last "
            "leave out in training, masked words excepted (Hou et al. 2022; by "
            "lot as Yao et al. 2022): less arithmetic, the same model.",
            "below_1",
        ),
    ] = 0.0
    num_train_steps: Annotated[
        int,
        Flag(
            "The global step at which training ends, however often it stops.",
            "positive",
        ),
    ] = 100_000
    stages: Annotated[
        str | None,
        "Lengths, batches and depths that the run grows through, as "
        "32x128x3:.7,128x32:.3: 32 tokens, 128 sequences and 3 layers for .7 "
        "of --num_train_steps, then 128 tokens, 32 sequences and all layers. "
        "Goes before --train_batch_size.",
    ] = None
    num_warmup_steps: Annotated[
        int,
        Flag(
            "Steps over which the learning rate rises from 0.", "not_negative"
        ),
    ] = 10_000
    warmup_proportion: Annotated[
        float | None,
        Flag(
            "Share of --num_train_steps to warm up in; goes before "
            "--num_warmup_steps.",
            "share",
        ),
    ] = None
    train_minutes: Annotated[
        float | None,
        Flag(
            "Ends training after so many minutes in place of "
            "--num_train_steps, its learning rate at the schedule's end; all "
            "starts, compilation and evaluations on the way count. The warm-up "
            "is --warmup_proportion of them, a tenth without it. A run that is "
            "stopped goes on with the time it has left, and not bit for bit.",
            "positive",
        ),
    ] = None
    poly_power: Annotated[
        float, Flag("The power of --lr_schedule=polynomial.", "positive")
    ] = 1.0
    wsd_decay_share: Annotated[
        float,
        Flag(
            "Share of --num_train_steps in which --lr_schedule=wsd falls.",
            "share",
        ),
    ] = 0.1
    recompute: Annotated[
        bool,
        "Whether the backward pass computes the inside of each layer again "
        "instead of keeping it: less memory for a third more arithmetic.",
    ] = False
    max_eval_steps: Annotated[
        int, Flag("Most evaluation steps.", "positive", decides="nothing")
    ] = 100
    keep_best_metric: Annotated[
        str | None,
        Flag(
            "Keeps the checkpoint that the evaluations of --eval_every_steps "
            "find best by this number, in best/ of --output_dir: loss, or a "
            "loss or an accuracy of the objective, as masked_lm_accuracy.",
            decides="nothing",
        ),
    ] = None
    peak_teraflops: Annotated[
        float | None,
        Flag(
            "Most TFLOP/s of all devices together, to report which share of "
            "it the model's arithmetic is; without this flag that of the TPU "
            "or GPU, where it is known.",
            "positive",
            decides="nothing",
        ),
    ] = None

    def __post_init__(self):
        if not (self.do_train or self.do_eval):
            raise ValueError("set --do_train, --do_eval or both")
        super().__post_init__()
        self.refuse_generator(self.objective)
        if self.train_minutes is not None:
            self._refuse_steps()
        if self.keep_best_metric and not self.eval_every_steps:
            raise ValueError(
                f"--keep_best_metric={self.keep_best_metric} needs "
                "evaluations: set --eval_every_steps"
            )
        self.check_teacher(self.objective)
        if self.token_dropping and self.objective not in _OF_MASKED_WORDS:
            raise ValueError(
                f"--token_dropping={self.token_dropping:g} has no effect with "
                f"--objective={self.objective}; leave it out"
            )
        if self.do_train and self.init_checkpoint:
            self._refuse_first_values()
        self.stages_of(None)

    def _refuse_first_values(self):
        for name in ("output_bias_init", "position_init"):
            default = getattr(type(self), name)
            if getattr(self, name) != default:
                raise ValueError(
                    f"--{name}={getattr(self, name)} has no effect with "
                    f"--init_checkpoint={self.init_checkpoint}, which brings "
                    f"these weights; set --{name}={default}"
                )

    def stages_of(self, num_layers: int | None) -> list[Stage]:
        """Returns the stages of a run; without --stages it has one.

        Args:
            num_layers: those of the model; None where it is not known yet.

        Raises:
            ValueError: --stages does not fit the other flags.
        """
        return plan_stages(
            self.stages,
            num_train_steps=self.last_step,
            max_seq_length=self.max_seq_length,
            train_batch_size=self.train_batch_size,
            num_layers=num_layers,
            num_sets=len(self.input_sets),
        )

    @property
    def input_sets(self) -> list[str]:
        """The sets of records that --input_file names."""
        return sets_of(self.input_file, self.stages)

    @property
    def last_step(self) -> int:
        """The step at which training ends; --train_minutes sets none."""
        if self.train_minutes is not None:
            return sys.maxsize
        return self.num_train_steps

    @property
    def schedule_steps(self) -> int:
        """The steps that the schedule is made for.

        With --train_minutes they are parts of the time.
        """
        if self.train_minutes is not None:
            return _PARTS
        return self.num_train_steps

    @property
    def warmup_steps(self) -> int:
        """The steps of warm-up, of `schedule_steps`, that the flags come to."""
        proportion = self.warmup_proportion
        if proportion is None and self.train_minutes is not None:
            proportion = _WARMUP_PROPORTION
        if proportion is None:
            return self.num_warmup_steps
        return int(self.schedule_steps * proportion)

    def _refuse_steps(self):
        """Refuses flags that --train_minutes takes the place of."""
        if self.stages is not None:
            raise ValueError(
                f"--stages={self.stages} gives shares of --num_train_steps, "
                f"which a run by --train_minutes={self.train_minutes:g} has "
                "not; leave one of the two out"
            )
        defaults = {f.name: f.default for f in dataclasses.fields(self)}
        for name, instead in (
            ("num_train_steps", "one of the two"),
            ("num_warmup_steps", "--warmup_proportion"),
        ):
            value = getattr(self, name)
            if value != defaults[name]:
                raise ValueError(
                    f"--{name}={value} has no effect beside "
                    f"--train_minutes={self.train_minutes:g}; give {instead}"
                )

"""The settings of objectives that learn from a teacher."""

import dataclasses
from typing import Annotated, Any

from settings.flag import Flag
from training.config import StudentSettings

# {--objective: which of the flags below it reads}
_DISTILLATION = (
    "teacher_dir",
    "distillation_temperature",
    "alpha_ce",
    "alpha_mlm",
    "alpha_cos",
    "restrict_ce_to_mask",
    "teacher_in_records",
)
READS = {
    "distillation": _DISTILLATION,
    "transformer_distillation": ("teacher_dir",),
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class DistillationSettings(StudentSettings):
    """The flags of a teacher and of what is learned from it.

    Defaults are those of DistilBERT's published recipe (Sanh et al. 2019).
    """

    teacher_dir: Annotated[
        str | None,
        "The model to learn from, with --objective=distillation or "
        "transformer_distillation; as --init_checkpoint, with its config "
        "beside it.",
    ] = None
    alpha_ce: Annotated[
        float,
        Flag(
            "Weight of the divergence from the teacher's words.", "not_negative"
        ),
    ] = 5.0
    alpha_mlm: Annotated[
        float, Flag("Weight of the masked words.", "not_negative")
    ] = 2.0
    alpha_cos: Annotated[
        float,
        Flag(
            "Weight of the angle between the last hidden states of student "
            "and teacher; 0 where they are not equally wide.",
            "not_negative",
        ),
    ] = 1.0
    restrict_ce_to_mask: Annotated[
        bool,
        "Whether the teacher's words are learned at the masked tokens alone, "
        "not at all tokens that are no padding.",
    ] = False

    teacher_in_records: Annotated[
        bool,
        "Whether records say what a teacher says of their masked words, in the "
        "place of --teacher_dir; tools.add_teacher writes them.",
    ] = False

    def check_teacher(self, objective: str) -> None:
        """Refuses flags that an objective does not read, or lacks.

        Raises:
            ValueError: names the flag and the value.
        """
        read: Any = READS.get(objective, ())
        for field in dataclasses.fields(DistillationSettings):
            value = getattr(self, field.name)
            if value != field.default and field.name not in read:
                raise ValueError(
                    f"--{field.name}={value} has no effect with "
                    f"--objective={objective}; leave it out"
                )
        if read and not (self.teacher_dir or self.teacher_in_records):
            raise ValueError(
                f"--objective={objective} needs --teacher_dir, the model to "
                "learn from"
            )
        if self.teacher_in_records:
            self._check_records()

    def _check_records(self):
        if self.teacher_dir:
            raise ValueError(
                "--teacher_dir and --teacher_in_records are both a teacher; "
                "set one"
            )
        if self.alpha_cos or not self.restrict_ce_to_mask:
            raise ValueError(
                "--teacher_in_records: records hold words, those of the masked "
                "tokens alone, and no hidden states; set --restrict_ce_to_mask "
                "and --alpha_cos=0"
            )

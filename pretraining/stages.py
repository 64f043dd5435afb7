"""Stages of a run: lengths, batches and depths that grow with the steps.

    --stages=32x128x3:.7,128x32:.3 --num_train_steps=1000

    stage  tokens  sequences  layers  steps
    1          32        128       3      0 to   700
    2         128         32     all    700 to 1,000

A run without the flag is one stage. Nothing here but arithmetic: the step alone
says which stage a run is in, and with which record it goes on.
"""

import dataclasses
import fractions
import re
from collections.abc import Sequence

_FORM = "LENGTHxBATCH[xLAYERS]:SHARE"
_PART = re.compile(r"(\d+)x(\d+)(?:x(\d+))?:([\d.]+)")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Stage:
    """Steps of one length, one batch size and one depth.

    `first_record` is the number of the record that it begins with, among those
    that its set has been asked for.
    """

    max_seq_length: int
    batch_size: int
    num_layers: int
    first_step: int
    end_step: int
    first_record: int = 0

    @property
    def num_steps(self) -> int:
        return self.end_step - self.first_step

    @property
    def num_records(self) -> int:
        return self.num_steps * self.batch_size

    @property
    def shape(self) -> tuple[int, int]:
        """What of the model is trained: its positions and its layers."""
        return self.max_seq_length, self.num_layers

    def record_at(self, step: int) -> int:
        """Returns the number of the record that a step begins with."""
        return self.first_record + (step - self.first_step) * self.batch_size

    def describe(self) -> str:
        layers = "layer" if self.num_layers == 1 else "layers"
        return (
            f"{self.max_seq_length} tokens x {self.batch_size}, "
            f"{self.num_layers} {layers}"
        )


def plan_stages(
    text: str | None,
    *,
    num_train_steps: int,
    max_seq_length: int,
    train_batch_size: int,
    num_layers: int | None,
    num_sets: int = 1,
) -> list[Stage]:
    """Returns the stages of a run, the first one first.

    Args:
        text: --stages; None for one stage of what the other flags say.
        num_train_steps: of all stages together.
        max_seq_length: of the last one.
        train_batch_size: where `text` is None.
        num_layers: those of the model; None where that is not known yet.
        num_sets: how many sets of records --input_file names.

    Raises:
        ValueError: the text is none of its form, or does not fit the rest.
    """
    if text is None:
        return [
            Stage(
                max_seq_length=max_seq_length,
                batch_size=train_batch_size,
                num_layers=num_layers or 1,
                first_step=0,
                end_step=num_train_steps,
            )
        ]
    shapes, shares = _parse(text, num_layers)
    if num_sets not in (1, len(shapes)):
        raise ValueError(
            f"--input_file names {num_sets} sets of records, joined by ';': "
            f"--stages={text} has {len(shapes)} stages and wants one set, or "
            "one for each"
        )
    stages: list[Stage] = []
    for index, (length, batch_size, layers) in enumerate(shapes):
        before = stages[-1] if stages else None
        record = before.record_at(before.end_step) if before else 0
        stages.append(
            Stage(
                max_seq_length=length,
                batch_size=batch_size,
                num_layers=layers,
                first_step=before.end_step if before else 0,
                end_step=round(sum(shares[: index + 1]) * num_train_steps),
                first_record=record if num_sets == 1 else 0,
            )
        )
    _check(text, stages, max_seq_length, num_layers)
    return stages


def stage_at(stages: Sequence[Stage], step: int) -> Stage:
    """Returns the stage that the step was trained in that ended at `step`.

    At the end of a stage it is that one: what comes next has not begun.
    """
    return next(
        (stage for stage in stages if step <= stage.end_step), stages[-1]
    )


def sets_of(input_file: str, text: str | None) -> list[str]:
    """Returns the sets of records that --input_file names."""
    return [input_file] if text is None else input_file.split(";")


def check_same(
    before: Sequence[Stage], now: Sequence[Stage], step: int
) -> None:
    """Refuses to go on with stages in which a model would not have grown.

    Args:
        before: those that the run was trained with.
        now: those of this run.
        step: that of its newest checkpoint.

    Raises:
        ValueError: the newest step is of another shape now.
    """
    then, wanted = stage_at(before, step), stage_at(now, step)
    if then.shape != wanted.shape:
        raise ValueError(
            f"step {step:,} was trained with {then.describe()}, and --stages "
            f"and --num_train_steps want {wanted.describe()} there: set them "
            "as they were, or give another --output_dir"
        )


def _parse(text, num_layers):
    """Returns [(length, batch, layers)] and [share]."""
    shapes, shares = [], []
    for part in text.split(","):
        match = _PART.fullmatch(part.strip())
        if not match or match[4].count(".") > 1 or match[4] == ".":
            raise ValueError(
                f"--stages={text}: {part!r} is not {_FORM}, such as 32x128:.7"
            )
        length, batch_size = int(match[1]), int(match[2])
        if 0 in (length, batch_size, int(match[3] or 1)):
            raise ValueError(f"--stages={text}: {part!r} has a 0")
        shapes.append((length, batch_size, int(match[3] or 0)))
        shares.append(fractions.Fraction(match[4]))
    if sum(shares) != 1:
        raise ValueError(
            f"--stages={text}: the shares add up to {float(sum(shares)):g}, "
            "not to 1"
        )
    deepest = num_layers or max(1, *(layers for *_, layers in shapes))
    return [(*sizes, layers or deepest) for *sizes, layers in shapes], shares


def _check(text, stages, max_seq_length, num_layers):
    for number, stage in enumerate(stages, 1):
        if stage.num_steps < 1:
            raise ValueError(
                f"--stages={text}: stage {number} has no step of "
                f"--num_train_steps={stages[-1].end_step}"
            )
    for before, after in zip(stages, stages[1:], strict=False):
        for name in ("max_seq_length", "num_layers"):
            small, large = getattr(before, name), getattr(after, name)
            if small > large:
                raise ValueError(
                    f"--stages={text}: {name} falls from {small} to {large}, "
                    "and may only rise"
                )
    last = stages[-1]
    if last.max_seq_length != max_seq_length:
        raise ValueError(
            f"--stages={text} ends with {last.max_seq_length} tokens, but "
            f"--max_seq_length={max_seq_length}: they must be the same"
        )
    if num_layers and last.num_layers != num_layers:
        raise ValueError(
            f"--stages={text} ends with {last.num_layers} layers, but "
            f"--bert_config_file has {num_layers}: they must be the same"
        )

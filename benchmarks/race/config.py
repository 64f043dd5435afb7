"""The settings of a race."""

import dataclasses
from typing import Annotated

from benchmarks.race import finetunings
from settings.flag import Flag, Settings


@dataclasses.dataclass(frozen=True, kw_only=True)
class RaceConfig(Settings):
    """The flags of this program."""

    contenders: Annotated[
        str, "Comma list of flag files, and of folders of them."
    ]
    data_dir: Annotated[str, "What benchmarks.recipe_race_data made."]
    output_dir: Annotated[str, "Where all runs are; given again, it goes on."]
    record_dir: Annotated[
        str | None,
        "Where table, picture, numbers and commands are kept; without it in "
        "record/ of --output_dir.",
    ] = None
    bert_config_file: Annotated[
        str, "The shape of all; how much is dropped is a contender's choice."
    ] = "configs/bert_mini.json"
    vocab_file: Annotated[str, "Vocabulary file."] = "vocab/zh_en_8k.txt"
    seeds: Annotated[str, "Comma list of seeds, a run of each contender."] = (
        "1,2"
    )
    tokens: Annotated[
        int,
        Flag(
            "Tokens that a run sees, padding included; 0 is the "
            "--num_train_steps of its flag file.",
            "not_negative",
        ),
    ] = 0
    evaluations: Annotated[
        int, Flag("Evaluations of a run, evenly spread.", "positive")
    ] = 20
    heldout_records: Annotated[
        int, Flag("How many held-out records are evaluated.", "positive")
    ] = 640
    cores: Annotated[
        str,
        "Comma list of cores, each with a run of one thread at a time; without "
        "it one run at a time has all.",
    ] = ""
    flags: Annotated[
        str, "More flags for all contenders, as --mixed_precision=none."
    ] = ""
    against: Annotated[
        str | None,
        "Comma list of contenders whose final losses the others are to reach; "
        "without it all.",
    ] = None
    finetune: Annotated[
        str, "Comma list of tasks to fine-tune on, as zh_reviews."
    ] = ""
    finetune_dir: Annotated[
        str | None, "The files of these tasks, as zh_reviews.train.tsv.gz."
    ] = None
    finetune_flags: Annotated[
        str, "Flags of the fine-tunings, beside those that all have."
    ] = "--learning_rate=2e-4 --num_train_epochs=2"

    def __post_init__(self):
        super().__post_init__()
        for name in ("seeds", "cores"):
            for text in items(getattr(self, name)):
                if not text.isdecimal():
                    raise ValueError(f"--{name}: {text!r} is no number")
        for task in items(self.finetune):
            if task not in finetunings.TUNINGS:
                known = ", ".join(finetunings.TUNINGS)
                raise ValueError(f"--finetune={task}: wanted one of {known}")
        if self.finetune and not self.finetune_dir:
            raise ValueError("--finetune wants --finetune_dir")


def items(text: str | None) -> list[str]:
    """Returns what a comma list names."""
    return [item for item in (text or "").split(",") if item]

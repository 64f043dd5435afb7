"""Which file is which split."""

from finetuning.question_answering.config import QuestionAnsweringConfig
from finetuning.splits import SplitName
from storage import file_io


def find(
    config: QuestionAnsweringConfig, split_name: SplitName
) -> tuple[str, str]:
    """Returns the path of a split and the flag that names it.

    Raises:
        ValueError: no flag names one, or it is not there.
    """
    flag = {"train": "train_file", "predict": "predict_file"}.get(
        split_name, "eval_file" if config.eval_file else "predict_file"
    )
    path = getattr(config, flag)
    if not path:
        raise ValueError(
            "--do_eval, --keep_best, --early_stopping and --eval_every_steps "
            "need questions with answers: set --eval_file"
        )
    if not file_io.exists(path):
        raise ValueError(f"--{flag}: no file {path!r}")
    return path, flag

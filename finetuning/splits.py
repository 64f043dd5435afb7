"""Which splits of a task's data there are, and which a run reads."""

from typing import Literal

from finetuning.config import FinetuningConfig

SplitName = Literal["train", "eval", "predict"]


def wanted(config: FinetuningConfig) -> list[SplitName]:
    """Returns the splits that the flags ask for, training's first.

    The labels are those of the training data.

    Raises:
        ValueError: they ask for none.
    """
    asked: dict[SplitName, bool] = {
        "train": config.do_train,
        "eval": config.do_eval or (config.do_train and config.is_watched),
        "predict": config.do_predict,
    }
    if not any(asked.values()):
        raise ValueError("set --do_train, --do_eval or --do_predict")
    return [name for name, is_asked in asked.items() if is_asked]

"""Settings that a trained directory, or a model, decides where no flag does."""

import dataclasses
from collections.abc import Collection
from typing import TYPE_CHECKING, TypeVar

from absl import logging

from text import case
from training import run_settings

if TYPE_CHECKING:
    # The settings themselves import this module.
    from finetuning.config import FinetuningConfig

ConfigT = TypeVar("ConfigT", bound="FinetuningConfig")


def settle(config: ConfigT, given: Collection[str]) -> ConfigT:
    """Returns the settings with what the model says where a flag does not.

    A directory that was trained is scored as it was trained: where a flag is
    not given its own settings decide, and where one says otherwise that is
    told aloud. Whether a model is cased is asked of its files, too.

    Args:
        config: of the run.
        given: names of the flags that were given.
    """
    before = run_settings.read(config.output_dir).get("config", {})
    changes = {
        name: before[name]
        for name, value in config.deciding("rows").items()
        if name in before
        and name not in given
        and type(before[name]) is type(value)
        and before[name] != value
    }
    if changes:
        logging.info(
            "%s, as %s was trained",
            " ".join(f"--{name}={value}" for name, value in changes.items()),
            config.output_dir,
        )
        try:
            config = dataclasses.replace(config, **changes)
        except ValueError as error:
            raise ValueError(
                f"{config.output_dir}, its {run_settings.SETTINGS_FILE}: "
                f"{error}"
            ) from None
    if not config.do_train:
        _warn_of_others(config, before)
    if "do_lower_case" in before:
        return config
    paths = (
        config.init_checkpoint,
        config.vocabulary_path,
        config.bert_config_file,
    )
    return case.settle(config, given, paths)


def _warn_of_others(config, before):
    """Says where a trained directory is scored as it was not trained."""
    names = [*config.deciding("rows"), "task_name"]
    others = [
        f"--{name} was {before[name]} and is {getattr(config, name)}"
        for name in names
        if name in before
        and hasattr(config, name)
        and _is_other(config, name, before[name])
    ]
    if others:
        logging.warning(
            "%s WAS TRAINED WITH OTHER SETTINGS: %s. The scores are of a model "
            "that has not seen such rows",
            config.output_dir,
            "; ".join(others),
        )


def _is_other(config, name, value):
    if name == "task_name" and isinstance(value, str):
        return config.is_other_task(value)
    return value != getattr(config, name)

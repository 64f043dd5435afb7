"""A first look at the files: what is known without TensorFlow."""

from collections.abc import Callable, Iterable

from finetuning import splits, sweep_settings
from finetuning.config import FinetuningConfig
from finetuning.features_config import FeaturesConfig
from finetuning.splits import SplitName
from interop import look
from storage import inputs
from text import vocabularies
from training import run_settings


def at_files(
    config: FinetuningConfig, paths: Callable[[SplitName], Iterable[str]]
) -> None:
    """Looks for the files of a run.

    Args:
        config: of the run.
        paths: the files of a split.

    Raises:
        ValueError: one is missing, or --sweep is wrong; names the flag.
    """
    names = splits.wanted(config)
    sweep_settings.of(config)
    if config.test_file:
        inputs.check_file(config.test_file, "test_file")
    if config.do_train and config.teacher_dir:
        _look_at_teacher(config.teacher_dir)
    _look_at_model(config, config.output_dir)
    for name in names:
        for path in paths(name):
            inputs.check_file(path, f"{name}_file")


def at_features(config: FeaturesConfig) -> None:
    """Looks for the files of extract_features.py."""
    _look_at_model(config)
    inputs.check_file(config.input_file, "input_file")


def _look_at_teacher(directory):
    if not run_settings.read(directory).get("task"):
        raise ValueError(
            f"--teacher_dir={directory} has no {run_settings.SETTINGS_FILE} of "
            "a fine-tuning: it is not the --output_dir of one"
        )


def _look_at_model(config, output_dir=""):
    look.at_model(
        config, max_seq_length=config.max_seq_length, output_dir=output_dir
    )
    vocabularies.find(config)

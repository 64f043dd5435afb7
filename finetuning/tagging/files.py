"""Which file is which split."""

import os

from finetuning.splits import SplitName
from finetuning.tagging.config import TaggingConfig
from storage import file_io

_STEMS = {
    "train": ("train",),
    "eval": ("dev", "valid", "eval"),
    "predict": ("test", "predict"),
}


def find(config: TaggingConfig, split_name: SplitName) -> str:
    """Returns the path of a split: that of its flag, or one in --data_dir.

    Raises:
        ValueError: neither names one file; says which flag to set.
    """
    flag = f"{split_name}_file"
    path = getattr(config, flag)
    if path:
        return path
    if not config.data_dir:
        why = ""
        if split_name == "train" and not config.do_train:
            why = (
                f"the labels are not known: {config.output_dir} has no "
                "settings.json of a training; "
            )
        raise ValueError(f"{why}set --{flag}, or --data_dir")
    stems = _STEMS[split_name]
    # The rows that a run keeps are called train.tf_record, where --data_dir is
    # its --output_dir.
    paths = [
        path
        for name in file_io.names_in(config.data_dir)
        for path in [os.path.join(config.data_dir, name)]
        if name.split(".")[0] in stems
        and ".tf_record" not in name
        and not file_io.is_directory(path)
    ]
    if len(paths) != 1:
        names = " or ".join(f"{stem}.*" for stem in stems)
        raise ValueError(
            f"--data_dir={config.data_dir} has "
            f"{', '.join(map(os.path.basename, paths)) or 'no file'} for "
            f"{names}, wanted one; set --{flag}"
        )
    return paths[0]

"""Which file is which split."""

import os

from storage import file_io

_STEMS = {
    "train": ("train",),
    "eval": ("dev", "valid", "eval"),
    "predict": ("test", "predict"),
}


def find(config, split_name):
    """Returns the path of a split, of its flag or in --data_dir.

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
    # CLUENER's own are .json; rows that a run keeps have these names, too.
    found = [
        path
        for name in file_io.names_in(config.data_dir)
        for path in [os.path.join(config.data_dir, name)]
        if name.split(".")[0] in stems
        and ".tf_record" not in name
        and not file_io.is_directory(path)
    ]
    if len(found) != 1:
        names = " or ".join(f"{stem}.*" for stem in stems)
        raise ValueError(
            f"--data_dir={config.data_dir} has "
            f"{', '.join(map(os.path.basename, found)) or 'no file'} for "
            f"{names}, wanted one; set --{flag}"
        )
    return found[0]

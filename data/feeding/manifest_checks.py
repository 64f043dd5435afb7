"""Checks what a manifest says of record files against the flags.

It needs no TensorFlow, so that it can be done before that is imported.
"""

from typing import Any

from data.manifest import Manifest

_SHORTEST_WINDOW = 3  # [CLS], a token and [SEP]


def check(
    path: str,
    manifest: Manifest,
    *,
    max_seq_length: int,
    max_predictions_per_seq: int,
    vocab_size: int,
) -> None:
    """Checks that a model of these sizes can be trained on a file.

    Args:
        path: of the file.
        manifest: the one that lists it.
        max_seq_length, max_predictions_per_seq: the flags.
        vocab_size: of --bert_config_file.

    Raises:
        ValueError: it cannot; names the file, both values and the flag.
    """
    # {flag: (what the manifest says, what it must be)}
    lengths = {"max_seq_length": (manifest.max_seq_length, max_seq_length)}
    needed: dict[str, Any] = {"vocab_size": manifest.vocab_size}
    if manifest.masking == "static":
        lengths["max_predictions_per_seq"] = (
            manifest.max_predictions_per_seq,
            max_predictions_per_seq,
        )
    else:
        needed |= {
            "mask_id": manifest.mask_id,
            "special_ids": manifest.special_ids,
        }
    needed = {flag: got for flag, (got, _) in lengths.items()} | needed
    missing = [name for name, value in needed.items() if value is None]
    if missing:
        raise ValueError(
            f"{path}: its manifest does not say {', '.join(missing)}; "
            "build the records again"
        )
    for flag, (got, wanted) in lengths.items():
        if flag == "max_seq_length" and is_cut(manifest, wanted):
            continue
        check_length(path, flag, got, wanted)
    num_rows = needed["vocab_size"]
    if num_rows > vocab_size:
        what = f"a vocabulary of {num_rows} rows"
        refuse_vocabulary(path, what, num_rows, vocab_size)


def is_cut(manifest: Manifest, max_seq_length: int) -> bool:
    """Whether the trainer takes windows of this length of longer records."""
    return (
        manifest.masking == "dynamic"
        and manifest.pair_task == "none"
        and _SHORTEST_WINDOW <= max_seq_length < (manifest.max_seq_length or 0)
    )


def check_length(path: str, flag: str, got: int | None, wanted: int) -> None:
    """Refuses records of another length; names the flag."""
    if got != wanted:
        raise ValueError(
            f"{path} was built with {flag}={got}, but --{flag}={wanted}; set "
            f"--{flag}={got}, or build the records again"
        )


def refuse_vocabulary(
    path: str, what: str, num_rows: int, vocab_size: int
) -> None:
    """Refuses records of a larger vocabulary than the model has."""
    raise ValueError(
        f"{path} has {what}, but vocab_size={vocab_size} in "
        "--bert_config_file; use the config whose vocab_size is the number of "
        "rows of the --vocab_file the records were built with, or write one: "
        f"sed -E 's/(\"vocab_size\": *)[0-9]+/\\1{num_rows}/' CONFIG > NEW"
    )

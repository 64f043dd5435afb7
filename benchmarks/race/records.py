"""The records of a race: how each kind is built, and what its file is called.

A recipe names what it trains on by these names, `records/none_128.tfrecord`: a
race runs where a folder `records` is.
"""

import math

COMMANDS = "commands.txt"

# {kind: flags of create_pretraining_data.py, to train on}
KINDS = {
    "nsp": ("--pair_task=nsp", "--dupe_factor=10"),
    "nsp-unmasked": ("--pair_task=nsp", "--masking=dynamic"),
    "sop-unmasked": ("--pair_task=sop", "--masking=dynamic"),
    "none": ("--pair_task=none", "--short_seq_prob=0", "--masking=dynamic"),
    "filled": (
        *("--pair_task=none", "--fill_sequences=corpus"),
        "--masking=dynamic",
    ),
}
# What is held out comes in pairs, and as single sequences of whole sentences.
JUDGES = ("nsp", "none")
_MASKED = 0.15


def train_file(name: str) -> str:
    return f"{name}.tfrecord"


def train_flags(name: str) -> list[str]:
    """Returns the builder's flags for records such as nsp_128.

    Raises:
        ValueError: there are none of this name.
    """
    kind, _, length = name.partition("_")
    if kind not in KINDS or not length.isdecimal():
        raise ValueError(
            f"--records: {name!r} is no KIND_LENGTH with a kind of "
            f"{', '.join(KINDS)}, as none_128"
        )
    places = math.ceil(_MASKED * int(length))
    return [*KINDS[kind], *_lengths(int(length), places)]


def heldout_file(kind: str, length: int, places: int) -> str:
    return f"heldout_{kind}_{length}_{places}.tfrecord"


def heldout_flags(kind: str, length: int, places: int) -> list[str]:
    """Returns the builder's flags for held-out records, masked once."""
    flags = [f"--pair_task={kind}", "--dupe_factor=1"]
    if kind == "none":
        flags.append("--short_seq_prob=0")
    return [*flags, *_lengths(length, places)]


def _lengths(length, places):
    return [
        f"--max_seq_length={length}",
        f"--max_predictions_per_seq={places}",
    ]

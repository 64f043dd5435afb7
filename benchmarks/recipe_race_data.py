"""Makes what a race of recipes reads: records of one text, and held-out ones.

Of the documents of all files together every 50th is held out. The rest becomes
records to train on, a file for each name of --records; what is held out
becomes records with masks, the same for all contenders.

python -m benchmarks.recipe_race_data --input_file=tech.txt.gz,mixed.txt.gz \\
    --output_dir=race/records
"""

import dataclasses
import gzip
import itertools
import os
import pathlib
import shlex
import subprocess
import sys
from collections.abc import Iterator
from typing import IO, Annotated

import config_flags
from benchmarks.race import records
from settings.flag import Flag, Settings
from storage import file_io, inputs
from text import vocabularies

_ROOT = pathlib.Path(__file__).resolve().parents[1]


@dataclasses.dataclass(frozen=True, kw_only=True)
class DataConfig(Settings):
    """The flags of this program."""

    input_file: Annotated[
        str,
        "Comma list of text files, a sentence a line, a blank line between "
        "documents; .gz is unpacked.",
    ]
    output_dir: Annotated[str, "Where text and records are written."]
    vocab_file: Annotated[str, "Vocabulary file."] = "vocab/zh_en_8k.txt"
    heldout_every: Annotated[
        int, Flag("One document of so many is held out.", "positive")
    ] = 50
    records: Annotated[
        str,
        "Comma list of records to train on, KIND_LENGTH: nsp are pairs with "
        "masks as google-research/bert makes them, none single sequences whose "
        "masks the trainer draws, filled the same without padding.",
    ] = "nsp_128,none_128,none_32"
    heldout_length: Annotated[
        int, Flag("Tokens of a held-out record.", "positive")
    ] = 128
    heldout_predictions: Annotated[
        str,
        "Comma list of places for masks in held-out records: as many as the "
        "contenders' --max_predictions_per_seq. The masks are the same.",
    ] = "20"


def run(config: DataConfig) -> None:
    """Splits the text and builds all records, or what of them is not there."""
    paths = config.input_file.split(",")
    for path in paths:
        inputs.check_file(path, "input_file")
    vocabularies.check_word_pieces(config.vocab_file)
    commands = list(_commands(config))
    file_io.make_directory(config.output_dir)
    num_documents = split(paths, config.output_dir, config.heldout_every)
    print(
        f"{num_documents[0]:,} documents to train on, "
        f"{num_documents[1]:,} held out"
    )
    file_io.write_lines(
        os.path.join(config.output_dir, records.COMMANDS),
        map(shlex.join, commands),
    )
    for command in commands:
        subprocess.run(
            [sys.executable, str(_ROOT / command[1]), *command[2:]], check=True
        )


def split(
    paths: list[str], output_dir: str, heldout_every: int
) -> tuple[int, int]:
    """Writes train.txt and heldout.txt; returns the documents in each."""
    counts = [0, 0]
    with (
        file_io.whole(os.path.join(output_dir, "train.txt")) as train,
        file_io.whole(os.path.join(output_dir, "heldout.txt")) as heldout,
    ):
        for number, document in enumerate(documents(paths), start=1):
            is_held_out = number % heldout_every == 0
            file = heldout if is_held_out else train
            file.write(("\n".join(document) + "\n\n").encode())
            counts[is_held_out] += 1
    if not all(counts):
        raise ValueError(
            f"--input_file has {sum(counts)} documents: with --heldout_every="
            f"{heldout_every} none is left to "
            + ("hold out" if counts[0] else "train on")
        )
    return counts[0], counts[1]


def documents(paths: list[str]) -> Iterator[list[str]]:
    """Yields the lines of each document; a file's end ends one, too."""
    for path in paths:
        with _open(path) as file:
            lines = (line.strip() for line in file)
            for is_text, group in itertools.groupby(lines, key=bool):
                if is_text:
                    yield list(group)


def _open(path: str) -> IO[str]:
    opener = gzip.open if path.endswith(".gz") else open
    return opener(path, "rt", encoding="utf-8")


def _commands(config: DataConfig) -> Iterator[list[str]]:
    wanted = [
        ("train", records.train_flags(name), records.train_file(name))
        for name in config.records.split(",")
    ]
    for text in config.heldout_predictions.split(","):
        if not text.isdecimal():
            raise ValueError(f"--heldout_predictions: {text!r} is no number")
        for kind in records.JUDGES:
            wanted.append(
                (
                    "heldout",
                    records.heldout_flags(
                        kind, config.heldout_length, int(text)
                    ),
                    records.heldout_file(
                        kind, config.heldout_length, int(text)
                    ),
                )
            )
    for part, flags, name in wanted:
        yield [
            "python",
            "create_pretraining_data.py",
            f"--input_file={os.path.join(config.output_dir, part)}.txt",
            f"--output_file={os.path.join(config.output_dir, name)}",
            f"--vocab_file={config.vocab_file}",
            *flags,
        ]


if __name__ == "__main__":
    config_flags.run(run, DataConfig)

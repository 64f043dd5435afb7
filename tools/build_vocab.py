"""Learns a vocabulary from text and reports how well it covers other text.

python -m tools.build_vocab --input_file=corpus/*.txt --t2s \\
    --output_file=vocab.txt --vocab_size=8000
"""

import dataclasses
from typing import Annotated

import config_flags
from settings.flag import Flag, Settings
from storage import inputs
from text import encodings


@dataclasses.dataclass(frozen=True, kw_only=True)
class VocabConfig(Settings):
    """Every setting of build_vocab."""

    input_file: Annotated[
        str, "Comma list of text files, globs or directories to learn from."
    ]
    output_file: Annotated[str, "The vocabulary file to write."]
    vocab_size: Annotated[
        int,
        Flag("Rows, special ones included.", "positive"),
    ] = 8000
    do_lower_case: Annotated[bool, "Whether the vocabulary is uncased."] = True
    t2s: Annotated[
        bool, "Whether to convert traditional to simplified Chinese first."
    ] = False
    min_count: Annotated[
        int,
        Flag(
            "How often a Chinese character or a symbol has to occur.",
            "positive",
        ),
    ] = 10
    encoding: Annotated[
        str,
        "What the text is encoded in: UTF-8, GB18030, Big5, UTF-16 or another "
        "name that Python knows.",
    ] = "UTF-8"
    held_out_file: Annotated[
        str | None,
        "Text to measure the coverage on; without it every "
        "100th line of the input is kept for this.",
    ] = None
    overwrite: Annotated[bool, "Whether to replace an existing file."] = False

    def __post_init__(self):
        super().__post_init__()
        encodings.check(self.encoding)


def run(config: VocabConfig) -> None:
    """Looks at the files, and only then imports what brings Numba."""
    inputs.look(config.input_file, "input_file")
    from tools import vocab_building

    vocab_building.build(config)


if __name__ == "__main__":
    config_flags.run(run, VocabConfig)

"""Learns a vocabulary from text and reports how well it covers other text.

python -m tools.build_vocab --input_file=corpus/*.txt --t2s \\
    --output_file=vocab.txt --vocab_size=8000
python -m tools.build_vocab --input_file=corpus/*.txt --vocab_size=30000 \\
    --kind=sentencepiece --output_file=model/spiece.model
python -m tools.build_vocab --input_file=corpus/*.txt --vocab_size=50000 \\
    --kind=byte_pairs --output_file=model/vocab.json
"""

import dataclasses
import os
from collections.abc import Collection
from typing import Annotated, Literal, Self

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
    output_file: Annotated[
        str,
        "The file to write: a vocab.txt, a model of SentencePiece, or a "
        "vocab.json, beside which merges.txt is written.",
    ]
    kind: Annotated[
        Literal["wordpiece", "sentencepiece", "byte_pairs"],
        "What is learned: wordpiece (BERT), sentencepiece (ALBERT) or "
        "byte_pairs, byte-level BPE (RoBERTa).",
    ] = "wordpiece"
    vocab_size: Annotated[
        int,
        Flag("Rows, special ones included.", "positive"),
    ] = 8000
    do_lower_case: Annotated[
        bool,
        "Whether the vocabulary is uncased; byte_pairs never is.",
    ] = True
    t2s: Annotated[
        bool, "Whether to convert traditional to simplified Chinese first."
    ] = False
    min_count: Annotated[
        int,
        Flag(
            "How often a Chinese character or a symbol has to occur, for "
            "wordpiece.",
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
        name = os.path.basename(self.output_file)
        if self.kind == "byte_pairs" and name != "vocab.json":
            raise ValueError(
                f"--output_file={self.output_file}: byte-level BPE is a "
                "vocab.json with a merges.txt beside it; name the former"
            )

    @property
    def output_paths(self) -> list[str]:
        """The files to write: two of byte-level BPE, else one."""
        if self.kind != "byte_pairs":
            return [self.output_file]
        folder = os.path.dirname(self.output_file)
        return [self.output_file, os.path.join(folder, "merges.txt")]

    def settled(self, given: Collection[str]) -> Self:
        """Returns the settings with the case that the kind has.

        Args:
            given: names of the flags that were given.

        Raises:
            ValueError: byte_pairs is to be uncased.
        """
        if self.kind != "byte_pairs" or not self.do_lower_case:
            return self
        if "do_lower_case" in given:
            raise ValueError(
                "--do_lower_case=true: --kind=byte_pairs is cased, as "
                "RoBERTa's is; leave the flag out"
            )
        return dataclasses.replace(self, do_lower_case=False)


def run(config: VocabConfig) -> None:
    """Looks at the files, and only then imports what brings Numba."""
    inputs.look(config.input_file, "input_file")
    from tools import vocab_building

    vocab_building.build(config)


if __name__ == "__main__":
    config_flags.run(run, VocabConfig)

"""Learns a vocabulary from text and reports how well it covers other text.

python -m tools.build_vocab --input_file=corpus/*.txt --t2s \\
    --output_file=vocab.txt --vocab_size=8000
"""

import dataclasses
from collections.abc import Iterator
from typing import Annotated

from absl import logging

import config_flags
from settings.flag import Flag, Settings
from storage import file_io, inputs
from text import (
    corpus,
    encodings,
    t2s,
    tokenization,
    vocab,
    vocab_builder,
)

_HELD_OUT_ONE_IN = 100


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
        f"{_HELD_OUT_ONE_IN}th line of the input is kept for this.",
    ] = None
    overwrite: Annotated[bool, "Whether to replace an existing file."] = False

    def __post_init__(self):
        super().__post_init__()
        encodings.check(self.encoding)


def build(config: VocabConfig) -> None:
    """Learns, writes and measures a vocabulary."""
    if file_io.exists(config.output_file) and not config.overwrite:
        raise FileExistsError(
            f"{config.output_file} exists; replace it with --overwrite"
        )
    file_io.check_output(config.output_file, "output_file")
    paths = inputs.expand(config.input_file)
    held_out = []

    def learned_from() -> Iterator[str]:
        for lines in _lines(paths, config):
            if not config.held_out_file:
                held_out.extend(lines[::_HELD_OUT_ONE_IN])
                del lines[::_HELD_OUT_ONE_IN]
            yield "\n".join(lines)

    counts = vocab_builder.count(learned_from(), config.do_lower_case)
    rows = vocab_builder.learn(
        counts, config.vocab_size, config.min_count, config.do_lower_case
    )
    if len(rows) < config.vocab_size:
        logging.warning(
            "the text gives %d rows only, --vocab_size=%d asked for more",
            len(rows),
            config.vocab_size,
        )
    vocab.save(config.output_file, rows)
    if config.held_out_file:
        for lines in _lines(
            inputs.expand(config.held_out_file, "held_out_file"), config
        ):
            held_out.extend(lines)
    print(_report(vocab.load(config.output_file), config, held_out))


def _lines(paths, config):
    for path in paths:
        for text in corpus.read_chunks(path, encoding=config.encoding):
            text = t2s.to_simplified(text) if config.t2s else text
            yield text.split("\n")


def _report(vocabulary, config, lines):
    tokenizer = tokenization.Tokenizer(vocabulary, config.do_lower_case)
    ids, _ = tokenizer.tokenize("\n".join(lines))
    num_unk = int((ids == vocabulary.roles.unk).sum())
    num_characters = sum(map(len, lines))
    return (
        f"{vocabulary.path}: {len(vocabulary)} rows, sha256 "
        f"{vocabulary.sha256}\n"
        f"held-out text: {num_characters:,} characters, {len(ids):,} tokens, "
        f"{num_unk:,} [UNK]: {1e6 * num_unk / num_characters:.0f} per million "
        f"characters, {num_unk / len(ids):.3%} of the tokens"
    )


if __name__ == "__main__":
    config_flags.run(build, VocabConfig)

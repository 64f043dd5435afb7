"""Learns a vocabulary from text and reports how well it covers other text."""

from collections.abc import Callable, Iterator

from absl import logging

from storage import file_io, inputs
from text import (
    byte_pairs,
    corpus,
    sentence_piece,
    t2s,
    tokenization,
    vocab,
    vocab_builder,
)
from text.vocab import Vocabulary
from tools.build_vocab import VocabConfig

_HELD_OUT_ONE_IN = 100


def build(config: VocabConfig) -> None:
    """Learns, writes and measures a vocabulary."""
    for path in config.output_paths:
        if file_io.exists(path) and not config.overwrite:
            raise FileExistsError(f"{path} exists; replace it with --overwrite")
    file_io.check_output(config.output_file, "output_file")
    paths = inputs.expand(config.input_file)
    held_out = []

    def learned_from() -> Iterator[str]:
        for lines in _lines(paths, config):
            if not config.held_out_file:
                held_out.extend(lines[::_HELD_OUT_ONE_IN])
                del lines[::_HELD_OUT_ONE_IN]
            yield "\n".join(lines)

    files = vocab_builder.KINDS[config.kind](
        learned_from(),
        config.vocab_size,
        min_count=config.min_count,
        do_lower_case=config.do_lower_case,
    )
    for path, (_, data) in zip(config.output_paths, files, strict=True):
        file_io.write_whole(path, data)
    if config.held_out_file:
        for lines in _lines(
            inputs.expand(config.held_out_file, "held_out_file"), config
        ):
            held_out.extend(lines)
    vocabulary = _READ[config.kind](config.output_file)
    if len(vocabulary) < config.vocab_size:
        logging.warning(
            "the text gives %d rows only, --vocab_size=%d asked for more",
            len(vocabulary),
            config.vocab_size,
        )
    print(_report(vocabulary, config, held_out))


# {kind: what reads the file that was written}
_READ: dict[str, Callable[[str], Vocabulary]] = {
    "wordpiece": vocab.load,
    "sentencepiece": sentence_piece.load,
    "byte_pairs": byte_pairs.load,
}


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

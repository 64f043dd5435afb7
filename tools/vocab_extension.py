"""Gives a model another vocabulary, and keeps what it has learned."""

import dataclasses
import os
from collections.abc import Iterable

import numpy as np

from interop import bert_config, checkpoint_names, formats, variables
from storage import file_io, inputs
from text import corpus, t2s, tokenization, vocab, vocab_surgery
from tools.extend_vocab import ExtendConfig
from training import checkpoint

_DEVIATION = 0.02
_EXAMPLES = 8


def extend(config: ExtendConfig) -> str:
    """Writes the model with another vocabulary; returns its report."""
    file_io.check_output_directory(config.output_dir, "output_dir")
    old = vocab.load(config.vocab_file)
    bert = bert_config.read(config.bert_config_file)
    family = variables.family_of(bert)
    values = dict(formats.read_weights(config.init_checkpoint, bert).values)
    _check_rows(values, old, config, family)
    rows = _fewer_rows(config, old)
    added = vocab_surgery.add(
        rows,
        _words(config, old),
        do_lower_case=config.do_lower_case,
        use_unused=config.use_unused,
    )
    by_row = _by_row(bert, family) & values.keys()
    values |= new_values(config, values, old, added.rows, sorted(by_row))
    path = os.path.join(config.output_dir, "vocab.txt")
    vocab.save(path, added.rows)
    bert = dataclasses.replace(bert, vocab_size=len(added.rows))
    file_io.write_lines(
        os.path.join(config.output_dir, "bert_config.json"), [bert.to_json()]
    )
    prefix = os.path.join(config.output_dir, "bert_model.ckpt")
    checkpoint.write(
        prefix,
        {checkpoint_names.to_theirs(n, family): x for n, x in values.items()},
    )
    return _report(config, old, vocab.load(path), added)


def _by_row(bert, family):
    """The tensors with a row, or a number, for each row of the vocabulary."""
    return {
        name
        for head in family.heads
        for row in family.rows(bert, head)
        for name, letters in row.shapes().items()
        if letters.startswith("V")
    }


def _check_rows(values, vocabulary, config, family):
    if family.words not in values:
        raise ValueError(
            f"--init_checkpoint={config.init_checkpoint} has no "
            f"{family.words}: it is no {family.title}"
        )
    num_rows = len(values[family.words])
    if num_rows < len(vocabulary):
        raise ValueError(
            f"{config.vocab_file} has {len(vocabulary)} rows, but "
            f"{family.words} of --init_checkpoint only {num_rows}: it is of "
            "another vocabulary"
        )


def _fewer_rows(config, old):
    if config.keep_vocab_file:
        return list(vocab.load(config.keep_vocab_file).rows)
    return vocab_surgery.shrink(old.rows) if config.shrink else old.rows


def _words(config, old):
    words = []
    if config.words_file:
        text = corpus.read(config.words_file)
        words += [line.strip() for line in text.split("\n") if line.strip()]
    if config.find_words:
        words += vocab_surgery.find_words(
            _chunks(config),
            old,
            do_lower_case=config.do_lower_case,
            num_words=config.find_words,
            min_count=config.min_count,
        )
    return words


def _chunks(config):
    for path in inputs.expand(config.input_file):
        for text in corpus.read_chunks(path):
            yield t2s.to_simplified(text) if config.t2s else text


def new_values(
    config: ExtendConfig,
    values: dict[str, np.ndarray],
    old: vocab.Vocabulary,
    rows: list[str],
    by_row: Iterable[str],
) -> dict[str, np.ndarray]:
    """Returns the tensors that have a row for each token, by name.

    Args:
        config: the flags.
        values: the tensors of the model.
        old: its vocabulary.
        rows: those of the new vocabulary.
        by_row: the names of these tensors.
    """
    number_of = {row: number for number, row in enumerate(old.rows)}
    tokenizer = tokenization.Tokenizer(old, config.do_lower_case)
    rng = np.random.default_rng(config.seed)
    resized = {}
    for name in by_row:
        before = values[name]
        after = np.empty((len(rows), *before.shape[1:]), before.dtype)
        for number, row in enumerate(rows):
            if row in number_of:
                after[number] = before[number_of[row]]
            elif config.new_rows == "mean":
                pieces, _ = tokenizer.tokenize(row.removeprefix("##"))
                after[number] = before[pieces].mean(axis=0)
            elif before.ndim > 1:
                after[number] = _truncated_normal(rng, before.shape[1])
            else:
                after[number] = 0
        resized[name] = after
    return resized


def _truncated_normal(rng, size):
    """Values within two deviations, as BERT's initializer draws them."""
    values = rng.standard_normal(size)
    while (is_far := np.abs(values) > 2).any():
        values[is_far] = rng.standard_normal(is_far.sum())
    return _DEVIATION * values


def _report(config, old, new, added):
    before, after = set(old.rows), set(new.rows)
    num_appended = max(len(new) - len(before & after) - len(added.words), 0)
    lines = [
        f"{config.output_dir}: a vocabulary of {len(new):,} rows, before "
        f"{len(old):,}",
        f"  kept        {len(before & after):>7,}",
        f"  gone        {_with_examples(sorted(before - after))}",
        f"  new words   {_with_examples(added.words)}",
    ]
    if num_appended:
        lines.append(f"  other new   {num_appended:>7,}")
    if added.known:
        lines.append(f"  known words {_with_examples(added.known)}")
    if added.impossible:
        lines.append(
            f"  left out    {_with_examples(added.impossible)}: BERT's "
            "tokenizer parts them, as it does Chinese characters and "
            "punctuation, whatever the vocabulary"
        )
    if config.input_file:
        tokens, unknown = _num_tokens(config, new)
        tokens_before, unknown_before = _num_tokens(config, old)
        lines.append(
            f"  tokens of --input_file {tokens:,}, before {tokens_before:,}; "
            f"[UNK] {unknown:,}, before {unknown_before:,}"
        )
    return "\n".join(lines)


def _with_examples(rows):
    more = " ..." if len(rows) > _EXAMPLES else ""
    return f"{len(rows):>7,}  {' '.join(rows[:_EXAMPLES])}{more}".rstrip()


def _num_tokens(config, vocabulary):
    """Returns the tokens of the text, and how many of them are [UNK]."""
    tokenizer = tokenization.Tokenizer(vocabulary, config.do_lower_case)
    num_tokens = num_unknown = 0
    for chunk in _chunks(config):
        ids, _ = tokenizer.tokenize(chunk)
        num_tokens += len(ids)
        num_unknown += int((ids == vocabulary.roles.unk).sum())
    return num_tokens, num_unknown

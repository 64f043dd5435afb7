"""Learns byte-level BPE as RoBERTa has it, by Hugging Face's `tokenizers`."""

import json
from collections.abc import Iterable, Iterator

from text import byte_pairs

# The order that transformers' own RoBERTas are trained with.
_SPECIAL = ("cls", "pad", "sep", "unk", "mask")
_NUM_BYTES = 256
_MIN_PAIRS = 2  # A merge is of neighbours that stand together twice.


def learn(
    chunks: Iterable[str], vocab_size: int, *, do_lower_case: bool, **_: int
) -> list[tuple[str, bytes]]:
    """Returns [(name, contents)] of vocab.json and merges.txt.

    Args:
        chunks: strings of whole lines.
        vocab_size: number of tokens; fewer where the text has no more.
        do_lower_case: False, as such vocabularies are cased.

    Raises:
        ValueError: `vocab_size` has no room for a merge, or the text has none.
    """
    assert not do_lower_case, "the settings refuse it"
    # Imported here, as only learning needs it.
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    names = byte_pairs.SPELLINGS._asdict()
    special = [names[role] for role in _SPECIAL]
    if vocab_size <= len(special) + _NUM_BYTES:
        raise ValueError(
            f"--vocab_size={vocab_size} has no room for merges beside "
            f"{_NUM_BYTES} bytes and {len(special)} special tokens"
        )
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        min_frequency=_MIN_PAIRS,
        special_tokens=special,
        initial_alphabet=list(byte_pairs.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_lines(chunks), trainer)
    model = json.loads(tokenizer.to_str())["model"]
    made = byte_pairs.make(
        model["vocab"],
        [
            tuple(x.split(" ") if isinstance(x, str) else x)
            for x in model["merges"]
        ],
        "the learned vocabulary",
    )
    return list(made.files)


def _lines(chunks) -> Iterator[str]:
    for chunk in chunks:
        yield from map(str.strip, chunk.split("\n"))

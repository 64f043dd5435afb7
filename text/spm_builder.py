"""Learns a model of SentencePiece as google-research/albert's README does."""

import io
from collections.abc import Iterable, Iterator

from text import sentence_piece, unaccented

# The share of the characters that have a piece of their own.
_COVERAGE = 0.99995
_USER_DEFINED = ("(", ")", '"', "-", ".", "–", "£", "€")
_MOST_SENTENCES = 10_000_000
# The library leaves out longer lines without a word; its default is 4192.
_MOST_BYTES = 1 << 20


def learn(
    chunks: Iterable[str], vocab_size: int, *, do_lower_case: bool, **_: int
) -> list[tuple[str, bytes]]:
    """Returns [(name, contents)] of the model.

    Args:
        chunks: strings of whole lines.
        vocab_size: number of pieces; fewer where the text has no more.
        do_lower_case: whether the model is uncased.

    Raises:
        ValueError: `vocab_size` is too small for the characters of the text,
            or there is no text.
    """
    # Imported here, as only learning needs it.
    import sentencepiece

    out = io.BytesIO()
    pad, unk, *control = sentence_piece.SPELLINGS
    sentencepiece.set_random_generator_seed(0)
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=_sentences(chunks, do_lower_case),
            model_writer=out,
            model_type="unigram",
            vocab_size=vocab_size,
            hard_vocab_limit=False,
            character_coverage=_COVERAGE,
            pad_id=0,
            unk_id=1,
            bos_id=-1,
            eos_id=-1,
            pad_piece=pad,
            unk_piece=unk,
            # Lists: a string with a bare quote would be read as CSV.
            control_symbols=control,
            user_defined_symbols=list(_USER_DEFINED),
            shuffle_input_sentence=True,
            input_sentence_size=_MOST_SENTENCES,
            max_sentence_length=_MOST_BYTES,
            # Sums of several threads come in any order.
            num_threads=1,
            minloglevel=2,
        )
    except RuntimeError as error:
        raise ValueError(
            f"--vocab_size={vocab_size}: SentencePiece learns nothing of this "
            f"text: {str(error).splitlines()[-1].strip()}"
        ) from None
    return [(sentence_piece.FILE, out.getvalue())]


def _sentences(chunks, do_lower_case) -> Iterator[str]:
    for chunk in chunks:
        for line in unaccented.rewrite(chunk, do_lower_case).split("\n"):
            if line:
                yield line

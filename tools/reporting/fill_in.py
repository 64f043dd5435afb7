"""What a pretrained model puts in the place of a word, in lines of a text."""

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np
from keras import ops

from interop import start
from pretraining.masked_lm import MaskedLm
from text import normalization, tokenization, written
from text.vocab import Vocabulary
from training import checkpoint

_MIN_TOKENS, _MAX_TOKENS = 12, 40
_SEED = 1  # Of weights that a checkpoint then replaces.


@dataclasses.dataclass(frozen=True)
class Example:
    """A line of which one word is masked.

    Args:
        before, word, behind: the line, in three.
        guesses: [(word, probability)], the likeliest first.
    """

    before: str
    word: str
    behind: str
    guesses: list[tuple[str, float]]


class Filler:
    """A pretrained model that fills in words.

    Args:
        model_dir: of a checkpoint of run_pretraining.py.
        bert_config_file: its shape.
        vocabulary: what its text becomes tokens by.
        do_lower_case: whether it is uncased.
        simplify: whether traditional Chinese is made simplified before.
    """

    def __init__(
        self,
        model_dir: str,
        bert_config_file: str,
        vocabulary: Vocabulary,
        *,
        do_lower_case: bool,
        simplify: bool,
    ):
        architecture = start.read_config(
            bert_config_file, max_seq_length=_MAX_TOKENS + 2
        )
        self._vocabulary = vocabulary
        self._tokenizer = tokenization.Tokenizer(
            vocabulary, do_lower_case, simplify=simplify
        )
        self._model = MaskedLm(architecture, use_nsp=False, seed=_SEED)
        restored = checkpoint.restore_newest(
            model_dir, checkpoint.by_path(self._model.saved)
        )
        if not restored:
            raise ValueError(f"--model_dir={model_dir} has no checkpoint")

    def examples(
        self, lines: Sequence[str], most: int, num_guesses: int
    ) -> list[Example]:
        """Returns examples of lines that are neither short nor long.

        The word is the Chinese one next to the middle, of a line without one
        the Latin one that is a row by itself.
        """
        chosen = []
        ids, starts = self._tokenizer.tokenize("\n".join(lines))
        for begin, end in zip(starts[:-1], starts[1:], strict=True):
            line = ids[begin:end]
            place = self._place(line)
            if place is not None:
                chosen.append((line, place))
        # Evenly from the whole text.
        chosen = chosen[:: max(1, len(chosen) // most)][:most]
        return list(self._fill(chosen, num_guesses)) if chosen else []

    def _place(self, ids):
        """Returns which word to mask, or None of a line that is no example."""
        roles = self._vocabulary.roles
        if not _MIN_TOKENS <= len(ids) <= _MAX_TOKENS or roles.unk in ids:
            return None
        words = [self._text([one]) for one in ids]
        goes_on = self._vocabulary.is_continuation[ids]
        # Nothing goes on behind the last word.
        is_whole = ~goes_on & ~np.append(goes_on[1:], False)
        places = range(len(ids) // 2, len(ids))
        chinese = (
            place
            for place in places
            if len(words[place]) == 1 and normalization.is_chinese(words[place])
        )
        latin = (
            place
            for place in places
            if words[place].isalpha() and is_whole[place]
        )
        return next(chinese, next(latin, None))

    def _fill(self, chosen, num_guesses) -> Iterator[Example]:
        roles = self._vocabulary.roles
        batch = np.full((len(chosen), _MAX_TOKENS + 2), roles.pad, np.int32)
        mask = np.zeros_like(batch)
        for row, (line, place) in enumerate(chosen):
            end = len(line) + 1
            batch[row, 0], batch[row, end] = roles.cls, roles.sep
            batch[row, 1:end] = line
            batch[row, place + 1] = roles.mask
            mask[row, : end + 1] = 1
        encoded = self._model.encoder(batch, mask, np.zeros_like(batch))
        places = np.array([[place + 1] for _, place in chosen], np.int32)
        logits, _ = self._model.heads(
            encoded, places, self._model.encoder.word_embeddings
        )
        shares = ops.convert_to_numpy(ops.softmax(logits[:, 0]))
        for (line, place), row in zip(chosen, shares, strict=True):
            # A model may have more rows than its vocabulary.
            known = row[: len(self._vocabulary)]
            best = np.argsort(-known, kind="stable")[:num_guesses]
            yield Example(
                self._text(line[:place]),
                self._text(line[place : place + 1]),
                self._text(line[place + 1 :]),
                [(self._text([one]), float(row[one])) for one in best],
            )

    def _text(self, ids):
        return written.text_of(ids, self._vocabulary)

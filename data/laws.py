"""Declares the masking laws: what --mask_unit masks at once, and by what.

The builder draws masks by a law and so does the trainer, the start-up report
describes it, and the inspector compares records with it. All of them read this
table. A new law that is made of these pieces is a row here and a name in
`data.config`; one that wants another piece also touches
`data.building.masking` or `data.feeding.dynamic_masking`.

    law       a run has                     a choice is drawn for
    word      1 word                        each token
    ngram     1 to 3 words                  each token
    span      1 to 10 words                 each run
    macbert   1 to 4 words                  each word, similar words for [MASK]
    electra   1 word                        each token, [MASK] or itself

Sources: Devlin et al. 2019, section 3.1 (word); google-research/albert,
create_pretraining_data.py, and Lan et al. 2020, section 4.1 (ngram); Joshi et
al. 2020, section 3.1 (span); Cui et al. 2020, section 3 (macbert);
google-research/electra, pretrain_helpers.py (electra).
"""

import dataclasses

import numpy as np

from text.vocab import WORDPIECE

# What one choice between [MASK], the token itself and a random one holds for.
TOKEN, WORD, RUN = range(3)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Law:
    """How tokens are masked."""

    # How likely a run of 1, 2, ... words is, in any scale.
    weights: tuple[float, ...]
    draws_for: int = TOKEN  # TOKEN, WORD or RUN
    # Whether a similar word takes the place of [MASK]; goes with WORD. Only the
    # builder has such words, so the trainer cannot draw by such a law.
    takes_similar: bool = False
    # What stands at the masks, as shares: [MASK], the token itself, a random
    # one.
    shares: tuple[float, float, float] = (0.8, 0.1, 0.1)

    @property
    def is_single(self) -> bool:
        """Whether each word is masked by itself."""
        return len(self.weights) == 1

    @property
    def fills_budget(self) -> bool:
        """Whether as many tokens are masked as are wanted, if there are any.

        A run, or a word of several tokens, that finds no room is left out; a
        law under which some tokens cannot be masked may be short of them, too.
        """
        return self.is_single

    @property
    def run_lengths(self) -> np.ndarray:
        """How likely a run is of at most 1, 2, ... words, float64."""
        weights = np.cumsum(self.weights)
        return weights / weights[-1]

    @property
    def kept_of_rest(self) -> float:
        """How much is kept of what [MASK] does not hide."""
        _, kept, changed = self.shares
        return kept / (kept + changed or 1)

    @property
    def stand_ins(self) -> dict[str, float]:
        """The shares by their names, as an inspector sees them.

        Nobody can tell a similar word from a random one.
        """
        hidden, kept, changed = self.shares
        if not self.takes_similar:
            return {WORDPIECE.mask: hidden, "kept": kept, "random": changed}
        changed += hidden
        return {WORDPIECE.mask: 0.0, "kept": kept, "similar or random": changed}

    def describe(self, word: str) -> str:
        """Says what is masked at once.

        Args:
            word: what a word is called: "words" or "tokens".
        """
        if self.is_single:
            return word
        return f"runs of 1 to {len(self.weights)} {word}"


LAWS = {
    "word": Law(weights=(1.0,)),
    "ngram": Law(weights=tuple(1 / n for n in (1, 2, 3))),
    # The geometric distribution of 0.2, cut off at 10: 3.8 words on average.
    "span": Law(
        weights=tuple(0.2 * 0.8 ** (n - 1) for n in range(1, 11)), draws_for=RUN
    ),
    "macbert": Law(
        weights=(0.4, 0.3, 0.2, 0.1), draws_for=WORD, takes_similar=True
    ),
    # What its generator samples is what is random there.
    "electra": Law(weights=(1.0,), shares=(0.85, 0.15, 0.0)),
}

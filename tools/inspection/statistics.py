"""Adds up what the sound records of all files hold."""

import functools

import numpy as np

from data.laws import Law
from tools.inspection.findings import Findings
from tools.inspection.rows import Rows

# Upper ends of the shares of [UNK] that records are counted by.
UNK_ENDS = (0.0, 0.01, 0.02, 0.05, 0.1, 1.0)

# Fewer records than these say nothing of a build.
_ENOUGH_RECORDS = 100
# Spans are replaced as a whole, so that fewer draws are behind the shares.
_MASKS_A_DRAW = 10
_HIGH_UNK_RATE = 0.05
_HIGH_PADDING_RATE = 0.6
_HIGH_LABEL_RATE = 0.3
_HIGH_SAME_RATE = 0.5
_FEW_OF_A_LABEL = 0.05
_USUAL_MASKED_RATES = (0.05, 0.3)
_HIGH_UNMASKED_RATE = 0.01


class Statistics:
    """Adds up sound records."""

    def __init__(
        self, special_ids: dict[str, int], num_samples: int, seed: int
    ):
        """Begins with nothing.

        Args:
            special_ids: {"mask": id, ...} by role, those that are known.
            num_samples: records to keep, each with the same chance.
            seed: decides which.
        """
        self.num_records = 0
        # One a record, unless they are packed. What follows is of these.
        self.num_sequences = self.num_tokens = self.num_unk = 0
        self.num_pairs = self.num_label_1 = self.num_static = 0
        self.num_places = 0  # With padding.
        self.lengths = np.zeros(0, np.int64)  # Records of each length.
        self.masks = np.zeros(0, np.int64)  # Records of each number of masks.
        self.labels = np.zeros(0, np.int64)  # Masks of each label.
        self.shown_as = np.zeros(3, np.int64)  # Masks, as `Law.stand_ins`.
        self.unk_records = np.zeros(len(UNK_ENDS), np.int64)
        self.samples: list[tuple] = []  # [(key, path, Rows of one)]
        self.special_ids = special_ids
        self._num_samples = num_samples
        self._rng = np.random.default_rng(seed)
        self._factors = np.zeros(0, np.uint64)
        self._hashes: list[np.ndarray] = []

    def add(self, path: str, rows: Rows, max_seq_length: int) -> None:
        """Adds records of a file."""
        if not len(rows.numbers):
            return
        num_records = len(np.unique(rows.numbers))
        self.num_records += num_records
        self.num_sequences += len(rows.numbers)
        self.num_tokens += int(rows.num_tokens.sum())
        self.num_places += num_records * max_seq_length
        self.num_pairs += int((rows.num_first < rows.num_tokens).sum())
        self.num_label_1 += int(rows.pair_labels.sum())
        self.lengths = _added(self.lengths, rows.num_tokens)
        self._hashes.append(self._hash(rows))
        if "unk" in self.special_ids:
            place = np.arange(rows.text.shape[1])
            is_unk = rows.text == self.special_ids["unk"]
            is_unk &= place < rows.num_tokens[:, None]
            num_unk = np.count_nonzero(is_unk, axis=1)
            self.num_unk += int(num_unk.sum())
            bins = np.searchsorted(UNK_ENDS, num_unk / rows.num_tokens)
            self.unk_records = _added(self.unk_records, bins)
        if rows.positions is not None:
            self._add_masks(rows)
        self._sample(path, rows)

    def _add_masks(self, rows):
        self.num_static += len(rows.numbers)
        self.masks = _added(self.masks, rows.num_masks)
        labels = rows.labels[rows.is_mask]
        shown = rows.shown[rows.is_mask]
        self.labels = _added(self.labels, labels)
        if "mask" in self.special_ids:
            is_mask = shown == self.special_ids["mask"]
            is_kept = shown == labels
            kinds = np.where(is_mask, 0, np.where(is_kept, 1, 2))
            self.shown_as = _added(self.shown_as, kinds)

    def _hash(self, rows):
        """One number for each text, the same for the same text."""
        missing = rows.text.shape[1] + 1 - len(self._factors)
        if missing > 0:
            # A generator of its own, so that the samples stay those that the
            # seed draws.
            rng = np.random.default_rng(len(self._factors))
            more = rng.integers(1 << 64, size=missing, dtype=np.uint64)
            self._factors = np.concatenate([self._factors, more])
        factors = self._factors[1 : rows.text.shape[1] + 1]
        text = rows.text.astype(np.uint64) @ factors
        return text + rows.num_first.astype(np.uint64) * self._factors[0]

    def _sample(self, path, rows):
        keys = self._rng.random(len(rows.numbers))
        for row in np.argsort(keys)[: self._num_samples]:
            self.samples.append((keys[row], path, rows.take([row])))
        self.samples.sort(key=lambda sample: sample[0])
        del self.samples[self._num_samples :]

    @property
    def num_masks(self) -> int:
        """Masks of all records."""
        return int(self.labels.sum())

    @functools.cached_property
    def num_same(self) -> int:
        """Sequences whose text an earlier one has; asked in the end."""
        hashes = np.concatenate([*self._hashes, np.zeros(0, np.uint64)])
        return len(hashes) - len(np.unique(hashes))

    def percentile(self, share: float) -> int:
        """The length that this share of the records does not exceed."""
        reached = np.cumsum(self.lengths) >= share * self.num_sequences
        return int(reached.argmax())

    def warn(self, found: Findings, law: Law, dupe_factor: int) -> None:
        """Adds what is legal and spoils training.

        Args:
            found: what is added to.
            law: that of the masks.
            dupe_factor: how often the text was gone through.
        """
        if self.num_static and not self.num_masks:
            limit = f"<= {_HIGH_UNMASKED_RATE:.0%}"
            found.add("no masks", got="all of them", wanted=limit)
        if self.num_sequences < _ENOUGH_RECORDS:
            return
        for rule, is_found, got, wanted in self._suspicions(law, dupe_factor):
            if is_found:
                found.add(rule, got=got, wanted=wanted)

    def _suspicions(self, law, dupe_factor):
        """Yields (rule, whether it is broken, got, wanted)."""
        rate = 1 - self.num_tokens / self.num_places
        limit = _HIGH_PADDING_RATE
        yield "padding share", rate > limit, f"{rate:.0%}", f"<= {limit:.0%}"
        rate = self.num_unk / self.num_tokens
        limit = _HIGH_UNK_RATE
        yield "[UNK]", rate > limit, f"{rate:.1%}", f"<= {limit:.0%}"
        rate = self.num_same / self.num_sequences
        limit = max(_HIGH_SAME_RATE, 1 - 1 / dupe_factor)
        yield "same text", rate > limit, f"{rate:.0%}", f"<= {limit:.0%}"
        if self.num_pairs:
            rate = self.num_label_1 / self.num_pairs
            low = _FEW_OF_A_LABEL
            is_found = not low <= rate <= 1 - low
            wanted = f"{low:.0%} to {1 - low:.0%}"
            yield "one label", is_found, f"{rate:.1%} are 1", wanted
        if self.num_static:
            yield from self._suspicions_of_masks(law)

    def _suspicions_of_masks(self, law):
        rate = self.masks[0] / self.num_static
        limit = _HIGH_UNMASKED_RATE
        is_found = limit < rate < 1
        yield "no masks", is_found, f"{rate:.1%}", f"<= {limit:.0%}"
        num_tokens = self.num_tokens * self.num_static / self.num_sequences
        rate = self.num_masks / num_tokens
        low, high = _USUAL_MASKED_RATES
        wanted = f"{low:.0%} to {high:.0%}"
        yield "masked share", not low <= rate <= high, f"{rate:.1%}", wanted
        if not self.num_masks:
            return
        token = int(self.labels.argmax())
        rate = self.labels[token] / self.num_masks
        limit = _HIGH_LABEL_RATE
        got = f"id {token}: {rate:.0%}"
        yield "frequent label", rate > limit, got, f"<= {limit:.0%}"
        if "mask" in self.special_ids:
            yield self._suspicion_of_law(np.array(list(law.stand_ins.values())))

    def _suspicion_of_law(self, law):
        """Five standard errors, as far as the shares can be from the law."""
        shares = self.shown_as / self.num_masks
        num_draws = self.num_masks / _MASKS_A_DRAW
        error = np.sqrt(law * (1 - law) / num_draws)
        is_found = bool((np.abs(shares - law) > 5 * error + 0.005).any())
        got = " : ".join(f"{100 * share:.1f}" for share in shares)
        wanted = " : ".join(f"{100 * share:.0f}" for share in law)
        return "replaced", is_found, got, wanted


def _added(counts, values):
    """`counts`, int64, with one more at the index of each value."""
    more = np.bincount(values, minlength=len(counts))
    more[: len(counts)] += counts
    return more

"""Checks the facts that hold for every record that was built right.

Shapes: B records, L positions, P masks.
"""

from typing import NamedTuple

import numpy as np

from text.vocab import Layout
from tools.inspection import findings, packed
from tools.inspection.rows import Rows

# Ids are counted in a table, so that even an unknown vocabulary has an end.
_MOST_ROWS = 1 << 22
_BIT = np.arange(8, dtype=np.uint8)
_NO_ID = -1


class Expected(NamedTuple):
    """What is known of the records before they are read; None: nothing."""

    vocab_size: int | None
    max_seq_length: int | None
    # {"cls": id, ...} by role. Those of [CLS] and [SEP] are learned from the
    # first record where they are not known.
    special_ids: dict[str, int]
    padding_id: int  # What static records are filled up with.
    layout: Layout
    pair_task: str | None
    masked_lm_prob: float | None
    masks_all_wanted: bool  # No mask is left out for the length of its word.
    has_separators: bool  # Documents in a record have [SEP] between them.


class Checker:
    """Checks the records of one file."""

    def __init__(self, path: str, expected: Expected, found: findings.Findings):
        """Keeps what the records are compared with.

        Args:
            path: names the file in the findings.
            expected: what is known of them before.
            found: what is added to.
        """
        self._path = path
        self._expected = expected
        self._found = found

    def check(
        self, features: dict[str, np.ndarray], numbers: np.ndarray
    ) -> Rows:
        """Checks records.

        Args:
            features: of `schema.parse`.
            numbers: int64 [B]: which records of the file they are.

        Returns:
            `Rows` of those without an error, of packed ones for each sequence.
        """
        self._numbers = numbers
        self._is_sound = np.ones(len(numbers), bool)
        is_dynamic = "word_starts" in features
        read = self._read_dynamic if is_dynamic else self._read_static
        sequences = None
        if "next_sentence_positions" in features:
            features, sequences = self._unpack(features)
        rows = self._sound(read(features)._replace(sequences=sequences))
        self._check_text(rows)
        if not is_dynamic:
            self._check_masks(rows)
        return self._sound(rows)

    def _unpack(self, features):
        """Goes on with the sequences of sound records."""
        padding_id = self._expected.padding_id
        packed.check(features, padding_id, self._refuse)
        sound = {name: x[self._is_sound] for name, x in features.items()}
        features, records, sequences = packed.unpack(sound, padding_id)
        self._numbers = self._numbers[self._is_sound][records]
        self._is_sound = np.ones(len(records), bool)
        return features, sequences

    def _sound(self, rows):
        """Those without an error so far, which then are all there are."""
        if not self._is_sound.all():
            rows = rows.take(self._is_sound)
            self._numbers = rows.numbers
            self._is_sound = np.ones(len(rows.numbers), bool)
        return rows

    def _refuse(self, rule, is_wrong, got, wanted):
        """Notes where a rule does not hold.

        Args:
            rule: of `findings.RULES`.
            is_wrong: bool [B] or [B, any].
            got, wanted: arrays as large, or a text.
        """
        if not is_wrong.any():
            return
        is_table = is_wrong.ndim > 1
        wrong = is_wrong.any(axis=1) if is_table else is_wrong
        rows = np.flatnonzero(wrong)
        feature = findings.RULES[rule].feature
        for row in rows[: findings.MAX_SHOWN]:
            place = (row, is_wrong[row].argmax()) if is_table else (row,)
            where = f"[{place[1]}]" if is_table else ""
            self._found.add(
                rule,
                self._path,
                int(self._numbers[row]),
                got=f"{feature}{where} is {_at(got, place)}",
                wanted=_at(wanted, place),
            )
        shown = min(len(rows), findings.MAX_SHOWN)
        self._found.count(rule, self._path, len(rows) - shown)
        self._is_sound[rows] = False

    def _read_static(self, features):
        ids = features["input_ids"]
        mask = features["input_mask"]
        segments = features["segment_ids"]
        positions = features["masked_lm_positions"]
        labels = features["masked_lm_ids"]
        weights = features["masked_lm_weights"]
        place = np.arange(ids.shape[1])
        num_tokens = np.count_nonzero(mask == 1, axis=1)
        is_token = place < num_tokens[:, None]
        self._refuse("input_mask", mask != is_token, mask, is_token * 1)
        num_second = np.count_nonzero(segments == 1, axis=1)
        num_first = num_tokens - num_second
        if not self._expected.layout.second_segment:
            num_first = self._first_of(ids, num_tokens, features)
        in_second = is_token & (place >= (num_tokens - num_second)[:, None])
        self._refuse("segment_ids", segments != in_second, segments, "0 or 1")
        self._check_sequence(ids, is_token, num_tokens, num_first)
        padding_id = self._expected.padding_id
        wrong = (ids != padding_id) & ~is_token
        self._refuse("padding", wrong, ids, f"{padding_id}")
        num_masks = np.count_nonzero(weights == 1, axis=1)
        is_mask = np.arange(weights.shape[1]) < num_masks[:, None]
        self._refuse("weights", weights != is_mask, weights, is_mask * 1.0)
        self._check_positions(positions, is_mask, num_tokens, num_first)
        self._refuse_ids("label id", labels, is_mask)
        self._refuse("labels behind", (labels != 0) & ~is_mask, labels, "0")
        pair_labels = features["next_sentence_labels"]
        self._check_pair(pair_labels, num_tokens, num_first)
        safe = np.where(is_mask, positions, 0).clip(0, ids.shape[1] - 1)
        text = ids.copy()
        # The unused ones write [CLS], which nothing masks, over itself.
        shown = np.take_along_axis(ids, safe, axis=1)
        np.put_along_axis(text, safe, np.where(is_mask, labels, shown), axis=1)
        return Rows(
            self._numbers,
            text,
            num_tokens,
            num_first,
            pair_labels,
            shown,
            positions,
            labels,
            num_masks,
            None,
        )

    def _first_of(self, ids, num_tokens, features):
        """Tokens of A by its [SEP], where segments do not tell them, [B]."""
        sep = self._expected.special_ids.get("sep", _NO_ID)
        is_sep = ids == sep
        # A word that was masked may stand in as [SEP].
        at = features["masked_lm_positions"]
        rows, slots = np.nonzero(features["masked_lm_weights"] > 0)
        places = at[rows, slots].clip(0, ids.shape[1] - 1)
        is_sep[rows, places] = False
        found = np.where(is_sep.any(axis=1), is_sep.argmax(axis=1) + 1, 0)
        return np.minimum(np.where(found, found, num_tokens), num_tokens)

    def _read_dynamic(self, features):
        ids = features["input_ids"]
        num_tokens = features["num_tokens"]
        num_first = features["first_segment_tokens"]
        longest = self._expected.max_seq_length or ids.shape[1]
        wrong = num_tokens > longest
        self._refuse("length", wrong, num_tokens, f"<= {longest}")
        num_tokens = num_tokens.clip(max=ids.shape[1])
        place = np.arange(ids.shape[1])
        is_token = place < num_tokens[:, None]
        wrong = (num_first < 1) | (num_first > num_tokens)
        self._refuse("first_segment_tokens", wrong, num_first, "1 to length")
        num_first = num_first.clip(0, num_tokens)
        self._check_sequence(ids, is_token, num_tokens, num_first)
        pair_labels = features["next_sentence_labels"]
        self._check_pair(pair_labels, num_tokens, num_first)
        starts = self._word_starts(features["word_starts"], is_token)
        ends = num_tokens - 1, num_first - 1, np.zeros_like(num_first)
        for end in ends:
            at_end = np.take_along_axis(starts, end[:, None].clip(0), axis=1)
            self._refuse(
                "word_starts", ~at_end[:, 0], "0 at a special token", "1"
            )
        return Rows(
            self._numbers,
            ids,
            num_tokens,
            num_first,
            pair_labels,
            None,
            None,
            None,
            None,
            starts,
        )

    def _word_starts(self, packed, is_token):
        """Unpacks bits: bool [B, L]."""
        sizes = np.fromiter(map(len, packed), np.int64, len(packed))
        wanted = (np.count_nonzero(is_token, axis=1) + 7) // 8
        self._refuse("word_starts", sizes != wanted, sizes, wanted)
        width = (is_token.shape[1] + 7) // 8
        data = b"".join(x[:width].ljust(width, b"\0") for x in packed)
        bits = np.frombuffer(data, np.uint8).reshape(-1, width, 1) >> _BIT & 1
        bits = bits.reshape(len(packed), -1).astype(bool)
        bits = bits[:, : is_token.shape[1]]
        self._refuse("word_starts", bits & ~is_token, "1 behind the text", "0")
        return bits

    def _check_sequence(self, ids, is_token, num_tokens, num_first):
        self._refuse_ids("id", ids, is_token)
        # [CLS], a token and [SEP]; with a second segment, as much behind it.
        num_second = num_tokens - num_first
        # Of more [SEP]s between them, all but one stand there.
        least = 1 + self._expected.layout.num_between
        is_short = (num_second != 0) & (num_second < least)
        sizes = np.stack([num_first, num_second], axis=1)
        wanted = f"[3 or more, 0 or {least} or more]"
        self._refuse("segments", (num_first < 3) | is_short, sizes, wanted)

    def _check_positions(self, positions, is_mask, num_tokens, num_first):
        last = num_tokens[:, None] - 1
        behind = positions - num_first[:, None] + 1
        num_between = self._expected.layout.num_between
        is_end = (behind >= 0) & (behind < num_between)
        is_end |= positions == last
        outside = (positions < 1) | (positions > last) | is_end
        wrong = np.where(is_mask, outside, positions != 0)
        wrong[:, 1:] |= is_mask[:, 1:] & (np.diff(positions) <= 0)
        self._refuse("positions", wrong, positions, "ascending, within A or B")

    def _refuse_ids(self, rule, ids, is_used):
        size = self._expected.vocab_size or _MOST_ROWS
        wrong = ((ids < 0) | (ids >= size)) & is_used
        self._refuse(rule, wrong, ids, f"0 to {size - 1}")

    def _check_pair(self, labels, num_tokens, num_first):
        is_pair = num_first < num_tokens
        task = self._expected.pair_task
        wrong = (labels < 0) | (labels > is_pair)
        self._refuse("next_sentence_labels", wrong, labels, "0, 1 for pairs")
        # Sequences of electra are either.
        if task and task != "electra":
            wrong = is_pair != (task != "none")
            wanted = f"that of --pair_task={task}"
            self._refuse("pair task", wrong, 1 + is_pair, wanted)

    def _check_text(self, rows):
        special = self._expected.special_ids
        text = rows.text
        row = np.arange(len(text))
        is_end = np.zeros(text.shape, bool)
        is_end[row, rows.num_tokens - 1] = True
        for behind in range(self._expected.layout.num_between):
            place = np.minimum(rows.num_first + behind, rows.num_tokens) - 1
            is_end[row, place] = True
        if not len(text):
            return
        cls_id = special.setdefault("cls", int(text[0, 0]))
        sep_id = special.setdefault("sep", int(text[0][is_end[0]][0]))
        self._refuse("[CLS]", text[:, 0] != cls_id, text[:, 0], f"{cls_id}")
        self._refuse("[SEP]", is_end & (text != sep_id), text, f"{sep_id}")
        is_inside = np.arange(text.shape[1]) < rows.num_tokens[:, None]
        is_inside[:, 0] = False
        is_special = np.zeros(text.shape, bool)
        for role in ("pad", "cls", "sep", "mask"):
            is_right = role == "sep" and self._expected.has_separators
            if role in special and not is_right:
                is_special |= text == special[role]
        is_special &= is_inside & ~is_end
        if not is_special.any():
            return
        is_masked = np.zeros(text.shape, bool)
        if rows.positions is not None:
            of_row = np.nonzero(rows.is_mask)[0]
            is_masked[of_row, rows.positions[rows.is_mask]] = True
        self._refuse("label", is_special & is_masked, text, "another id")
        self._refuse("special", is_special & ~is_masked, text, "another id")

    def _check_masks(self, rows):
        """Compares the numbers of masks with what the flags ask for."""
        prob = self._expected.masked_lm_prob
        if prob is None:
            return
        # As the builder rounds: to the even one of two equally near.
        wanted = np.rint(rows.num_tokens * prob).astype(np.int64).clip(1)
        wanted = wanted.clip(max=rows.positions.shape[1])
        is_pair = rows.num_first < rows.num_tokens
        num_special = 2 + self._expected.layout.num_between * is_pair
        wanted = np.minimum(wanted, rows.num_tokens - num_special)
        wrong = rows.num_masks > wanted
        if self._expected.masks_all_wanted:
            wrong = rows.num_masks != wanted
        self._refuse("masks", wrong, rows.num_masks, wanted)


def _at(values, place):
    return values if isinstance(values, str) else str(values[place])

"""Masks drawn on rows made for it, one row at a time."""

import numpy as np

from data import config
from data.building import masking, mersenne
from tests import project
from text import vocab

NUM_CHARACTERS = 3000
FIRST_ID = 10  # after the special tokens and [unused0] to [unused4]


def vocabulary(directory):
    """Special rows, and Chinese characters from FIRST_ID on."""
    rows = [f"[unused{i}]" for i in range(5)]
    rows += [character(FIRST_ID + i) for i in range(NUM_CHARACTERS)]
    return vocab.load(project.write_vocabulary(directory, rows))


def character(token):
    return chr(0x4E00 + token - FIRST_ID)


def rules(vocabulary, **flags):
    """The `Masking` of these flags of a build."""
    flags = {"input_file": "a", "output_file": "b", "vocab_file": "c"} | flags
    return masking.make(config.BuildConfig(**flags), vocabulary)


class Draws:
    """Draws on a row whose tokens differ from one another."""

    def __init__(self, rules, num_tokens, sep=None, begins=None, seed=1):
        self.sep = num_tokens - 1 if sep is None else sep
        self.row = FIRST_ID + np.arange(num_tokens, dtype=np.int32)
        if begins is None:
            begins = np.ones(num_tokens, np.bool_)
        self.begins = begins
        self._rules = rules
        self._state = mersenne.state(seed)
        size = (2, rules.max_predictions_per_seq)
        self._scratch = masking.Scratch(
            self.row,
            begins,
            *np.empty((2, num_tokens + 1), np.int32),
            *np.empty((2, *size), np.int32),
        )

    def draw(self):
        """{position: the id that stands there instead}"""
        before = self.row.copy()
        num_masks = masking.draw_masks(
            len(self.row), self.sep, self._rules, self._state, self._scratch
        )
        assert (self.row == before).all()
        places = self._scratch.places[:, :num_masks]
        kept = places[1] == masking.KEPT
        places[1, kept] = self.row[places[0, kept]]
        positions, ids = places.tolist()
        assert positions == sorted(set(positions))
        return dict(zip(positions, ids, strict=True))

    def many(self, count):
        return [self.draw() for _ in range(count)]


def runs(positions):
    """The runs of consecutive positions, as lists."""
    parts = []
    for position in positions:
        if parts and parts[-1][-1] + 1 == position:
            parts[-1].append(position)
        else:
            parts.append([position])
    return parts

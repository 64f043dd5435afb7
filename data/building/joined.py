"""Joins the documents of a corpus to one text, a [SEP] behind each of them.

For --fill_sequences=corpus: sequences go on from document to document. Here "|"
is [SEP]:

    ids         a b c d e         a b c | d e |
    sentences   0 2 3 5           0 2 4 7           [SEP] ends the last one
    documents   0 2 3             0 3               one document

The documents keep the order of the text: they are neighbours in a sequence, and
records are shuffled when they are drawn.

Source: Liu et al. 2019, section 4.2 (full sentences).
"""

import numpy as np

from data.building import losses
from data.building.instances import Corpus


def join(corpus: Corpus, sep_id: int) -> Corpus:
    """Returns the same corpus as one document, with [SEP] between its own."""
    ends = corpus.sentences[corpus.documents[1:]]
    begins = corpus.begins
    if len(begins):
        begins = np.insert(begins, ends, True)
    # How many documents have ended where a sentence begins.
    ended = np.searchsorted(
        corpus.documents[1:], np.arange(len(corpus.sentences)), "right"
    )
    return Corpus(
        np.insert(corpus.ids, ends, sep_id),
        begins,
        corpus.sentences + ended,
        np.array([0, len(corpus.sentences) - 1]),
    )


def mark(corpus: Corpus, sep_id: int, marks: losses.Marks) -> None:
    """Marks each [SEP]: the text that no record holds is what is lost."""
    for place in np.flatnonzero(corpus.ids == sep_id):
        losses.mark(marks.in_record, place, place + 1)

"""The best answers of each question, cut from its text.

Shapes: Q questions, N rows, T tokens of a row, K best places of a row.
Source: google-research/bert, run_squad.py, write_predictions; answers are
slices of the text instead of joined tokens, and places that can be none are
left out before the best ones are taken.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from finetuning.question_answering.examples import Example
from finetuning.question_answering.windows import Windows, is_max_context
from finetuning.task import Outputs

_ROWS_AT_ONCE = 1024


@dataclasses.dataclass(frozen=True)
class Candidate:
    """An answer with its scores; "" says that there is none."""

    text: str
    start_logit: float
    end_logit: float
    # The characters of the context: context[begin:end] is the text.
    begin: int = 0
    end: int = 0

    @property
    def score(self) -> float:
        return self.start_logit + self.end_logit


@dataclasses.dataclass(frozen=True)
class Answer:
    """The candidates for one question."""

    # The best ones first; no two have the same text.
    candidates: tuple[Candidate, ...]
    # The candidate "no answer", with its scores in the row in which they are
    # lowest; None where the question has no rows.
    null: Candidate | None

    @property
    def best_text(self) -> str:
        """The best answer that says something, "" where there is none."""
        return self.candidates[0].text if self.candidates else ""

    @property
    def null_odds(self) -> float:
        """By how much "no answer" scores higher than the best answer."""
        if not self.null or not self.candidates:
            # Nothing to compare: the text is empty.
            return self.null.score if self.null else 0.0
        return self.null.score - self.candidates[0].score


def find(
    examples: Sequence[Example],
    windows: Windows,
    outputs: Outputs,
    *,
    n_best_size: int,
    max_answer_length: int,
) -> list[Answer]:
    """Returns the answer to each question.

    Args:
        examples: the questions.
        windows: of the questions.
        outputs: "start_logits" and "end_logits" [N, T].
        n_best_size: most candidates, and most places to begin and to end in.
        max_answer_length: most tokens of an answer.
    """
    starts, ends, scores = _best_spans(
        windows, outputs, n_best_size, max_answer_length
    )
    null_scores = outputs["start_logits"][:, 0].astype(float)
    null_scores = null_scores + outputs["end_logits"][:, 0]
    answers = []
    for i, example in enumerate(examples):
        rows = slice(windows.rows[i], windows.rows[i + 1])
        null = None
        if rows.start < rows.stop:
            row = rows.start + int(null_scores[rows].argmin())
            null = _candidate(outputs, row, 0, 0)
        places = _in_order(scores[rows], rows.start)
        spans = ((r, starts[r, k], ends[r, j]) for r, k, j in places)
        texts = _different_texts(example, windows, outputs, spans, n_best_size)
        answers.append(Answer(tuple(texts), null))
    return answers


def _best_spans(windows, outputs, n_best_size, max_answer_length):
    """Returns the best places of each row and the scores of their pairs.

    Returns:
        (starts [N, K], ends [N, K], scores [N, K, K]): -inf where a pair is no
        answer.
    """
    num_rows, num_tokens = outputs["start_logits"].shape
    size = min(n_best_size, num_tokens)
    may_start = is_max_context(windows, num_tokens)
    column = np.arange(num_tokens)
    begin = windows.places[:, None]
    may_end = (column >= begin) & (column < begin + windows.lengths[:, None])
    starts = np.empty((num_rows, size), np.int64)
    ends = np.empty((num_rows, size), np.int64)
    scores = np.empty((num_rows, size, size))
    for first in range(0, num_rows, _ROWS_AT_ONCE):
        part = slice(first, first + _ROWS_AT_ONCE)
        starts[part], start_logits = _best_places(
            outputs["start_logits"][part], may_start[part], size
        )
        ends[part], end_logits = _best_places(
            outputs["end_logits"][part], may_end[part], size
        )
        length = ends[part][:, None, :] - starts[part][:, :, None] + 1
        is_answer = (length >= 1) & (length <= max_answer_length)
        total = start_logits[:, :, None] + end_logits[:, None, :]
        scores[part] = np.where(is_answer, total, -np.inf)
    return starts, ends, scores


def _best_places(logits, is_allowed, size):
    """Returns the best allowed places, best first, and their logits."""
    logits = np.where(is_allowed, logits.astype(float), -np.inf)
    # A stable sort: of equal logits the first place is the best one.
    places = np.argsort(-logits, axis=1, kind="stable")[:, :size]
    return places, np.take_along_axis(logits, places, axis=1)


def _in_order(scores, first_row):
    """Yields (row, k, j) of the pairs that are answers, best first."""
    flat = scores.reshape(-1)
    chosen = np.flatnonzero(flat > -np.inf)
    chosen = chosen[np.argsort(-flat[chosen], kind="stable")]
    for row, k, j in zip(*np.unravel_index(chosen, scores.shape), strict=True):
        yield first_row + row, k, j


def _different_texts(example, windows, outputs, spans, n_best_size):
    """Returns the first candidates with texts that none before them has."""
    candidates = {}
    for row, start, end in spans:
        offset = windows.begins[row] - windows.places[row]
        offset += windows.first[windows.owner[row]]
        begin = windows.context.begins[start + offset]
        span = int(begin), int(windows.context.ends[end + offset])
        text = example.context[slice(*span)]
        if text not in candidates:
            candidates[text] = _candidate(outputs, row, start, end, text, *span)
            if len(candidates) == n_best_size:
                break
    return candidates.values()


def _candidate(outputs, row, start, end, text="", *span):
    return Candidate(
        text,
        float(outputs["start_logits"][row, start]),
        float(outputs["end_logits"][row, end]),
        *span,
    )


def choose(answer: Answer, *, version_2: bool, threshold: float) -> str:
    """Returns the text of the answer to give, "" for none.

    Args:
        answer: with its candidates.
        version_2: whether there may be none.
        threshold: by how much "no answer" has to score higher to be given.
    """
    if version_2 and answer.null_odds > threshold:
        return ""
    return answer.best_text


def n_best(
    answer: Answer, n_best_size: int, *, version_2: bool
) -> list[dict[str, Any]]:
    """Returns the entries of nbest_predictions.json for one question.

    With version 2 "no answer" stands among them, or is one more at the end.
    """
    candidates = [*answer.candidates]
    if version_2 and answer.null:
        # A stable sort: "no answer" comes behind answers of the same score.
        candidates.append(answer.null)
        candidates.sort(key=lambda candidate: -candidate.score)
        is_among = answer.null in candidates[:n_best_size]
        candidates = candidates[:n_best_size] + [answer.null] * (not is_among)
    # google-research/bert's scripts expect one entry at least.
    candidates = candidates or [Candidate("", 0.0, 0.0)]
    scores = np.array([candidate.score for candidate in candidates])
    weights = np.exp(scores - scores.max())
    return [
        {
            "text": candidate.text,
            "probability": float(probability),
            "start_logit": candidate.start_logit,
            "end_logit": candidate.end_logit,
        }
        for candidate, probability in zip(
            candidates, weights / weights.sum(), strict=True
        )
    ]

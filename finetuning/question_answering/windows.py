"""Long texts as windows: rows of a question and a part of its text.

A text a b c d e f g after a question of two tokens, ? ?, with
--max_seq_length=9 and --doc_stride=2:

    row 0    [CLS] ? ? [SEP] a b c d [SEP]          begins 0, lengths 4
    row 1    [CLS] ? ? [SEP] c d e f [SEP]          begins 2, lengths 4
    row 2    [CLS] ? ? [SEP] e f g   [SEP] [PAD]    begins 4, lengths 3
                             ^ places 4

An answer "d e" is in row 1 only, at the positions 5 and 6; the other rows say
that it begins and ends at 0, the [CLS].

Shapes: Q questions, N rows, T tokens of a row.
Source: google-research/bert, run_squad.py, convert_examples_to_features.
"""

import dataclasses
import functools
from collections.abc import Sequence

import numpy as np
from absl import logging

from finetuning.question_answering.examples import Example
from text import offsets
from text.vocab import Vocabulary

_FIRST_UNIQUE_ID = 1000000000
_ROWS_AT_ONCE = 4096


@dataclasses.dataclass(frozen=True)
class Windows:
    """Where the rows of some questions lie in their texts.

    `context` holds the tokens of all contexts, those of question i being
    `[first[i] : last[i]]`.
    """

    question: offsets.Tokens
    context: offsets.Tokens
    query_lengths: np.ndarray  # [Q] tokens, once they are cut.
    first: np.ndarray  # [Q]
    last: np.ndarray  # [Q]
    rows: np.ndarray  # [Q + 1]; those of question i are rows[i] : rows[i + 1].
    owner: np.ndarray  # [N] the question of each row.
    begins: np.ndarray  # [N] tokens of the text before those of the row.
    lengths: np.ndarray  # [N] tokens of the text in each row.
    num_between: int  # [SEP]s between the question and the text.

    @functools.cached_property
    def places(self) -> np.ndarray:
        """[N], where the text begins in each row."""
        return self.query_lengths[self.owner] + 1 + self.num_between


def make(
    examples: Sequence[Example],
    tokenizer: offsets.Tokenizer,
    *,
    max_seq_length: int,
    doc_stride: int,
    max_query_length: int,
) -> Windows:
    """Returns the windows of questions.

    Args:
        examples: the questions and their texts.
        tokenizer: of the model's vocabulary.
        max_seq_length: T.
        doc_stride: tokens from one window to the next.
        max_query_length: most tokens of a question.

    Raises:
        ValueError: no text fits behind a question.
    """
    numbers: dict[str, int] = {}
    for example in examples:
        numbers.setdefault(example.context, len(numbers))
    context = tokenizer.tokenize(list(numbers))
    number = np.array([numbers[x.context] for x in examples])
    question = tokenizer.tokenize([x.question for x in examples])
    query_lengths = np.diff(question.starts)
    num_cut = int((query_lengths > max_query_length).sum())
    if num_cut:
        logging.warning(
            "%s of %s questions are longer than --max_query_length=%s and cut",
            num_cut,
            len(examples),
            max_query_length,
        )
    query_lengths = np.minimum(query_lengths, max_query_length)
    first, last = context.starts[number], context.starts[number + 1]
    num_special = tokenizer.layout.num_special(is_pair=True)
    room = max_seq_length - num_special - query_lengths
    if len(room) and room.min() < 1:
        raise ValueError(
            f"--max_seq_length={max_seq_length} has no room for a text after "
            f"a question of {query_lengths.max()} tokens and {num_special} "
            "special ones; raise it or lower --max_query_length"
        )
    step = np.minimum(doc_stride, room)
    # A text without tokens has no window.
    num_rows = 1 + np.maximum(0, -((room - (last - first)) // step))
    num_rows[first == last] = 0
    rows = np.concatenate([[0], np.cumsum(num_rows)])
    owner = np.repeat(np.arange(len(examples)), num_rows)
    begins = (np.arange(len(owner)) - rows[owner]) * step[owner]
    lengths = np.minimum(room[owner], (last - first)[owner] - begins)
    return Windows(
        question,
        context,
        query_lengths,
        first,
        last,
        rows,
        owner,
        begins,
        lengths,
        tokenizer.layout.num_between,
    )


def make_rows(
    windows: Windows,
    examples: Sequence[Example],
    vocabulary: Vocabulary,
    max_seq_length: int,
) -> dict[str, np.ndarray]:
    """Returns the rows of google-research's train.tf_record, int32.

    Args:
        windows: of the examples.
        examples: where an answer has a span, rows that hold all of it say its
            first and last token; the others say [CLS], as do impossible ones.
        vocabulary: knows the special tokens.
        max_seq_length: T.
    """
    num_rows = len(windows.owner)
    features = {
        name: np.zeros((num_rows, max_seq_length), np.int32)
        for name in ("input_ids", "input_mask", "segment_ids")
    }
    features["input_ids"].fill(vocabulary.padding_id)
    for begin in range(0, num_rows, _ROWS_AT_ONCE):
        part = slice(begin, begin + _ROWS_AT_ONCE)
        _fill(
            {name: value[part] for name, value in features.items()},
            windows,
            part,
            vocabulary,
        )
    starts, ends = _answers(windows, examples)
    is_impossible = np.array([x.is_impossible for x in examples], np.int32)
    return {
        "unique_ids": (_FIRST_UNIQUE_ID + np.arange(num_rows)).astype(np.int32),
        **features,
        "start_positions": starts,
        "end_positions": ends,
        "is_impossible": is_impossible[windows.owner],
    }


def _fill(features, windows, part, vocabulary):
    """Writes [CLS] question [SEP] text [SEP] into the rows of a part."""
    roles = vocabulary.roles
    owner = windows.owner[part]
    query = windows.query_lengths[owner][:, None]
    place = windows.places[part][:, None]
    end = place + windows.lengths[part][:, None]
    column = np.arange(features["input_ids"].shape[1])[None]
    input_ids = features["input_ids"]
    input_ids[:, 0] = roles.cls
    in_query = (column >= 1) & (column <= query)
    of_query = windows.question.starts[owner][:, None] + column - 1
    input_ids[in_query] = windows.question.ids[of_query[in_query]]
    in_text = (column >= place) & (column < end)
    first = windows.first[owner] + windows.begins[part]
    of_text = first[:, None] + column - place
    input_ids[in_text] = windows.context.ids[of_text[in_text]]
    is_between = (column > query) & (column < place)
    input_ids[is_between | (column == end)] = roles.sep
    features["input_mask"][:] = column <= end
    is_second = (column >= place) & (column <= end)
    features["segment_ids"][:] = vocabulary.layout.second_segment * is_second


def answer_tokens(windows: Windows, examples: Sequence[Example]) -> np.ndarray:
    """Returns the first and the last token of each answer, [2, Q], or -1.

    Tokens count from the begin of the text. They are all those that have a
    character of the answer.
    """
    tokens_of_answers = np.full((2, len(examples)), -1)
    for i, example in enumerate(examples):
        if example.span is None:
            continue
        tokens = slice(windows.first[i], windows.last[i])
        begin, end = example.span
        first = np.searchsorted(windows.context.ends[tokens], begin, "right")
        last = np.searchsorted(windows.context.begins[tokens], end) - 1
        if first <= last:
            tokens_of_answers[:, i] = first, last
    return tokens_of_answers


def _answers(windows, examples):
    """Returns where in each row the answer begins and ends, 0 if not in it."""
    first, last = answer_tokens(windows, examples)[:, windows.owner]
    is_in = (first >= windows.begins) & (
        last < windows.begins + windows.lengths
    )
    offset = windows.places - windows.begins
    return (
        np.where(is_in, first + offset, 0).astype(np.int32),
        np.where(is_in, last + offset, 0).astype(np.int32),
    )


def is_max_context(windows: Windows, num_tokens: int) -> np.ndarray:
    """Returns whether a row is the best of its text's rows for each token.

    The best one has most tokens on the side on which it has fewer.

    Args:
        windows: of all rows.
        num_tokens: T.

    Returns:
        bool [N, T]; False where no token of the text stands.
    """
    is_best = np.zeros((len(windows.owner), num_tokens), bool)
    places = windows.query_lengths + 1 + windows.num_between
    for i, place in enumerate(places):
        rows = range(windows.rows[i], windows.rows[i + 1])
        spans = [
            slice(begin, begin + length)
            for begin, length in zip(
                windows.begins[rows.start : rows.stop].tolist(),
                windows.lengths[rows.start : rows.stop].tolist(),
                strict=True,
            )
        ]
        # Row by row, each over its own tokens only: the text may be long.
        best_score = np.full(windows.last[i] - windows.first[i], -1.0)
        best_row = np.full(len(best_score), -1)
        for row, span in zip(rows, spans, strict=True):
            length = span.stop - span.start
            column = np.arange(length)
            score = np.minimum(column, length - 1 - column) + 0.01 * length
            # The first of equals.
            is_better = score > best_score[span]
            best_score[span][is_better] = score[is_better]
            best_row[span][is_better] = row
        for row, span in zip(rows, spans, strict=True):
            in_row = slice(place, place + span.stop - span.start)
            is_best[row, in_row] = best_row[span] == row
    return is_best

"""Windows against google-research/bert's way, one list at a time."""

import collections

import numpy as np
import pytest

from finetuning.question_answering import examples, windows
from tests import project
from tests.finetuning.question_answering import squads
from tests.google_tokenization import FullTokenizer
from text import offsets, vocab

PATH = str(project.ROOT / "vocab/zh_en_8k.txt")
SETTINGS = [
    {"max_seq_length": 48, "doc_stride": 7, "max_query_length": 12},
    {"max_seq_length": 40, "doc_stride": 100, "max_query_length": 9},
    {"max_seq_length": 384, "doc_stride": 128, "max_query_length": 64},
]
Span = collections.namedtuple("Span", ["start", "length"])


def plain_windows(num_tokens, room, doc_stride):
    """run_squad.py: the spans of a document."""
    spans = []
    start = 0
    while start < num_tokens:
        length = min(num_tokens - start, room)
        spans.append(Span(start, length))
        if start + length == num_tokens:
            break
        start += min(length, doc_stride)
    return spans


def plain_best(spans, token):
    """run_squad.py, _check_is_max_context: the best span for a token."""
    best_score = best = None
    for index, span in enumerate(spans):
        end = span.start + span.length - 1
        if token < span.start or token > end:
            continue
        fewer = min(token - span.start, end - token)
        score = fewer + 0.01 * span.length
        if best_score is None or score > best_score:
            best_score, best = score, index
    return best


def plain_rows(example, tokenizer, max_seq_length, doc_stride, max_query):
    """Returns the dicts of one example's rows, as lists."""
    query = tokenizer.tokenize(example.question)[:max_query]
    context = tokenizer.tokenize(example.context.replace("\n", " "))
    room = max_seq_length - len(query) - 3
    spans = plain_windows(len(context), room, doc_stride)
    rows = []
    for index, span in enumerate(spans):
        part = context[span.start : span.start + span.length]
        tokens = ["[CLS]", *query, "[SEP]", *part, "[SEP]"]
        padding = [0] * (max_seq_length - len(tokens))
        rows.append(
            {
                "input_ids": [tokenizer.vocab[x] for x in tokens] + padding,
                "input_mask": [1] * len(tokens) + padding,
                "segment_ids": [0] * (len(query) + 2)
                + [1] * (len(part) + 1)
                + padding,
                "is_max_context": [False] * (len(query) + 2)
                + [
                    plain_best(spans, span.start + i) == index
                    for i in range(span.length)
                ]
                + [False]
                + [False] * len(padding),
            }
        )
    return rows


def made(found, do_lower_case=True, **settings):
    vocabulary = vocab.load(PATH)
    tokenizer = offsets.Tokenizer(vocabulary, do_lower_case)
    lies = windows.make(found, tokenizer, **settings)
    length = settings["max_seq_length"]
    rows = windows.make_rows(lies, found, vocabulary, length)
    return lies, rows


def texts():
    lines = [line for line in project.sample_lines() if line]
    return [
        examples.Example(
            str(n),
            lines[7 * n],
            "\n".join(lines[n * 5 : n * 5 + n % 9]),
            (),
            None,
        )
        for n in range(60)
    ]


def assert_as_published(found, **settings):
    lies, rows = made(found, **settings)
    wanted = [
        row
        for example in found
        for row in plain_rows(
            example, FullTokenizer(PATH, True), *settings.values()
        )
    ]
    assert len(wanted) == len(rows["input_ids"])
    best = windows.is_max_context(lies, settings["max_seq_length"])
    for name in ("input_ids", "input_mask", "segment_ids", "is_max_context"):
        got = best if name == "is_max_context" else rows[name]
        np.testing.assert_array_equal(got, [row[name] for row in wanted])
    assert (np.diff(rows["unique_ids"]) == 1).all()


@pytest.mark.parametrize("settings", SETTINGS)
def test_rows_are_those_of_google_research(settings):
    found = texts()
    assert any(not example.context for example in found)
    assert_as_published(found, **settings)


def test_rows_of_real_questions_are_those_of_google_research():
    found = squads.read(squads.shared_path("drcd_dev"))[::40]
    found += squads.read(squads.shared_path("squad_v1.1.dev"))[::40]
    assert_as_published(found, **SETTINGS[2])


def test_a_long_question_is_cut_and_counted(caplog):
    found = [examples.Example("1", "one two three", "a b c", (), None)]
    _, rows = made(
        found * 3, max_seq_length=30, doc_stride=5, max_query_length=2
    )
    assert "3 of 3 questions are longer than --max_query_length=2" in (
        caplog.text
    )
    assert rows["segment_ids"][0].argmax() == 4


@pytest.mark.parametrize("do_lower_case", [True, False])
@pytest.mark.parametrize("name", squads.SHARED)
def test_the_tokens_of_an_answer_are_those_that_hold_it(name, do_lower_case):
    found = squads.read(squads.shared_path(name))
    found = found[::8] if name.endswith("train") else found
    lies, rows = made(found, do_lower_case, **SETTINGS[2])
    starts, ends = rows["start_positions"], rows["end_positions"]
    assert ((starts == 0) == (ends == 0)).all() and (starts <= ends).all()
    has = np.unique(lies.owner[starts > 0])
    assert len(has) > 0.98 * len(found)
    for row in np.flatnonzero(starts):
        example = found[lies.owner[row]]
        offset = (
            lies.first[lies.owner[row]] + lies.begins[row] - lies.places[row]
        )
        begin, end = example.span
        first, last = starts[row] + offset, ends[row] + offset
        tokens = lies.context
        # Nothing of it is outside the tokens but what no token is made of.
        before = example.context[begin : max(begin, tokens.begins[first])]
        after = example.context[min(end, tokens.ends[last]) : end]
        assert not before.strip() and not after.strip()
        # And neither the first nor the last token could be spared.
        assert tokens.ends[first] > begin and tokens.begins[last] < end


def test_a_row_without_the_whole_answer_points_at_cls():
    context = "a b c d e f g h i j"
    found = [examples.Example("1", "q", context, ("e f",), (8, 11))]
    lies, rows = made(found, max_seq_length=9, doc_stride=2, max_query_length=4)
    assert lies.begins.tolist() == [0, 2, 4, 6]
    assert lies.lengths.tolist() == [5, 5, 5, 4]
    assert rows["start_positions"].tolist() == [0, 5, 3, 0]
    assert rows["end_positions"].tolist() == [0, 6, 4, 0]

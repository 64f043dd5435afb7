"""Answers: google-research's choice, cut from the text itself."""

import collections

import numpy as np
import pytest

from finetuning.question_answering import answers, examples, windows
from tests import project
from tests.finetuning.question_answering import squads
from text import offsets, vocab

PATH = str(project.ROOT / "vocab/zh_en_8k.txt")
Entry = collections.namedtuple("Entry", ["row", "start", "end", "logits"])


def lies_of(found, do_lower_case=True, length=64, stride=16, query=16):
    return windows.make(
        found,
        offsets.Tokenizer(vocab.load(PATH), do_lower_case),
        max_seq_length=length,
        doc_stride=stride,
        max_query_length=query,
    )


def random_outputs(num_rows, length, seed=0):
    rng = np.random.default_rng(seed)
    # Whole numbers: equal scores are frequent.
    return {
        name: rng.integers(-9, 9, (num_rows, length)).astype(np.float32)
        for name in ("start_logits", "end_logits")
    }


def barred(lies, outputs):
    """The same, low where no answer can be and at [CLS] as it was."""
    length = outputs["start_logits"].shape[1]
    is_text = np.arange(length) >= lies.places[:, None]
    is_text &= np.arange(length) < (lies.places + lies.lengths)[:, None]
    may_start = windows.is_max_context(lies, length)
    first = np.arange(length) == 0
    return {
        "start_logits": np.where(
            may_start | first, outputs["start_logits"], -99
        ).astype(np.float32),
        "end_logits": np.where(
            is_text | first, outputs["end_logits"], -99
        ).astype(np.float32),
    }


def plain_entries(lies, outputs, question, n_best_size, max_answer_length):
    """run_squad.py, write_predictions: the possible answers, best first."""
    entries = []
    length = outputs["start_logits"].shape[1]
    may_start = windows.is_max_context(lies, length)
    for row in range(lies.rows[question], lies.rows[question + 1]):
        starts = outputs["start_logits"][row].tolist()
        ends = outputs["end_logits"][row].tolist()
        best_starts, best_ends = (
            [
                i
                for i, _ in sorted(
                    enumerate(logits), key=lambda x: x[1], reverse=True
                )[: n_best_size + 1]
            ]
            for logits in (starts, ends)
        )
        # [CLS] takes a place among google-research's best, and none here.
        best_starts = [i for i in best_starts if i][:n_best_size]
        best_ends = [i for i in best_ends if i][:n_best_size]
        begin = lies.places[row]
        for start in best_starts:
            for end in best_ends:
                if not begin <= start < begin + lies.lengths[row]:
                    continue
                if not begin <= end < begin + lies.lengths[row]:
                    continue
                if not may_start[row, start]:
                    continue
                if end < start or end - start + 1 > max_answer_length:
                    continue
                logits = starts[start], ends[end]
                entries.append(Entry(row, start, end, logits))
    return sorted(entries, key=lambda x: sum(x.logits), reverse=True)


def plain_n_best(example, lies, outputs, question, n_best_size, version_2):
    """The entries of nbest_predictions.json: [(text, start, end)]."""
    entries = plain_entries(lies, outputs, question, n_best_size, 5)
    null_row = min(
        range(lies.rows[question], lies.rows[question + 1]),
        key=lambda row: (
            outputs["start_logits"][row, 0] + outputs["end_logits"][row, 0]
        ),
    )
    null = (
        float(outputs["start_logits"][null_row, 0]),
        float(outputs["end_logits"][null_row, 0]),
    )
    if version_2:
        entries.append(Entry(None, 0, 0, null))
        entries.sort(key=lambda x: sum(x.logits), reverse=True)
    found = {}
    for entry in entries:
        if len(found) >= n_best_size:
            break
        text = ""
        if entry.row is not None:
            offset = lies.begins[entry.row] - lies.places[entry.row]
            offset += lies.first[question]
            begin = lies.context.begins[entry.start + offset]
            text = example.context[
                begin : lies.context.ends[entry.end + offset]
            ]
        found.setdefault(text, entry.logits)
    if version_2:
        found.setdefault("", null)
    # google-research's text is "empty" here, which stands in no text.
    found = found or {"": (0.0, 0.0)}
    return [(text, *logits) for text, logits in found.items()], sum(null)


def questions():
    lines = [line for line in project.sample_lines() if line]
    return [
        examples.Example(
            str(n), lines[7 * n][:30], " ".join(lines[n * 5 : n * 5 + n % 7])
        )
        for n in range(1, 40)
        if n % 7
    ]


@pytest.mark.parametrize("version_2", [False, True])
@pytest.mark.parametrize("n_best_size", [1, 3, 20])
def test_answers_are_those_of_google_research(n_best_size, version_2):
    found = questions()
    lies = lies_of(found)
    assert (np.diff(lies.rows) > 2).any()
    outputs = barred(lies, random_outputs(len(lies.owner), 64))
    got = answers.find(
        found, lies, outputs, n_best_size=n_best_size, max_answer_length=5
    )
    for question, (example, answer) in enumerate(zip(found, got, strict=True)):
        wanted, null_score = plain_n_best(
            example, lies, outputs, question, n_best_size, version_2
        )
        entries = answers.n_best(answer, n_best_size, version_2=version_2)
        assert [
            (x["text"], x["start_logit"], x["end_logit"]) for x in entries
        ] == wanted
        scores = np.array([start + end for _, start, end in wanted])
        np.testing.assert_allclose(
            [x["probability"] for x in entries],
            np.exp(scores) / np.exp(scores).sum(),
        )
        best = next((x for x in wanted if x[0]), None)
        if best and version_2:
            assert answer.null_odds == null_score - best[1] - best[2]
            assert (
                answers.choose(
                    answer, version_2=True, threshold=answer.null_odds
                )
                == (best[0])
            )
            assert not answers.choose(
                answer, version_2=True, threshold=answer.null_odds - 1
            )


@pytest.mark.parametrize("do_lower_case", [True, False])
@pytest.mark.parametrize(
    "name,every",
    [(name, 4 if name.endswith("train") else 1) for name in squads.SHARED]
    + [pytest.param(squads.SHARED[0], 1, marks=pytest.mark.slow)],
)
def test_every_answer_stands_in_its_text(name, every, do_lower_case):
    found = squads.read(squads.shared_path(name), is_training=False)[::every]
    lies = lies_of(found, do_lower_case, length=384, stride=128, query=64)
    outputs = random_outputs(len(lies.owner), 384)
    got = answers.find(
        found, lies, outputs, n_best_size=6, max_answer_length=30
    )
    assert sum(len(answer.candidates) for answer in got) > 2 * len(found)
    for example, answer in zip(found, got, strict=True):
        texts = [x.text for x in answer.candidates]
        assert len(set(texts)) == len(texts)
        for text in (*texts, answer.best_text):
            assert text in example.context
        for x in answer.candidates:
            assert example.context[x.begin : x.end] == x.text


@pytest.mark.parametrize("do_lower_case", [True, False])
@pytest.mark.parametrize("name", squads.SHARED[1:])
def test_right_logits_give_the_right_answers(name, do_lower_case):
    found = squads.read(squads.shared_path(name))
    lies = lies_of(found, do_lower_case, length=384, stride=128, query=64)
    rows = windows.make_rows(lies, found, vocab.load(PATH), 384)
    best = windows.is_max_context(lies, 384)
    starts = rows["start_positions"]
    is_in = best[np.arange(len(starts)), starts]
    outputs = {}
    for end in ("start", "end"):
        outputs[f"{end}_logits"] = np.zeros((len(lies.owner), 384), np.float32)
        places = rows[f"{end}_positions"][is_in]
        outputs[f"{end}_logits"][is_in, places] = 9
    got = answers.find(
        found, lies, outputs, n_best_size=2, max_answer_length=384
    )
    num_same = 0
    for i in np.unique(lies.owner[is_in]):
        gold, text = found[i].answers[0].strip(), got[i].best_text
        # Gold answers may end within a word, or with what no token is of.
        assert gold in text or gold.strip("\u200b\u200e") in text
        num_same += text == gold
    assert num_same > 0.98 * len(found)


CONTEXT = (
    "Ångström\u00a0Café cafe\u0301, 東京ＴＯＫＹＯ；naïve—ΟΔΟΣ! 😀中文 end."
)


@pytest.mark.parametrize("do_lower_case", [True, False])
def test_an_answer_is_written_as_its_text_writes_it(do_lower_case):
    example = examples.Example("1", "which?", CONTEXT)
    lies = lies_of([example], do_lower_case, length=128)
    tokens = lies.context
    outputs = random_outputs(1, 128)
    (answer,) = answers.find(
        [example], lies, outputs, n_best_size=4000, max_answer_length=99
    )
    texts = {x.text for x in answer.candidates}
    assert all(text in CONTEXT for text in texts)
    assert {"Café cafe\u0301, 東京", "Ångström", "ΟΔΟΣ! 😀中"} <= texts
    whole = CONTEXT[tokens.begins[0] : tokens.ends[-1]]
    assert whole == CONTEXT


@pytest.mark.parametrize("version_2", [False, True])
def test_a_text_without_tokens_gets_the_empty_answer(version_2):
    found = [
        examples.Example("1", "q", "\u200b "),
        examples.Example("2", "q", "a b"),
    ]
    lies = lies_of(found)
    outputs = random_outputs(len(lies.owner), 64)
    got = answers.find(
        found, lies, outputs, n_best_size=20, max_answer_length=30
    )
    (entry,) = answers.n_best(got[0], 20, version_2=version_2)
    assert entry == {
        "text": "",
        "probability": 1.0,
        "start_logit": 0.0,
        "end_logit": 0.0,
    }
    assert got[0].null_odds == 0.0
    assert answers.choose(got[0], version_2=version_2, threshold=0.0) == ""
    assert len(got[1].candidates) == 3


def test_no_answer_is_longer_than_allowed():
    example = examples.Example("1", "q", "a b c d e f g h")
    lies = lies_of([example])
    outputs = random_outputs(1, 64)
    (answer,) = answers.find(
        [example], lies, outputs, n_best_size=64, max_answer_length=2
    )
    assert {len(x.text.split()) for x in answer.candidates} == {1, 2}
    assert len(answer.candidates) == 8 + 7

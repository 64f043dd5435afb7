"""Entities as cases of an evaluation: each once, and what came of it."""

import collections
import random

import pytest

from finetuning.tagging import scores
from tools.reporting import cases, entity_cases


def random_entities(rng, length):
    """Returns entities that do not overlap."""
    found, place = [], 0
    while place < length - 3:
        place += rng.randint(0, 4)
        end = min(length, place + rng.randint(1, 4))
        if end > place:
            kind = rng.choice("xy")
            found.append(
                {"type": kind, "start": place, "end": end, "text": "?"}
            )
        place = end
    return found


def test_each_entity_is_counted_once_and_the_score_is_that_of_the_task():
    rng = random.Random(3)
    lines = []
    for _ in range(300):
        wanted = random_entities(rng, 30)
        given = [
            x if rng.random() < 0.5 else y
            for x, y in zip(wanted, random_entities(rng, 30), strict=False)
        ]
        given = [
            x
            for n, x in enumerate(given)
            if all(
                x["start"] >= y["end"] or y["start"] >= x["end"]
                for y in given[:n]
            )
        ]
        lines.append({"text": "字" * 30, "wanted": wanted, "entities": given})
    made = list(cases.READERS["entities"](lines))
    came = collections.Counter(case.column for case in made)
    assert came.keys() == set(entity_cases.COLUMNS)
    both = sum(came.values()) - came["missed"] - came["invented"]
    assert both + came["missed"] == sum(len(x["wanted"]) for x in lines)
    assert both + came["invented"] == sum(len(x["entities"]) for x in lines)

    def spans(name):
        return [
            [(x["type"], x["start"], x["end"]) for x in line[name]]
            for line in lines
        ]

    total, _ = scores.score(spans("wanted"), spans("entities"))
    f1 = 2 * came["right"] / (2 * both + came["missed"] + came["invented"])
    assert f1 == pytest.approx(total.f1)


@pytest.mark.parametrize(
    ("wanted", "given", "came"),
    [
        ([(0, 3, "nr")], [(0, 3, "nr")], ["right"]),
        ([(0, 3, "nr")], [], ["missed"]),
        ([], [(0, 3, "nr")], ["invented"]),
        ([(0, 3, "nr")], [(3, 5, "nr")], ["missed", "invented"]),
        ([(0, 4, "nt")], [(0, 2, "nt")], ["other border"]),
        ([(0, 4, "nt")], [(0, 4, "ns")], ["other type"]),
        ([(0, 4, "nt")], [(0, 2, "ns")], ["other border and type"]),
        # One given in the place of two: one of these has no partner left.
        ([(0, 2, "ns"), (2, 4, "nt")], [(0, 4, "nt")],
         ["missed", "other border"]),
        ([(0, 4, "nt")], [(0, 3, "ns"), (3, 4, "nt")],
         ["other border", "invented"]),
    ],
)  # fmt: skip
def test_kinds_of_errors_of_entities(wanted, given, came):
    def entities(places):
        return [
            {"type": kind, "start": start, "end": end, "text": ""}
            for start, end, kind in places
        ]

    line = {"text": "中国科学院", "wanted": entities(wanted)}
    line["entities"] = entities(given)
    assert [x.column for x in cases.READERS["entities"]([line])] == came


def test_a_long_text_is_cut_around_its_entities():
    text = "前" * 500 + "王小明" + "后" * 500
    entity = {"type": "nr", "start": 500, "end": 503, "text": "王小明"}
    short = entity | {"end": 502}
    line = {"text": text, "wanted": [entity], "entities": [short]}
    (case,) = cases.READERS["entities"]([line])
    assert len(case.pieces) < 10
    parts = {x.mark: x.text for x in case.pieces}
    assert parts["given wanted"] == "王小" and parts["wanted"] == "明"
    assert "".join(x.text for x in case.pieces).strip("…") == (
        "前" * 70 + "王小明" + "后" * 70
    )

"""The page of an evaluation: its cases, its counts, and how it filters."""

import json
import random
import re

import numpy as np
import pytest
from sklearn import metrics

from storage import json_files
from tests.serving import browser
from tools import report_evaluation
from tools.reporting import cases, evaluation_page

_ATTACK = '<img src=x onerror="document.title=1">\u202e\x00'


def write(path, lines):
    path.write_text("".join(json_files.line(x) + "\n" for x in lines))
    return str(path)


def labelled(texts, wanted, decided, shares):
    return [
        {
            "id": number,
            "texts": [text],
            "wanted": want,
            "label": got,
            "probabilities": {got: share},
        }
        for number, (text, want, got, share) in enumerate(
            zip(texts, wanted, decided, shares, strict=True)
        )
    ]


def random_labels(count, seed=1, names="abc"):
    rng = random.Random(seed)
    wanted = rng.choices(names, k=count)
    decided = [x if rng.random() < 0.6 else rng.choice(names) for x in wanted]
    texts = [f"{n} " + "字" * rng.randint(0, 90) for n in range(count)]
    return labelled(texts, wanted, decided, [rng.random() for _ in wanted])


def counts(page):
    """Returns {(row, column): count} of a page's first table."""
    found = re.findall(r'id="c\d+-\d+" aria-label="(.*?), (.*?): (.*?)"', page)
    return {tuple(x[:2]): int(x[2].replace(",", "")) for x in found}


def shown(page):
    return re.findall(r'<li class="(is-\w+) (l\d+)', page)


def test_the_table_is_the_confusion_matrix(tmp_path):
    lines = random_labels(300)
    read = cases.read(write(tmp_path / "p.jsonl", lines))
    page = evaluation_page.make(read, {"eval_accuracy": 0.5}, 50)
    wanted, decided = (
        [line[name] for line in lines] for name in ("wanted", "label")
    )
    matrix = metrics.confusion_matrix(wanted, decided, labels=list("abc"))
    table = counts(page)
    for (i, j), count in np.ndenumerate(matrix):
        assert table.get(("abc"[i], "abc"[j]), 0) == count
    num_wrong = matrix.sum() - np.trace(matrix)
    assert f"{num_wrong} wrong" in page
    assert "0.5000" in page
    rows = shown(page)
    assert len(rows) == 50
    right = [kind for kind, _ in rows if kind == "is-right"]
    assert len(right) == 10
    assert f"40 of {num_wrong} wrong ones" in page
    # Where all wrong ones have room, right ones get the rest.
    page = evaluation_page.make(read, {}, 200)
    assert f"{num_wrong} of {num_wrong} wrong ones" in page
    assert len(shown(page)) == 200


def test_rows_shown_are_the_most_sure_of_each_cell():
    names = ["a"] * 50 + ["b"] * 3
    got = ["b"] * 50 + ["a"] * 3
    lines = labelled(["x"] * 53, names, got, [n / 100 for n in range(53)])
    made = list(cases.READERS["label"](lines))
    chosen = evaluation_page.choose(made, 10)
    # The rare confusion is there whole, and the rest is the surest.
    assert [x.number for x in chosen] == [52, 51, 50, *range(49, 42, -1)]
    assert len(evaluation_page.choose(made, 1000)) == 53


def test_many_labels_make_no_endless_page(tmp_path):
    names = [f"label {n}" for n in range(200)]
    lines = labelled(
        ["x" * 5000] * 4000,
        names * 20,
        [x for n in range(20) for x in names[n:] + names[:n]],
        [0.5] * 4000,
    )
    read = cases.read(write(tmp_path / "p.jsonl", lines))
    page = evaluation_page.make(read, {}, 400)
    assert len(page) < 600_000
    assert "176 more" in page
    assert "3,800 wrong" in page and "400 of 3,800" not in page
    assert "320 of 3,800 wrong ones" in page
    # A cell of which no row has room hides all others all the same.
    for cell in re.findall(r'id="(c\d+-\d+)"', page):
        assert f"#{cell}:checked" in page
    assert re.search('title="0 of [1-9]', page)
    assert page.count("<li class=") == 400


def answered(question, wanted, answer, exact, f1):
    context = "西湖在杭州市，面积六点四平方公里。"
    line = {
        "id": "1",
        "question": question,
        "context": context,
        "wanted": wanted,
        "answer": answer,
        "probability": 0.5,
        "exact_match": exact,
        "f1": f1,
    }
    if answer:
        start = context.find(answer)
        line |= {"start": start, "end": start + len(answer)}
    return line


def test_answers_by_what_came_of_them(tmp_path):
    lines = [
        answered("在哪", ["杭州市", "杭州"], "杭州", 1, 1.0),
        answered("西湖究竟在哪里", ["杭州市"], "在杭州市", 0, 0.8),
        answered("西湖究竟在哪里呢？", ["杭州市"], "六", 0, 0.0),
        answered("谁", [], "西湖", 0, 0.0),
        answered("谁", [], "", 1, 1.0),
        answered("在哪", ["杭州市"], "", 0, 0.0),
        answered("在哪", [], "西湖", None, None),
    ]
    read = cases.read(write(tmp_path / "p.jsonl", lines))
    assert [(x.row, x.column) for x in read.cases] == [
        ("to 8", "exact"),
        ("to 8", "partly"),
        ("9 to 16", "elsewhere"),
        ("to 8", "invented"),
        ("to 8", "exact"),
        ("to 8", "no answer given"),
    ]
    assert read.num_lines == 7
    page = evaluation_page.make(read, {}, 100)
    assert counts(page)["9 to 16", "elsewhere"] == 1
    marked = '<span class="given">在</span><span class="given wanted">杭州市'
    assert marked in page
    assert "<p><small>wanted 正确:</small> 杭州市 | 杭州</p>" in page


def test_several_labels_and_numbers(tmp_path):
    base = {"texts": ["甲", "乙"], "id": 0}
    several = [
        base
        | {
            "wanted": ["a", "b"],
            "labels": ["b", "c"],
            "probabilities": {"a": 0.1, "b": 0.9, "c": 0.7},
        },
        base | {"wanted": [], "labels": [], "probabilities": {"a": 0.0}},
    ]
    read = cases.read(write(tmp_path / "p.jsonl", several))
    assert [(x.row, x.column, x.weight) for x in read.cases] == [
        ("a", "missed", 0.9),
        ("b", "right", pytest.approx(0.1)),
        ("c", "invented", 0.7),
    ]
    numbers = [
        base | {"wanted": wanted, "value": value}
        for wanted, value in ((0.0, 0.1), (5.0, 4.9), (2.5, 9.0), (2.5, -3.0))
    ]
    read = cases.read(write(tmp_path / "p.jsonl", numbers))
    assert [(x.row, x.column, x.weight) for x in read.cases] == [
        ("0 to 1", "0 to 1", 0.1),
        ("4 to 5", "4 to 5", pytest.approx(0.1)),
        ("2 to 3", "4 to 5", 6.5),
        ("2 to 3", "0 to 1", 5.5),
    ]
    page = evaluation_page.make(read, {}, 9)
    assert page.index("2.5 \u2192 9") < page.index("2.5 \u2192 -3")
    # All the same number, and nothing to read.
    same = [base | {"wanted": 1.0, "value": 1.0}] * 2
    read = cases.read(write(tmp_path / "p.jsonl", same))
    assert "0 wrong" in evaluation_page.make(read, {}, 9)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", "no line"),
        ('{"id": 0, "texts": ["a"], "label": "b"}', "line 1: not of"),
        ("a,b", "line 1"),
        (
            '{"texts": [], "wanted": "a", "label": "a", "probabilities": {}}\n'
            '{"texts": [], "wanted": "a", "label": 3, "probabilities": {}}',
            "line 2",
        ),
    ],
)
def test_another_file_is_refused_with_its_line(tmp_path, text, wanted):
    path = tmp_path / "p.jsonl"
    path.write_text(text)
    flags = {
        "predictions_file": str(path),
        "output_file": str(tmp_path / "page.html"),
    }
    with pytest.raises(ValueError, match=wanted) as caught:
        report_evaluation.run(report_evaluation.ReportConfig(**flags))
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "page.html").exists()


@pytest.mark.slow
def test_a_cell_shows_its_rows_and_no_others(tmp_path):
    lines = random_labels(120)
    lines += labelled([_ATTACK], ["a"], [_ATTACK], [0.99])
    path = write(tmp_path / "eval_predictions.jsonl", lines)
    config = report_evaluation.ReportConfig(
        predictions_file=path, output_file=str(tmp_path / "page.html")
    )
    report_evaluation.run(config)
    driver = browser.start(tmp_path / "chromium")
    try:
        browser.look(driver, browser.PHONE)
        driver.get((tmp_path / "page.html").as_uri())
        _check_filters(driver, lines)
    finally:
        driver.quit()


def _visible(driver):
    return {
        (int(found[-1].replace(",", "")) - 1)
        for x in browser.find(driver, ".cases > li")
        if x.is_displayed() and (found := re.findall(r"#([\d,]+)", x.text))
    }


def _check_filters(driver, lines):
    def those(rule):
        return {n for n, line in enumerate(lines) if rule(line)}

    wrong = those(lambda x: x["wanted"] != x["label"])
    assert _visible(driver) == wrong
    for cell in browser.find(driver, "[id^=c]"):
        driver.execute_script("arguments[0].click()", cell)
        row, column, _ = re.split(
            ", |: ", cell.get_attribute("aria-label"), maxsplit=2
        )
        if "img" not in column:
            assert _visible(driver) == those(
                lambda x, row=row, column=column: (
                    (x["wanted"], x["label"]) == (row, column)
                )
            )
    driver.execute_script(
        "arguments[0].click()", browser.find(driver, "#r1")[0]
    )
    assert _visible(driver) == those(lambda x: x["wanted"] == "a")
    driver.execute_script(
        "arguments[0].click()", browser.find(driver, "#l0")[0]
    )
    assert _visible(driver) == those(
        lambda x: x["wanted"] == "a" and len(x["texts"][0]) <= 16
    )
    assert not browser.find(driver, "img, script")
    assert driver.title.startswith("Evaluation")
    inner, whole = driver.execute_script(
        "return [innerWidth, document.documentElement.scrollWidth]"
    )
    assert whole <= inner
    assert json.dumps(driver.get_log("browser")) == "[]"

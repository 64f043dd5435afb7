"""Scores: those of the official programs, to the last digit."""

import random
import re

import pytest

from finetuning.question_answering import examples, scores, segments
from tests.finetuning.question_answering import squads

ENGLISH = [
    ("the Zinc", "Zinc,"),
    ("a an the", "The"),
    ("in 1,000 years", "1000 years"),
    ("Anthropology: the study", "study of anthropology"),
    ("", "x"),
    ("x", ""),
    ("The", ""),
    ("naïve CAFÉ", "naïve café"),
    ("the the cat cat", "cat the"),
]


def squad(version_2):
    """Questions in both forms, and answers of all kinds to them."""
    rng = random.Random(1)
    data = squads.shared_data("squad_v1.1.dev")
    predictions, odds = {}, {}
    for number, article in enumerate(data):
        for paragraph in article["paragraphs"]:
            words = paragraph["context"].split()
            for entry in paragraph["qas"]:
                gold = entry["answers"][0]["text"]
                entry["answers"].append({"text": f"the {gold.upper()}."})
                if version_2 and rng.random() < 0.4:
                    entry["answers"] = []
                    entry["is_impossible"] = True
                begin = rng.randrange(len(words))
                given = [gold, gold.split()[0], f"{gold} x", "The", "A, an"]
                given += ["", " ".join(words[begin : begin + 4])]
                predictions[entry["id"]] = rng.choice(given)
                # Many are the same.
                odds[entry["id"]] = float(rng.randrange(-20, 20)) + number % 2
    return data, predictions, odds


def examples_of(data):
    return [
        examples.Example(
            entry["id"],
            entry["question"],
            paragraph["context"],
            tuple(answer["text"] for answer in entry["answers"]),
            is_impossible=not entry["answers"],
        )
        for article in data
        for paragraph in article["paragraphs"]
        for entry in paragraph["qas"]
    ]


def test_scores_are_those_of_the_program_of_squad_1():
    official = pytest.importorskip("official.nlp.tools.squad_evaluate_v1_1")
    data, predictions, _ = squad(version_2=False)
    found = examples_of(data)
    texts = [predictions[example.id] for example in found]
    got = scores.score(found, texts, metric="squad", version_2=False)
    wanted = official.evaluate(data, predictions)
    assert 10 < got["exact_match"] < got["f1"] < 80
    # This edition of the program leaves the factor of 100 to the reader.
    assert got == pytest.approx(
        {
            "exact_match": 100.0 * wanted["exact_match"],
            "f1": 100.0 * wanted["final_f1"],
        },
        rel=1e-15,
    )


def test_scores_are_those_of_the_program_of_squad_2():
    official = pytest.importorskip("official.nlp.tools.squad_evaluate_v2_0")
    data, predictions, odds = squad(version_2=True)
    found = examples_of(data)
    texts = [predictions[example.id] for example in found]
    got = scores.score(found, texts, metric="squad", version_2=True)
    wanted = official.evaluate(data, predictions)
    same = {"exact_match": "exact", "f1": "f1"}
    same |= {
        f"{kind}_{ours}": f"{kind}_{theirs}"
        for kind in ("HasAns", "NoAns")
        for ours, theirs in [*same.items(), ("total", "total")]
    }
    assert got == {ours: wanted[theirs] for ours, theirs in same.items()}
    best = scores.best_thresholds(
        found, texts, [odds[example.id] for example in found], metric="squad"
    )
    wanted = official.evaluate(data, predictions, odds)
    assert best == {
        "best_exact": wanted["final_exact"],
        "best_exact_thresh": wanted["final_exact_thresh"],
        "best_f1": wanted["final_f1"],
        "best_f1_thresh": wanted["final_f1_thresh"],
    }


@pytest.mark.parametrize("version", ["v1_1", "v2_0"])
@pytest.mark.parametrize("gold,given", ENGLISH)
def test_one_answer_is_scored_as_officially(gold, given, version):
    official = pytest.importorskip(
        f"official.nlp.tools.squad_evaluate_{version}"
    )
    entry = {"id": "1", "question": "q", "answers": [{"text": gold}]}
    data = [{"paragraphs": [{"context": "c", "qas": [entry]}]}]
    version_2 = version == "v2_0"
    got = scores.score(
        examples_of(data), [given], metric="squad", version_2=version_2
    )
    wanted = official.evaluate(data, {"1": given})
    if version_2:
        assert got["exact_match"] == wanted["exact"]
        assert got["f1"] == wanted["f1"]
    else:
        assert got["exact_match"] == 100 * wanted["exact_match"]
        assert got["f1"] == 100 * wanted["final_f1"]


def test_the_best_threshold_gives_the_best_score():
    rng = random.Random(0)
    for _ in range(50):
        found = [
            examples.Example(
                str(i), "q", "c", ("x y",) if rng.random() < 0.5 else ()
            )
            for i in range(9)
        ]
        texts = [rng.choice(["x y", "x", "z"]) for _ in found]
        odds = [rng.uniform(-3, 3) for _ in found]
        got = scores.best_thresholds(found, texts, odds, metric="squad")
        tried = {}
        for threshold in [-9.0, *odds]:
            chosen = [
                "" if x > threshold else text
                for text, x in zip(texts, odds, strict=True)
            ]
            tried[threshold] = scores.score(
                found, chosen, metric="squad", version_2=True
            )
        for name, key in (("exact", "exact_match"), ("f1", "f1")):
            best = max(x[key] for x in tried.values())
            assert got[f"best_{name}"] == pytest.approx(best)
            threshold = got[f"best_{name}_thresh"]
            if threshold:  # Else it is best to answer nothing.
                assert tried[threshold][key] == pytest.approx(best)


# What cmrc2018_evaluate.py calls sp_char.
MARKS = (
    "- : _ * ^ / \\ ~ ` + = ， 。 ： ？ ！ “ ” "
    "； ’ 《 》 · 、 「 」 （ ） － ～ 『 』"
)


def plain_segments(text):
    """For texts whose other words are plain: no punctuation but MARKS."""
    for mark in MARKS.split():
        text = text.replace(mark, "")
    # Marks are gone before words are parted, so that they join.
    return re.findall(r"[\u4e00-\u9fa5]|[^\s\u4e00-\u9fa5]+", text.lower())


def plain_cmrc(answers, text):
    best_f1 = best_exact = 0
    for answer in answers:
        wanted, given = plain_segments(answer), plain_segments(text)
        longest = max(
            end - begin
            for begin in range(len(wanted) + 1)
            for end in range(begin, len(wanted) + 1)
            if any(
                wanted[begin:end] == given[i : i + end - begin]
                for i in range(len(given) + 1)
            )
        )
        if longest:
            precision, recall = longest / len(given), longest / len(wanted)
            f1 = 2 * precision * recall / (precision + recall)
            best_f1 = max(best_f1, f1)
        ours, theirs = (
            "".join(c for c in x.lower().strip() if c not in MARKS.split())
            for x in (answer, text)
        )
        best_exact = max(best_exact, int(ours == theirs))
    return best_exact, best_f1


def test_chinese_scores_are_by_characters_and_the_longest_they_share():
    rng = random.Random(2)
    alphabet = "中国人民，。《》-ab 1"
    pairs = [
        tuple(
            "".join(rng.choice(alphabet) for _ in range(rng.randrange(1, 12)))
            for _ in range(3)
        )
        for _ in range(400)
    ]
    pairs += [
        ("1970年10月", "1970年10月", "在1970年"),
        ("《人民》", "", "人民"),
    ]
    found = [examples.Example("1", "q", "c", pair[:2]) for pair in pairs]
    for example, pair in zip(found, pairs, strict=True):
        got = scores.score([example], pair[2:], metric="cmrc", version_2=False)
        exact, f1 = plain_cmrc(pair[:2], pair[2])
        assert got == {"exact_match": 100.0 * exact, "f1": 100.0 * f1}, pair


@pytest.mark.parametrize("name", ["cmrc2018_trial", "drcd_dev"])
def test_words_among_chinese_are_parted_as_the_treebank_does(name):
    """As NLTK does, which CMRC's program calls with its word_tokenize."""
    nltk = pytest.importorskip("nltk.tokenize.destructive")
    words_of = nltk.NLTKWordTokenizer().tokenize
    texts = {
        answer["text"]
        for article in squads.shared_data(name)
        for paragraph in article["paragraphs"]
        for entry in paragraph["qas"]
        for answer in entry["answers"]
    }
    texts |= {
        "the u.s. army's 3,000 men (in 1.5 km), don't",
        "100%的A&B",
        "it's .",
    }
    marks = set(MARKS.split())
    for text in texts:
        kept = "".join(c for c in text.lower().strip() if c not in marks)
        wanted = []
        for run in re.split(r"([\u4e00-\u9fa5])", kept):
            wanted += words_of(run)
        wanted = ['"' if x in ("``", "''") else x for x in wanted]
        assert segments.segment(text) == wanted


def test_the_metric_is_that_of_the_language():
    english, chinese = ["Zinc is a metal."], ["锌是一种金属 (Zinc)。"]
    assert scores.choose_metric("auto", english) == "squad"
    assert scores.choose_metric("auto", chinese) == "cmrc"
    assert scores.choose_metric("auto", [""]) == "squad"
    assert scores.choose_metric("cmrc", english) == "cmrc"
    for name in squads.SHARED:
        found = squads.read(squads.shared_path(name))
        texts = (example.context for example in found)
        wanted = "squad" if name.startswith("squad") else "cmrc"
        assert scores.choose_metric("auto", texts) == wanted


def test_without_version_2_a_question_without_an_answer_is_not_scored():
    found = [
        examples.Example("1", "q", "c", ("a",)),
        examples.Example("2", "q", "c"),
    ]
    for metric in scores.METRICS:
        got = scores.score(found, ["a", "b"], metric=metric, version_2=False)
        assert got["f1"] == (100.0 if metric == "cmrc" else 0.0)
        assert got["exact_match"] == 100.0
        got = scores.score(found, ["a", ""], metric=metric, version_2=True)
        assert got["NoAns_f1"] == got["NoAns_exact_match"] == 100.0

"""Entities and their scores are seqeval's; what may follow what is the same."""

import itertools
import warnings

import numpy as np
import pytest

from finetuning.tagging import labels, scores

_TYPES = ("PER", "LOC")
_LETTERS = {"BIO": "BI", "BIOES": "BIES", "BMES": "BMES", "BILOU": "BILU"}
_IN_BIOES = str.maketrans("MLU", "IES")


def _names(scheme):
    return [
        "O",
        *(f"{x}-{kind}" for kind in _TYPES for x in _LETTERS[scheme]),
    ]


def _random(scheme, seed, num_sentences=400):
    rng = np.random.default_rng(seed)
    names = _names(scheme)
    return [
        [names[i] for i in rng.integers(len(names), size=length)]
        for length in rng.integers(1, 9, num_sentences)
    ]


def _translated(sentences):
    """The sentences with the letters that seqeval knows."""
    return [[x[0].translate(_IN_BIOES) + x[1:] for x in s] for s in sentences]


@pytest.mark.parametrize("name", _LETTERS)
def test_scores_are_those_of_seqeval_in_strict_mode(name):
    seqeval = pytest.importorskip("seqeval.metrics")
    schemes = pytest.importorskip("seqeval.scheme")
    gold = _random(name, 1)
    # Half of the labels right, the others at random, most of it illegal.
    rng = np.random.default_rng(2)
    predicted = [
        [a if rng.random() < 0.5 else b for a, b in zip(*pair, strict=True)]
        for pair in zip(gold, map(list, _resized(gold, name)), strict=True)
    ]
    gold[0], predicted[0] = ["O"], ["O"]
    scheme = labels.Scheme(_names(name))
    total, by_type = scores.score(
        *([scheme.entities(s) for s in part] for part in (gold, predicted))
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = seqeval.classification_report(
            _translated(gold),
            _translated(predicted),
            mode="strict",
            scheme=schemes.IOB2 if name == "BIO" else schemes.IOBES,
            output_dict=True,
        )
    assert 0.01 < total.f1 < 0.9
    ours = {**by_type, "micro avg": total}
    for kind, score in ours.items():
        assert tuple(score) == tuple(theirs[kind].values()), kind


def _resized(sentences, name):
    names = _names(name)
    rng = np.random.default_rng(3)
    for sentence in sentences:
        yield [names[i] for i in rng.integers(len(names), size=len(sentence))]


@pytest.mark.parametrize("name", _LETTERS)
def test_a_path_within_the_rules_is_one_that_needs_no_repair(name):
    names = _names(name)
    scheme = labels.Scheme(names)
    rules = scheme.rules(names)
    for length in range(1, 4):
        for path in itertools.product(range(len(names)), repeat=length):
            is_legal = (
                rules.starts[path[0]]
                and rules.ends[path[-1]]
                and all(rules.transitions[x] for x in itertools.pairwise(path))
            )
            found = tuple(names[i] for i in path)
            assert is_legal == (scheme.repair(found) == found), found


@pytest.mark.parametrize("name", _LETTERS)
def test_repaired_labels_are_legal_and_lose_no_labelled_word(name):
    scheme = labels.Scheme(_names(name))
    for sentence in _random(name, 4):
        repaired = scheme.repair(sentence)
        assert scheme.repair(repaired) == repaired
        assert [x[1:] for x in repaired] == [x[1:] for x in sentence]
        covered = [
            (place, kind)
            for kind, begin, end in scheme.entities(repaired)
            for place in range(begin, end)
        ]
        assert covered == [
            (place, label[2:])
            for place, label in enumerate(sentence)
            if label != "O"
        ]


def test_the_labels_of_iob1_are_read_as_bio():
    # CoNLL-2003 as it was published: B only where entities touch.
    iob1 = ("I-PER", "I-PER", "B-PER", "O", "I-LOC", "I-PER")
    scheme = labels.Scheme(iob1)
    wanted = ("B-PER", "I-PER", "B-PER", "O", "B-LOC", "B-PER")
    assert scheme.repair(iob1) == wanted


def test_labels_without_a_type_cut_words():
    scheme = labels.Scheme(("B", "M", "E", "S"))
    found = scheme.entities(("S", "B", "M", "E"))
    assert found == [("_", 0, 1), ("_", 1, 4)]


def test_entities_of_a_published_example():
    # Of seqeval's README: a wrong type, and one entity right.
    scheme = labels.Scheme({"O", "B-MISC", "I-MISC", "B-PER", "I-PER"})
    gold = ("O", "O", "B-MISC", "I-MISC", "B-MISC", "O", "O")
    assert scheme.entities(gold) == [("MISC", 2, 4), ("MISC", 4, 5)]


@pytest.mark.parametrize("label", ["NN", "o", "B-", "X-PER", "PER-B", ""])
def test_what_is_no_label_is_refused(label):
    with pytest.raises(ValueError, match=f"label '{label}' is neither O nor"):
        labels.parse(label)


def test_a_report_has_every_type_and_two_sums():
    total, by_type = scores.score(
        [[("PER", 0, 1), ("LOC", 2, 3)], [("PER", 0, 2)]],
        [[("PER", 0, 1), ("PER", 2, 3)], [("PER", 0, 2)]],
    )
    assert total == (2 / 3, 2 / 3, 2 / 3, 3)
    assert [line.split() for line in scores.report(total, by_type)] == [
        ["precision", "recall", "f1", "entities"],
        ["LOC", "0.0000", "0.0000", "0.0000", "1"],
        ["PER", "0.6667", "1.0000", "0.8000", "2"],
        ["all", "(micro)", "0.6667", "0.6667", "0.6667", "3"],
        ["all", "(macro)", "0.3333", "0.5000", "0.4000", "3"],
    ]


def test_nothing_found_and_nothing_wanted_score_zero():
    assert scores.score([[]], [[]]) == ((0, 0, 0, 0), {})

"""Exact match and F1 of answers, as the official programs compute them.

Source: the evaluation scripts of SQuAD 1.1 and 2.0 and of CMRC 2018.
"""

import collections
import re
import string
from collections.abc import Iterable, Sequence

import numpy as np

from finetuning.question_answering import segments
from finetuning.question_answering.examples import Example
from text import normalization

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)
_NUM_SAMPLE = 200_000


def choose_metric(name: str, contexts: Iterable[str]) -> str:
    """Returns "squad" or "cmrc"; "auto" takes the one that suits the texts."""
    if name != "auto":
        return name
    sample = "".join(contexts)[:_NUM_SAMPLE]
    counts = collections.Counter(sample)
    letters = {c: n for c, n in counts.items() if c.isalpha()}
    num_chinese = sum(
        n for c, n in letters.items() if normalization.is_chinese(c)
    )
    # A Chinese character is about as long as four Latin letters.
    return "cmrc" if 4 * num_chinese > sum(letters.values()) else "squad"


def normalize(text: str) -> str:
    """Returns a text, lower case, without articles and punctuation.

    One space is between words.
    """
    text = text.lower().translate(_PUNCTUATION)
    return " ".join(_ARTICLES.sub(" ", text).split())


def score(
    examples: Sequence[Example],
    texts: Sequence[str],
    *,
    metric: str,
    version_2: bool,
) -> dict[str, float]:
    """Returns "exact_match" and "f1" in percent.

    Version 2 adds both for the questions with an answer (HasAns_) and for those
    without (NoAns_), and how many there are.

    Args:
        examples: with answers; without version 2 one that has none is left out.
        texts: the answer given to each.
        metric: a key of `METRICS`.
        version_2: whether questions may be without an answer.
    """
    pairs = _raw_scores(examples, texts, metric, version_2)
    metrics = _means(pairs, "")
    if version_2:
        has_answer = [bool(example.answers) for example in examples]
        for prefix, kind in (("HasAns_", True), ("NoAns_", False)):
            some = [
                p for p, x in zip(pairs, has_answer, strict=True) if x is kind
            ]
            if some:
                metrics |= _means(some, prefix) | {f"{prefix}total": len(some)}
    return metrics


def best_thresholds(
    examples: Sequence[Example],
    texts: Sequence[str],
    null_odds: Sequence[float],
    *,
    metric: str,
) -> dict[str, float]:
    """Returns the best scores over all thresholds, and those thresholds.

    Args:
        examples: with answers, or none where there is none.
        texts: the best answer to each that says something.
        null_odds: by how much "no answer" scores higher; see --null_odds.
        metric: a key of `METRICS`.

    Returns:
        {"best_exact", "best_exact_thresh", "best_f1", "best_f1_thresh"}.
    """
    pairs = _raw_scores(examples, texts, metric, version_2=True)
    order = sorted(range(len(examples)), key=lambda i: null_odds[i])
    num_impossible = sum(not example.answers for example in examples)
    metrics = {}
    for name, values in zip(
        ("exact", "f1"), zip(*pairs, strict=True), strict=True
    ):
        best = current = num_impossible
        threshold = 0.0
        for i in order:
            is_wrong = not examples[i].answers and texts[i]
            current += values[i] if examples[i].answers else -bool(is_wrong)
            if current > best:
                best = current
                threshold = null_odds[i]
        metrics[f"best_{name}"] = 100.0 * best / len(examples)
        metrics[f"best_{name}_thresh"] = threshold
    return metrics


def _means(pairs, prefix):
    exact, f1 = (100.0 * sum(x) / len(pairs) for x in zip(*pairs, strict=True))
    return {f"{prefix}exact_match": exact, f"{prefix}f1": f1}


def of_each(
    examples: Sequence[Example],
    texts: Sequence[str],
    *,
    metric: str,
    version_2: bool,
) -> list[tuple[float, float] | None]:
    """Returns (exact match, F1) of each answer, between 0 and 1.

    None stands for a question that is not scored: one without an answer where
    version 2 is not. The arguments are those of `score`.
    """
    exact, f1 = METRICS[metric]
    pairs: list[tuple[float, float] | None] = []
    for example, text in zip(examples, texts, strict=True):
        answers: Sequence[str] = example.answers
        if version_2:
            answers = [x for x in answers if normalize(x)] or [""]
        if not answers:
            pairs.append(None)
            continue
        pairs.append(
            (
                max(exact(answer, text) for answer in answers),
                max(f1(answer, text, version_2) for answer in answers),
            )
        )
    return pairs


def _raw_scores(examples, texts, metric, version_2):
    """Returns those of the questions that are scored."""
    pairs = of_each(examples, texts, metric=metric, version_2=version_2)
    return [pair for pair in pairs if pair is not None]


def _squad_exact(answer, text):
    return int(normalize(answer) == normalize(text))


def _squad_f1(answer, text, version_2):
    wanted, given = normalize(answer).split(), normalize(text).split()
    if version_2 and not (wanted and given):
        return int(wanted == given)
    num_same = (
        collections.Counter(wanted) & collections.Counter(given)
    ).total()
    return _f1(num_same, len(given), len(wanted))


def _cmrc_exact(answer, text):
    return int(
        segments.without_punctuation(answer)
        == segments.without_punctuation(text)
    )


def _cmrc_f1(answer, text, version_2):
    if version_2 and not (answer and text):
        return int(answer == text)
    wanted, given = segments.segment(answer), segments.segment(text)
    return _f1(_longest_common(wanted, given), len(given), len(wanted))


def _f1(num_same, num_given, num_wanted):
    if not num_same:
        return 0
    precision = 1.0 * num_same / num_given
    recall = 1.0 * num_same / num_wanted
    return (2 * precision * recall) / (precision + recall)


def _longest_common(left, right):
    """Returns the length of the longest run of segments that both have."""
    longest = 0
    lengths = np.zeros(len(right) + 1, int)
    theirs = np.array(right, object)
    for segment in left:
        lengths[1:] = np.where(theirs == segment, lengths[:-1] + 1, 0)
        longest = max(longest, lengths.max())
    return int(longest)


METRICS = {
    "squad": (_squad_exact, _squad_f1),
    "cmrc": (_cmrc_exact, _cmrc_f1),
}

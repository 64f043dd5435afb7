"""The entities and labels predicted for sentences, as lines of files."""

from collections.abc import Sequence
from typing import Any

from finetuning.tagging.labels import Plain, Scheme
from finetuning.tagging.scores import Entity
from finetuning.tagging.sentences import Sentence
from storage import json_files


def files(
    sentences: Sequence[Sentence],
    predicted: Sequence[Sequence[str]],
    scheme: Scheme | Plain,
) -> dict[str, list[str]]:
    """Returns {file name: lines}.

    predictions.conll has a word a line, its label where the input has one, and
    the predicted one; label_test.txt, as CLUE's, only the predicted ones;
    cluener_predict.json, of sentences in CLUENER's form, what its site takes.

    Args:
        sentences: with or without labels.
        predicted: the labels of the words of each.
        scheme: of the labels.
    """
    pairs = list(zip(sentences, predicted, strict=True))
    contents = {
        "predictions.conll": [
            line for pair in pairs for line in (*_conll(*pair), "")
        ],
        "label_test.txt": [tag for tags in predicted for tag in tags],
        "entities.jsonl": [
            json_files.line(entities(sentence, scheme.entities(tags)))
            for sentence, tags in pairs
        ],
    }
    if any(sentence.id is not None for sentence in sentences):
        contents["cluener_predict.json"] = [
            json_files.line(_cluener(sentence, scheme.entities(tags)))
            for sentence, tags in pairs
        ]
    return contents


def scored_files(
    sentences: Sequence[Sentence],
    predicted: Sequence[Sequence[str]],
    scheme: Scheme | Plain,
) -> dict[str, list[str]]:
    """Returns {file name: lines} of an evaluation.

    eval_predictions.jsonl says of each sentence what `entities` does, and
    beside it the entities that were wanted.

    Args:
        sentences: with labels.
        predicted: the labels of the words of each.
        scheme: of the labels.
    """
    lines = []
    for number, (sentence, tags) in enumerate(
        zip(sentences, predicted, strict=True)
    ):
        wanted = entities(sentence, scheme.entities(sentence.gold))
        found = entities(sentence, scheme.entities(tags))
        id_ = number if sentence.id is None else sentence.id
        line = {"id": id_, **found, "wanted": wanted["entities"]}
        lines.append(json_files.line(line))
    return {"eval_predictions.jsonl": lines}


def _cluener(sentence, spans):
    """Returns what CLUENER's site takes for a sentence."""
    label = {}
    for entity in entities(sentence, spans)["entities"]:
        places = label.setdefault(entity["type"], {})
        span = [entity["start"], entity["end"] - 1]
        places.setdefault(entity["text"], []).append(span)
    return {"id": sentence.id, "label": label}


def _conll(sentence, tags):
    columns = (sentence.words, sentence.labels, tags)
    return map("\t".join, zip(*filter(None, columns), strict=True))


def entities(sentence: Sentence, spans: Sequence[Entity]) -> dict[str, Any]:
    """Returns {"text": ..., "entities": [{type, start, end, text}]}.

    Args:
        sentence: its text is cut.
        spans: the entities, in words; start and end are in characters.
    """
    places = [
        (
            kind,
            sentence.starts[begin],
            sentence.starts[end - 1] + len(sentence.words[end - 1]),
        )
        for kind, begin, end in spans
    ]
    return {
        "text": sentence.text,
        "entities": [
            {"type": kind, "start": a, "end": b, "text": sentence.text[a:b]}
            for kind, a, b in places
        ],
    }

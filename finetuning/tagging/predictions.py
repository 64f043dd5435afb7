"""What was found in sentences, as lines of files."""

from storage import json_files


def files(sentences, predicted, scheme):
    """Returns {file name: lines}.

    predictions.conll has a word a line, its label where the input has one, and
    what was predicted; label_test.txt, as CLUE's, what was predicted only;
    cluener_predict.json, of sentences in its form, what is handed in.

    Args:
        sentences: a list of `conll.Sentence`.
        predicted: the labels of the words of each.
        scheme: the `labels.Scheme`.
    """
    pairs = list(zip(sentences, predicted, strict=True))
    found = {
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
        found["cluener_predict.json"] = [
            json_files.line(_cluener(sentence, scheme.entities(tags)))
            for sentence, tags in pairs
        ]
    return found


def _cluener(sentence, found):
    """Returns what CLUENER's site takes for a sentence."""
    label = {}
    for entity in entities(sentence, found)["entities"]:
        places = label.setdefault(entity["type"], {})
        span = [entity["start"], entity["end"] - 1]
        places.setdefault(entity["text"], []).append(span)
    return {"id": sentence.id, "label": label}


def _conll(sentence, tags):
    columns = (sentence.words, sentence.labels, tags)
    return map("\t".join, zip(*filter(None, columns), strict=True))


def entities(sentence, found):
    """Returns {"text": ..., "entities": [{type, start, end, text}]}.

    Args:
        sentence: a `conll.Sentence`.
        found: (type, first word, word after the last) of each entity.
    """
    spans = [
        (
            kind,
            sentence.starts[begin],
            sentence.starts[end - 1] + len(sentence.words[end - 1]),
        )
        for kind, begin, end in found
    ]
    return {
        "text": sentence.text,
        "entities": [
            {"type": kind, "start": a, "end": b, "text": sentence.text[a:b]}
            for kind, a, b in spans
        ],
    }

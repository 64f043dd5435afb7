"""What was found in sentences, as lines of files."""

import json


def files(sentences, predicted, scheme):
    """Returns {file name: lines}.

    predictions.conll has a word a line, its label where the input has one, and
    what was predicted; label_test.txt, as CLUE's, what was predicted only.

    Args:
        sentences: a list of `conll.Sentence`.
        predicted: the labels of the words of each.
        scheme: the `labels.Scheme`.
    """
    pairs = list(zip(sentences, predicted, strict=True))
    return {
        "predictions.conll": [
            line for pair in pairs for line in (*_conll(*pair), "")
        ],
        "label_test.txt": [tag for tags in predicted for tag in tags],
        "entities.jsonl": [
            json.dumps(
                entities(sentence, scheme.entities(tags)), ensure_ascii=False
            )
            for sentence, tags in pairs
        ],
    }


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

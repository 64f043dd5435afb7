"""Files of what a model says of texts.

Shapes: N examples, L labels.
"""

import os

from storage import file_io, json_files


def write_probabilities(path, probabilities):
    """Writes test_results.tsv as google-research/bert does.

    Args:
        path: local or remote; no header and no ids stand in it.
        probabilities: [N, L] float32.
    """
    file_io.write_lines(
        path, ("\t".join(map(str, row)) for row in probabilities)
    )


def write_answers(path, examples, answers, with_labels):
    """Writes a JSON object a line: id, texts, and what is said of them."""
    lines = []
    for example, answer in zip(examples, answers, strict=True):
        pairs = example.pairs
        texts = list(pairs[0] if len(pairs) == 1 else (pairs[0][0],))
        line = {"id": example.id, "texts": [x for x in texts if x is not None]}
        if len(pairs) > 1:
            line["choices"] = [second for _, second in pairs]
        if with_labels:
            line["wanted"] = example.label
        lines.append(json_files.line(line | answer))
    file_io.write_lines(path, lines)


def _glue(example, answer):
    return f"{example.id}\t{_said(answer)}"


def _clue(example, answer):
    line = {"id": example.id, "label": str(_said(answer))}
    return json_files.line(line)


def _said(answer):
    return answer["label"] if "label" in answer else answer["value"]


# The form that a benchmark wants: its first lines, and one for each example.
SUBMISSIONS = {"glue": (["index\tprediction"], _glue), "clue": ([], _clue)}


def write_submission(path, form, examples, answers):
    """Writes what is handed in to a benchmark.

    Args:
        path: local or remote.
        form: a key of `SUBMISSIONS`.
        examples: of one part.
        answers: of them; see `kinds.OneLabel.answer`.
    """
    lines, make = SUBMISSIONS[form]
    made = [make(*pair) for pair in zip(examples, answers, strict=True)]
    file_io.write_lines(path, [*lines, *made])


def path_of(directory, name, part):
    """Returns where the file of a part is: its name stands before the dot."""
    stem, ending = os.path.splitext(name)
    return os.path.join(directory, f"{stem}{part}{ending}")

"""Files in SQuAD's form, small ones and the real ones."""

import gzip
import json

from finetuning import problems
from finetuning.question_answering import examples
from tests import project

SHARED = ("squad_v1.1.train", "squad_v1.1.dev", "cmrc2018_trial", "drcd_dev")


def entry(number, question, *answers, **others):
    """An entry of "qas"; answers are (text, answer_start)."""
    found = [{"text": text, "answer_start": start} for text, start in answers]
    return {"id": f"q{number}", "question": question, "answers": found} | others


def data_of(*paragraphs):
    """A file's content; paragraphs are (context, entries)."""
    return {
        "version": "1.1",
        "data": [
            {"paragraphs": [{"context": context, "qas": entries}]}
            for context, entries in paragraphs
        ],
    }


def write(path, *paragraphs):
    text = json.dumps(data_of(*paragraphs), ensure_ascii=False)
    path.write_text(text, encoding="utf-8")
    return str(path)


def read(path, *, version_2=False, is_training=True, strict=False):
    return examples.read(
        str(path),
        problems.Problems(strict),
        version_2=version_2,
        is_training=is_training,
    )


def shared_path(name):
    return project.shared() / "data" / "tasks" / f"{name}.json.gz"


def shared_data(name):
    with gzip.open(shared_path(name), "rt", encoding="utf-8") as file:
        return json.load(file)["data"]

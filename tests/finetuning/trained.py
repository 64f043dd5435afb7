"""Short runs of each fine-tuning program, over files that tests write."""

import json

from finetuning.classification import config as classification_config
from finetuning.classification import task as classification
from finetuning.question_answering import config as question_config
from finetuning.question_answering import task as question_answering
from finetuning.tagging import config as tagging_config
from finetuning.tagging import task as tagging
from tests.finetuning import tiny_task
from tests.finetuning.question_answering import squads

CLASSIFIER, NER, SQUAD = "run_classifier.py", "run_ner.py", "run_squad.py"
_CONFIGS = {
    CLASSIFIER: classification_config.ClassifierConfig,
    NER: tagging_config.TaggingConfig,
    SQUAD: question_config.QuestionAnsweringConfig,
}
_RUNS = {
    CLASSIFIER: classification.run,
    NER: tagging.run,
    SQUAD: question_answering.run,
}
_TASKS = {
    CLASSIFIER: classification.Classification,
    NER: tagging.Tagging,
    SQUAD: question_answering.QuestionAnswering,
}
PROGRAMS = tuple(_RUNS)
TEXTS = ("w1 w2 w3", "w4 w5", "w6 w1 w90 w91", "w7 w8")
# What only one of the programs takes.
_OWN = {
    CLASSIFIER: {"task_name": "jsonl"},
    NER: {"window_overlap": 2, "token_digits": "keep"},
    SQUAD: {"max_query_length": 4, "doc_stride": 4},
}
_FILES = {CLASSIFIER: "rows.jsonl", NER: "words.conll", SQUAD: "asked.json"}


def write_inputs(directory):
    """Writes the model's shape, its vocabulary and a file for each program."""
    tiny_task.write_inputs(directory)
    write_objects(
        directory / _FILES[CLASSIFIER],
        *({"text": x, "label": "ab"[n % 2]} for n, x in enumerate(TEXTS)),
    )
    (directory / _FILES[NER]).write_text(
        "".join(
            f"{word}\t{'B-PER' if word < 'w5' else 'O'}\n" + "\n" * is_last
            for text in TEXTS
            for word, is_last in _words(text)
        )
    )
    squads.write(
        directory / _FILES[SQUAD],
        *(
            (text, [squads.entry(n, "w9 w8", (text.split()[0], 0))])
            for n, text in enumerate(TEXTS)
        ),
    )


def _words(text):
    words = text.split()
    return [(word, n == len(words)) for n, word in enumerate(words, start=1)]


def write_objects(path, *rows):
    """Writes lines of JSON in ASCII, which may hold any half of a pair."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def read_objects(path):
    """Returns the objects of a file of JSON lines."""
    lines = path.read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in lines if line]


def config_of(program, directory, output, **changes):
    """Returns the settings of a run over the program's own file."""
    source = str(directory / _FILES[program])
    defaults = {
        "bert_config_file": str(directory / "bert.json"),
        "vocab_file": str(directory / "vocab.txt"),
        "output_dir": str(directory / output),
        "max_seq_length": 16,
        "train_file": source,
        "eval_file": source,
        "predict_file": source,
        "train_batch_size": 2,
        "num_train_epochs": 1.0,
        "mixed_precision": "none",
    }
    return _CONFIGS[program](**defaults | _OWN[program] | changes)


def run(program, directory, output, **changes):
    """Runs a program; returns its scores."""
    return run_config(program, config_of(program, directory, output, **changes))


def run_config(program, config):
    return _RUNS[program](config)


def task_of(program):
    """Returns the class of a program's task."""
    return _TASKS[program]

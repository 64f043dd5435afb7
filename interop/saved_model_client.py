"""Asks a SavedModel, with TensorFlow and nothing else.

python -I saved_model_client.py MODEL_DIRECTORY QUESTIONS.json ANSWERS.npz \\
    [LIBRARY ...]

The questions are a list of {"signature": name, "inputs": {name: values}};
strings are bytes written as Latin-1. A library has operations of the model
beside TensorFlow's. Output NAME of question i is i/NAME.
"""

import importlib
import json
import sys

import numpy as np
import tensorflow as tf


def main(
    directory: str, questions_file: str, answers_file: str, *libraries: str
) -> None:
    for name in libraries:
        importlib.import_module(name)
    signatures = tf.saved_model.load(directory).signatures
    with open(questions_file, encoding="utf-8") as file:
        questions = json.load(file)
    answers = {}
    for number, question in enumerate(questions):
        inputs = {
            name: _tensor(values) for name, values in question["inputs"].items()
        }
        outputs = signatures[question["signature"]](**inputs)
        for name, value in outputs.items():
            array = value.numpy()
            is_text = array.dtype == object
            # As UTF-8, without objects: a file that loads anywhere.
            answers[f"{number}/{name}"] = (
                np.char.decode(array.astype(bytes), "utf-8")
                if is_text
                else array
            )
    # NumPy's stubs take every name for that of its one option.
    np.savez(answers_file, **answers)  # type: ignore[arg-type]


def _tensor(values):
    if values and isinstance(values[0], str):
        return tf.constant([text.encode("latin-1") for text in values])
    return tf.constant(values, tf.int32)


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Makes a large corpus of smaller ones, to build records of.

The documents of the input come again and again, in another order each time,
until there is enough text.

python -m benchmarks.make_corpus --input_file=a.txt,b.txt --megabytes=200 \\
    --output_file=large.txt
"""

import os
import random

from absl import app, flags

from storage import inputs
from text import corpus

_INPUT = flags.DEFINE_string(
    "input_file", None, "Comma list of text files.", required=True
)
_OUTPUT = flags.DEFINE_string(
    "output_file", None, "The file to write.", required=True
)
_MEGABYTES = flags.DEFINE_integer("megabytes", 200, "Size of it.")
_SEED = flags.DEFINE_integer("seed", 1, "Decides the orders of documents.")


def documents(paths):
    """Returns the documents of some files, each with its blank line."""
    found, lines = [], []
    for path in paths:
        for chunk in corpus.read_chunks(path):
            for line in chunk.removesuffix("\n").split("\n"):
                if line.strip():
                    lines.append(line + "\n")
                elif lines:
                    found.append("".join(lines) + "\n")
                    lines = []
    return found


def main(_):
    all_documents = documents(inputs.expand(_INPUT.value))
    rng = random.Random(_SEED.value)
    left = _MEGABYTES.value * 1_000_000
    with open(_OUTPUT.value, "w", encoding="utf-8", newline="\n") as out:
        while left > 0:
            rng.shuffle(all_documents)
            for document in all_documents:
                out.write(document)
                left -= len(document.encode())
                if left <= 0:
                    break
    print(f"{_OUTPUT.value}: {os.path.getsize(_OUTPUT.value):,} bytes")


if __name__ == "__main__":
    app.run(main)

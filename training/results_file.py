"""eval_results.txt: what the last evaluation found, `name = value` a line."""

import os

from storage import file_io

NAME = "eval_results.txt"


def read(directory: str) -> dict[str, float]:
    """Returns the numbers of a folder's file; none where there is no file."""
    path = os.path.join(directory, NAME)
    if not file_io.exists(path):
        return {}
    found = {}
    for line in (
        file_io.read_bytes(path).decode("utf-8", "replace").splitlines()
    ):
        name, _, value = line.partition(" = ")
        try:
            found[name] = float(value)
        except ValueError:
            continue
    return found

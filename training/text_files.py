"""Small text files, local or remote, that appear whole or not at all."""

import json

import tensorflow as tf


def write_lines(path, lines):
    """Writes lines in place of the file there may be."""
    with tf.io.gfile.GFile(path + ".tmp", "w") as file:
        file.write("".join(line + "\n" for line in lines))
    tf.io.gfile.rename(path + ".tmp", path, overwrite=True)


def write_json(path, value):
    """Writes a value as JSON that people can read."""
    text = json.dumps(value, indent=1, ensure_ascii=False)
    write_lines(path, text.split("\n"))

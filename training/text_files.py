"""Small text files, local or remote, that appear whole or not at all."""

import tensorflow as tf


def write_lines(path, lines):
    """Writes lines in place of the file there may be."""
    with tf.io.gfile.GFile(path + ".tmp", "w") as file:
        file.write("".join(line + "\n" for line in lines))
    tf.io.gfile.rename(path + ".tmp", path, overwrite=True)

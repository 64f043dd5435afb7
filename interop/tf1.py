"""Checkpoints of google-research/bert: published ones, and a training's.

Our names are theirs, so there is no table; older ones are brought up to date.
"""

import os
import re

import tensorflow as tf

from interop import variables
from modeling import config as model_config
from text import corpus

CONFIG = "bert_config.json"
VOCABULARY = "vocab.txt"
_PUBLISHED = "bert_model.ckpt"
_INDEX = ".index"
_DATA = ".data-00000-of-00001"
_NUMBERED = re.compile(r"model\.ckpt-(\d+)\.index")
# A part of a name that tf.contrib.layers once wrote, and what it is now. A slot
# of an optimizer may follow.
_OLDER = (
    (re.compile(r"/weights(?=/|$)"), "/kernel"),
    (re.compile(r"/biases(?=/|$)"), "/bias"),
)
# Numbers of a training that belong to no variable.
_OF_TRAINING = re.compile(
    r"global_step|beta[12]_power|loss_scale\w*|optimizer/\w+"
)
_OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"


def find(path):
    """Returns the prefix of the checkpoint that a prefix or directory names.

    In a directory the newest model.ckpt-N goes before the only *.ckpt.

    Raises:
        ValueError: there is none.
    """
    if tf.io.gfile.isdir(path):
        names = tf.io.gfile.listdir(path)
        steps = [int(m[1]) for m in map(_NUMBERED.fullmatch, names) if m]
        if steps:
            return os.path.join(path, f"model.ckpt-{max(steps)}")
        (*_, last) = published = sorted(
            {name for name in names if name.endswith(".ckpt" + _INDEX)}
        ) or [None]
        if last and len(published) == 1:
            return os.path.join(path, last.removesuffix(_INDEX))
    elif tf.io.gfile.exists(path + _INDEX):
        return path
    raise ValueError(
        f"{path}: neither the prefix of a checkpoint ({path}{_INDEX} does not "
        "exist) nor a directory that holds one"
    )


def read_tensors(prefix, *, with_state=True):
    """Reads a checkpoint.

    Args:
        prefix: of its files.
        with_state: whether to read optimizer slots and the step, too.

    Returns:
        ({name: array}, state): the weights, and the rest in the same form.

    Raises:
        ValueError: it is damaged, says in which tensor, or is object-based.
    """
    values, state, theirs = {}, {}, None
    try:
        reader = tf.train.load_checkpoint(prefix)
        shapes = reader.get_variable_to_shape_map()
        if _OBJECT_GRAPH in shapes:
            raise ValueError(
                f"{prefix} is an object-based checkpoint of TensorFlow 2; only "
                "those with the names of google-research/bert can be read"
            )
        for theirs in sorted(shapes):
            is_state = _is_state(theirs, shapes)
            if with_state or not is_state:
                tensors = state if is_state else values
                tensors[_present_name(theirs)] = reader.get_tensor(theirs)
    # A file that ends too early comes as an IndexError.
    except (tf.errors.OpError, IndexError, RuntimeError) as error:
        at = f" at {theirs}" if theirs else ""
        raise ValueError(f"{prefix} is damaged{at}: {error}") from None
    return values, state


def _present_name(name):
    for pattern, present in _OLDER:
        name = pattern.sub(present, name)
    return name


def _is_state(name, names):
    """Whether a tensor is of a training: a slot stands below its variable."""
    return name.rpartition("/")[0] in names or bool(
        _OF_TRAINING.fullmatch(name)
    )


def read(
    path, *, config_file=None, vocab_file=None, head=None, do_lower_case=True
):
    """Reads a checkpoint with the files beside it.

    Args:
        path: a prefix, or a directory.
        config_file: its bert_config.json; the one beside it if None.
        vocab_file: its vocabulary; that beside it, if there is one, if None.
        head: a key of `variables.HEADS`, where the names fit several.
        do_lower_case: whether the model is uncased, which no file says.

    Returns:
        A `variables.Bert`.

    Raises:
        ValueError: a file is missing, damaged, or does not fit the others.
    """
    prefix = find(path)
    beside = os.path.dirname(prefix)
    config = read_config(config_file or os.path.join(beside, CONFIG))
    vocabulary = read_bytes(vocab_file) if vocab_file else None
    values, state = read_tensors(prefix)
    model = variables.Bert(
        config=config,
        head=variables.infer_head(values, head),
        values=values,
        vocabulary=vocabulary or read_vocabulary(beside),
        do_lower_case=do_lower_case,
        state=state,
    )
    variables.check_model(model, prefix)
    return model


def read_config(path):
    """Reads a bert_config.json.

    Raises:
        ValueError: there is none, or it is no BERT's.
    """
    if not corpus.exists(path):
        raise ValueError(f"--bert_config_file: no file {path!r}")
    return model_config.from_json(read_bytes(path).decode(), path)


def read_vocabulary(directory):
    """Returns the bytes of a directory's vocab.txt, None without one."""
    path = os.path.join(directory, VOCABULARY)
    return read_bytes(path) if corpus.exists(path) else None


def read_bytes(path):
    """Returns the bytes of a local or remote file."""
    with corpus.open_binary(path) as file:
        return file.read()


def export(directory, model, *, keep_state=False):
    """Writes a model in the form in which models are published.

    That is bert_model.ckpt, bert_config.json and, if the model has one,
    vocab.txt. The index of the checkpoint appears last.

    Args:
        directory: made when missing; older files of these names are replaced.
        model: a `variables.Bert`.
        keep_state: whether optimizer slots and the step go with it.

    Returns:
        The prefix of the checkpoint.
    """
    variables.check_model(model, directory)
    corpus.make_directory(directory)
    prefix = os.path.join(directory, _PUBLISHED)
    corpus.remove(prefix + _INDEX)
    corpus.write_whole(
        os.path.join(directory, CONFIG), model.config.to_json().encode() + b"\n"
    )
    if model.vocabulary is not None:
        corpus.write_whole(
            os.path.join(directory, VOCABULARY), model.vocabulary
        )
    tensors = {**model.values, **(model.state if keep_state else {})}
    write_tensors(prefix, tensors)
    return prefix


def write_tensors(prefix, tensors):
    """Writes {name: array} as a checkpoint."""
    unfinished = prefix + ".tmp"
    tf.raw_ops.SaveV2(
        prefix=unfinished,
        tensor_names=list(tensors),
        shape_and_slices=[""] * len(tensors),
        tensors=[tf.convert_to_tensor(value) for value in tensors.values()],
    )
    for suffix in (_DATA, _INDEX):
        corpus.rename(unfinished + suffix, prefix + suffix)

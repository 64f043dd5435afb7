"""A first look at the files of a model: it needs no Keras, no TensorFlow.

A file that is missing is found here within a second; `start` and `formats`
read the files, and say all else.
"""

from typing import Any

from interop.config import ModelSettings
from storage import file_io, inputs, json_files


def at_model(
    settings: ModelSettings, *, max_seq_length: int, output_dir: str = ""
) -> dict[str, Any]:
    """Looks for the shape and the weights that a program starts from.

    Args:
        settings: name them.
        max_seq_length: of the rows that the model is to read.
        output_dir: of a training, which may go on from what is in it.

    Returns:
        What --bert_config_file says, as it stands there.

    Raises:
        ValueError: a file is missing or no JSON, or the model is too short.
    """
    path = settings.bert_config_file
    inputs.check_file(path, "bert_config_file")
    values = json_files.parse(file_io.read_bytes(path), path, object)
    values = values if isinstance(values, dict) else {}
    positions = values.get("max_position_embeddings")
    if isinstance(positions, int):
        check_length(path, max_seq_length, positions)
    weights = settings.init_checkpoint
    if weights and not (output_dir and file_io.names_in(output_dir)):
        check_weights(weights, "init_checkpoint")
    return values


def check_length(path: str, max_seq_length: int, positions: int) -> None:
    """Refuses rows that are longer than a model has positions for."""
    if max_seq_length > positions:
        raise ValueError(
            f"--max_seq_length={max_seq_length} is more than "
            f"max_position_embeddings={positions} of {path}"
        )


def check_weights(path: str, flag: str) -> None:
    """Makes sure that something is where a model should be."""
    if not file_io.exists(path) and not file_io.exists(f"{path}.index"):
        raise ValueError(
            f"--{flag}={path}: neither the prefix of a checkpoint, as there is "
            f"no {path}.index, nor a file or a directory of that name"
        )

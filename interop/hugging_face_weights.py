"""The weights of a Hugging Face directory, by their names, whatever the files.

model.safetensors, in parts where it is large, or pytorch_model.bin of older
versions. A tensor is made of its bytes when it is asked for: buffers of any
type and tensors that nobody takes cost nothing.
"""

import functools
import io
import os
import pickle
from collections.abc import Callable, Mapping

import ml_dtypes
import numpy as np
import safetensors
from absl import logging

from storage import file_io, json_files

FILE = "model.safetensors"
# How the name of the word embeddings ends, which every encoder has.
WORDS = "embeddings.word_embeddings.weight"
_OLDER = "pytorch_model.bin"
_INDEX = ".index.json"
_DTYPES = {
    "F64": np.float64,
    "F32": np.float32,
    "F16": np.float16,
    "BF16": ml_dtypes.bfloat16,
}
_NARROW = ("F16", "BF16")
# How deep in a .bin the tensors may lie: {"state_dict": {"model": {...}}}.
_MOST_WRAPS = 3
_NUM_NAMED = 5


def are_here(directory: str) -> bool:
    """Whether a directory has files of weights."""
    return any(
        file_io.exists(os.path.join(directory, name + end))
        for name in (FILE, _OLDER)
        for end in ("", _INDEX)
    )


def load(directory: str) -> dict[str, Callable[[], np.ndarray]]:
    """Returns {their name: function that makes the array} of every file.

    Raises:
        ValueError: a file is missing or damaged, or holds no tensors.
    """
    for name, load in ((FILE, _load_safe), (_OLDER, _load_torch)):
        path = os.path.join(directory, name)
        if file_io.exists(path):
            return load(path)
        if file_io.exists(path + _INDEX):
            return {
                key: value
                for part in _parts(path + _INDEX)
                for key, value in load(os.path.join(directory, part)).items()
            }
    raise ValueError(f"{directory} has neither {FILE} nor {_OLDER}")


def _parts(path):
    """Returns the files that an index names, which stand beside it."""
    index = json_files.read(path, {"weight_map": {str: str}})
    parts = sorted(set(index["weight_map"].values()))
    for part in parts:
        if part != os.path.basename(part) or part in ("", ".", ".."):
            raise ValueError(
                f"{path}: weight_map names {part!r}, which is not in its folder"
            )
    return parts


def _load_safe(path):
    if not file_io.exists(path):
        raise ValueError(f"{path} is missing: its index names it")
    try:
        tensors = safetensors.deserialize(file_io.read_bytes(path))
    except safetensors.SafetensorError as error:
        raise ValueError(f"{path} is damaged: {error}") from None
    return {
        name: functools.partial(_array, tensor, path, name)
        for name, tensor in tensors
    }


def _array(tensor, path, name):
    dtype = tensor["dtype"]
    if dtype not in _DTYPES:
        raise ValueError(f"{path}: {name} is {dtype}, not a float")
    array = np.frombuffer(tensor["data"], _DTYPES[dtype])
    array = array.reshape(tensor["shape"])
    return array.astype(np.float32) if dtype in _NARROW else array


def _load_torch(path):
    try:
        import torch
    except ImportError:
        raise ValueError(
            f"{path} can be read with PyTorch only: install torch, or save "
            "the model as safetensors where it is"
        ) from None
    if not file_io.exists(path):
        raise ValueError(f"{path} is missing: its index names it")
    source = path
    with file_io.open_binary(path) as file:
        file_io.check_is_fetched(file.read(64), path)
    if file_io.is_remote(path):
        source = io.BytesIO(file_io.read_bytes(path))
    try:
        # Tensors and what they stand in: no code in the file is run.
        found = torch.load(source, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise ValueError(
            f"{path} holds other objects than tensors, and code of theirs "
            "would run to read it, or it is damaged; save the model again "
            "where it is from, as safetensors or by torch.save("
            "model.state_dict(), ...)"
        ) from None
    except (RuntimeError, EOFError, OSError, ValueError, KeyError) as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(f"{path} is damaged: {reason}") from None
    return {
        name: functools.partial(_of_torch, tensor, path, name, torch)
        for name, tensor in _unwrap(found, path, torch).items()
    }


def _of_torch(tensor, path, name, torch):
    if not tensor.is_floating_point():
        raise ValueError(f"{path}: {name} is {tensor.dtype}, not a float")
    if tensor.dtype not in (torch.float32, torch.float64):
        tensor = tensor.float()
    return tensor.detach().numpy()


def _unwrap(found, path, torch):
    """Returns {name: tensor} of an object, in which they may lie deeper.

    Trainings save {"state_dict": {...}, "loss": tensor} and the like: an
    encoder goes before what else is by name.
    """
    level, best = [((), found)], []
    for _ in range(_MOST_WRAPS):
        level = [(keys, x) for keys, x in level if isinstance(x, Mapping)]
        named = [(keys, _named(value, torch)) for keys, value in level]
        named = [x for x in named if x[1]]
        encoders = [x for x in named if any(n.endswith(WORDS) for n in x[1])]
        best = encoders or best or named
        if encoders:
            break
        level = [
            ((*keys, str(key)), inner)
            for keys, value in level
            for key, inner in value.items()
        ]
    if len(best) == 1:
        ((keys, tensors),) = best
        if keys:
            logging.info("%s: read are its %s", path, " / ".join(keys))
        return tensors
    kind = type(found).__name__
    if isinstance(found, Mapping):
        kind = "{" + ", ".join(map(repr, list(found)[:_NUM_NAMED])) + "}"
    raise ValueError(f"{path} holds {kind}, wanted one set of tensors by name")


def _named(mapping, torch):
    """Returns the tensors of a mapping that have a name."""
    return {
        name: value
        for name, value in mapping.items()
        if isinstance(name, str) and isinstance(value, torch.Tensor)
    }

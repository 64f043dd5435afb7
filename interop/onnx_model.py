"""A file of ONNX: ids in, what the model's head says out.

tf2onnx makes it of the graph that a SavedModel has for ids. ONNX has no
operation for the tokenizer.
"""

import importlib.util
import os
from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from interop import outputs, saved_model, tf1, tokenizer_files, variables
from interop.variables import PortableModel
from storage import file_io

FILE = "model.onnx"
# The newest that tf2onnx knows is newer than many programs that read it.
_OPSET = 17


def export(directory: str, model: PortableModel) -> None:
    """Writes model.onnx, its config and the files of its tokenizer.

    Args:
        directory: made when missing.
        model: what to write.

    Raises:
        ValueError: tf2onnx or onnxruntime is not installed.
    """
    missing = [
        name
        for name in ("tf2onnx", "onnxruntime")
        if not importlib.util.find_spec(name)
    ]
    if missing:
        raise ValueError(
            f"--to=onnx needs {' and '.join(missing)}: install it with "
            f"pip install {' '.join(missing)}"
        )
    import tf2onnx

    variables.check_model(model, directory)
    file_io.make_directory(directory)
    file_io.write_whole(
        os.path.join(directory, tf1.CONFIG),
        model.config.to_json().encode() + b"\n",
    )
    tokenizer_files.write(directory, model.tokenizer)
    asked = saved_model.OfIds(model)
    shapes = [
        tf.TensorSpec([None, None], tf.int32, name) for name in outputs.FEATURES
    ]
    graph, _ = tf2onnx.convert.from_function(
        tf.function(lambda *features: asked.of_ids(*features)),
        input_signature=shapes,
        opset=_OPSET,
    )
    file_io.write_whole(
        os.path.join(directory, FILE), graph.SerializeToString()
    )


def answers(
    directory: str, features: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Computes the outputs of a file of ONNX with onnxruntime.

    Args:
        directory: a local one.
        features: {name: int32 [B, T]} of `outputs.FEATURES`.

    Returns:
        {name: array}, as the signature of ids of a SavedModel names them.
    """
    import onnxruntime

    session = onnxruntime.InferenceSession(
        os.path.join(directory, FILE), providers=["CPUExecutionProvider"]
    )
    names = [output.name for output in session.get_outputs()]
    wanted = [taken.name for taken in session.get_inputs()]
    found = session.run(names, {name: features[name] for name in wanted})
    return dict(zip(names, found, strict=True))

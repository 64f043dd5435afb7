"""A model grows from one stage of a run to the next: by copies of its own.

    positions   p >= L, the length so far, take row p mod L
    layers      i >= n, the depth so far, take layer i mod n: progressive
                stacking (Gong et al. 2019, Efficient Training of BERT by
                Progressively Stacking)

What the optimizer keeps of a row or a layer is copied with it.
"""

from collections.abc import Mapping

import keras
import numpy as np

from modeling.encoder import Encoder
from pretraining.stages import Stage


def grow(
    variables: Mapping[str, keras.Variable],
    encoder: Encoder,
    before: Stage,
    after: Stage,
    *,
    has_positions: bool = False,
) -> str:
    """Makes the first weights of a stage of what the one before has learned.

    Args:
        variables: {name: variable} of a checkpoint, the optimizer's, too.
        encoder: whose variables are among them.
        before: the stage that is over.
        after: the stage that begins.
        has_positions: whether all rows of the positions are good already.

    Returns:
        What was copied, for the log; "" where it is nothing.
    """
    copied = []
    positions = encoder.position_embeddings
    is_longer = after.max_seq_length > before.max_seq_length
    if is_longer and positions is not None and not has_positions:
        first = encoder.config.first_position
        _repeat_rows(variables, positions, before.max_seq_length, first)
        copied.append(f"positions from {before.max_seq_length} on")
    if after.num_layers > before.num_layers:
        _copy_layers(variables, encoder, before.num_layers, after.num_layers)
        copied.append(f"layers from {before.num_layers} on")
    return f"{' and '.join(copied)} begin as copies" if copied else ""


def _copy_layers(variables, encoder, before, after):
    for index in range(before, after):
        for target, source in zip(
            encoder.layers[index].trainable_variables,
            encoder.layers[index % before].trainable_variables,
            strict=True,
        ):
            sources = _with_slots(variables, source)
            for ending, variable in _with_slots(variables, target).items():
                variable.assign(sources[ending].numpy())


def _repeat_rows(variables, table, length, first):
    rows = np.arange(table.shape[0])
    rows[first:] = first + (rows[first:] - first) % length
    for ending, variable in _with_slots(variables, table).items():
        # Adafactor has a number for each column, of which there may be as many.
        if variable.shape[0] == len(rows) and not ending.endswith("column"):
            variable.assign(variable.numpy()[rows])


def _with_slots(variables, variable):
    """Returns {ending of the name: variable}, that of the variable is ""."""
    path = variable.path
    return {
        name.removeprefix(path): found
        for name, found in variables.items()
        if name == path or name.rpartition("/")[0] == path
    }

"""Steps along the tokens, one after another, compiled as one loop.

Shapes: B batch, T tokens, W width.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from modeling.config import BertConfig
from modeling.initializers import Initializer
from modeling.tensor import Tensor

# Maps the input of one token and the states to an output and the new states.
Step = Callable[[Tensor, list[Tensor]], tuple[Tensor, list[Tensor]]]


def scan(
    step: Step,
    inputs: Tensor,
    mask: Tensor,
    states: list[Tensor],
    reverse: bool = False,
) -> tuple[Tensor, list[Tensor]]:
    """Runs a step over the tokens; masked ones leave the state as it is.

    `keras.layers.RNN` is the loop that XLA can differentiate on every backend:
    it says how many steps there are, which `keras.ops.scan` does not.

    Args:
        step: maps an input [B, W] and the states to an output [B, O], where O
            is the width of the first state, and the new states.
        inputs: float32 [B, T, W].
        mask: [B, T], not 0 where there is a step to do.
        states: float32 [B, S], one S each.
        reverse: whether to go from the last token to the first.

    Returns:
        The outputs [B, T, O], at a masked token those of the one before, and
        the last states.
    """
    layer = keras.layers.RNN(
        _Cell(step, [state.shape[-1] for state in states]),
        return_sequences=True,
        return_state=True,
        go_backwards=reverse,
        dtype="float32",
    )
    outputs, *states = layer(
        inputs, mask=ops.cast(mask, "bool"), initial_state=states
    )
    return ops.flip(outputs, axis=1) if reverse else outputs, states


class _Cell(keras.layers.Layer):
    """A function as Keras wants a step; it has no weights."""

    def __init__(self, step: Step, state_size: list[int]) -> None:
        super().__init__(dtype="float32")
        self.step = step
        self.state_size = state_size
        self.output_size = state_size[0]

    def call(
        self, inputs: Tensor, states: list[Tensor]
    ) -> tuple[Tensor, list[Tensor]]:
        return self.step(inputs, states)


class Bilstm(keras.layers.Layer):
    """An LSTM in each direction (Hochreiter and Schmidhuber 1997).

    Args:
        config: of the encoder below.
        initializer: draws kernels of `config.initializer_range`; they are
            scaled to keep the variance of what they are multiplied with.
        size: the width of each direction.
    """

    def __init__(
        self,
        config: BertConfig,
        initializer: Initializer,
        size: int,
        name: str = "lstm",
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        # What a layer on top of it takes for the width of its input.
        self.output_config = dataclasses.replace(
            config, hidden_size=2 * size, num_attention_heads=1
        )

        def scaled(fan_in: int) -> Initializer:
            factor = fan_in**-0.5 / config.initializer_range
            return lambda shape, dtype=None: factor * initializer(shape, dtype)

        self.directions = []
        with keras.name_scope(name):
            for direction in ("forward", "backward"):
                layer = keras.layers.LSTM(
                    size,
                    kernel_initializer=scaled(config.hidden_size),
                    recurrent_initializer=scaled(size),
                    return_sequences=True,
                    go_backwards=direction == "backward",
                    # XLA cannot compile the cuDNN kernel.
                    use_cudnn=False,
                    seed=0,
                    dtype="float32",
                    name=direction,
                )
                layer.build((None, None, config.hidden_size))
                self.directions.append(layer)

    def call(
        self, sequence: Tensor, mask: Tensor
    ) -> tuple[Tensor, list[Tensor]]:
        """Maps [B, T, W] to float32 [B, T, 2 * size].

        `mask` is 0 at padding and nowhere else.
        """
        sequence = ops.cast(sequence, "float32")
        mask = ops.cast(mask, "bool")
        forward, backward = (x(sequence, mask=mask) for x in self.directions)
        return ops.concatenate([forward, ops.flip(backward, axis=1)], axis=-1)


class BilstmPooler(keras.layers.Layer):
    """One vector of a sequence: where an LSTM in each direction ends.

    Args:
        config, initializer: see `Bilstm`.

    Raises:
        ValueError: the encoder's width cannot be halved.
    """

    def __init__(
        self,
        config: BertConfig,
        initializer: Initializer,
        name: str = "pool",
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        size, odd = divmod(config.hidden_size, 2)
        if odd:
            raise ValueError(
                f"hidden_size={config.hidden_size} is no two LSTMs of one width"
            )
        self.lstm = Bilstm(config, initializer, size)

    def call(self, sequence: Tensor, mask: Tensor) -> Tensor:
        """Maps [B, T, W] to float32 [B, W]; `mask` as `Bilstm.call` has it."""
        outputs = self.lstm(sequence, mask)
        size = outputs.shape[-1] // 2
        # A state stays as it is at padding, on which the one of them ends.
        ends = [outputs[:, -1, :size], outputs[:, 0, size:]]
        return ops.concatenate(ends, axis=-1)

"""First values of the weights."""

import itertools

import keras

from modeling.tensor import Tensor

Initializer = keras.initializers.Initializer | str


class TruncatedNormal(keras.initializers.Initializer):
    """Draws every tensor of a model from one seed.

    The n-th tensor drawn depends on (seed, n) only, so a model built twice in
    the same order starts from the same weights. Values further than two
    standard deviations from zero are drawn again, as in BERT.
    """

    def __init__(self, stddev: float, seed: int) -> None:
        self.stddev = stddev
        self._seeds = ((seed, n) for n in itertools.count())

    def __call__(
        self, shape: tuple[int, ...], dtype: str | None = None
    ) -> Tensor:
        seed, n = next(self._seeds)
        return keras.random.truncated_normal(
            shape,
            stddev=self.stddev,
            dtype=dtype,
            # Odd multipliers keep neighbouring seeds and draws apart.
            seed=(seed * 0x9E3779B1 + n * 0x85EBCA6B) % 0x7FFFFFFF,
        )

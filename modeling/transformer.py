"""The transformer encoder of BERT (Vaswani et al. 2017; Devlin et al. 2018).

Layers carry the names of google-research/bert, so that every variable's path is
its name in a published checkpoint.

A layer's dtype policy says in what precision it multiplies. Softmax and layer
norm compute in float32 whatever it says.

Shapes: B batch, T tokens, H heads, D head width, W = H*D width.
"""

import functools
from typing import Any

import keras
from keras import ops

from modeling import activations, attention, dropout, rotary
from modeling.config import BertConfig
from modeling.dense import Dense
from modeling.dropout import Dropout
from modeling.initializers import Initializer
from modeling.layer_norm import LayerNorm
from modeling.tensor import Tensor
from modeling.token_dropping import Dropping

# Added to the scores of padding before the softmax.
_MASKED_SCORE = -10000.0

Shape = tuple[int | None, ...]


class SelfAttention(keras.layers.Layer):
    """Scaled dot-product attention of each token to all unmasked ones."""

    def __init__(
        self, config: BertConfig, initializer: Initializer, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.num_heads = config.num_attention_heads
        self.head_width = config.hidden_size // config.num_attention_heads
        self.query, self.key, self.value = (
            Dense(
                config.hidden_size,
                kernel_initializer=initializer,
                dtype=self.dtype_policy,
                name=name,
            )
            for name in ("query", "key", "value")
        )
        self.dropout = Dropout(
            config.attention_probs_dropout_prob,
            dtype=self.dtype_policy,
            name="dropout",
        )

    def build(self, inputs_shape: Shape) -> None:
        for layer in (self.query, self.key, self.value):
            layer.build(inputs_shape)

    def call(
        self,
        inputs: Tensor,
        score_bias: Tensor,
        dropout_seed: Tensor | None = None,
        turned_by: Tensor | None = None,
    ) -> Tensor:
        """Maps [B, T, W] to [B, T, W].

        Args:
            inputs: [B, T, W].
            score_bias: [B, 1, 1 or T, T].
            dropout_seed: as an encoder takes it.
            turned_by: places of the tokens, [1 or B, T], by which queries and
                keys are turned; None where they are not.
        """
        query, key = self._ask(inputs, turned_by)
        mixed = attention.attend(
            query,
            key,
            self._split_heads(self.value(inputs)),
            ops.cast(score_bias, "float32"),
            lambda weights, is_transposed: self.dropout(
                weights, seed=dropout_seed, is_transposed=is_transposed
            ),
        )
        return ops.reshape(ops.swapaxes(mixed, 1, 2), ops.shape(inputs))

    def scores(
        self,
        inputs: Tensor,
        score_bias: Tensor,
        turned_by: Tensor | None = None,
    ) -> Tensor:
        """Returns the scores before their softmax, float32 [B, H, T, T].

        They are computed again: `attention.attend` has none to give away.

        Args:
            inputs, score_bias, turned_by: as `call` takes them.
        """
        inputs = ops.cast(inputs, self.compute_dtype)
        return attention.scores_of(*self._ask(inputs, turned_by), score_bias)

    def _ask(
        self, inputs: Tensor, turned_by: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Returns scaled queries, and keys, [B, H, T, D]."""
        query = self._split_heads(self.query(inputs))
        key = self._split_heads(self.key(inputs))
        if turned_by is not None:
            # Made of integers in each layer: Keras rounds what it hands a layer
            # to the layer's type. A compiler makes it once for all.
            rotation = rotary.rotation(turned_by, self.head_width)
            query, key = rotation.turn(query), rotation.turn(key)
        return query * self.head_width**-0.5, key

    def _split_heads(self, x: Tensor) -> Tensor:
        shape = (*ops.shape(x)[:2], self.num_heads, self.head_width)
        x = ops.reshape(x, shape)
        return ops.swapaxes(x, 1, 2)  # [B, H, T, D]


class AddToResidual(keras.layers.Layer):
    """Projects to the model's width, drops, adds the residual, normalises.

    Post-norm, as in the published weights; pre-norm could not load them.
    """

    def __init__(
        self, config: BertConfig, initializer: Initializer, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.dense = Dense(
            config.hidden_size,
            kernel_initializer=initializer,
            dtype=self.dtype_policy,
            name="dense",
        )
        self.dropout = Dropout(
            config.hidden_dropout_prob, dtype=self.dtype_policy, name="dropout"
        )
        self.layer_norm = layer_norm(config)

    def build(self, inputs_shape: Shape) -> None:
        build_once(self.dense, inputs_shape)
        build_once(self.layer_norm, (*inputs_shape[:-1], self.dense.units))

    def call(
        self,
        inputs: Tensor,
        residual: Tensor,
        dropout_seed: Tensor | None = None,
        activation: str | None = None,
    ) -> Tensor:
        """Maps [B, T, ..] to [B, T, W]; takes the activation of the inputs."""
        if activation is None:
            projected = self.dense(inputs)
        else:
            kernel, bias = (
                ops.cast(x, self.compute_dtype)
                for x in (self.dense.kernel, self.dense.bias)
            )
            projected = activations.project(activation, inputs, kernel, bias)
        projected = self.dropout(projected, seed=dropout_seed)
        normalised = self.layer_norm(projected + residual)
        return ops.cast(normalised, self.compute_dtype)


class Attention(keras.layers.Layer):
    """Self-attention and its way back into the residual stream."""

    def __init__(
        self, config: BertConfig, initializer: Initializer, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        settings = {"initializer": initializer, "dtype": self.dtype_policy}
        self.mix = SelfAttention(config, name="self", **settings)
        self.output_projection = AddToResidual(
            config, name="output", **settings
        )

    def build(self, inputs_shape: Shape) -> None:
        build_once(self.mix, inputs_shape)
        build_once(self.output_projection, inputs_shape)

    def call(
        self,
        inputs: Tensor,
        score_bias: Tensor,
        dropout_seed: Tensor | None = None,
        turned_by: Tensor | None = None,
    ) -> Tensor:
        mixed = self.mix(
            inputs, score_bias, dropout_seed=dropout_seed, turned_by=turned_by
        )
        return self.output_projection(mixed, inputs, dropout_seed=dropout_seed)


class TransformerLayer(keras.layers.Layer):
    """Attention, then a two-layer network on each token."""

    def __init__(
        self, config: BertConfig, initializer: Initializer, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        settings = {"initializer": initializer, "dtype": self.dtype_policy}
        self.attention = Attention(config, name="attention", **settings)
        self.activation = config.hidden_act
        self.intermediate = Dense(
            config.intermediate_size,
            kernel_initializer=initializer,
            dtype=self.dtype_policy,
            name="dense",
        )
        self.output_projection = AddToResidual(
            config, name="output", **settings
        )

    def build(self, inputs_shape: Shape) -> None:
        build_once(self.attention, inputs_shape)
        with keras.name_scope("intermediate"):
            build_once(self.intermediate, inputs_shape)
        build_once(
            self.output_projection,
            (*inputs_shape[:-1], self.intermediate.units),
        )

    @property
    def self_attention(self) -> SelfAttention:
        """What reads the inputs of the layer."""
        return self.attention.mix

    def call(
        self,
        inputs: Tensor,
        score_bias: Tensor,
        dropout_seed: Tensor | None = None,
        turned_by: Tensor | None = None,
    ) -> Tensor:
        attended = self.attention(
            inputs, score_bias, dropout_seed=dropout_seed, turned_by=turned_by
        )
        return self.output_projection(
            self.intermediate(attended),
            attended,
            dropout_seed=dropout_seed,
            activation=self.activation,
        )


class TransformerEncoder(keras.layers.Layer):
    """The stack of layers.

    With `recompute` only the outputs of layers are kept for the backward pass,
    which computes the rest again (Chen et al. 2016, section 3).
    """

    def __init__(
        self,
        config: BertConfig,
        initializer: Initializer,
        recompute: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.recompute = recompute
        self.shares_layers = config.shares_layers
        self.rotates = config.rotates
        self.is_causal = config.is_decoder
        self.layers = self.make_layers(config, initializer)

    def make_layers(
        self, config: Any, initializer: Initializer
    ) -> list[keras.layers.Layer]:
        """Returns the layers in the order in which they are called."""
        return [
            TransformerLayer(
                config, initializer, dtype=self.dtype_policy, name=f"layer_{i}"
            )
            for i in range(config.num_hidden_layers)
        ]

    def build(self, inputs_shape: Shape) -> None:
        for layer in self.layers:
            build_once(layer, inputs_shape)

    def call(
        self,
        inputs: Tensor,
        input_mask: Tensor,
        positions: Tensor | None = None,
        dropout_seed: Tensor | None = None,
        num_layers: int | None = None,
        dropping: Dropping | None = None,
    ) -> list[Tensor]:
        """Maps [B, T, W] and a 0/1 mask [B, T] to the layers' outputs.

        With `positions`, [B, T], the rows are packed: the mask has numbers, and
        a token attends to those of its own number. In a decoder it attends to
        itself and to those before it. With `num_layers` only so
        many compute, the lowest.

        Returns:
            A list of [B, T, W], one a layer, the last layer's last; with
            `dropping` those in the middle are of the kept tokens, [B, K, W].
        """
        around = self.surroundings(input_mask, positions)
        outputs: list[Tensor] = []
        layers = self.layers[:num_layers]
        for number, layer in enumerate(layers):
            if dropping and number == 1:
                whole, (inputs, others) = around, dropping.part(inputs)
                around = self.surroundings(input_mask, positions, dropping.kept)
            if dropping and number == len(layers) - 1:
                around, inputs = whole, dropping.join(inputs, others)
            seed = dropout_seed
            if self.shares_layers:
                seed = dropout.of_repeat(seed, number)
            # Keras hides from mypy that layers are called.
            run = functools.partial(  # type: ignore[misc]
                layer, dropout_seed=seed, **around
            )
            inputs = keras.remat(run)(inputs) if self.recompute else run(inputs)
            outputs.append(inputs)
        return outputs

    def surroundings(
        self,
        input_mask: Tensor,
        positions: Tensor | None,
        kept: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Returns what each layer is told of its inputs, by its arguments.

        Args:
            input_mask, positions: as `call` takes them.
            kept: of which tokens the inputs are, [B, K]; None for all.
        """
        is_packed = positions is not None
        if kept is not None:
            input_mask = ops.take_along_axis(input_mask, kept, axis=1)
            positions = (
                ops.take_along_axis(positions, kept, axis=1)
                if is_packed
                else kept
            )
        bar = _attention_bar(input_mask, is_packed)
        if self.is_causal:
            place = ops.arange(ops.shape(input_mask)[1])
            is_later = ops.cast(place > place[:, None], "float32")
            bar = ops.maximum(bar, is_later)  # [B, 1, T, T]
        around = {"score_bias": _MASKED_SCORE * bar}
        if self.rotates:
            if positions is None:
                positions = ops.arange(ops.shape(input_mask)[1])[None]
            around["turned_by"] = positions
        return around


def _attention_bar(input_mask: Tensor, is_packed: bool) -> Tensor:
    """Returns 1.0 where a token may not attend, else 0.0; [B, 1, 1 or T, T]."""
    if not is_packed:
        return 1.0 - ops.cast(input_mask, "float32")[:, None, None, :]
    numbers = input_mask[:, None, :]
    is_other = numbers[..., None] != numbers[:, :, None]
    return ops.cast(is_other, "float32")


def build_once(layer: keras.layers.Layer, inputs_shape: Shape) -> None:
    """Builds a layer, unless it is shared and was built for another."""
    if not layer.built:
        layer.build(inputs_shape)


def layer_norm(config: BertConfig, name: str = "LayerNorm") -> LayerNorm:
    """Returns float32 layer normalisation under the published name."""
    return LayerNorm(epsilon=config.layer_norm_eps, dtype="float32", name=name)

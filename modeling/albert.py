"""ALBERT: a BERT whose layers share weights (Lan et al. 2019).

The embeddings are narrow and projected to the width of the layers. Which
weights each of L layers has, for one group and for each sharing of the paper's
table 4:

    sharing     attention of     feed-forward network of
    all         group 0          group 0
    attention   group 0          group i
    ffn         group i          group 0
    none        group i          group i

Names are those of google-research/albert, in which a layer's normalisations
stand beside what they follow.
"""

import dataclasses
import re
from typing import Any, ClassVar, Literal

import keras

from modeling import transformer
from modeling.bert import BertEncoder
from modeling.config import BertConfig
from modeling.initializers import Initializer
from modeling.tensor import Tensor

_GROUP = re.compile(r"/group_(\d+)/")


@dataclasses.dataclass(frozen=True, kw_only=True)
class AlbertConfig(BertConfig):
    """BERT's keys, and which layers share their weights.

    Defaults are those of google-research/albert.
    """

    model_type: ClassVar[str] = "albert"
    may_decode: ClassVar[bool] = False
    marks: ClassVar[frozenset[str]] = frozenset(
        {"num_hidden_groups", "inner_group_num"}
    )
    published: ClassVar[frozenset[str]] = BertConfig.published | {
        *("down_scale_factor", "gap_size", "net_structure_type"),
        *("num_memory_blocks", "ln_type"),
    }

    embedding_size: int = 128
    hidden_size: int = 4096
    num_attention_heads: int = 64
    intermediate_size: int = 16384
    hidden_dropout_prob: float = 0.0
    attention_probs_dropout_prob: float = 0.0
    type_vocab_size: int = 2
    # Layers of the same group, one after another, have the same weights.
    num_hidden_groups: int = 1
    # Layers of their own inside each layer.
    inner_group_num: int = 1
    # What the layers share, where there is one group.
    parameter_sharing: Literal["all", "attention", "ffn", "none"] = "all"
    # Whatever the encoder drops, as google-research/albert has it.
    classifier_dropout_prob: float = 0.1

    def __post_init__(self):
        super().__post_init__()
        layers, groups = self.num_hidden_layers, self.num_hidden_groups
        if groups > layers:
            raise ValueError(
                f"num_hidden_groups={groups} is more than num_hidden_layers="
                f"{layers}, as in google_fast models of albert_zh, which "
                "compute otherwise"
            )
        sharing = self.parameter_sharing
        if sharing == "all":
            return
        if groups not in (1, layers) or self.inner_group_num > 1:
            raise ValueError(
                f"parameter_sharing={sharing} wants num_hidden_groups=1 and "
                f"inner_group_num=1, got {groups} and {self.inner_group_num}"
            )
        if sharing == "none":
            # As others say it.
            object.__setattr__(self, "num_hidden_groups", layers)

    @property
    def classifier_dropout_rate(self) -> float:
        return self.classifier_dropout_prob

    @property
    def groups(self) -> list[tuple[int, int]]:
        """Of each layer the groups of its attention and its network."""
        layers = self.num_hidden_layers
        own = range(layers)
        grouped = [int(i / layers * self.num_hidden_groups) for i in own]
        first = [0] * layers
        attention, network = {
            "attention": (first, own),
            "ffn": (own, first),
        }.get(self.parameter_sharing, (grouped, grouped))
        return list(zip(attention, network, strict=True))

    @property
    def shares_layers(self) -> bool:
        return any(len(set(x)) < len(x) for x in zip(*self.groups, strict=True))


class AlbertLayer(transformer.TransformerLayer):
    """BERT's layer under the names of google-research/albert.

    Args:
        attention_of: a layer whose attention this one has, too.
        network_of: one whose feed-forward network it has.
    """

    def __init__(
        self,
        config: AlbertConfig,
        initializer: Initializer,
        attention_of: "AlbertLayer | None" = None,
        network_of: "AlbertLayer | None" = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(config, initializer, **kwargs)
        self.output_projection.layer_norm = transformer.layer_norm(
            config, name="LayerNorm_1"
        )
        if attention_of:
            self.attention = attention_of.attention
        if network_of:
            self.intermediate = network_of.intermediate
            self.output_projection = network_of.output_projection

    def build(self, inputs_shape: transformer.Shape) -> None:
        attention, network = self.attention, self.output_projection
        if not attention.built:
            with keras.name_scope("attention_1"):
                attention.mix.build(inputs_shape)
                with keras.name_scope("output"):
                    attention.output_projection.dense.build(inputs_shape)
            attention.output_projection.layer_norm.build(inputs_shape)
        if not network.built:
            inner_shape = (*inputs_shape[:-1], self.intermediate.units)
            with keras.name_scope("ffn_1"), keras.name_scope("intermediate"):
                self.intermediate.build(inputs_shape)
                with keras.name_scope("output"):
                    network.dense.build(inner_shape)
            network.layer_norm.build(inputs_shape)
        super().build(inputs_shape)


class AlbertGroup(keras.layers.Layer):
    """What one of the layers calls: the layers inside it."""

    def __init__(
        self,
        config: AlbertConfig,
        initializer: Initializer,
        attention_of: "AlbertGroup | None" = None,
        network_of: "AlbertGroup | None" = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.inner: list[AlbertLayer] = [
            AlbertLayer(
                config,
                initializer,
                attention_of=attention_of and attention_of.inner[number],
                network_of=network_of and network_of.inner[number],
                dtype=self.dtype_policy,
                name=f"inner_group_{number}",
            )
            for number in range(config.inner_group_num)
        ]

    def build(self, inputs_shape: transformer.Shape) -> None:
        for layer in self.inner:
            layer.build(inputs_shape)

    @property
    def self_attention(self) -> transformer.SelfAttention:
        """What reads the inputs of the group."""
        return self.inner[0].self_attention

    def call(
        self,
        inputs: Tensor,
        score_bias: Tensor,
        dropout_seed: Tensor | None = None,
    ) -> Tensor:
        """Maps [B, T, W] to [B, T, W]."""
        for layer in self.inner:
            inputs = layer(inputs, score_bias, dropout_seed=dropout_seed)
        return inputs


class AlbertStack(transformer.TransformerEncoder):
    """The groups, each called by the layers that have it."""

    def make_layers(
        self, config: Any, initializer: Initializer
    ) -> list[keras.layers.Layer]:
        made: dict[int, AlbertGroup] = {}
        layers: list[keras.layers.Layer] = []
        for attention, network in config.groups:
            number = max(attention, network)
            if number not in made:
                made[number] = AlbertGroup(
                    config,
                    initializer,
                    attention_of=made.get(attention),
                    network_of=made.get(network),
                    dtype=self.dtype_policy,
                    name=f"group_{number}",
                )
            layers.append(made[number])
        return layers

    def build(self, inputs_shape: transformer.Shape) -> None:
        with keras.name_scope("transformer"):
            super().build(inputs_shape)


class AlbertEncoder(BertEncoder):
    """ALBERT without its pretraining heads."""

    projection_name: ClassVar[str] = "encoder/embedding_hidden_mapping_in"
    stack: ClassVar[type[transformer.TransformerEncoder]] = AlbertStack

    config: AlbertConfig

    def depth_of(self, path: str) -> int:
        """Returns the depth of a variable; of a shared one the largest."""
        group = _GROUP.search(path)
        if not group:
            return super().depth_of(path)
        number = int(group[1])
        return 1 + max(
            i for i, groups in enumerate(self.config.groups) if number in groups
        )

    def layer_products(self, max_seq_length: int) -> int:
        inner = self.config.inner_group_num
        return inner * super().layer_products(max_seq_length)

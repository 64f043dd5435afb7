"""The one table of families: whose config and encoder a `model_type` names."""

from typing import Any, NamedTuple

import keras

from modeling.albert import AlbertConfig, AlbertEncoder
from modeling.bert import BertEncoder
from modeling.config import BertConfig
from modeling.distilbert import DistilBertConfig, DistilBertEncoder
from modeling.electra import (
    DiscriminatorHead,
    ElectraConfig,
    ElectraEncoder,
)
from modeling.encoder import Encoder
from modeling.initializers import Initializer
from modeling.roberta import RobertaConfig, RobertaEncoder
from modeling.roformer import RoFormerConfig, RoFormerEncoder
from storage import json_files


class Family(NamedTuple):
    """What is made for one `model_type`."""

    config: type[BertConfig]
    encoder: type[Encoder]
    # The head that models are published with in place of one for pairs.
    discriminator: type[keras.layers.Layer] | None = None


_DEFAULT = BertConfig.model_type
FAMILIES = {
    BertConfig.model_type: Family(BertConfig, BertEncoder),
    AlbertConfig.model_type: Family(AlbertConfig, AlbertEncoder),
    ElectraConfig.model_type: Family(
        ElectraConfig, ElectraEncoder, DiscriminatorHead
    ),
    RobertaConfig.model_type: Family(RobertaConfig, RobertaEncoder),
    DistilBertConfig.model_type: Family(DistilBertConfig, DistilBertEncoder),
    RoFormerConfig.model_type: Family(RoFormerConfig, RoFormerEncoder),
}


def read_config(text: str | bytes, source: str) -> BertConfig:
    """Reads the config of a model, by the `model_type` in it.

    Files of google-research have none: the keys of one family alone tell it,
    and a file without such keys is BERT's.

    Args:
        text: JSON.
        source: the file's name, for errors.

    Raises:
        ValueError: it is not a config, or of a family that is not here.
    """
    values = json_files.parse(text, source, object)
    # BERT's own reader says what is wrong with a config of another family.
    family = FAMILIES[_DEFAULT]
    if isinstance(values, dict):
        family = FAMILIES.get(_name(values), family)
    return family.config.from_json(text, source)


def _name(values):
    """Returns the name of the family of a config's keys and values."""
    if "model_type" in values:
        return str(values["model_type"])
    marked = [
        name
        for name, family in FAMILIES.items()
        if family.config.marks and family.config.marks <= values.keys()
    ]
    return marked[0] if marked else _DEFAULT


def make_encoder(
    config: BertConfig, initializer: Initializer, **options: Any
) -> Encoder:
    """Returns the built encoder of a config.

    Args:
        config: of a family in `FAMILIES`.
        initializer: first values of kernels and embeddings.
        options: as the family's encoder takes them, such as `recompute`,
            `has_pooler` and `dtype`.
    """
    encoder = FAMILIES[config.model_type].encoder(
        config, initializer, **options
    )
    encoder.build()
    return encoder

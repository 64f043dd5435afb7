"""The one table of families: whose config and encoder a `model_type` names."""

from typing import Any, NamedTuple

from modeling.bert import BertEncoder
from modeling.config import BertConfig
from modeling.encoder import Encoder
from modeling.initializers import Initializer
from storage import json_files


class Family(NamedTuple):
    """What is made for one `model_type`."""

    config: type[BertConfig]
    encoder: type[Encoder]


_DEFAULT = BertConfig.model_type
FAMILIES = {BertConfig.model_type: Family(BertConfig, BertEncoder)}


def read_config(text: str | bytes, source: str) -> BertConfig:
    """Reads the config of a model, by the `model_type` in it.

    Files of google-research/bert have none and are BERT's.

    Args:
        text: JSON.
        source: the file's name, for errors.

    Raises:
        ValueError: it is not a config, or of a family that is not here.
    """
    values = json_files.parse(text, source, object)
    name = values.get("model_type") if isinstance(values, dict) else None
    # BERT's own reader says what is wrong with a config of another family.
    is_known = isinstance(name, str) and name in FAMILIES
    family = FAMILIES[str(name) if is_known else _DEFAULT]
    return family.config.from_json(text, source)


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

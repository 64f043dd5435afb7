"""The objectives of pretraining, one table of them.

A new one is a file beside `masked_lm`, with a class that inherits from
`PretrainingObjective`, and a row here.
"""

import functools
from collections.abc import Callable

from modeling.config import BertConfig
from modeling.electra import ElectraConfig, generator_of
from pretraining import distillation
from pretraining.config import PretrainingConfig
from pretraining.left_to_right import LeftToRight, refuse
from pretraining.masked_lm import MaskedLm
from pretraining.objective import PretrainingObjective
from pretraining.replaced_token import ReplacedToken
from pretraining.span_boundary import SpanBoundary
from pretraining.transformer_distillation import TransformerDistillation


def _masked_lm(
    config: PretrainingConfig,
    architecture: BertConfig,
    mixed_precision: str,
    kind: type[MaskedLm] = MaskedLm,
) -> MaskedLm:
    if config.token_dropping and architecture.num_hidden_layers < 3:
        raise ValueError(
            f"--token_dropping={config.token_dropping:g}: "
            f"{config.bert_config_file} has "
            f"{architecture.num_hidden_layers} layers, and none is in the "
            "middle"
        )
    return kind(
        architecture,
        use_nsp=config.use_nsp,
        seed=config.seed,
        mixed_precision=mixed_precision,
        recompute=config.recompute,
        token_dropping=config.token_dropping,
    )


def _left_to_right(
    config: PretrainingConfig, architecture: BertConfig, mixed_precision: str
) -> LeftToRight:
    refuse(config, architecture)
    return LeftToRight(
        architecture,
        seed=config.seed,
        mixed_precision=mixed_precision,
        recompute=config.recompute,
    )


def _replaced_token(
    config: PretrainingConfig, architecture: BertConfig, mixed_precision: str
) -> ReplacedToken:
    if not isinstance(architecture, ElectraConfig):
        raise ValueError(
            f"--objective=replaced_token: {config.bert_config_file} is of the "
            f"family {architecture.model_type}, which has no discriminator; "
            f"give a config of the family {ElectraConfig.model_type}"
        )
    share = config.generator_hidden_size
    try:
        generator = generator_of(architecture, share, config.generator_layers)
    except ValueError as error:
        raise ValueError(
            f"--generator_hidden_size={share:g} of the hidden_size "
            f"{architecture.hidden_size} of {config.bert_config_file}: {error}"
        ) from None
    return ReplacedToken(
        architecture,
        generator,
        disc_weight=config.disc_weight,
        seed=config.seed,
        mixed_precision=mixed_precision,
        recompute=config.recompute,
    )


OBJECTIVES: dict[
    str, Callable[[PretrainingConfig, BertConfig, str], PretrainingObjective]
] = {
    "masked_lm": _masked_lm,
    "span_boundary": functools.partial(_masked_lm, kind=SpanBoundary),
    "left_to_right": _left_to_right,
    "replaced_token": _replaced_token,
    "distillation": distillation.of_flags,
    "transformer_distillation": TransformerDistillation,
}


def make(
    config: PretrainingConfig, architecture: BertConfig, mixed_precision: str
) -> PretrainingObjective:
    """Returns the objective that --objective names.

    Create it in the strategy's scope.
    """
    make_one = OBJECTIVES[config.objective]
    return make_one(config, architecture, mixed_precision)

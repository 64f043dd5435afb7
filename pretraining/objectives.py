"""The objectives of pretraining, one table of them.

A new one is a file beside `masked_lm`, with a class that inherits from
`PretrainingObjective`, and a row here.
"""

from collections.abc import Callable

from modeling.config import BertConfig
from modeling.electra import ElectraConfig, generator_of
from pretraining.config import PretrainingConfig
from pretraining.masked_lm import MaskedLm
from pretraining.objective import PretrainingObjective
from pretraining.replaced_token import ReplacedToken


def _masked_lm(
    config: PretrainingConfig, architecture: BertConfig, mixed_precision: str
) -> MaskedLm:
    return MaskedLm(
        architecture,
        use_nsp=config.use_nsp,
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
    "replaced_token": _replaced_token,
}


def make(
    config: PretrainingConfig, architecture: BertConfig, mixed_precision: str
) -> PretrainingObjective:
    """Returns the objective that --objective names.

    Create it in the strategy's scope.
    """
    make_one = OBJECTIVES[config.objective]
    return make_one(config, architecture, mixed_precision)

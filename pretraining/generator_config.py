"""The settings of the generator of --objective=replaced_token."""

import dataclasses
from typing import Annotated

from settings.flag import Flag, Settings

_OBJECTIVE = "replaced_token"


@dataclasses.dataclass(frozen=True, kw_only=True)
class GeneratorSettings(Settings):
    """What ELECTRA has beside its discriminator, by google's names."""

    generator_hidden_size: Annotated[
        float,
        Flag(
            "Of --objective=replaced_token, the width of the generator as a "
            "share of the discriminator's, a head for each 64 of it.",
            "positive",
        ),
    ] = 0.25
    generator_layers: Annotated[
        float,
        Flag(
            "Of --objective=replaced_token, the layers of the generator as a "
            "share of the discriminator's.",
            "positive",
        ),
    ] = 1.0
    disc_weight: Annotated[
        float,
        Flag(
            "Of --objective=replaced_token, how often the discriminator's "
            "loss counts; the generator's counts once.",
            "positive",
        ),
    ] = 50.0

    def refuse_generator(self, objective: str) -> None:
        """Refuses these settings for an objective without a generator.

        Raises:
            ValueError: one of them is set; names it.
        """
        for field in dataclasses.fields(GeneratorSettings):
            value = getattr(self, field.name)
            if objective != _OBJECTIVE and value != field.default:
                raise ValueError(
                    f"--{field.name}={value:g} has no effect with "
                    f"--objective={objective}; it is of "
                    f"--objective={_OBJECTIVE}"
                )

"""The share of masked tokens, where it changes over a run.

Source: Ankner et al. 2023, "Dynamic Masking Rate Schedules for MLM
Pretraining".
"""

import dataclasses
import math

from data.feeding.dynamic_masking import Fall
from pretraining.config import PretrainingConfig


def of_training(
    config: PretrainingConfig, num_records: int, num_before: int = 0
) -> Fall | None:
    """Returns how the share changes with the numbers of records, if it does.

    Args:
        config: of the run.
        num_records: how many all steps of the run take.
        num_before: how many have gone before the one that is number 0.
    """
    if config.masked_lm_prob_end is None:
        return None
    return Fall(
        config.masked_lm_prob_end,
        last_record=num_records - num_before,
        first_record=-num_before,
    )


def of_evaluation(config: PretrainingConfig) -> PretrainingConfig:
    """Returns the settings that evaluations mask by: the share of the end."""
    if config.masked_lm_prob_end is None:
        return config
    return dataclasses.replace(
        config,
        masked_lm_prob=config.masked_lm_prob_end,
        masked_lm_prob_end=None,
    )


def check_room(config: PretrainingConfig) -> None:
    """Checks that a sequence has room for the largest share.

    Raises:
        ValueError: it has not; names what would do.
    """
    if config.masked_lm_prob_end is None:
        return
    most = max(config.masked_lm_prob, config.masked_lm_prob_end)
    wanted = math.ceil(round(most * config.max_seq_length, 6))
    if config.max_predictions_per_seq < wanted:
        raise ValueError(
            f"--max_predictions_per_seq={config.max_predictions_per_seq} has "
            f"no room for {most:g} of --max_seq_length="
            f"{config.max_seq_length}, as --masked_lm_prob and "
            f"--masked_lm_prob_end ask for: set it to {wanted}"
        )

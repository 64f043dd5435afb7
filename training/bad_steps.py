"""Steps whose loss or gradient is no number: skipped, counted, never saved."""

import math
from collections.abc import Mapping
from typing import NoReturn

from absl import logging

from training.checkpoint import Checkpoints


class Diverged(ValueError):  # noqa: N818
    """The loss or the gradient of a training is no longer a number."""


class BadSteps:
    """Watches the steps that were skipped in a row."""

    def __init__(
        self, most: int, checkpoints: Checkpoints, loss_is_scaled: bool
    ):
        self._most = most
        self._checkpoints = checkpoints
        self._loss_is_scaled = loss_is_scaled
        self._num_in_row = 0

    def check(
        self,
        step: int,
        num_steps: int,
        metrics: Mapping[str, float],
        num_in_row: int,
    ) -> None:
        """Takes the numbers of the `num_steps` steps after `step`.

        Args:
            step: where the block begins.
            num_steps: how long it is.
            metrics: its numbers.
            num_in_row: how many steps the last ones skipped, at its end.
        """
        self._num_in_row = num_in_row
        where = f"noticed between steps {step} and {step + num_steps}"
        for name in ("loss", "gradient_norm"):
            is_skipped = metrics["skipped_steps"] == num_steps
            if not is_skipped and not math.isfinite(metrics[name]):
                self._fail(f"{name} became {metrics[name]} ({where})")
        if num_in_row >= self._most:
            self._fail(f"{self._describe()} ({where})")

    def allow_save(self, step: int, is_over: bool) -> bool:
        """Whether the weights at `step` are those of a sound run.

        Weights that every step fails on may be ruined, finite or not.

        Raises:
            Diverged: the run is over, and they may be.
        """
        if not self._num_in_row or (is_over and self._loss_is_scaled):
            return True
        if is_over:
            self._fail(f"{self._describe()}, up to the end at step {step}")
        logging.warning("step %s is not saved: %s", step, self._describe())
        return False

    def _describe(self):
        count = self._num_in_row
        return (
            f"the last {count} steps gave a loss or a gradient that is no "
            "number, and were skipped"
        )

    def _fail(self, what: str) -> NoReturn:
        raise Diverged(
            f"{what}; {self._checkpoints.describe_good()}. A lower "
            "--learning_rate or a longer warm-up is the usual cure"
        )

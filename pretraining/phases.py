"""The phases of a pretraining, one for each of its stages."""

import dataclasses
import functools
from collections.abc import Sequence

import tensorflow as tf

from pretraining import growth, report
from pretraining.config import PretrainingConfig
from pretraining.feeds import Feed
from pretraining.objective import PretrainingObjective
from pretraining.symptoms import Symptoms
from pretraining.utilization import Speed
from training.loop import Metrics
from training.phases import Phase


def make(
    config: PretrainingConfig,
    devices: tf.distribute.Strategy,
    objective: PretrainingObjective,
    feeds: Sequence[Feed],
) -> list[Phase]:
    """Returns the phases of a run; without --stages there is one."""
    return [
        _phase(config, devices, objective, feeds, index)
        for index in range(len(feeds))
    ]


def arithmetic(
    config: PretrainingConfig,
    devices: tf.distribute.Strategy,
    objective: PretrainingObjective,
    feeds: Sequence[Feed],
) -> list[str]:
    """Returns lines that say what the flags come to."""
    if config.stages is None:
        return report.arithmetic(config, devices, feeds[0].files)
    flops = [_step_flops(objective, x) * x.stage.num_steps for x in feeds]
    return report.arithmetic_of_stages(feeds, flops)


class Watch:
    """Looks for `Symptoms` in what is reported, those of each stage apart."""

    def __init__(self, feeds: Sequence[Feed]):
        self._symptoms = [
            (
                feed.stage.end_step,
                Symptoms(
                    feed.config,
                    feed.files,
                    feed.parse,
                    first_step=feed.stage.first_step,
                ),
            )
            for feed in feeds
        ]

    def look(self, step: int, metrics: Metrics) -> None:
        """Warns if the metrics of the steps before `step` are a guesser's."""
        for end_step, symptoms in self._symptoms:
            if step <= end_step:
                symptoms.look(step, metrics)
                return


def _phase(config, devices, objective, feeds, index):
    feed, stage = feeds[index], feeds[index].stage
    speed = Speed(
        batch_size=stage.batch_size,
        num_tokens=stage.max_seq_length,
        sequence_flops=_sequence_flops(objective, feed),
        peak_teraflops=config.peak_teraflops,
        devices=devices,
    )
    plain = Phase(
        end_step=stage.end_step,
        batches=functools.partial(feed.batches, config.seed),
        speed_of=speed.numbers,
        step_cost=_step_flops(objective, feed),
    )
    if config.stages is None:
        return plain
    is_alone = config.use_nsp and not feed.config.use_nsp
    without_pairs = ", masked words alone" if is_alone else ""
    grown = dataclasses.replace(
        plain,
        title=f"stage {index + 1} of {len(feeds)}: {stage.describe()}"
        f"{without_pairs}, from step {stage.first_step:,}",
        compute_terms=objective.compute_terms_of(
            stage.num_layers, has_pairs=feed.config.use_nsp
        ),
    )
    if not index:
        return grown
    return dataclasses.replace(
        grown,
        enter=functools.partial(
            growth.grow,
            encoder=objective.encoder,
            before=feeds[index - 1].stage,
            after=stage,
            # Sinusoids are the better ones to go on with: 5.83 for 5.89 at
            # 4 x 256, 130 steps after growing from 16 to 128 tokens.
            has_positions=bool(config.init_checkpoint)
            or config.position_init == "sinusoidal",
        ),
    )


def _step_flops(objective, feed):
    return feed.stage.batch_size * _sequence_flops(objective, feed)


def _sequence_flops(objective, feed):
    return objective.training_flops(
        feed.config.max_seq_length,
        feed.config.max_predictions_per_seq,
        feed.stage.num_layers,
    )

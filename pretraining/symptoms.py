"""Early signs of a run that learns nothing, told in the log."""

import math
from collections.abc import Mapping

import numpy as np
from absl import logging

from data.feeding import input_pipeline
from data.feeding.input_pipeline import Parse
from data.feeding.record_files import RecordFile
from pretraining.config import PretrainingConfig

# Before so many steps a healthy run may not have learned more either.
_FIRST_STEP = 1_000
# The losses that are of words.
_WORDS = ("masked_lm_loss", "lm_loss")
_NUM_RECORDS = 4_096
_BATCH_RECORDS = 64


class Symptoms:
    """Compares what is reported with what guessing would give.

    It looks after the warm-up, and again whenever the steps have doubled.

    Args:
        config: of the run.
        files: the records of the training.
        parse: from `input_pipeline.parser`.
        first_step: where these records begin to be trained on.
    """

    def __init__(
        self,
        config: PretrainingConfig,
        files: list[RecordFile],
        parse: Parse,
        *,
        first_step: int = 0,
    ):
        self._config = config
        self._files = files
        self._parse = parse
        self._next_step = max(config.warmup_steps, first_step + _FIRST_STEP)

    def look(self, step: int, metrics: Mapping[str, float]) -> None:
        """Warns if the metrics of the steps before `step` are a guesser's."""
        name = next((x for x in _WORDS if x in metrics), None)
        if step < self._next_step or name is None:
            return
        entropy, pair_share = guesses(
            self._files, self._parse, self._config.seed
        )
        self._next_step = 2 * step
        loss = metrics[name]
        if loss < entropy:
            logging.info(
                "%s %.3f at step %d is below %.3f, what guessing by the "
                "frequency of words gives",
                name,
                loss,
                step,
                entropy,
            )
        else:
            logging.warning(
                "A SICK RUN? %s %.3f at step %d is not below "
                "%.3f, what guessing by the frequency of words gives: nothing "
                "has been learned from the context. Small models may stay "
                "there for some thousand steps; else --learning_rate is too "
                "high or far too low, --num_warmup_steps too short, "
                "--train_batch_size small, or the records and the vocabulary "
                "do not belong together",
                name,
                loss,
                step,
                entropy,
            )
        if "next_sentence_accuracy" in metrics:
            self._look_at_pairs(step, metrics, pair_share)
        if "disc_loss" in metrics:
            _look_at_replaced(step, metrics["disc_loss"], metrics)

    def _look_at_pairs(self, step, metrics, share):
        accuracy = metrics["next_sentence_accuracy"]
        config = self._config
        num_pairs = config.train_batch_size * min(
            config.iterations_per_loop, 100
        )
        # Three deviations of the mean of so many guesses.
        if accuracy > share + 1.5 / math.sqrt(num_pairs):
            return
        logging.warning(
            "A SICK RUN? next_sentence_accuracy %.3f at step %d is no better "
            "than always giving the more frequent answer (%.3f). Pairs teach "
            "something only where documents have several sentences, one a "
            "line, and empty lines stand between documents; tools."
            "inspect_records shows them. Or the model has learned nothing at "
            "all yet, see masked_lm_loss. --use_nsp=false leaves pairs out",
            accuracy,
            step,
            share,
        )


def _look_at_replaced(step, loss, metrics):
    """Looks at a discriminator, which could guess by the share alone."""
    rate = metrics["replaced_rate"]
    entropy = -sum(x * math.log(x) for x in (rate, 1 - rate) if x > 0)
    if loss < entropy:
        return
    logging.warning(
        "A SICK RUN? disc_loss %.4f at step %d is not below %.4f, what "
        "guessing by replaced_rate %.4f gives: the discriminator tells no "
        "replaced token. It may need some thousand steps; else "
        "--learning_rate is too high or far too low, or the generator too "
        "good for it, see --generator_hidden_size",
        loss,
        step,
        entropy,
        rate,
    )


def guesses(
    files: list[RecordFile], parse: Parse, seed: int
) -> tuple[float, float]:
    """Returns what a guesser without context gets, from some records.

    Returns:
        The entropy of the masked words in nats, for the size of the sample
        corrected (Miller 1955), and the share of the more frequent answer among
        the pairs.
    """
    # No record twice: words seen again say nothing new.
    num_records = min(_NUM_RECORDS, sum(file.num_records for file in files))
    batch_size = min(_BATCH_RECORDS, num_records)
    batches = input_pipeline.training_batches(
        files, parse=parse, batch_size=batch_size, seed=seed
    ).take(num_records // batch_size)
    words, pairs = [], []
    for batch in batches.as_numpy_iterator():
        words.append(batch["masked_lm_ids"][batch["masked_lm_weights"] > 0])
        is_pair = batch.get("next_sentence_weights", batch["input_mask"][:, 0])
        pairs.append(batch["next_sentence_labels"][is_pair > 0])
    counts = np.unique(np.concatenate(words), return_counts=True)[1]
    num_words = counts.sum()
    shares = counts / num_words
    entropy = -(shares * np.log(shares)).sum()
    share = np.concatenate(pairs).mean()
    return entropy + (len(counts) - 1) / (2 * num_words), max(share, 1 - share)

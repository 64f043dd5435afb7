"""A BERT with a task's head, as the training step and the predictor take it.

Shapes: B batch, C choices, T tokens.
"""

import functools

import tensorflow as tf
from keras import ops

from finetuning import batches, task
from modeling import families, initializers
from training import precision


class Model:
    """An encoder, a head, and the terms of the loss.

    Create it in the strategy's scope.

    Args:
        config: a `modeling.config.BertConfig`.
        of_task: a `task.Task`.
        seed: decides the first weights.
        mixed_precision: a name in `precision.POLICIES`.
    """

    def __init__(self, config, of_task, *, seed, mixed_precision):
        initializer = initializers.TruncatedNormal(
            config.initializer_range, seed
        )
        self.config = config
        self.mixed_precision = mixed_precision
        self.encoder = families.make_encoder(
            config, initializer, dtype=precision.POLICIES[mixed_precision]
        )
        self.head = of_task.make_head(config, initializer)
        self.task = of_task

    @property
    def variables(self):
        return self.encoder.trainable_variables + self.head.trainable_variables

    @property
    def term_names(self):
        return self.task.term_names

    def trained_variables(self, *, freeze_encoder, unfreeze_top_layers):
        """Returns the variables to train, as the two flags say."""
        if not freeze_encoder:
            return self.variables
        trained = self.encoder.top_layers(unfreeze_top_layers)
        return trained + self.head.trainable_variables

    def predict(self, batch, dropout_seed=None):
        """Returns {name: float32 [B, ...]}, what the head makes of a batch."""
        features = (batch[name] for name in task.FEATURES)
        # The texts to choose from are rows of the encoder's: [B*C, T].
        encoded = self.encoder(
            *(ops.reshape(x, (-1, x.shape[-1])) for x in features),
            dropout_seed=dropout_seed,
        )
        return self.head(encoded, batch, dropout_seed=dropout_seed)

    def compute_terms(self, batch, dropout_seed):
        """Returns {name: Term} of one replica's batch; see `training.step`."""
        return self.task.compute_terms(self.predict(batch, dropout_seed), batch)

    def metrics(self, sums):
        """Maps {name: (numerator, denominator)} to the numbers to report."""
        means = {
            name: float(numerator / denominator) if denominator else 0.0
            for name, (numerator, denominator) in sums.items()
        }
        loss = sum(v for name, v in means.items() if name.endswith("loss"))
        return {"loss": loss} | means


def by_length(step, lengths, *, per_token):
    """Returns a step that cuts its batch to the length it says is enough.

    Args:
        step: a function of a batch of one replica.
        lengths: from `batches.choose_lengths`.
        per_token: see `batches.trim`.
    """

    def run(batch):
        batch = dict(batch)
        index = batch.pop(batches.LENGTH_INDEX, None)
        if index is None:
            step(batch)
            return
        tf.switch_case(
            index,
            [
                functools.partial(_run, step, batch, length, per_token)
                for length in lengths
            ],
        )

    return run


def _run(step, batch, length, per_token):
    step(batches.trim(batch, length, per_token=per_token))
    return tf.constant(0)  # A branch must return something.

"""A chain of labels: its likelihood and its best path (Lafferty et al. 2001).

Labels O, B, I, and two words in five tokens, as a word's first piece alone is
labelled:

    token    [CLS]  paris  ##ian  sleeps  [SEP]
    words      0      1      0      1       0
    label             B             O

    score of the path "B O" = start[B]  + score(paris, B)  + transition[B, O]
                                        + score(sleeps, O) + end[O]

The chain goes from paris to sleeps directly: at a token whose `words` is 0 its
state stays what it is. The probability of a path is exp(its score) over the sum
of exp(score) of all nine paths. "O I" is barred by a rule: -10000 is added to
transition[O, I], so that no best path takes it.

A long sentence is read in several rows. `start` counts only in the row that has
its first word, `end` only in the one that has its last.

Shapes: B batch, T tokens, N labels.
"""

from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from modeling import recurrent
from modeling.config import BertConfig
from modeling.encoder import Encoded
from modeling.initializers import Initializer
from modeling.task_heads import Batch, TokenHead
from modeling.tensor import Tensor

# Added to the score of what is barred. No score of a model makes up for it, and
# its sum over a sequence is still a finite number.
_BARRED = -1e4
# What a chain reads of the rows: where words and sentences begin and end.
INPUTS = ("label_weights", "is_start", "is_end")


class Rules(NamedTuple):
    """What may be, as booleans."""

    transitions: np.ndarray  # [N, N]: from the label of the row.
    starts: np.ndarray  # [N]
    ends: np.ndarray  # [N]


class Crf(keras.layers.Layer):
    """Scores of the transitions between labels, at the start and at the end.

    Args:
        num_labels: N.
        rules: None where everything may be.
    """

    def __init__(
        self,
        num_labels: int,
        rules: Rules | None = None,
        name: str = "crf",
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        shapes = ((num_labels, num_labels), (num_labels,), (num_labels,))
        rules = rules or Rules(*map(np.ones, shapes))
        self._barred = Rules(
            *(np.where(may_be, 0.0, _BARRED).astype("f4") for may_be in rules)
        )
        with keras.name_scope(name):
            self.transitions, self.start, self.end = (
                keras.Variable("zeros", shape=shape, name=variable)
                for shape, variable in zip(
                    shapes, ("transitions", "start", "end"), strict=True
                )
            )
        # Keras builds a layer when it is called; of this one only the methods
        # are called.
        self.built = True

    def log_likelihood(
        self,
        scores: Tensor,
        labels: Tensor,
        words: Tensor,
        is_start: Tensor,
        is_end: Tensor,
    ) -> Tensor:
        """Returns the logarithm of the probability of the labels, [B].

        Args:
            scores: float32 [B, T, N], of each label at each token.
            labels: int32 [B, T].
            words: [B, T], 1 for the tokens that have a label and 0 for others.
            is_start, is_end: [B], 1 where a row has the first, the last word
                of its sentence, else 0.

        Returns:
            0 for a row without words.
        """
        num_labels = scores.shape[-1]
        chosen = ops.one_hot(labels, num_labels, dtype="float32")
        transitions = self.transitions + self._barred.transitions
        start, end = self._edges(is_start, is_end)

        def step(
            inputs: Tensor, states: list[Tensor]
        ) -> tuple[Tensor, list[Tensor]]:
            scores, chosen = inputs[:, :num_labels], inputs[:, num_labels:]
            arriving, _, before, total = states
            reached = arriving + scores
            arriving = ops.logsumexp(
                reached[:, :, None] + transitions[None], axis=1
            )
            # We sum and do not multiply matrices: TPUs round those products.
            came = ops.sum(before[:, :, None] * transitions[None], axis=1)
            came += start * (1 - ops.sum(before, axis=1, keepdims=True))
            total += ops.sum(chosen * (came + scores), axis=1, keepdims=True)
            return reached, [arriving, reached, chosen, total]

        zeros = ops.zeros_like(start)
        _, (_, reached, last, total) = recurrent.scan(
            step,
            ops.concatenate([scores, chosen], axis=-1),
            words,
            [start, zeros, zeros, zeros[:, :1]],
        )
        total = total[:, 0] + ops.sum(last * end, axis=1)
        of_all = ops.logsumexp(reached + end, axis=1)
        has_words = ops.any(ops.cast(words, "bool"), axis=1)
        return ops.where(has_words, total - of_all, 0.0)

    def best_path(
        self,
        scores: Tensor,
        words: Tensor,
        is_start: Tensor,
        is_end: Tensor,
    ) -> Tensor:
        """Returns the likeliest labels, int32 [B, T], 0 where no word is.

        This is Viterbi's algorithm (1967) without pointers. On the way forth
        `reached` is the score of the best path to each label; on the way back
        we add the transition to the label already chosen and take the best.

        Args:
            scores, words, is_start, is_end: see `log_likelihood`.
        """
        transitions = self.transitions + self._barred.transitions
        start, end = self._edges(is_start, is_end)

        def forth(scores, states):
            reached = states[0] + scores
            arriving = ops.max(reached[:, :, None] + transitions[None], axis=1)
            return reached, [arriving]

        def back(reached, states):
            label = ops.argmax(reached + states[0], axis=1)
            chosen = ops.one_hot(label, reached.shape[-1], dtype="float32")
            leaving = ops.sum(chosen[:, None] * transitions[None], axis=2)
            return chosen, [leaving]

        reached, _ = recurrent.scan(forth, scores, words, [start])
        chosen, _ = recurrent.scan(back, reached, words, [end], reverse=True)
        labels = ops.cast(ops.argmax(chosen, axis=-1), "int32")
        return labels * ops.cast(words, "int32")

    def _edges(self, is_start: Tensor, is_end: Tensor) -> tuple[Tensor, Tensor]:
        """The scores of starting and ending with a label, [B, N] each."""
        start = self.start + self._barred.starts
        end = self.end + self._barred.ends
        return (
            start * ops.cast(is_start, "float32")[:, None],
            end * ops.cast(is_end, "float32")[:, None],
        )


class CrfHead(TokenHead):
    """Scores labels of each token, and which follow one another.

    Args:
        config: of the encoder.
        initializer: of its kernels.
        num_outputs: N.
        rules: None where everything may be.
    """

    def __init__(
        self,
        config: BertConfig,
        initializer: Initializer,
        num_outputs: int,
        rules: Rules | None,
        **kwargs: Any,
    ) -> None:
        super().__init__(config, initializer, num_outputs, **kwargs)
        self.crf = Crf(num_outputs, rules)

    def call(
        self, encoded: Encoded, batch: Batch, dropout_seed: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Returns {"logits": [B, T, N]} and, in inference, "tags" [B, T]."""
        outputs = super().call(encoded, batch, dropout_seed)
        if dropout_seed is None:
            outputs["tags"] = self.crf.best_path(
                outputs["logits"], *_chain(batch)
            )
        return outputs

    def log_likelihood(
        self, outputs: dict[str, Tensor], batch: Batch
    ) -> Tensor:
        """Returns that of the labels of the batch, [B]."""
        return self.crf.log_likelihood(
            outputs["logits"], batch["label_ids"], *_chain(batch)
        )


class BilstmHead(keras.layers.Layer):
    """Bidirectional LSTMs, one above another, below a `TokenHead`.

    Args:
        config, initializer, num_outputs, rules: see `CrfHead`.
        lstm_size: the width of each LSTM, in each direction.
        lstm_layers: how many there are.
    """

    per_token = True

    def __init__(
        self,
        config: BertConfig,
        initializer: Initializer,
        num_outputs: int,
        rules: Rules | None,
        lstm_size: int,
        lstm_layers: int = 1,
        name: str = "tagger",
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.lstms = []
        for number in range(lstm_layers):
            lstm = recurrent.Bilstm(
                config,
                initializer,
                lstm_size,
                name=f"lstm_{number}" if number else "lstm",
            )
            config = lstm.output_config
            self.lstms.append(lstm)
        self.head = self._make_head(config, initializer, num_outputs, rules)

    def _make_head(
        self,
        config: BertConfig,
        initializer: Initializer,
        num_outputs: int,
        rules: Rules | None,
    ) -> TokenHead:
        return TokenHead(config, initializer, num_outputs)

    def call(
        self, encoded: Encoded, batch: Batch, dropout_seed: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Returns what the head above the LSTMs does."""
        sequence = encoded.sequence_output
        for lstm in self.lstms:
            sequence = lstm(sequence, batch["input_mask"])
        return self.head(Encoded(sequence), batch, dropout_seed)


class BilstmCrfHead(BilstmHead):
    """The same below a `CrfHead` (Huang et al. 2015)."""

    head: CrfHead

    def _make_head(
        self,
        config: BertConfig,
        initializer: Initializer,
        num_outputs: int,
        rules: Rules | None,
    ) -> CrfHead:
        return CrfHead(config, initializer, num_outputs, rules)

    def log_likelihood(
        self, outputs: dict[str, Tensor], batch: Batch
    ) -> Tensor:
        """Returns that of the labels of the batch, [B]."""
        return self.head.log_likelihood(outputs, batch)


def _chain(batch: Batch) -> tuple[Tensor, ...]:
    return tuple(batch[name] for name in INPUTS)

"""What the layers of two encoders differ by (TinyBERT, Jiao et al. 2020, 3.1).

Of a student of L layers and a teacher of k * L, with the states 0 (embeddings)
to L:

    student    0 --- layer 0 --- 1 --- layer 1 --- 2      L = 2
    teacher    0 . . . . . . . . 3 . . . . . . . . 6      k * L = 6
                  layer 2           layer 5

    attention  the scores before the softmax of layer i, beside those of
               layer (i + 1) k - 1; mean square, summed over layers
    states     state i, widened by one dense layer for all, beside state
               i k; mean square, summed over states

The mean is over all elements, padding included, as published: padding makes the
loss smaller. Scores that the mask takes away count as 0 in both.

Shapes: B batch, T tokens, H heads, W width of the student, U of the teacher.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from keras import ops

from modeling.config import BertConfig
from modeling.encoder import Encoded, Encoder

# Scores at or below it are those of tokens that the mask takes away.
_TAKEN_AWAY = -100.0


class Reading(NamedTuple):
    """An encoder and what it made of a batch."""

    encoder: Encoder
    encoded: Encoded

    @property
    def states(self) -> list[Any]:
        """What each layer reads, and at last what the highest one says."""
        return [self.encoded.embedding_output, *self.encoded.layer_outputs]


def differences(
    student: Reading,
    teacher: Reading,
    widen: Callable[[Any], Any],
    input_mask: Any,
    segment_starts: Any = None,
) -> tuple[Any, Any]:
    """Returns what attention and states differ by, each float32 [B].

    Args:
        student: may have fewer layers than its encoder has in all: what a
            layer learns does not depend on those above it.
        teacher: no gradient goes through it.
        widen: maps [B, T, W] to [B, T, U].
        input_mask: as the encoders took it, [B, T].
        segment_starts: as they took it, of packed rows.
    """
    ours, theirs = student.states, teacher.states
    # How many layers of the teacher one of the student stands for.
    step = len(teacher.encoder.layers) // len(student.encoder.layers)
    read = (input_mask, segment_starts)
    of_attention = [
        _mean_squares(
            _scores(student, i, *read),
            ops.stop_gradient(_scores(teacher, (i + 1) * step - 1, *read)),
        )
        for i in range(len(ours) - 1)
    ]
    of_states = [
        _mean_squares(widen(state), ops.stop_gradient(theirs[i * step]))
        for i, state in enumerate(ours)
    ]
    return sum(of_attention), sum(of_states)


def check(
    ours: BertConfig, theirs: BertConfig, *, our_name: str, their_name: str
) -> None:
    """Refuses a teacher whose layers or heads are not those of the student.

    Raises:
        ValueError: they are not; names both.
    """
    if theirs.num_hidden_layers % ours.num_hidden_layers:
        raise ValueError(
            f"{their_name} has {theirs.num_hidden_layers} layers, no multiple "
            f"of the {ours.num_hidden_layers} of {our_name}"
        )
    if theirs.num_attention_heads != ours.num_attention_heads:
        raise ValueError(
            f"{their_name} has {theirs.num_attention_heads} attention heads, "
            f"{our_name} {ours.num_attention_heads}: their scores are compared "
            "head by head"
        )


def _scores(reading, number, input_mask, segment_starts):
    """Returns the scores of a layer, [B, H, T, T], 0 where it may not look."""
    scores = reading.encoder.attention_scores(
        number, reading.states[number], input_mask, segment_starts
    )
    return ops.where(scores <= _TAKEN_AWAY, 0.0, scores)


def _mean_squares(x, y):
    """Returns the mean square of what two [B, ...] differ by, [B]."""
    difference = ops.cast(x, "float32") - ops.cast(y, "float32")
    return ops.mean(ops.square(difference), axis=tuple(range(1, len(x.shape))))

"""A model between two formats as layers that compute: what others must equal.

It is `modeling` itself, so that a server computes what a training does.

Shapes: B batch, T tokens, P positions, V vocabulary, N labels.
"""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from interop import variables
from interop.variables import PortableModel
from modeling import families, heads, task_heads
from modeling.config import BertConfig
from modeling.encoder import Encoded
from modeling.initializers import Initializer, TruncatedNormal
from modeling.tensor import Tensor


class Network:
    """The encoder and the head of a model, with its weights.

    It also runs in a `tf.function` of unknown shapes.
    """

    def __init__(self, model: PortableModel) -> None:
        initializer = TruncatedNormal(0.02, seed=0)
        self._encoder = families.make_encoder(
            model.config,
            initializer,
            # A graph must not hold a pooler that no file has values for.
            has_pooler=model.family.pooler_names[0] in model.values,
        )
        make_head, self._ask = _HEADS[model.head]
        family = families.FAMILIES[model.config.model_type]
        if model.head == "pretraining" and family.discriminator:
            make_head, self._ask = _discriminator, Network._replaced
        num_labels = variables.num_labels(model.values)
        self._head = make_head(model.config, initializer, num_labels)
        self.weights = {
            weight.path: weight
            for layer in (self._encoder, self._head)
            for weight in layer.weights
            if weight.path in model.values
        }
        for path, weight in self.weights.items():
            weight.assign(model.values[path])

    def __call__(
        self, input_ids: Tensor, input_mask: Tensor, segment_ids: Tensor
    ) -> dict[str, Tensor]:
        """Computes everything that is said of the tokens and texts of a batch.

        Args:
            input_ids, input_mask, segment_ids: int32 [B, T].

        Returns:
            {name: float32 tensor}, by the names of `interop.outputs`, but of
            an answer "start_logits" and "end_logits", [B, T] each.
        """
        encoded = self.encode(input_ids, input_mask, segment_ids)
        found = {"sequence_output": encoded.sequence_output}
        if encoded.pooled_output is not None:
            found["pooled_output"] = encoded.pooled_output
        return found | self._ask(self, encoded)

    def encode(
        self, input_ids: Tensor, input_mask: Tensor, segment_ids: Tensor
    ) -> Encoded:
        """Returns all that the encoder makes of a batch, as above."""
        return self._encoder(input_ids, input_mask, segment_ids)

    def score_masked(
        self,
        input_ids: Tensor,
        input_mask: Tensor,
        segment_ids: Tensor,
        positions: Tensor,
    ) -> Tensor:
        """Scores the vocabulary at some tokens of each row, [B, P, V].

        Args:
            input_ids, input_mask, segment_ids: int32 [B, T].
            positions: int32 [B, P].
        """
        encoded = self.encode(input_ids, input_mask, segment_ids)
        return self.score_words(encoded, positions)

    def score_words(self, encoded: Encoded, positions: Tensor) -> Tensor:
        """Scores it at positions [B, P] of an encoded batch, [B, P, V]."""
        return self._head.masked_lm(
            encoded.sequence_output, positions, self._encoder.word_embeddings
        )

    def _masked_lm(self, encoded: Encoded) -> dict[str, Tensor]:
        """Scores the vocabulary at every token, [B, T, V]."""
        sequence = encoded.sequence_output
        num_rows, num_tokens, _ = ops.shape(sequence)
        everywhere = ops.tile(
            ops.arange(num_tokens, dtype="int32")[None], (num_rows, 1)
        )
        return {
            "masked_lm_logits": self._head.masked_lm(
                sequence, everywhere, self._encoder.word_embeddings
            )
        }

    def _pretraining(self, encoded: Encoded) -> dict[str, Tensor]:
        next_sentence = self._head.next_sentence(encoded.pooled_output)
        return self._masked_lm(encoded) | {
            "next_sentence_logits": next_sentence
        }

    def _replaced(self, encoded: Encoded) -> dict[str, Tensor]:
        return {"replaced_token_logits": self._head(encoded.sequence_output)}

    def _fine_tuned(self, encoded: Encoded) -> dict[str, Tensor]:
        return self._head(encoded, batch=None)


def _pretraining_heads(
    config: BertConfig, initializer: Initializer, num_labels: int
) -> heads.PretrainingHeads:
    layer = heads.PretrainingHeads(config, initializer)
    layer.build()
    return layer


def _discriminator(
    config: BertConfig, initializer: Initializer, num_labels: int
) -> keras.layers.Layer:
    head = families.FAMILIES[config.model_type].discriminator
    assert head is not None
    layer = head(config, initializer)
    layer.build()
    return layer


def _span_head(
    config: BertConfig, initializer: Initializer, num_labels: int
) -> task_heads.SpanHead:
    return task_heads.SpanHead(config, initializer)


# {head: (function that makes its layer, what is asked of it)}
_HEADS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "encoder": (lambda *args: keras.layers.Identity(), lambda *args: {}),
    "masked_lm": (_pretraining_heads, Network._masked_lm),
    "pretraining": (_pretraining_heads, Network._pretraining),
    "sequence_classification": (
        task_heads.SequenceHead,
        Network._fine_tuned,
    ),
    "token_classification": (task_heads.TokenHead, Network._fine_tuned),
    # Every row is a choice: which of them are of one question, none says.
    "multiple_choice": (task_heads.SequenceHead, Network._fine_tuned),
    "question_answering": (_span_head, Network._fine_tuned),
}

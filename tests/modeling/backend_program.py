"""Runs a small BERT on the backend of KERAS_BACKEND.

python -m tests.modeling.backend_program BATCH.npz OUTPUT.npz
"""

import sys

import numpy as np
from keras import ops

from modeling import bert, config, heads

_CONFIG = config.BertConfig(
    vocab_size=101,
    hidden_size=32,
    num_hidden_layers=2,
    num_attention_heads=4,
    intermediate_size=64,
    max_position_embeddings=16,
    type_vocab_size=2,
)


def _fill(layer):
    """The same weights on every backend: their generators differ."""
    layer.build()
    rng = np.random.default_rng(1)
    layer.set_weights(
        [rng.normal(scale=0.2, size=w.shape) for w in layer.weights]
    )


def main(inputs, output):
    encoder = bert.BertEncoder(_CONFIG, "zeros")
    pretraining_heads = heads.PretrainingHeads(_CONFIG, "zeros")
    _fill(encoder)
    _fill(pretraining_heads)
    with np.load(inputs) as batch:
        encoded = encoder(
            *(
                ops.convert_to_tensor(batch[name])
                for name in ("input_ids", "input_mask", "segment_ids")
            ),
        )
        masked_lm, next_sentence = pretraining_heads(
            encoded,
            ops.convert_to_tensor(batch["masked_lm_positions"]),
            encoder.embeddings.word_embeddings,
        )
    np.savez(
        output,
        masked_lm=ops.convert_to_numpy(masked_lm),
        next_sentence=ops.convert_to_numpy(next_sentence),
    )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])

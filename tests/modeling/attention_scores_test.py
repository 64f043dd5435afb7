"""Scores that are computed again are those that attention is the softmax of."""

import numpy as np
import pytest
import tensorflow as tf

from interop import formats, hugging_face, outputs, variables
from interop.network import Network
from modeling import families
from tests import tiny
from tests.pretraining import taught


@pytest.mark.parametrize("name", families.FAMILIES)
def test_their_softmax_is_the_attention_of_transformers(tmp_path, name):
    torch = pytest.importorskip("torch")
    pytest.importorskip("transformers")
    path = taught.write_teacher(tmp_path, name)
    model, _ = variables.with_head(formats.read(path), "encoder")
    hugging_face.export(str(tmp_path / "theirs"), model)
    its_class = model.family.hugging_face.classes()["encoder"]
    theirs = its_class.from_pretrained(
        str(tmp_path / "theirs"), attn_implementation="eager"
    ).eval()
    batch = tiny.batch(3)
    # In transformers the id before the first position is that of padding, and
    # a table of one segment has no second row.
    batch["input_ids"] = np.maximum(
        batch["input_ids"], model.config.first_position
    )
    batch["segment_ids"] = np.minimum(
        batch["segment_ids"], max(model.config.type_vocab_size, 1) - 1
    )
    given = outputs.features_of_transformers(theirs, batch)
    with torch.no_grad():
        wanted = theirs(**given, output_attentions=True).attentions
    network = Network(model)
    encoded = network.encode(
        *(tf.constant(batch[x]) for x in ("input_ids", "input_mask")),
        tf.constant(batch["segment_ids"]),
    )
    states = [encoded.embedding_output, *encoded.layer_outputs]
    is_token = batch["input_mask"] > 0
    for number, weights in enumerate(wanted):
        scores = network._encoder.attention_scores(
            number, states[number], tf.constant(batch["input_mask"])
        )
        found = tf.nn.softmax(scores).numpy()
        for row in range(3):
            np.testing.assert_allclose(
                found[row][:, is_token[row]],
                weights.numpy()[row][:, is_token[row]],
                atol=1e-5,
            )


def test_packed_sequences_do_not_look_at_one_another():
    encoder = families.make_encoder(tiny.config(), "zeros")
    numbers = tf.constant([[1, 1, 1, 2, 2, 0]])
    scores = encoder.attention_scores(
        0, tf.zeros((1, 6, tiny.WIDTH)), numbers, tf.constant([[0, 3]])
    )
    of_one = numbers.numpy()[0]
    is_seen = of_one[:, None] == of_one
    np.testing.assert_array_equal(scores.numpy()[0, 0] > -100, is_seen)

"""RoBERTa's positions begin at row 2, and its second segment is its first."""

import json
import pathlib

import numpy as np
import pytest

from interop import keras_hub, start, variables
from modeling import families
from modeling.initializers import TruncatedNormal
from pretraining import first_values, growth
from pretraining.stages import Stage
from tests import tiny
from tests.interop import berts

_CONFIGS = pathlib.Path(__file__).parents[2] / "configs"


def _encoder():
    return families.make_encoder(
        tiny.config("roberta"), TruncatedNormal(0.2, seed=1)
    )


def _features():
    batch = tiny.batch(3)
    return [batch[n] for n in ("input_ids", "input_mask", "segment_ids")]


def test_the_rows_before_the_first_position_are_nobodys():
    encoder, features = _encoder(), _features()
    before = encoder(*features).sequence_output
    table = encoder.position_embeddings
    assert table.shape == (tiny.NUM_TOKENS + 2, tiny.WIDTH)
    rows = table.numpy()
    table.assign(np.concatenate([rows[:2] + 9, rows[2:]]))
    np.testing.assert_array_equal(encoder(*features).sequence_output, before)
    table.assign(np.concatenate([rows[:2], rows[2:3] + 9, rows[3:]]))
    after = np.asarray(encoder(*features).sequence_output)
    assert not np.array_equal(after, before)


def test_the_second_segment_is_the_first():
    encoder, (ids, mask, segments) = _encoder(), _features()
    assert segments.max() == 1
    np.testing.assert_array_equal(
        encoder(ids, mask, segments).sequence_output,
        encoder(ids, mask, np.zeros_like(segments)).sequence_output,
    )


def test_packed_sequences_are_placed_as_alone():
    encoder = _encoder()
    ids = np.array([[5, 6, 7, 8, 9]], np.int32)
    packed = encoder(
        ids,
        np.array([[1, 1, 1, 2, 2]], np.int32),
        np.zeros_like(ids),
        first_tokens=np.array([[0, 3]], np.int32),
    ).sequence_output
    for part in (slice(0, 3), slice(3, 5)):
        cut = ids[:, part]
        alone = encoder(
            cut, np.ones_like(cut), np.zeros_like(cut)
        ).sequence_output
        np.testing.assert_allclose(packed[:, part], alone, atol=1e-5)


def test_514_rows_are_512_positions():
    path = str(_CONFIGS / "roberta_base.json")
    config = start.read_config(path, max_seq_length=512)
    assert config.max_position_embeddings == 514
    with pytest.raises(ValueError, match="--max_seq_length=513 is more than"):
        start.read_config(path, max_seq_length=513)
    with pytest.raises(ValueError, match="=2 is not more than 2, the rows"):
        tiny.config("roberta", max_position_embeddings=2)


def test_positions_grow_and_begin_from_the_first_on():
    encoder = _encoder()
    table = encoder.position_embeddings
    rows = table.numpy()
    stages = [
        Stage(
            max_seq_length=length,
            batch_size=8,
            num_layers=2,
            first_step=0,
            end_step=1,
        )
        for length in (4, 16)
    ]
    growth.grow({table.path: table}, encoder, *stages)
    np.testing.assert_array_equal(table.numpy()[:6], rows[:6])
    np.testing.assert_array_equal(table.numpy()[2:], np.tile(rows[2:6], (4, 1)))
    first_values.set_positions(table, 2)
    np.testing.assert_array_equal(table.numpy()[:2], rows[:2])
    np.testing.assert_array_equal(
        table.numpy()[2:], first_values.sinusoids(16, tiny.WIDTH)
    )


def test_what_keras_hub_would_lose_is_refused(tmp_path):
    pytest.importorskip("keras_hub")
    model = berts.model(tiny.config("roberta"), "encoder")
    with pytest.raises(ValueError, match="no roberta/embeddings/token_type_e"):
        keras_hub.export(str(tmp_path), model)


def test_roberta_base_is_transformers_roberta_base():
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    text = (_CONFIGS / "roberta_base.json").read_text()
    config = families.read_config(text, "base")
    shape = json.loads(text) | {"hidden_act": "gelu", "layer_norm_eps": 1e-5}
    with torch.device("meta"):
        theirs = transformers.RobertaModel(transformers.RobertaConfig(**shape))
    shapes = variables.wanted(config, "encoder").values()
    found = sum(int(np.prod(shape)) for shape in shapes)
    assert found == sum(x.numel() for x in theirs.parameters())
    assert theirs.embeddings.LayerNorm.eps == config.layer_norm_eps

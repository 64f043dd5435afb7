"""A start from weights: a whole encoder, or an error that says what is not."""

import numpy as np
import pytest
import tensorflow as tf

from interop import hugging_face, start, tf1, variables
from interop.config import ModelSettings
from storage import tensors
from tests import tiny
from tests.interop import berts

_WRITERS = {"tf1": tf1.export, "huggingface": hugging_face.export}
_BEFORE = 9
_KEY = "bert/encoder/layer_1/attention/self/key/kernel"


def _start(path, config=None, head="pretraining", allow_partial=False):
    """Returns the variables of a model after a start, and the table."""
    config = config or tiny.config()
    ours = {
        name: tf.Variable(np.full(shape, _BEFORE, np.float32))
        for name, shape in variables.wanted(config, head).items()
    }
    return _start_of(ours, path, config, allow_partial)


def _start_of(ours, path, config, allow_partial=False):
    table = start.initialize(
        ModelSettings(
            bert_config_file="my.json",
            init_checkpoint=str(path),
            allow_partial_init=allow_partial,
        ),
        ours,
        config,
    )
    return {name: x.numpy() for name, x in ours.items()}, table


def _write(path, values):
    prefix = str(path / "bert_model.ckpt")
    tensors.write(prefix, values)
    return prefix


def _write_without(path, *parts):
    """Writes a model without the variables of whose names these are parts."""
    values = berts.bert().values
    return _write(
        path,
        {n: x for n, x in values.items() if not any(p in n for p in parts)},
    )


def _assert_as_before(found, names):
    for name in names:
        np.testing.assert_array_equal(found[name], _BEFORE)


@pytest.mark.parametrize("form", _WRITERS)
def test_a_whole_model_is_taken_to_the_bit(tmp_path, form, caplog):
    model = berts.bert()
    _WRITERS[form](str(tmp_path), model)
    found, table = _start(tmp_path)
    for name, value in model.values.items():
        np.testing.assert_array_equal(found[name], value)
    assert f"loaded{len(found):>17}" in table
    assert "newly initialised     0" in table
    assert not caplog.records


@pytest.mark.parametrize("form", _WRITERS)
def test_a_deeper_model_than_that_of_the_file_is_refused(tmp_path, form):
    _WRITERS[form](str(tmp_path), berts.bert())
    with pytest.raises(ValueError, match="lacks 32 variables") as error:
        _start(tmp_path, tiny.config(num_hidden_layers=4))
    for words in (
        "bert/encoder/layer_2/attention/self/query/kernel",
        "would stay random",
        "--allow_partial_init takes what fits",
        str(tmp_path),
    ):
        assert words in str(error.value)


@pytest.mark.parametrize("form", _WRITERS)
def test_a_file_with_more_layers_than_the_model_is_refused(tmp_path, form):
    _WRITERS[form](str(tmp_path), berts.bert())
    with pytest.raises(
        ValueError, match="has 16 that the encoder of --bert_config_file has"
    ):
        _start(tmp_path, tiny.config(num_hidden_layers=1))


def test_one_missing_variable_is_named_and_nothing_is_taken(tmp_path):
    path = _write_without(tmp_path, _KEY)
    config = tiny.config()
    ours = {
        name: tf.Variable(np.full(shape, _BEFORE, np.float32))
        for name, shape in variables.wanted(config, "pretraining").items()
    }
    with pytest.raises(ValueError, match=f"lacks 1 .* {_KEY}, which"):
        _start_of(ours, path, config)
    _assert_as_before({n: x.numpy() for n, x in ours.items()}, ours)


@pytest.mark.parametrize("form", _WRITERS)
def test_what_fits_is_taken_when_asked_and_the_rest_is_told(
    tmp_path, form, caplog
):
    model = berts.bert()
    _WRITERS[form](str(tmp_path), model)
    deeper = tiny.config(num_hidden_layers=3)
    found, table = _start(tmp_path, deeper, allow_partial=True)
    missing = [n for n in found if n.startswith("bert/encoder/layer_2/")]
    assert len(missing) == 16
    _assert_as_before(found, missing)
    for name, value in model.values.items():
        np.testing.assert_array_equal(found[name], value)
    assert "lacks 16 variables of the encoder, " + missing[0] in caplog.text
    assert "(--allow_partial_init)" in caplog.text
    assert f"newly initialised    16  {missing[0]}" in table


@pytest.mark.parametrize("form", _WRITERS)
def test_a_missing_pooler_is_a_warning(tmp_path, form, caplog):
    # transformers has none in BertForMaskedLM.
    model = berts.bert("masked_lm")
    rest = {n: x for n, x in model.values.items() if "pooler" not in n}
    if form == "tf1":
        _write(tmp_path, rest)
    else:
        hugging_face.export(str(tmp_path), model)
    found, _ = _start(tmp_path)
    assert "has no pooler" in caplog.text
    for name in variables.DEFAULT.pooler_names:
        assert name in caplog.text
    _assert_as_before(found, variables.DEFAULT.pooler_names)
    for name, value in rest.items():
        np.testing.assert_array_equal(found[name], value)


def test_half_a_pooler_is_told_too(tmp_path, caplog):
    found, _ = _start(_write_without(tmp_path, "pooler/dense/bias"))
    _assert_as_before(found, ["bert/pooler/dense/bias"])
    assert "bert/pooler/dense/bias are newly initialised" in caplog.text


def test_a_pooler_that_nobody_wants_is_unused(tmp_path, caplog):
    model = berts.bert()
    path = _write(tmp_path, model.values)
    config = tiny.config()
    ours = {
        name: tf.Variable(np.zeros(shape, np.float32))
        for name, shape in variables.wanted(config, "encoder").items()
        if name not in variables.DEFAULT.pooler_names
    }
    _, table = _start_of(ours, path, config)
    assert "unused                9  bert/pooler/dense/" in table
    assert not caplog.records


@pytest.mark.parametrize("form", _WRITERS)
def test_heads_come_and_go_and_are_named(tmp_path, form):
    model = berts.bert("sequence_classification")
    _WRITERS[form](str(tmp_path), model)
    found, table = _start(tmp_path)
    assert "newly initialised     7  cls/predictions/" in table
    assert "unused                2  output_" in table
    _assert_as_before(found, [n for n in found if n.startswith("cls/")])


def test_a_head_of_other_labels_is_left_aside(tmp_path):
    path = _write(tmp_path, berts.bert("sequence_classification").values)
    found, table = _start(path, head="sequence_classification")
    assert "newly initialised     2  output_weights, output_bias" in table
    _assert_as_before(found, ["output_weights", "output_bias"])


def test_where_nothing_fits_an_error_names_what_is_there(tmp_path):
    names = [f"generator/dense_{i}/kernel" for i in range(5)]
    path = _write(tmp_path, {n: np.ones(2, np.float32) for n in names})
    with pytest.raises(ValueError, match="none of this model's") as error:
        _start(path, allow_partial=True)
    assert "it has generator/dense_0/kernel, " in str(error.value)


def test_an_albert_of_the_same_width_is_refused(tmp_path):
    group = "bert/encoder/transformer/group_0/inner_group_0/"
    values = {
        n.replace("bert/encoder/layer_0/", group): x
        for n, x in berts.bert(num_hidden_layers=1).values.items()
    }
    path = _write(tmp_path, values)
    with pytest.raises(ValueError, match="lacks 32 .* and has 16") as error:
        _start(path)
    assert group in str(error.value)


def test_a_width_that_does_not_fit_is_refused_also_when_asked(tmp_path):
    path = _write(tmp_path, berts.bert().values)
    for allow_partial in (False, True):
        with pytest.raises(
            ValueError, match=r"word_embeddings has shape \[101, 32\], .*102"
        ):
            _start(path, tiny.config(vocab_size=102), "encoder", allow_partial)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("form", _WRITERS)
def test_numbers_that_are_not_finite_are_refused(tmp_path, form, bad):
    model = berts.bert()
    model.values[_KEY][3, 4:6] = bad
    _WRITERS[form](str(tmp_path), model)
    with pytest.raises(
        ValueError, match=f"2 numbers of 1 tensors .* the first in {_KEY}"
    ):
        _start(tmp_path)


def test_what_is_not_taken_may_be_anything(tmp_path):
    values = berts.bert("sequence_classification").values
    values["output_bias"][0] = np.nan
    found, _ = _start(_write(tmp_path, values))
    np.testing.assert_array_equal(found[_KEY], values[_KEY])

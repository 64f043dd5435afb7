"""--init_checkpoint takes a model in any form in which models travel."""

import dataclasses

import pytest

from interop import hugging_face, keras_hub, tf1, variables
from tests.interop import berts
from tests.pretraining import tiny_job


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    path = tmp_path_factory.mktemp("job")
    tiny_job.write_inputs(path)
    return path


@pytest.fixture(scope="module")
def model():
    """A model of the job's shape, far from random: its loss tells it apart."""
    return berts.bert(num_hidden_layers=1)


def _evaluate(directory, output, path):
    return tiny_job.run(
        directory,
        output,
        do_train=False,
        do_eval=True,
        init_checkpoint=str(path),
    )


def test_every_form_of_a_model_starts_at_the_same_loss(
    directory, model, caplog
):
    tf1.export(str(directory / "tf1"), model)
    hugging_face.export(str(directory / "hf"), model)
    first = _evaluate(directory, "eval_tf1", directory / "tf1/bert_model.ckpt")
    assert first == _evaluate(directory, "eval_hf", directory / "hf")
    assert first["masked_lm_loss"] > 5.2  # Small random weights: log(101).
    # At a rate of next to nothing training stays where it starts.
    for output, path in (("go_on", directory / "hf"), ("anew", None)):
        tiny_job.run(
            directory,
            output,
            init_checkpoint=path and str(path),
            learning_rate=1e-30,
        )
        loss = tiny_job.metrics(directory / output)[0]["masked_lm_loss"]
        assert (loss > 5) == (path is not None), loss
    assert "hidden_act" not in caplog.text


def test_a_backbone_of_keras_hub_gets_new_heads(directory, model, caplog):
    pytest.importorskip("keras_hub")
    caplog.set_level("INFO")
    path = directory / "keras_hub"
    encoder, _ = variables.with_head(model, "encoder")
    keras_hub.export(str(path), encoder)
    tiny_job.run(directory, "from_keras_hub", init_checkpoint=str(path))
    assert "newly initialised     7  cls/predictions/" in caplog.text


def test_another_number_of_heads_is_refused(directory, model):
    config = dataclasses.replace(model.config, num_attention_heads=8)
    path = directory / "other_heads"
    hugging_face.export(str(path), dataclasses.replace(model, config=config))
    with pytest.raises(ValueError, match="num_attention_heads=8, .* 4$"):
        _evaluate(directory, "refused", path)


def test_another_activation_is_told(directory, model, caplog):
    config = dataclasses.replace(model.config, hidden_act="gelu_exact")
    path = directory / "other_gelu"
    hugging_face.export(str(path), dataclasses.replace(model, config=config))
    _evaluate(directory, "told", path)
    assert "has hidden_act=gelu_exact" in caplog.text

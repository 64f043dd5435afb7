"""Models that see to the left alone, in the files of other libraries."""

import dataclasses
import json
import os

import numpy as np
import pytest

from interop import formats, hugging_face, keras_hub, outputs, tf1, variables
from modeling import families
from tests import tiny
from tests.interop import berts

os.environ.setdefault("HF_HUB_OFFLINE", "1")

_FAMILIES = ("bert", "roberta", "roformer")
_HEADS = ("masked_lm", "token_classification", "question_answering")


def _model(name, head):
    """A decoder without a pooler, which these heads do not read."""
    model = berts.model(tiny.config(name, is_decoder=True), head)
    but = model.family.pooler_names
    values = {n: x for n, x in model.values.items() if n not in but}
    return dataclasses.replace(model, values=values)


@pytest.mark.parametrize("head", _HEADS)
@pytest.mark.parametrize("name", _FAMILIES)
def test_transformers_computes_what_we_do(tmp_path, name, head):
    transformers = pytest.importorskip("transformers")
    torch = pytest.importorskip("torch")
    model = _model(name, head)
    hugging_face.export(str(tmp_path), model)
    read = formats.read(str(tmp_path))
    assert read.config.is_decoder
    berts.assert_same(read, model)
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["is_decoder"] is True
    (class_name,) = config["architectures"]
    theirs = getattr(transformers, class_name).from_pretrained(str(tmp_path))
    if head == "masked_lm":
        assert isinstance(
            theirs,
            transformers.AutoModelForCausalLM._model_mapping[
                type(theirs.config)
            ],
        )
    batch = outputs.fixed_batch(model.config)
    with torch.no_grad():
        out = theirs.eval()(
            **outputs.features_of_transformers(theirs, batch),
            output_hidden_states=True,
        )
    found = {"sequence_output": out.hidden_states[-1].numpy()}
    if head == "question_answering":
        ends = (out.start_logits, out.end_logits)
        found["logits"] = torch.stack(ends, -1).numpy()
    elif head == "masked_lm":
        found["masked_lm_logits"] = out.logits.numpy()
    else:
        found["logits"] = out.logits.numpy()
    ours = outputs.of_ours(model, batch)
    differences = outputs.differences(ours, found, batch)
    print(name, head, differences)
    assert len(differences) == 2
    assert max(differences.values()) < 1e-5
    # One that sees both sides computes otherwise.
    both = dataclasses.replace(
        model, config=dataclasses.replace(model.config, is_decoder=False)
    )
    otherwise = outputs.of_ours(both, batch)
    assert (
        np.abs(otherwise["sequence_output"] - ours["sequence_output"]).max()
        > 1e-2
    )


@pytest.mark.parametrize("head", ["encoder", "sequence_classification"])
def test_what_transformers_reads_from_the_first_token_is_refused(
    tmp_path, head
):
    model = berts.bert(head, is_decoder=True)
    with pytest.raises(ValueError, match="which sees nothing where is_decoder"):
        hugging_face.export(str(tmp_path), model)
    assert not list(tmp_path.iterdir())
    # A file of theirs, too: the same weights would be another function here.
    hugging_face.export(str(tmp_path), berts.bert(head))
    path = tmp_path / "config.json"
    values = json.loads(path.read_text())
    path.write_text(json.dumps(values | {"is_decoder": True}))
    with pytest.raises(ValueError, match="which sees nothing where is_decoder"):
        formats.read(str(tmp_path))


def test_a_checkpoint_of_tensorflow_says_it_in_its_config(tmp_path):
    model = berts.bert("sequence_classification", is_decoder=True)
    tf1.export(str(tmp_path), model)
    read = formats.read(str(tmp_path))
    berts.assert_same(read, model)
    assert read.config == model.config
    assert '"is_decoder": true' in (tmp_path / "bert_config.json").read_text()


def test_keras_hub_has_none(tmp_path):
    pytest.importorskip("keras_hub")
    with pytest.raises(ValueError, match="no BERT that sees to the left alone"):
        keras_hub.export(str(tmp_path), berts.bert("encoder", is_decoder=True))


@pytest.mark.parametrize(
    "name", sorted(set(families.FAMILIES) - set(_FAMILIES))
)
def test_families_that_have_none_are_refused_by_name(name):
    family = families.FAMILIES[name].config
    values = json.loads(tiny.config(name).to_json()) | {"is_decoder": True}
    with pytest.raises(
        ValueError, match=f"^my.json: is_decoder is true: no {name.upper()} "
    ):
        family.from_json(json.dumps(values), "my.json")
    assert not variables.FAMILIES[name].hugging_face.decoder


@pytest.mark.parametrize("name", families.FAMILIES)
def test_a_family_that_may_decode_has_a_class_in_transformers(name):
    family = variables.FAMILIES[name].hugging_face
    assert bool(family.decoder) is families.FAMILIES[name].config.may_decode
    assert (name in _FAMILIES) is bool(family.decoder)


@pytest.mark.parametrize("value", ["yes", 1, None])
def test_what_is_neither_true_nor_false_is_refused(value):
    config = families.FAMILIES["bert"].config
    with pytest.raises(ValueError, match="is_decoder must be true or false"):
        config.from_json(
            json.dumps(tiny.CONFIG | {"is_decoder": value}), "my.json"
        )

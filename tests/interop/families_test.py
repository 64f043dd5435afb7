"""Every family's table is whole: read both ways, nothing is left over."""

import dataclasses
import json
from typing import ClassVar

import pytest

from interop import hugging_face, keras_hub, network, variables
from interop.families.family import KerasHub
from modeling import activations, families
from modeling.bert import BertEncoder
from modeling.config import BertConfig
from tests import tiny
from tests.interop import berts


@pytest.fixture(params=families.FAMILIES)
def family(request):
    return variables.FAMILIES[request.param]


def _config(family):
    (name,) = (n for n, x in variables.FAMILIES.items() if x is family)
    return tiny.config(name)


def test_a_family_that_computes_has_a_table():
    assert variables.FAMILIES.keys() == families.FAMILIES.keys()


def _skip_unless_has(family, head):
    if head not in family.heads:
        pytest.skip(f"{family.title} has no head {head}")


@pytest.mark.parametrize("head", variables.HEADS)
def test_the_table_has_the_variables_of_the_layers(family, head):
    _skip_unless_has(family, head)
    config = _config(family)
    model = berts.model(config, head)
    found = network.Network(model).weights
    wanted = variables.wanted(config, head, variables.num_labels(model.values))
    assert {n: tuple(x.shape) for n, x in found.items()} == wanted


def test_no_two_variables_have_one_name_in_a_library(family):
    config = _config(family)
    assert tuple(family.heads) == tuple(
        head for head in variables.HEADS if head in family.heads
    )
    for head in family.heads:
        rows = hugging_face._rows(config, head)
        assert len(set(rows.values())) == len(rows)
        assert variables.wanted(config, head).keys() == rows.keys()
    for head in family.keras_hub.names:
        rows = keras_hub._rows(config, head)
        assert len(set(rows.values())) == len(rows)
        lost = variables.wanted(config, head).keys() - rows.keys()
        assert all("token_type_embeddings" in name for name in lost)


def test_activations_go_there_and_back(family):
    theirs = family.hugging_face
    for ours, name in theirs.activations:
        assert ours in activations.ACTIVATIONS
        assert theirs.our_activation(name) == ours
        assert theirs.our_activation(theirs.their_activation(ours)) == ours
    assert theirs.our_activation("relu") == "relu"
    assert theirs.their_activation("relu") == "relu"


def test_the_classes_are_those_that_files_name(family):
    assert family.hugging_face.architectures.keys() <= family.heads.keys()
    pytest.importorskip("keras_hub")
    _, classes = family.keras_hub.classes()
    names = {head: model.__name__ for head, (model, _) in classes.items()}
    assert names == family.keras_hub.names
    pytest.importorskip("transformers")
    classes = family.hugging_face.classes()
    names = {head: model.__name__ for head, model in classes.items()}
    assert not names or names == family.hugging_face.architectures


def test_a_backbone_of_keras_hub_is_of_one_family():
    names = [
        family.keras_hub.names["encoder"]
        for family in variables.FAMILIES.values()
        if family.keras_hub.names
    ]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("head", variables.HEADS)
def test_a_directory_of_transformers_names_its_family(tmp_path, family, head):
    if head not in family.hugging_face.architectures:
        pytest.skip(f"transformers has no {family.title} with {head}")
    _hold_the_way_back(tmp_path, _config(family), head)


@dataclasses.dataclass(frozen=True, kw_only=True)
class _NarrowConfig(BertConfig):
    model_type: ClassVar[str] = "narrow"

    embedding_size: int = 8


def test_a_family_with_keys_of_its_own_goes_there_and_back(
    tmp_path, monkeypatch
):
    narrow = families.Family(_NarrowConfig, BertEncoder)
    table = dataclasses.replace(
        variables.DEFAULT, title="narrow BERT", keras_hub=KerasHub()
    )
    monkeypatch.setitem(families.FAMILIES, "narrow", narrow)
    monkeypatch.setitem(variables.FAMILIES, "narrow", table)
    config = _NarrowConfig(**tiny.CONFIG | {"hidden_size": 8})
    _hold_the_way_back(tmp_path / "huggingface", config, "masked_lm")
    written = json.loads((tmp_path / "huggingface/config.json").read_text())
    assert (written["model_type"], written["embedding_size"]) == ("narrow", 8)
    folder = tmp_path / "keras_hub"
    with pytest.raises(ValueError, match="^KerasHub has no narrow BERT$"):
        keras_hub.export(str(folder), berts.model(config, "encoder"))
    # A preset is BERT's as before.
    keras_hub_config = {"class_name": "BertBackbone"}
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(keras_hub_config))
    assert keras_hub.is_here(str(folder))
    assert keras_hub._configs()["BertBackbone"] is BertConfig
    assert _NarrowConfig not in keras_hub._configs().values()


def _hold_the_way_back(folder, config, head):
    model = berts.model(config, head)
    hugging_face.export(str(folder), model)
    found = hugging_face.read(str(folder))
    theirs = model.family.hugging_face
    lost = head in theirs.without_pooler
    but = model.family.pooler_names if lost else ()
    berts.assert_same(found, model, but=but)
    drop = ["id2label", "model_type"]
    assert variables.with_extra(found.config, drop=drop) == (
        variables.with_extra(config, drop=drop)
    )

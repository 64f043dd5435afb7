"""Every family's table is whole: read both ways, nothing is left over."""

import json

import pytest

from interop import hugging_face, keras_hub, network, variables
from modeling import activations, families
from tests import tiny
from tests.interop import berts


@pytest.fixture(params=families.FAMILIES)
def family(request):
    return variables.FAMILIES[request.param]


def _config(family):
    (name,) = (n for n, x in variables.FAMILIES.items() if x is family)
    text = json.dumps(tiny.CONFIG | {"model_type": name})
    return families.read_config(text, "my.json")


def test_a_family_that_computes_has_a_table():
    assert variables.FAMILIES.keys() == families.FAMILIES.keys()


@pytest.mark.parametrize("head", variables.HEADS)
def test_the_table_has_the_variables_of_the_layers(family, head):
    config = _config(family)
    model = berts.model(config, head)
    found = network.Network(model).weights
    wanted = variables.wanted(config, head, variables.num_labels(model.values))
    assert {n: tuple(x.shape) for n, x in found.items()} == wanted


def test_no_two_variables_have_one_name_in_a_library(family):
    config = _config(family)
    assert tuple(family.heads) == variables.HEADS
    rows = hugging_face._rows(config)
    assert len(set(rows.values())) == len(rows)
    for head in variables.HEADS:
        assert variables.wanted(config, head).keys() <= rows.keys()
    rows = keras_hub._rows(config)
    assert len(set(rows.values())) == len(rows)
    for head in family.keras_hub.names:
        assert variables.wanted(config, head).keys() <= rows.keys()


def test_activations_go_there_and_back(family):
    theirs = family.hugging_face
    for ours, name in theirs.activations:
        assert ours in activations.ACTIVATIONS
        assert theirs.our_activation(name) == ours
        assert theirs.our_activation(theirs.their_activation(ours)) == ours
    assert theirs.our_activation("relu") == "relu"
    assert theirs.their_activation("relu") == "relu"


def test_the_classes_are_those_that_files_name(family):
    assert family.hugging_face.architectures.keys() == set(variables.HEADS)
    pytest.importorskip("keras_hub")
    _, classes = family.keras_hub.classes()
    names = {head: model.__name__ for head, (model, _) in classes.items()}
    assert names == family.keras_hub.names
    pytest.importorskip("transformers")
    classes = family.hugging_face.classes()
    names = {head: model.__name__ for head, model in classes.items()}
    assert names == family.hugging_face.architectures

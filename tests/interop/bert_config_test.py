"""The config that a flag names: whose words it has, and what is said of it."""

import json

import pytest

from interop import bert_config, hugging_face_config
from tests import tiny


def _write(path, **values):
    path.write_text(json.dumps(tiny.CONFIG | values))
    return str(path)


@pytest.mark.parametrize(
    ("name", "keys", "ours"),
    [
        # google-research/bert's "gelu" is an approximation, theirs is exact.
        ("bert_config.json", {}, "gelu"),
        ("config.json", {}, "gelu_exact"),
        ("mine.json", {"architectures": ["BertModel"]}, "gelu_exact"),
        ("mine.json", {"transformers_version": "4.46.0"}, "gelu_exact"),
        ("config.json", {"hidden_act": "gelu_new"}, "gelu"),
        ("config.json", {"hidden_act": "gelu_pytorch_tanh"}, "gelu"),
        ("config.json", {"hidden_act": "relu"}, "relu"),
    ],
)
def test_gelu_means_what_the_writer_of_the_file_means(
    tmp_path, name, keys, ours
):
    found = bert_config.read(_write(tmp_path / name, **keys))
    assert found.hidden_act == ours
    assert not {"architectures", "transformers_version"} & found.extra.keys()


def test_unknown_keys_are_named_in_a_warning(tmp_path, caplog):
    path = _write(tmp_path / "bert_config.json", my_notes=1, pooler_type="x")
    found = bert_config.read(path)
    assert f"{path}: my_notes is no key of a BERT's config" in caplog.text
    assert dict(found.extra) == {"my_notes": 1, "pooler_type": "x"}
    caplog.clear()
    bert_config.read(_write(tmp_path / "bert_config.json", b=1, a=2))
    assert "a, b are no key of a BERT's config" in caplog.text
    caplog.clear()
    bert_config.read(_write(tmp_path / "bert_config.json"))
    assert not caplog.records


def test_a_file_that_is_not_there_is_named(tmp_path):
    path = str(tmp_path / "no.json")
    with pytest.raises(ValueError, match=f"--bert_config_file: no.*{path}"):
        bert_config.read(path)


def test_the_same_is_refused_by_either_door(tmp_path):
    path = _write(tmp_path / "config.json", model_type="albert")
    for read, argument in (
        (bert_config.read, path),
        (hugging_face_config.read, str(tmp_path)),
    ):
        with pytest.raises(ValueError, match=f'^{path}: model_type is "alb'):
            read(argument)

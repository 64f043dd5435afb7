"""The config that a flag names: whose words it has, and what is said of it."""

import json
import types

import pytest

from finetuning import preflight as finetuning_preflight
from interop import bert_config, hugging_face_config
from pretraining import preflight as pretraining_preflight
from tests import tiny
from tests.interop import berts


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


@pytest.mark.parametrize(
    ("name", "ours"),
    [("bert_config.json", "gelu"), ("config.json", "gelu_exact")],
)
def test_every_program_reads_it_alike(tmp_path, name, ours):
    (tmp_path / "vocab.txt").write_bytes(berts.vocabulary(tiny.VOCAB_SIZE))
    settings = types.SimpleNamespace(
        bert_config_file=_write(tmp_path / name),
        vocabulary_flag="vocab_file",
        vocabulary_path=str(tmp_path / "vocab.txt"),
        max_seq_length=tiny.NUM_TOKENS,
        do_lower_case=True,
        layerwise_lr_decay=1.0,
        use_nsp=True,
        position_init="random",
    )
    found = [
        preflight.read_bert_config(settings)
        for preflight in (pretraining_preflight, finetuning_preflight)
    ]
    assert found[0] == found[1]
    assert found[0].hidden_act == ours
    settings.max_seq_length += 1
    errors = []
    for preflight in (pretraining_preflight, finetuning_preflight):
        with pytest.raises(ValueError, match="max_position_emb") as error:
            preflight.read_bert_config(settings)
        errors.append(str(error.value))
    assert errors[0] == errors[1]


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
    path = _write(tmp_path / "config.json", model_type="xlnet")
    for read, argument in (
        (bert_config.read, path),
        (hugging_face_config.read, str(tmp_path)),
    ):
        with pytest.raises(ValueError, match=f'^{path}: model_type is "xln'):
            read(argument)

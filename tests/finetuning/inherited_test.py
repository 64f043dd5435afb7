"""What a trained directory, or a model, decides where no flag does."""

import dataclasses
import json

import pytest

from finetuning import features_config
from tests.finetuning import trained
from training import run_settings

_ROWS = {"max_seq_length": 12, "do_lower_case": False}
# google-research/bert, tokenization.py, validate_case_matches_checkpoint.
_UNCASED = (
    "uncased_L-24_H-1024_A-16",
    "uncased_L-12_H-768_A-12",
    "multilingual_L-12_H-768_A-12",
    "chinese_L-12_H-768_A-12",
)
_CASED = (
    "cased_L-12_H-768_A-12",
    "cased_L-24_H-1024_A-16",
    "multi_cased_L-12_H-768_A-12",
)


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    """A classifier that was trained with rows of its own kind."""
    path = tmp_path_factory.mktemp("inherited")
    trained.write_inputs(path)
    trained.run(
        trained.CLASSIFIER, path, "output", do_train=True, do_eval=True, **_ROWS
    )
    return path


def _settle(program, path, **changes):
    """Returns the settings of a run that is given some flags, and no other."""
    config = trained.config_of(program, path, "output", **changes)
    return config.settled({*changes})


def _state(path, **config):
    folder = path / "output"
    folder.mkdir()
    run_settings.write(str(folder), {"config": config})


@pytest.mark.parametrize("program", trained.PROGRAMS)
@pytest.mark.parametrize("does", ["do_eval", "do_predict", "do_train"])
def test_a_trained_directory_says_what_its_rows_are(
    tmp_path, caplog, program, does
):
    _state(tmp_path, t2s=True, **_ROWS)
    caplog.set_level("INFO")
    found = _settle(program, tmp_path, **{does: True})
    assert (found.max_seq_length, found.do_lower_case) == (12, False)
    assert found.t2s
    assert "--max_seq_length=12" in caplog.text
    assert "WAS TRAINED WITH OTHER" not in caplog.text


def test_of_squad_also_the_windows_are_as_they_were(tmp_path):
    _state(tmp_path, doc_stride=3, max_query_length=5, max_seq_length=20)
    found = _settle(trained.SQUAD, tmp_path)
    assert (found.doc_stride, found.max_query_length) == (3, 5)


@pytest.mark.parametrize(
    "name, value, said",
    [
        ("max_seq_length", 9, "--max_seq_length was 12 and is 9"),
        ("do_lower_case", True, "--do_lower_case was False and is True"),
        ("t2s", False, "--t2s was True and is False"),
        ("task_name", "tnews", "--task_name was jsonl and is tnews"),
    ],
)
def test_a_flag_that_says_otherwise_stays_and_is_contradicted_aloud(
    tmp_path, caplog, name, value, said
):
    _state(tmp_path, t2s=True, task_name="jsonl", **_ROWS)
    found = _settle(trained.CLASSIFIER, tmp_path, do_eval=True, **{name: value})
    assert getattr(found, name) == value
    assert f"WAS TRAINED WITH OTHER SETTINGS: {said}" in caplog.text
    # Nothing else is said to be other than it was.
    assert caplog.text.count(" was ") == 1


def test_what_is_scored_is_as_it_was_scored_in_the_training(directory):
    scores = (directory / "output/eval_results.txt").read_text()
    (directory / "output/eval_results.txt").unlink()
    rows = (directory / "output/eval.tf_record").stat().st_mtime_ns
    config = _settle(trained.CLASSIFIER, directory, do_eval=True)
    trained.run_config(trained.CLASSIFIER, config)
    assert (directory / "output/eval_results.txt").read_text() == scores
    # The rows of the training are those of now: they were not made again.
    assert (directory / "output/eval.tf_record").stat().st_mtime_ns == rows


@pytest.mark.parametrize(
    "damage", ["", "{", "[]", '"x"', '{"config": 3}', "\udcff", "{}"]
)
def test_damaged_settings_are_named_and_stop_nothing(
    directory, tmp_path, caplog, damage
):
    for path in (directory / "output").iterdir():
        if path.is_file():
            (tmp_path / "output").mkdir(exist_ok=True)
            (tmp_path / "output" / path.name).write_bytes(path.read_bytes())
    for name in ("bert.json", "vocab.txt", "rows.jsonl"):
        (tmp_path / name).write_bytes((directory / name).read_bytes())
    path = tmp_path / "output/settings.json"
    path.write_bytes(damage.encode("utf-8", "surrogateescape"))
    config = _settle(
        trained.CLASSIFIER, tmp_path, do_eval=True, labels="a,b", **_ROWS
    )
    found = trained.run_config(trained.CLASSIFIER, config)
    scores = (directory / "output/eval_results.txt").read_text()
    assert f"eval_loss = {found['eval_loss']}\n" in scores
    assert ("left aside" in caplog.text) == (damage != "{}")
    assert (str(path) in caplog.text) == (damage != "{}")


def test_settings_of_another_kind_are_passed_over(tmp_path):
    _state(tmp_path, max_seq_length="12", do_lower_case=0, t2s=None)
    found = _settle(trained.CLASSIFIER, tmp_path)
    assert (found.max_seq_length, found.do_lower_case) == (16, True)
    assert found.t2s is False


def _features(path, **changes):
    return features_config.FeaturesConfig(
        input_file="in.txt",
        output_file="out.json",
        bert_config_file=str(path / "bert_config.json"),
        vocab_file=str(path / "vocab.txt"),
        init_checkpoint=str(path / "bert_model.ckpt"),
        **changes,
    ).settled({*changes})


def _of_model(program, path, **changes):
    if program == "extract_features.py":
        return _features(path, **changes)
    config = trained.config_of(
        program,
        path.parent,
        "new",
        init_checkpoint=str(path / "bert_model.ckpt"),
        **changes,
    )
    return config.settled({*changes})


_ALL = (*trained.PROGRAMS, "extract_features.py")


@pytest.mark.parametrize("program", _ALL)
@pytest.mark.parametrize("name", _UNCASED + _CASED)
def test_the_case_is_the_one_of_the_published_name(
    tmp_path, caplog, program, name
):
    path = tmp_path / name
    path.mkdir()
    is_uncased = name in _UNCASED
    assert _of_model(program, path).do_lower_case == is_uncased
    assert "CONTRADICTS" not in caplog.text
    # Where google-research/bert stops, this one says it aloud.
    other = _of_model(program, path, do_lower_case=not is_uncased)
    assert other.do_lower_case != is_uncased
    assert "CONTRADICTS THE MODEL" in caplog.text and name in caplog.text


@pytest.mark.parametrize("program", _ALL)
@pytest.mark.parametrize("is_uncased", [True, False])
def test_the_models_own_files_go_before_its_name(
    tmp_path, caplog, program, is_uncased
):
    path = tmp_path / ("cased_L-2" if is_uncased else "uncased_L-2")
    path.mkdir()
    (path / "tokenizer_config.json").write_text(
        json.dumps({"do_lower_case": is_uncased})
    )
    assert _of_model(program, path).do_lower_case == is_uncased
    _of_model(program, path, do_lower_case=not is_uncased)
    assert "CONTRADICTS THE MODEL" in caplog.text
    assert f"{path}/tokenizer_config.json" in caplog.text


def test_a_model_that_says_nothing_is_taken_as_by_default(tmp_path):
    path = tmp_path / "bert"
    path.mkdir()
    for text in ("{}", "{", '{"do_lower_case": "no"}', "[1]"):
        (path / "tokenizer_config.json").write_text(text)
        assert _features(path).do_lower_case is True


def test_the_word_of_the_training_goes_before_that_of_the_model(tmp_path):
    _state(tmp_path, do_lower_case=True)
    path = tmp_path / "cased_L-2"
    path.mkdir()
    config = dataclasses.replace(
        trained.config_of(trained.CLASSIFIER, tmp_path, "output"),
        init_checkpoint=str(path / "bert_model.ckpt"),
    )
    assert config.settled(set()).do_lower_case is True
    changed = dataclasses.replace(config, output_dir=str(tmp_path / "new"))
    assert changed.settled(set()).do_lower_case is False

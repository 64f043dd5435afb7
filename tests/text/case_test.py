"""Whether a model is cased is read where it says so, and a flag goes before."""

import dataclasses
import json

import pytest

from tests import project
from text import case, vocab


@dataclasses.dataclass(frozen=True)
class Config:
    do_lower_case: bool = True
    seed: int = 1


def write(folder, name, value):
    folder.mkdir(exist_ok=True)
    text = value if isinstance(value, str) else json.dumps(value)
    (folder / name).write_text(text)


FORMS = {
    "tokenizer_config.json": lambda x: {"do_lower_case": x},
    "settings.json": lambda x: {"config": {"do_lower_case": x}},
}


@pytest.mark.parametrize("is_uncased", [False, True])
@pytest.mark.parametrize("name", FORMS)
def test_the_files_of_a_model_say_its_case(tmp_path, name, is_uncased):
    write(tmp_path / "m", name, FORMS[name](is_uncased))
    wanted = is_uncased, str(tmp_path / "m" / name)
    # By a file in the folder, by the folder, by a prefix of files there.
    for path in ("m/model.ckpt-7", "m", "m/"):
        assert case.find([None, str(tmp_path / path)]) == wanted


@pytest.mark.parametrize(
    "value",
    [{"config": {"lowercase": False}}, {"normalizer": {"lowercase": False}}],
)
def test_the_tokenizers_of_others_say_it_too(tmp_path, value):
    write(tmp_path, "tokenizer.json", value)
    assert case.find([str(tmp_path)]) == (False, f"{tmp_path}/tokenizer.json")


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("uncased_L-12_H-768_A-12", True),
        ("cased_L-12_H-768_A-12", False),
        ("multi_cased_L-12_H-768_A-12", False),
        ("multilingual_L-12_H-768_A-12", True),
        ("chinese_L-12_H-768_A-12", True),
        ("bert-base-cased", False),
        ("bert-large-uncased-whole-word-masking", True),
        ("BERT-Base-Uncased", True),
        ("bert-base-chinese", None),
        ("showcased", None),
        ("purchased-2", None),
    ],
)
def test_published_names_say_it(tmp_path, name, wanted):
    found, source = case.find([str(tmp_path / name / "bert_model.ckpt")])
    assert found is wanted
    assert source == ("" if wanted is None else f"the name {name}")


def test_a_file_goes_before_any_name_and_the_weights_before_the_vocabulary(
    tmp_path,
):
    weights, words = tmp_path / "bert-uncased", tmp_path / "words"
    write(words, "tokenizer_config.json", {"do_lower_case": False})
    weights.mkdir()
    paths = [str(weights / "m.ckpt"), str(words / "vocab.txt")]
    assert case.find(paths) == (False, f"{words}/tokenizer_config.json")
    write(weights, "tokenizer_config.json", {"do_lower_case": True})
    assert case.find(paths) == (True, f"{weights}/tokenizer_config.json")


@pytest.mark.parametrize(
    "damage",
    ["", "[]", "{", '{"do_lower_case": "false"}', "5", '{"config": 5}'],
)
def test_a_damaged_file_says_nothing(tmp_path, damage):
    for name in ("tokenizer_config.json", "settings.json", "tokenizer.json"):
        write(tmp_path / "m", name, damage)
    assert case.find([str(tmp_path / "m")]) == (None, "")


def test_without_the_flag_the_model_decides(tmp_path, caplog):
    caplog.set_level("INFO")
    write(tmp_path, "tokenizer_config.json", {"do_lower_case": False})
    settled = case.settle(Config(seed=7), set(), [str(tmp_path)])
    assert settled == Config(do_lower_case=False, seed=7)
    source = f"{tmp_path}/tokenizer_config.json"
    assert f"--do_lower_case=false, as {source} says" in caplog.text


def test_the_flag_stays_and_is_told_of_where_it_contradicts(tmp_path, caplog):
    write(tmp_path, "tokenizer_config.json", {"do_lower_case": False})
    config = Config()
    assert case.settle(config, {"do_lower_case"}, [str(tmp_path)]) is config
    assert "--do_lower_case=true CONTRADICTS THE MODEL, which is cased" in (
        caplog.text
    )
    caplog.clear()
    agrees = Config(do_lower_case=False)
    for given in (set(), {"do_lower_case"}):
        assert case.settle(agrees, given, [str(tmp_path)]) is agrees
    (tmp_path / "none").mkdir()
    assert case.settle(config, set(), [str(tmp_path / "none")]) is config
    assert caplog.text == ""


def load(folder, rows):
    return vocab.load(project.write_vocabulary(folder, rows))


def test_a_case_that_the_vocabulary_is_not_made_for_is_told_of(
    tmp_path, caplog
):
    cased = load(tmp_path, [*"abcdeABCDE", "##Xy"])
    case.check(cased, do_lower_case=False)
    assert caplog.text == ""
    case.check(cased, do_lower_case=True)
    assert "6 of its 16 rows have capital letters and are never" in caplog.text
    caplog.clear()
    uncased = load(tmp_path, [*"abcde天地", "[unused1]", "<S>"])
    case.check(uncased, do_lower_case=True)
    assert caplog.text == ""
    case.check(uncased, do_lower_case=False)
    assert "has no row with a capital letter" in caplog.text


def test_one_capital_letter_in_a_hundred_rows_is_there_by_chance(
    tmp_path, caplog
):
    rows = [f"a{number}" for number in range(194)]
    case.check(load(tmp_path, [*rows, "T"]), do_lower_case=True)
    assert caplog.text == ""
    case.check(load(tmp_path, [*rows, "T", "U", "V"]), do_lower_case=True)
    assert "3 of its 202 rows" in caplog.text

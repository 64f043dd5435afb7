"""Files that are no vocabulary, or of another kind: a line that says so."""

import json
import pathlib

import pytest

from tests import albert_text, project, roberta_text
from text import case, vocabularies
from text.config import RowSettings, VocabularySettings


def load(**flags):
    return vocabularies.load(VocabularySettings(**flags))


def said(**flags):
    with pytest.raises(ValueError) as error:
        load(**flags)
    line = str(error.value)
    assert "\n" not in line
    return line


def test_the_folder_of_a_model_is_read_by_the_first_of_its_files(tmp_path):
    assert "has none of spiece.model, 30k-clean.model, vocab.json" in said(
        tokenizer=str(tmp_path)
    )
    project.write_vocabulary(tmp_path, ["a"])
    assert load(tokenizer=str(tmp_path)).kind == "wordpiece"
    roberta_text.write_model(tmp_path)
    assert load(tokenizer=str(tmp_path)).kind == "byte_pairs"
    albert_text.write_model(tmp_path, name="30k-clean.model")
    assert load(tokenizer=str(tmp_path)).kind == "sentencepiece"
    path = str(tmp_path / "merges.txt")
    assert load(tokenizer=path).kind == "byte_pairs"


def test_a_model_of_sentencepiece_as_vocab_file(tmp_path):
    path = albert_text.write_model(tmp_path)
    assert said(vocab_file=path) == (
        f"--vocab_file={path} is a model of SentencePiece; name it in "
        "--spm_model_file"
    )


def test_a_vocabulary_as_model_of_sentencepiece(tmp_path):
    path = project.write_vocabulary(tmp_path, ["a", "中"])
    line = said(spm_model_file=path)
    assert line.startswith(f"--spm_model_file={path}: no model of Sent")
    assert "it is text: a vocab.txt is named by --vocab_file" in line


def test_a_vocab_json_as_vocab_file(tmp_path):
    folder = roberta_text.write_model(tmp_path)
    line = said(vocab_file=f"{folder}/vocab.json")
    assert "--tokenizer names its folder" in line


@pytest.mark.parametrize("missing", ["vocab.json", "merges.txt"])
def test_one_of_two_files_of_byte_pairs(tmp_path, missing):
    folder = pathlib.Path(roberta_text.write_model(tmp_path))
    (folder / missing).unlink()
    line = said(tokenizer=str(folder))
    assert line.startswith(f"--tokenizer={folder}/")
    assert line.endswith(f"is no {missing}")


@pytest.mark.parametrize("kept", [0, 1, 100, 0.3, 0.9, 0.999])
def test_a_truncated_model(tmp_path, kept):
    data = albert_text.sample_model()
    size = kept if isinstance(kept, int) and kept != 0.3 else kept * len(data)
    path = albert_text.write_model(tmp_path, data[: int(size)])
    line = said(spm_model_file=path)
    assert line.startswith(f"--spm_model_file={path}: ")
    assert "or not whole" in line


def test_a_model_cut_where_a_piece_ends(tmp_path):
    """What is left is well formed, and lacks how text is normalised."""
    data = albert_text.sample_model()
    place = 0
    for _ in range(300):  # A tag, a length of one byte, and a piece.
        assert data[place] == 0x0A and data[place + 1] < 0x80
        place += 2 + data[place + 1]
    path = albert_text.write_model(tmp_path, data[:place])
    assert "or not whole" in said(spm_model_file=path)


def test_a_model_without_special_pieces(tmp_path):
    lines = project.sample_lines()
    data = albert_text.train(
        lines, 2000, control_symbols=["[CLS]"], hard_vocab_limit=False,
        character_coverage=0.98,
    )  # fmt: skip
    line = said(spm_model_file=albert_text.write_model(tmp_path, data))
    assert "the pieces [SEP], [MASK] are missing among its 2000" in line


def test_a_model_of_bytes_is_refused(tmp_path):
    data = albert_text.train(
        project.sample_lines(), 2000, byte_fallback=True,
        character_coverage=0.98, hard_vocab_limit=False,
    )  # fmt: skip
    line = said(spm_model_file=albert_text.write_model(tmp_path, data))
    assert "has pieces of bytes" in line


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda ids: ids.pop("<mask>"), "vocab.json: not a vocabulary"),
        (lambda ids: ids.update({"x!y": 1}), "vocab.json: not a vocabulary"),
        (lambda ids: ids.update({"<s>": "0"}), "vocab.json: not a vocabulary"),
        (
            lambda ids: ids.update({"mask": ids.pop("<mask>")}),
            "the tokens <mask> are missing among its 3000",
        ),
    ],
)
def test_a_vocab_json_that_is_none(tmp_path, change, words):
    ids, merges = roberta_text.sample_model()
    ids = dict(ids)
    change(ids)
    folder = roberta_text.write_model(tmp_path, (ids, merges))
    assert words in said(tokenizer=folder)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "its merges are empty"),
        ("#version: 0.2\nĠ t h\n", "merges.txt:2: no merge"),
        ("#version: 0.2\nĠ\n", "merges.txt:2: no merge"),
        ("q z\n", "lacks 'qz' of merge 1"),
    ],
)
def test_merges_that_do_not_fit(tmp_path, text, words):
    folder = roberta_text.write_model(tmp_path)
    (tmp_path / "merges.txt").write_text(text, encoding="utf-8")
    assert words in said(tokenizer=folder)


def test_json_that_is_damaged_is_named(tmp_path):
    folder = roberta_text.write_model(tmp_path)
    (tmp_path / "vocab.json").write_text('{"<s>": 0,')
    assert "vocab.json" in said(tokenizer=folder)


def test_flags_that_name_nothing_or_two():
    with pytest.raises(ValueError, match="--vocab_file, --spm_model_file or"):
        VocabularySettings()
    with pytest.raises(ValueError, match="--tokenizer=a stands in place of"):
        RowSettings(tokenizer="a", vocab_file="b")
    both = VocabularySettings(vocab_file="a.vocab", spm_model_file="b.model")
    assert both.vocabulary_flag == "spm_model_file"
    assert said(spm_model_file="/none.model") == (
        "--spm_model_file: no file '/none.model'"
    )
    assert "no file of a tokenizer" in said(tokenizer=__file__)


def test_byte_pairs_are_cased_without_being_asked(tmp_path):
    folder = roberta_text.write_model(tmp_path)
    assert case.find([None, folder])[0] is False
    assert case.find([f"{folder}/vocab.json"])[0] is False
    (tmp_path / "tokenizer_config.json").write_text(
        json.dumps({"do_lower_case": False})
    )
    assert case.find([folder])[0] is False


def of_library(folder, **changes):
    """tokenizer.json of the library, with changes in it."""
    whole = json.loads(roberta_text.plain(folder).to_str()) | changes
    path = pathlib.Path(folder) / "tokenizer.json"
    path.write_text(json.dumps(whole), encoding="utf-8")
    return str(path)


def test_a_tokenizer_json_of_byte_pairs_is_the_same_vocabulary(tmp_path):
    folder = roberta_text.write_model(tmp_path)
    path = of_library(folder)
    found, wanted = load(tokenizer=path), load(tokenizer=folder)
    assert found.rows == wanted.rows and found.merges == wanted.merges
    assert found.sha256 == wanted.sha256
    for name in ("vocab.json", "merges.txt"):
        (tmp_path / name).unlink()
    assert load(tokenizer=folder).rows == wanted.rows
    assert case.find([folder])[0] is False


def test_a_tokenizer_json_of_wordpiece_is_the_same_vocabulary(tmp_path):
    tokenizers = pytest.importorskip("tokenizers")
    wanted = load(vocab_file=project.write_vocabulary(tmp_path, ["a", "##b"]))
    plain = tokenizers.BertWordPieceTokenizer(wanted.ids)
    folder = tmp_path / "other"
    folder.mkdir()
    plain.save(str(folder / "tokenizer.json"))
    found = load(tokenizer=str(folder))
    assert found.kind == "wordpiece"
    assert found.rows == wanted.rows and found.files == wanted.files


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model": {"type": "Unigram"}}, "a tokenizer of the type Unigram"),
        ({"model": None}, "a tokenizer of the type None"),
        ({"normalizer": {"type": "NFC"}}, "has a normalizer, which RoBERTa"),
        (
            {"pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": True}},
            "has add_prefix_space, which RoBERTa",
        ),
        ({"pre_tokenizer": {"type": "Whitespace"}}, "by ByteLevel alone"),
    ],
)
def test_a_tokenizer_json_of_another_kind(tmp_path, changes, words):
    path = of_library(roberta_text.write_model(tmp_path), **changes)
    line = said(tokenizer=path)
    assert line.startswith(f"--tokenizer={path}: ") and words in line

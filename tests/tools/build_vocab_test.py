"""Vocabularies of each kind that build_vocab learns: read, useful, the same."""

import pathlib
import subprocess
import sys

import pytest

from tests import albert_text, project, roberta_text
from text import tokenization, vocabularies
from text.config import VocabularySettings
from tools import build_vocab, vocab_building

KINDS = {
    "wordpiece": ("vocab.txt", "vocab_file"),
    "sentencepiece": ("spiece.model", "spm_model_file"),
    "byte_pairs": ("vocab.json", "tokenizer"),
}


def make_config(directory, kind, **changes):
    defaults = {
        "input_file": ",".join(project.SAMPLES),
        "output_file": str(directory / KINDS[kind][0]),
        "vocab_size": 2500,
        "min_count": 2,
        "kind": kind,
    }
    return build_vocab.VocabConfig(**defaults | changes).settled(())


def contents(directory):
    return {p.name: p.read_bytes() for p in directory.iterdir()}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_learned_is_read_by_its_flag(tmp_path, capsys, kind):
    vocab_building.build(make_config(tmp_path, kind))
    name, flag = KINDS[kind]
    config = VocabularySettings(**{flag: str(tmp_path / name)})
    vocabulary = vocabularies.load(config)
    assert vocabulary.kind == kind
    assert len(vocabulary) == 2500
    assert f"{name}: 2500 rows, sha256 {vocabulary.sha256}" in (
        capsys.readouterr().out
    )
    of_folder = VocabularySettings(tokenizer=str(tmp_path))
    assert vocabularies.load(of_folder).rows == vocabulary.rows
    # Most of the text is one token a word.
    tokenizer = tokenization.Tokenizer(vocabulary, kind != "byte_pairs")
    ids, starts = tokenizer.tokenize("\n".join(project.sample_lines()))
    assert (ids == vocabulary.roles.unk).mean() < 0.05
    assert starts[-1] < sum(map(len, project.sample_lines()))


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_text_gives_the_same_bytes(tmp_path, kind):
    """Also in another process, whose hashes are others."""
    made = []
    for number in range(2):
        folder = tmp_path / str(number)
        folder.mkdir()
        config = make_config(folder, kind)
        command = [
            *(sys.executable, "-m", "tools.build_vocab"),
            f"--input_file={config.input_file}",
            f"--output_file={config.output_file}",
            *("--vocab_size=2500", "--min_count=2", f"--kind={kind}"),
        ]
        subprocess.run(
            command,
            env=project.environment(),
            cwd=project.ROOT,
            check=True,
            capture_output=True,
        )
        made.append(contents(folder))
    assert made[0] == made[1]
    assert len(made[0]) == 2 if kind == "byte_pairs" else 1


def test_a_model_of_sentencepiece_is_that_of_the_library(tmp_path):
    """The options of albert's README, and its preprocessing before."""
    held_out = tmp_path / "held.txt"
    held_out.write_text("a line\n")
    folder = tmp_path / "model"
    folder.mkdir()
    config = make_config(folder, "sentencepiece", held_out_file=str(held_out))
    vocab_building.build(config)
    ours = albert_text.FullTokenizer((folder / "spiece.model").read_bytes())
    rows = [ours._model.id_to_piece(i) for i in range(13)]
    assert rows == [
        *("<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]"),
        *albert_text.SYMBOLS,
    ]
    lines = [
        line
        for path in project.SAMPLES
        for line in pathlib.Path(path).read_text(encoding="utf-8").split("\n")
    ]
    learned = albert_text.train(
        list(filter(None, map(albert_text.preprocess, lines))), 2500
    )
    theirs = albert_text.FullTokenizer(learned)
    scores = [
        {
            (x._model.id_to_piece(i), x._model.get_score(i))
            for i in range(x._model.get_piece_size())
        }
        for x in (ours, theirs)
    ]
    assert scores[0] == scores[1]


def test_merges_are_those_of_the_library(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    held_out = tmp_path / "held.txt"
    held_out.write_text("a line\n")
    vocab_building.build(
        make_config(folder, "byte_pairs", held_out_file=str(held_out))
    )
    lines = [line.strip() for line in project.sample_lines()]
    ids, merges = roberta_text.train(lines, 2500)
    vocabulary = vocabularies.load(VocabularySettings(tokenizer=str(folder)))
    assert vocabulary.ids == ids
    assert vocabulary.merges == tuple(map(tuple, merges))


@pytest.mark.parametrize(
    ("kind", "changes", "words"),
    [
        ("sentencepiece", {"vocab_size": 20}, "--vocab_size=20: "),
        ("byte_pairs", {"vocab_size": 261}, "--vocab_size=261 has no room"),
        ("byte_pairs", {"output_file": "/tmp/x.txt"}, "a vocab.json with"),
    ],
)
def test_what_cannot_be_learned_is_a_line(tmp_path, kind, changes, words):
    with pytest.raises(ValueError, match=words) as error:
        vocab_building.build(make_config(tmp_path, kind, **changes))
    assert "\n" not in str(error.value)


def test_byte_pairs_are_cased(tmp_path):
    config = build_vocab.VocabConfig(
        input_file="x",
        output_file=str(tmp_path / "vocab.json"),
        kind="byte_pairs",
    )
    assert not config.settled(()).do_lower_case
    with pytest.raises(ValueError, match="--do_lower_case=true"):
        config.settled(["do_lower_case"])


@pytest.mark.parametrize("name", ["vocab.json", "merges.txt"])
def test_nothing_is_replaced_unasked(tmp_path, name):
    (tmp_path / name).write_text("mine")
    config = make_config(tmp_path, "byte_pairs")
    with pytest.raises(FileExistsError, match=f"{name} exists"):
        vocab_building.build(config)
    assert contents(tmp_path) == {name: b"mine"}

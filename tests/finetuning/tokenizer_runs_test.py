"""A fine-tuning with each tokenizer is whole: trained, scored, asked again."""

import json
import os

import pytest

from finetuning import answering
from tests import albert_text, roberta_text, tiny
from tests.finetuning import trained

KINDS = ("spm_model_file", "tokenizer")
FILES = {
    "spm_model_file": ["spiece.model"],
    "tokenizer": ["merges.txt", "vocab.json"],
}


@pytest.fixture(scope="module", params=KINDS)
def kind(request, tmp_path_factory):
    """(folder, flag, changes of the settings)."""
    directory = tmp_path_factory.mktemp(request.param)
    trained.write_inputs(directory)
    (directory / "vocab.txt").unlink()
    model = directory / "model"
    model.mkdir()
    if request.param == "spm_model_file":
        path = albert_text.write_model(model)
    else:
        path = roberta_text.write_model(model)
    shape = tiny.CONFIG | {
        "num_hidden_layers": 1,
        "vocab_size": 4000,
        "max_position_embeddings": 64,
    }
    (directory / "bert.json").write_text(json.dumps(shape))
    changes = {
        "vocab_file": None,
        request.param: path,
        "do_lower_case": request.param == "spm_model_file",
        "max_seq_length": 48,
    }
    return directory, request.param, changes


@pytest.mark.parametrize("program", trained.PROGRAMS)
def test_a_trained_directory_answers_by_its_own_files(kind, program):
    directory, flag, changes = kind
    output = directory / f"out-{program}"
    scores = trained.run(
        program,
        directory,
        output.name,
        do_train=True,
        do_eval=True,
        **changes,
    )
    assert scores["eval_loss"] > 0 if "eval_loss" in scores else scores
    assert set(FILES[flag]) <= set(os.listdir(output))
    assert "vocab.txt" not in os.listdir(output)
    # Another folder, without the model that was named.
    moved = directory / f"moved-{program}"
    output.rename(moved)
    lines = [
        "w1 w2 w3\tw4" if program == trained.SQUAD else text
        for text in trained.TEXTS
    ]
    answers = answering.Answerer.load(str(moved)).answer(lines)
    assert len(list(answers)) == len(lines)

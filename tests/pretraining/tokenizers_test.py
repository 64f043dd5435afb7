"""Pretraining on records of each tokenizer leaves a model with its files."""

import json
import os

import pytest

from tests import albert_text, roberta_text, tiny
from tests.data import built
from tests.pretraining import tiny_job
from text import vocabularies
from text.config import VocabularySettings

FILES = {
    "spm_model_file": ["spiece.model"],
    "tokenizer": ["merges.txt", "vocab.json"],
}


@pytest.mark.parametrize("masking", ["static", "dynamic"])
@pytest.mark.parametrize("flag", FILES)
def test_export_holds_the_files_of_the_tokenizer(tmp_path, flag, masking):
    """They are found beside the records by the hash in the manifest."""
    path = str(tmp_path)
    if flag == "spm_model_file":
        path = albert_text.write_model(tmp_path)
    else:
        roberta_text.write_model(tmp_path)
    flags = {"vocab_file": None, flag: path}
    made = built.build_only(
        tmp_path,
        output_file=str(tmp_path / "train.tfrecord"),
        max_seq_length=tiny.NUM_TOKENS,
        max_predictions_per_seq=tiny.NUM_PREDICTIONS,
        masking=masking,
        do_lower_case=flag == "spm_model_file",
        **flags,
    )
    shape = tiny.CONFIG | {
        "num_hidden_layers": 1,
        "vocab_size": made.vocab_size,
    }
    (tmp_path / "bert.json").write_text(json.dumps(shape))
    tiny_job.run(tmp_path, "out", num_train_steps=3)
    export = tmp_path / "out" / "export"
    assert set(FILES[flag]) <= set(os.listdir(export))
    assert "vocab.txt" not in os.listdir(export)
    found = vocabularies.load(VocabularySettings(tokenizer=str(export)))
    assert found.sha256 == made.made_from.vocab_sha256
    said = json.loads((export / "tokenizer_config.json").read_text())
    assert said["do_lower_case"] == (flag == "spm_model_file")

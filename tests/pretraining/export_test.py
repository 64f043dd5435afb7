"""A finished run leaves its model in the form in which models are published."""

import json
import os

import numpy as np
import pytest

from data.feeding import record_files
from interop import formats
from pretraining import config, export, masked_lm
from tests import project, tiny
from tests.data import built
from tests.interop import berts
from tests.pretraining import tiny_job
from text import vocab
from tools import conversion, convert_checkpoint

_FILES = [
    "bert_config.json",
    "bert_model.ckpt.data-00000-of-00001",
    "bert_model.ckpt.index",
    "tokenizer_config.json",
    "vocab.txt",
]


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    """Records with a manifest, beside the vocabulary they were built with."""
    path = tmp_path_factory.mktemp("job")
    built.build_only(
        path,
        output_file=str(path / "train.tfrecord"),
        max_seq_length=tiny.NUM_TOKENS,
        max_predictions_per_seq=tiny.NUM_PREDICTIONS,
    )
    num_rows = len(vocab.load(str(path / "vocab.txt")))
    (path / "bert.json").write_text(
        json.dumps(
            tiny.CONFIG | {"num_hidden_layers": 1, "vocab_size": num_rows}
        )
    )
    return path


@pytest.fixture(scope="module")
def trained(directory):
    tiny_job.run(directory, "trained", num_train_steps=4)
    return directory / "trained"


def test_a_finished_run_leaves_a_model_to_publish(directory, trained):
    assert sorted(os.listdir(trained / "export")) == _FILES
    vocabulary = (directory / "vocab.txt").read_bytes()
    assert (trained / "export/vocab.txt").read_bytes() == vocabulary
    model = formats.read(str(trained / "export"))
    tensors = tiny_job.tensors(trained, 4)
    assert model.head == "pretraining" and not model.state
    assert model.values.keys() < tensors.keys()
    for name, value in model.values.items():
        np.testing.assert_array_equal(value, tensors[name])


def test_it_is_a_model_to_start_from(directory, trained):
    def evaluate(output, path):
        return tiny_job.run(
            directory,
            output,
            init_checkpoint=path and str(path),
            do_train=False,
            do_eval=True,
            eval_input_file=None,
        )

    newest = evaluate("trained", None)
    found = evaluate("from_export", trained / "export")
    assert found == newest | {"global_step": 0}


@pytest.mark.slow
def test_transformers_reads_it(trained, tmp_path):
    pytest.importorskip("transformers")
    report = conversion.convert(
        convert_checkpoint.ConvertConfig(
            from_=str(trained / "export"),
            to="huggingface",
            output_dir=str(tmp_path / "hf"),
        )
    )
    assert report["computed_by"]["to"] == "transformers"
    assert report["largest_difference"] < 1e-5


def test_the_same_command_writes_what_is_missing(directory, trained):
    before = {p.name: p.read_bytes() for p in (trained / "export").iterdir()}
    (trained / "export/bert_model.ckpt.index").unlink()
    tiny_job.run(directory, "trained", num_train_steps=4)
    after = {p.name: p.read_bytes() for p in (trained / "export").iterdir()}
    assert after == before


def test_it_is_written_again_for_other_weights_only(tmp_path, caplog):
    objective = masked_lm.MaskedLm(tiny.config(), use_nsp=True, seed=1)
    settings = _settings(tmp_path)
    index = tmp_path / "out/export/bert_model.ckpt.index"
    export.write(settings.output_dir, objective, None, [])
    assert sorted(os.listdir(index.parent)) == _FILES[:3]
    assert "export lacks vocab.txt" in caplog.text
    written = index.stat().st_mtime_ns
    export.write(settings.output_dir, objective, None, [])
    assert index.stat().st_mtime_ns == written
    vocabulary = berts.vocabulary(tiny.VOCAB_SIZE)
    bias = objective.heads.masked_lm.output_bias
    bias.assign(bias + 1)
    caplog.clear()
    found = vocab.parse(vocabulary, "vocab.txt")
    export.write(settings.output_dir, objective, found, [])
    model = formats.read(str(index.parent))
    assert model.values["cls/predictions/output_bias"].min() == 1
    assert model.tokenizer == {"vocab.txt": vocabulary}
    assert "export lacks" not in caplog.text


def _settings(directory, **changes):
    return config.PretrainingConfig(
        bert_config_file=str(directory / "bert.json"),
        input_file=str(directory / "train.tfrecord"),
        output_dir=str(directory / "out"),
        do_train=True,
        **changes,
    )


def test_a_vocabulary_is_known_by_its_hash(directory, tmp_path):
    for name in ("train.tfrecord", "train.tfrecord.manifest.json"):
        (tmp_path / name).write_bytes((directory / name).read_bytes())
    files = record_files.find(str(tmp_path / "train.tfrecord"))
    wanted = (directory / "vocab.txt").read_bytes()
    bert = tiny.config(vocab_size=len(wanted.splitlines()))

    def find(**changes):
        settings = _settings(tmp_path, **changes)
        found = export.find_vocabulary(settings, files, bert)
        return found and dict(found.files)["vocab.txt"]

    other = project.write_vocabulary(tmp_path, ["another"])
    assert find() is None
    with pytest.raises(ValueError, match="--vocab_file=.* has the sha256"):
        find(vocab_file=other)
    assert find(vocab_file=str(directory / "vocab.txt")) == wanted
    assert find(init_checkpoint=str(directory / "bert_model.ckpt")) == wanted
    (tmp_path / "vocab_of_mine.txt").write_bytes(wanted)
    assert find() == wanted


def test_without_a_manifest_the_flag_is_taken_for_what_fits(tmp_path):
    tiny_job.write_inputs(tmp_path)
    files = record_files.find(str(tmp_path / "train.tfrecord"))
    path = project.write_vocabulary(tmp_path, ["a", "b"])
    settings = _settings(tmp_path, vocab_file=path)
    found = export.find_vocabulary(settings, files, tiny.config())
    assert (
        dict(found.files)["vocab.txt"]
        == b"[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\n"
    )
    with pytest.raises(ValueError, match="7 rows, more than vocab_size=6"):
        export.find_vocabulary(settings, files, tiny.config(vocab_size=6))

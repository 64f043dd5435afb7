"""Features of a frozen encoder: what learns, what computes, what is left."""

import json
import random

import numpy as np
import pytest
import tensorflow as tf

from finetuning import directory as loading
from finetuning import programs
from finetuning.model import Model
from finetuning.tagging import config, task
from tests import project, tiny
from tools import convert_checkpoint
from training import checkpoint, strategy

_WORDS = ("ann", "bob", "rome", "met", "saw", "the")
_FROZEN = {
    "freeze_encoder": True,
    "head_layers": "sum_last_four",
    "ner_head": "bilstm",
    "lstm_layers": 2,
    "lstm_size": 8,
}


pytestmark = pytest.mark.usefixtures("uncompiled")


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    """A model of random weights, its vocabulary and a file of names."""
    path = tmp_path_factory.mktemp("features")
    shape = tiny.CONFIG | {"num_hidden_layers": 4}
    (path / "bert.json").write_text(json.dumps(shape))
    project.write_vocabulary(path, _WORDS)
    rng = random.Random(0)
    lines = []
    for _ in range(80):
        for _ in range(rng.randint(2, 6)):
            word = rng.choice(_WORDS)
            label = {"ann": "B-PER", "bob": "B-PER", "rome": "B-LOC"}
            lines.append(f"{word} {label.get(word, 'O')}")
        lines.append("")
    (path / "train.txt").write_text("\n".join(lines) + "\n")
    return path


def _config(directory, output, **changes):
    defaults = {
        "bert_config_file": str(directory / "bert.json"),
        "vocab_file": str(directory / "vocab.txt"),
        "output_dir": str(directory / output),
        "train_file": str(directory / "train.txt"),
        "eval_file": str(directory / "train.txt"),
        "max_seq_length": tiny.NUM_TOKENS,
        "window_overlap": 4,
        "train_batch_size": 16,
        "num_train_epochs": 6.0,
        "learning_rate": 1e-2,
        "optimizer": "adamw",
        "mixed_precision": "none",
        "do_train": True,
        "do_eval": True,
    }
    return config.TaggingConfig(**defaults | changes)


def _weights(directory):
    step = checkpoint.saved_steps(str(directory))[-1]
    return checkpoint.tensors.read(str(directory / f"model.ckpt-{step}"))


@pytest.fixture(scope="module")
def trained(directory):
    return task.run(
        _config(directory, "features", keep_checkpoint_max=0, **_FROZEN)
    )


def test_the_head_learns_and_the_encoder_stays(directory, trained):
    found = _weights(directory / "features")
    again = _config(directory, "again", num_train_epochs=0.3, **_FROZEN)
    assert trained["eval_loss"] < 0.9 * task.run(again)["eval_loss"]
    first = _weights(directory / "again")
    encoder = [name for name in found if name.startswith("bert/")]
    assert len(encoder) > 50
    for name in encoder:
        np.testing.assert_array_equal(first[name], found[name], err_msg=name)
    for name in ("output_weights", "lstm_1/forward/lstm_cell/kernel"):
        assert not np.array_equal(first[name], found[name])
    assert "layer_features/scores" in found


def test_a_directory_answers_as_it_was_scored(directory, trained):
    """Its best labels have the loss of a model of these weights."""
    made, tagging = programs.load(str(directory / "features"))
    rows = tagging.make_rows("train", tagging.read("train"))
    model = Model.of(
        made,
        tiny.config(num_hidden_layers=4),
        tagging,
        strategy.create(made),
    )
    loading.restore_weights(made, model)
    (term,) = model.compute_terms(rows, None).values()
    assert float(term.numerator / term.denominator) == pytest.approx(
        trained["eval_loss"], rel=1e-4
    )


def test_a_run_that_was_stopped_ends_with_the_same_weights(directory, trained):
    wanted = _weights(directory / "features")
    stopped = _config(
        directory,
        "stopped",
        keep_checkpoint_max=0,
        save_checkpoints_steps=10,
        **_FROZEN,
    )
    task.run(stopped)
    for path in (directory / "stopped").glob("model.ckpt-*"):
        if "-10." not in path.name:
            path.unlink()
    task.run(stopped)
    found = _weights(directory / "stopped")
    for name, value in wanted.items():
        np.testing.assert_array_equal(found[name], value, err_msg=name)


@pytest.mark.parametrize(
    ("changes", "is_fixed"),
    [
        (_FROZEN, True),
        (_FROZEN | {"unfreeze_top_layers": 1}, False),
        (_FROZEN | {"freeze_encoder": False}, False),
        (_FROZEN | {"head_layers": None}, False),
    ],
)
def test_a_frozen_encoder_computes_as_in_inference(
    directory, changes, is_fixed
):
    made = _config(directory, "none", **changes)
    tagging = task.Tagging(made)
    rows = tagging.make_rows("train", tagging.read("train"))
    shape = tiny.config(num_hidden_layers=4)
    model = Model.of(made, shape, tagging, strategy.create(made))
    model.head = lambda encoded, batch, dropout_seed: encoded.sequence_output
    batch = {name: value[:4] for name, value in rows.items()}
    one, other = (model.predict(batch, x) for x in (None, tf.constant(3)))
    assert np.array_equal(one, other) == is_fixed


def test_no_other_library_gets_it_as_a_plain_tagger(directory, trained):
    made = convert_checkpoint.ConvertConfig(
        from_=str(directory / "features"),
        to="tf1",
        output_dir=str(directory / "converted"),
    )
    wanted = "--ner_head=bilstm --head_layers=sum_last_four, which --to=tf1"
    with pytest.raises(ValueError, match=wanted):
        convert_checkpoint.run(made)

"""--long_text: whole texts, in chunks that are rows as any other."""

import json
import logging
import random

import numpy as np
import pytest

from finetuning import answering, batches, programs
from finetuning.classification import examples, long_texts, rows, task
from finetuning.model import Model
from tests import project, tiny
from tests.finetuning.classification import tiny_classifier
from text import tokenization, vocab
from tools import convert_checkpoint
from training import checkpoint, strategy

_LENGTH = tiny.NUM_TOKENS
_ROOM = _LENGTH - 2


pytestmark = pytest.mark.usefixtures("uncompiled")


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    words = [f"w{number}" for number in range(90)]
    folder = tmp_path_factory.mktemp("rows")
    loaded = vocab.load(project.write_vocabulary(folder, words))
    return tokenization.Tokenizer(loaded), loaded


def _texts(sizes):
    rng = random.Random(0)
    return [[f"w{rng.randrange(90)}" for _ in range(n)] for n in sizes]


def _make(texts, tokenizer, max_chunks=4, truncation="head"):
    made = [examples.Example([(" ".join(x), None)], None) for x in texts]
    return long_texts.make(
        made,
        *tokenizer,
        chunk_length=_LENGTH,
        max_chunks=max_chunks,
        truncation=truncation,
    )


def test_a_chunk_is_a_row_of_its_own(tokenizer):
    """Each as `rows.make` lays out that part of the text."""
    texts = _texts([0, 1, 13, 14, 15, 28, 29, 40, 56])
    made = _make(texts, tokenizer)
    for number, text in enumerate(texts):
        parts = [
            (" ".join(text[begin : begin + _ROOM]), None)
            for begin in range(0, max(len(text), 1), _ROOM)
        ]
        wanted = rows.make(
            parts, *tokenizer, max_seq_length=_LENGTH, truncation="head"
        )
        for name, value in made.items():
            found = value[number].reshape(4, _LENGTH)
            np.testing.assert_array_equal(found[: len(parts)], wanted[name])
            assert not found[len(parts) :].any()


@pytest.mark.parametrize("truncation", ["head", "tail", "head_tail"])
def test_what_has_no_chunk_is_counted_and_named(tokenizer, truncation, caplog):
    texts = _texts([20, 50, 33, 28])
    with caplog.at_level(logging.WARNING):
        made = _make(texts, tokenizer, max_chunks=2, truncation=truncation)
    assert (
        "2 of 4 texts are longer than --max_chunks=2 of --max_seq_length=16: "
        f"27 of 131 tokens are left out (--truncation={truncation}); the "
        "longest text would be 4 chunks" in caplog.text
    )
    ids = tokenizer[1].ids
    special = [ids["[CLS]"], ids["[SEP]"], 0]
    first = {"head": 28, "tail": 0, "head_tail": 28 * 128 // 510}[truncation]
    for row, text in zip(made["input_ids"], texts, strict=True):
        wanted = text
        if len(text) > 28:
            wanted = text[:first] + text[len(text) - (28 - first) :]
        found = [x for x in row if x not in special]
        assert found == [ids[word] for word in wanted]


def _write(directory, count, name, rng):
    lines = [("text", "label")]
    for _ in range(count):
        words = [rng.choice(("the", "a", "film")) for _ in range(45)]
        label = rng.choice(["neg", "pos"])
        # Behind what a row of 16 tokens would hold of it.
        for place in range(20, 45, 2):
            words[place] = "good" if label == "pos" else "bad"
        lines.append((" ".join(words), label))
    tiny_classifier.write_lines(directory / f"{name}.tsv", lines)


def _settings(directory, output, **changes):
    tiny_classifier.write_model(directory)
    rng = random.Random(2)
    for name, count in (("train", 160), ("dev", 40)):
        _write(directory, count, name, rng)
    return tiny_classifier.settings(
        directory,
        output_dir=str(directory / output),
        data_dir=str(directory),
        do_train=True,
        do_eval=True,
        num_train_epochs=4.0,
        **changes,
    )


@pytest.mark.parametrize("how", ["max", "mean", "attention"])
def test_what_stands_far_behind_is_read(tmp_path, how):
    found = task.run(_settings(tmp_path, "whole", long_text=how))
    assert found["eval_accuracy"] > 0.9
    answerer = answering.Answerer.load(str(tmp_path / "whole"))
    lines = (tmp_path / "dev.tsv").read_text().splitlines()[1:]
    answers = list(answerer.answer([x.split("\t")[0] for x in lines]))
    said = (tmp_path / "whole" / "eval_predictions.jsonl").read_text()
    for answer, line in zip(answers, said.splitlines(), strict=True):
        wanted = json.loads(line)
        assert answer["label"] == wanted["label"]
        assert answer["probabilities"] == pytest.approx(
            wanted["probabilities"], abs=1e-5
        )


def test_a_cut_text_does_not_say_it(tmp_path):
    """What the test above has its score from."""
    found = task.run(_settings(tmp_path, "cut"))
    assert found["eval_accuracy"] < 0.75


def _model(config):
    _, made = programs.load(config.output_dir)
    return Model.of(
        config, tiny.config(num_hidden_layers=1), made, strategy.create(config)
    )


def _weights(directory):
    step = checkpoint.saved_steps(str(directory))[-1]
    values = checkpoint.tensors.read(str(directory / f"model.ckpt-{step}"))
    return step, values


@pytest.mark.parametrize("how", ["max", "mean", "attention"])
def test_texts_of_one_chunk_train_as_without(tmp_path, how):
    """To the bit; attention's weights, of no use here, get rounding errors."""
    settings = {
        "max_seq_length": _LENGTH,
        "train_file": str(tmp_path / "short.tsv"),
        "eval_file": str(tmp_path / "short.tsv"),
    }
    plain = _settings(tmp_path, "plain", **settings)
    lines = [("text", "label")]
    lines += [(f"the {x} film", x) for x in ("good", "bad") * 20]
    tiny_classifier.write_lines(tmp_path / "short.tsv", lines)
    wanted = task.run(plain)
    found = task.run(_settings(tmp_path, how, long_text=how, **settings))
    assert found == pytest.approx(wanted, rel=1e-6 * (how == "attention"))
    step, values = _weights(tmp_path / "plain")
    assert step == 10
    same = _weights(tmp_path / how)[1]
    for name, value in values.items():
        np.testing.assert_allclose(
            same[name], value, rtol=0, atol=1e-6 * (how == "attention")
        )


def test_a_run_that_was_stopped_ends_with_the_same_weights(tmp_path):
    whole = _settings(tmp_path, "whole", long_text="attention")
    task.run(whole)
    step, wanted = _weights(tmp_path / "whole")
    part = _settings(
        tmp_path,
        "part",
        long_text="attention",
        save_checkpoints_steps=15,
        keep_checkpoint_max=0,
    )
    task.run(part)
    for name in (f"model.ckpt-{n}" for n in (30, 40)):
        for path in (tmp_path / "part").glob(f"{name}.*"):
            path.unlink()
    task.run(part)
    again, found = _weights(tmp_path / "part")
    assert again == step == 40
    assert "chunk_attention/query" in wanted
    for name, value in wanted.items():
        np.testing.assert_array_equal(found[name], value, err_msg=name)


def test_short_texts_are_computed_without_the_chunks_of_long_ones(tokenizer):
    made = _make(_texts([5, 9, 56]), tokenizer)
    lengths = batches.lengths_of_rows(made)
    assert lengths.tolist() == [7, 11, 64]
    cut = batches.trim(made, 16, per_token=False)
    assert cut["input_ids"].shape == (3, 16)


def test_bad_input_is_one_line(tmp_path):
    with pytest.raises(ValueError, match="^--max_chunks=3 needs --long_text$"):
        tiny_classifier.settings(tmp_path, max_chunks=3)
    config = _settings(
        tmp_path,
        "pairs",
        long_text="max",
        train_file=tiny_classifier.write_lines(
            tmp_path / "pairs.tsv",
            [("text_a", "text_b", "label"), ("a", "the", "x"), ("a", "a", "y")],
        ),
    )
    wanted = "pairs.tsv, line 2: a pair of texts; --long_text is for single"
    with pytest.raises(ValueError, match=wanted):
        task.run(config)


def test_no_other_library_gets_it_as_a_plain_classifier(tmp_path):
    task.run(_settings(tmp_path, "whole", long_text="mean"))
    for_all = {
        "from_": str(tmp_path / "whole"),
        "output_dir": str(tmp_path / "converted"),
    }
    config = convert_checkpoint.ConvertConfig(to="tf1", **for_all)
    with pytest.raises(ValueError, match="--long_text=mean.*--head=encoder"):
        convert_checkpoint.run(config)
    config = convert_checkpoint.ConvertConfig(
        to="tf1", head="encoder", **for_all
    )
    convert_checkpoint.run(config)
    assert (tmp_path / "converted" / "conversion.json").exists()

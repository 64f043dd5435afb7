"""Models with rows added to their vocabulary, or taken out of it."""

import json

import numpy as np
import pytest
import tensorflow as tf

from interop import formats, start, tf1, variables
from interop.config import ModelSettings
from pretraining import masked_lm
from tests import project, tiny
from tests.interop import berts
from text import tokenization, vocab, vocab_surgery
from tools import extend_vocab, vocab_extension
from training import checkpoint

_ROWS = """[PAD] [unused1] [unused2] [UNK] [CLS] [SEP] [MASK]
a b c d e k r u n o t s ##a ##b ##c ##d ##e ##k ##r ##u ##n ##o ##t ##s ##er
docker 我 國 国 ##我 한 か ㄅ ☆ the 7 ##7 88 1999 2020 ， ."""
OLD = _ROWS.split()
TEXT = "我 the docker ， 国 7 a . tend ☆"


@pytest.fixture
def model(tmp_path):
    """A model with random weights and the vocabulary OLD."""
    vocab.save(str(tmp_path / "vocab.txt"), OLD)
    bert = tiny.CONFIG | {"vocab_size": len(OLD), "pooler_type": "kept"}
    (tmp_path / "bert_config.json").write_text(json.dumps(bert))
    objective = _objective(len(OLD), seed=1)
    rng = np.random.default_rng(0)
    values = {
        variable.path: rng.normal(size=variable.shape).astype(np.float32)
        for variable in objective.saved
    }
    state = {"global_step": np.int64(7), f"{list(values)[0]}/adam_m": 1.0}
    checkpoint.write(str(tmp_path / "bert_model.ckpt"), values | state)
    return tmp_path


def _objective(vocab_size, seed):
    return masked_lm.MaskedLm(
        tiny.config(vocab_size=vocab_size), use_nsp=True, seed=seed
    )


def _extend(model, **flags):
    return vocab_extension.extend(
        extend_vocab.ExtendConfig(
            init_checkpoint=str(model / "bert_model.ckpt"),
            bert_config_file=str(model / "bert_config.json"),
            vocab_file=str(model / "vocab.txt"),
            output_dir=str(model / "new"),
            **flags,
        )
    )


def _words_file(model, *words):
    path = model / "words.txt"
    path.write_text("\n".join(words))
    return str(path)


def _encode(directory):
    """Runs TEXT through a model; returns outputs and logits of OLD's rows."""
    vocabulary = vocab.load(str(directory / "vocab.txt"))
    config = json.loads((directory / "bert_config.json").read_text())
    assert config["vocab_size"] == len(vocabulary)
    assert config["pooler_type"] == "kept"
    objective = _objective(len(vocabulary), seed=2)
    start.initialize(
        ModelSettings(
            bert_config_file="bert_config.json", init_checkpoint=str(directory)
        ),
        checkpoint.by_path(objective.saved),
        objective.encoder.config,
    )
    ids, _ = tokenization.Tokenizer(vocabulary).tokenize(TEXT)
    assert vocabulary.ids["[UNK]"] not in ids
    ids = tf.constant(ids[None, :])
    encoded = objective.encoder(ids, tf.ones_like(ids), tf.zeros_like(ids))
    logits, _ = objective.heads(
        encoded,
        tf.range(ids.shape[1])[None, :],
        objective.encoder.embeddings.word_embeddings,
    )
    kept = [vocabulary.ids.get(row, 0) for row in OLD]
    return encoded.sequence_output.numpy(), logits.numpy()[..., kept]


def assert_same_logits(before, after):
    """Holds logits equal that are columns of products of other widths.

    How many columns a product has decides on the order of its sums on some
    processors: with AVX2 alone they differ by up to 1.4e-6.
    """
    np.testing.assert_allclose(before, after, rtol=1e-5, atol=1e-5)


def test_texts_without_new_words_give_the_same_outputs(model):
    report = _extend(
        model, words_file=_words_file(model, "Docker", "bucket", "runner", "京")
    )
    rows = vocab.load(str(model / "new/vocab.txt")).rows
    assert rows == (OLD[0], "bucket", "runner", *OLD[3:], "京")
    assert "known words       1  Docker" in report
    (before, logits), (after, new_logits) = map(_encode, (model, model / "new"))
    np.testing.assert_array_equal(before, after)
    is_old = [row not in ("[unused1]", "[unused2]") for row in OLD]
    assert_same_logits(logits[..., is_old], new_logits[..., is_old])
    names = formats.read_weights(str(model / "new")).values
    assert names.keys() == formats.read_weights(str(model)).values.keys()
    assert "global_step" not in names


@pytest.mark.parametrize("name", list(variables.FAMILIES))
def test_every_family_takes_other_rows(model, name):
    config = tiny.config(name, vocab_size=len(OLD))
    family = variables.family_of(config)
    before = berts.model(config, "masked_lm")
    folder = model / "family"
    tf1.export(str(folder), before)
    report = vocab_extension.extend(
        extend_vocab.ExtendConfig(
            init_checkpoint=str(folder),
            bert_config_file=str(folder / "bert_config.json"),
            vocab_file=str(model / "vocab.txt"),
            output_dir=str(model / "new"),
            words_file=_words_file(model, "bucket", "runner", "京"),
        )
    )
    assert "new words         3  bucket runner 京" in report
    after = formats.read(str(model / "new"), head="masked_lm")
    assert after.config.vocab_size == len(OLD) + 1
    assert after.head == before.head
    rows_changed = 0
    for key, value in before.values.items():
        if key not in after.values:
            assert key in family.pooler_names
        elif len(value) != len(after.values[key]):
            rows_changed += 1
            np.testing.assert_array_equal(value[3:], after.values[key][3:-1])
        else:
            np.testing.assert_array_equal(value, after.values[key])
    assert rows_changed == 2


@pytest.mark.parametrize("name", ["spiece.model", "vocab.json", "merges.txt"])
def test_a_tokenizer_of_another_kind_is_refused(model, name):
    config = extend_vocab.ExtendConfig(
        init_checkpoint=str(model),
        bert_config_file=str(model / "bert_config.json"),
        vocab_file=str(model / name),
        output_dir=str(model / "new"),
        words_file="words.txt",
    )
    wanted = f"--vocab_file=.*{name}: a vocab.txt is wanted here"
    with pytest.raises(ValueError, match=wanted):
        extend_vocab.run(config)


def test_a_new_row_is_the_mean_of_the_pieces_or_small_and_random(model):
    name = variables.DEFAULT.words
    words = _words_file(model, "runner")
    old = formats.read_weights(str(model)).values[name]
    pieces = [OLD.index(x) for x in ("r", "##u", "##n", "##n", "##er")]
    _extend(model, words_file=words)
    new = formats.read_weights(str(model / "new")).values[name]
    np.testing.assert_allclose(new[1], old[pieces].mean(axis=0), rtol=1e-6)
    _extend(model, words_file=words, new_rows="random", use_unused=False)
    new = formats.read_weights(str(model / "new")).values[name]
    assert len(new) == len(OLD) + 1
    assert 0 < np.abs(new[-1]).max() <= 0.04


def test_what_the_tokenizer_would_part_is_left_out_and_said(model):
    report = _extend(
        model, words_file=_words_file(model, "电脑", "c++", "a b", "nat")
    )
    assert "new words         1  nat" in report
    assert "left out          3  电脑 c++ a b: BERT's tokenizer" in report


def test_words_are_found_by_the_tokens_that_they_save(model):
    path = model / "text.txt"
    path.write_text("bucket docker 我 runner bucket\n" * 10 + "count\n" * 9)
    report = _extend(model, input_file=str(path), find_words=3, min_count=10)
    assert "new words         2  bucket runner" in report
    before = 10 * (6 + 1 + 1 + 5 + 6) + 9 * 5
    assert f"tokens of --input_file {10 * 5 + 45}, before {before};" in report


def test_the_recipe_for_simplified_chinese_drops_the_others(model):
    _extend(model, shrink=True)
    rows = vocab.load(str(model / "new/vocab.txt")).rows
    gone = {"docker", "國", "##我", "한", "か", "ㄅ", "☆", "the", "1999"}
    assert rows == tuple(row for row in OLD if row not in gone)


def test_another_vocabulary_takes_its_rows_from_the_old_one(model):
    other = [*reversed(OLD), "nat"]
    vocab.save(str(model / "other.txt"), other)
    _extend(model, keep_vocab_file=str(model / "other.txt"))
    assert vocab.load(str(model / "new/vocab.txt")).rows == tuple(other)
    (before, logits), (after, new_logits) = map(_encode, (model, model / "new"))
    np.testing.assert_array_equal(before, after)
    assert_same_logits(logits, new_logits)


def test_a_vocabulary_of_another_model_is_refused(model):
    vocab.save(str(model / "vocab.txt"), [*OLD, "more"])
    with pytest.raises(ValueError, match="of another vocabulary"):
        _extend(model, shrink=True)


def test_nothing_to_do_is_refused(model):
    with pytest.raises(ValueError, match="nothing to do"):
        _extend(model)


def test_the_published_vocabulary_shrinks_as_clue_says():
    rows = list(vocab.load(project.vocabulary("zh")).rows)
    kept = vocab_surgery.shrink(rows)
    num_chinese = sum(len(row) == 1 and "一" <= row <= "鿿" for row in kept)
    # 5,689 in the recipe, after a list of 132 rows made by hand.
    assert 5_500 <= num_chinese <= 6_000
    assert not any("##一" <= row <= "##鿿" for row in kept)
    assert 7_500 <= len(kept) <= 8_500

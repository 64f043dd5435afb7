"""More rows of a task: what may change, how often, and by what."""

import gzip
import json

import numpy as np
import pytest

from pretraining import masked_lm
from tests import project, tiny
from tests.finetuning.classification import tiny_classifier
from text import vocab
from tools import augment, augmentation, similar_words
from training import checkpoint

_LATIN = ("film", "movie", "good", "bad", "long", "short", "plot", "actor")
_NUM_TOKENS = 32
_SHAPE = tiny.CONFIG | {"max_position_embeddings": _NUM_TOKENS}
_CHINESE = "电影很好看影片差故事长短演员的"
_TABLE = {
    "film": ("movie", "picture"),
    "good": ("fine",),
    "long": ("endless",),
    "actor": ("player",),
    "电影": ("影片",),
}
_ROWS = [
    ("id", "text", "label"),
    ("7", "The film was good, a long one.", "pos"),
    ("8", "Its ACTOR said: don't. Film4 and xfilm stay", "neg"),
    ("9", "nothing here can change", "neg"),
    ("10", "这部电影很好看 film", "pos"),
]


@pytest.fixture
def directory(tmp_path):
    """A table of similar words, rows, and a model with random weights."""
    lines = [f"{word}\t{' '.join(x)}" for word, x in _TABLE.items()]
    tiny_classifier.write_lines(tmp_path / "similar.tsv", lines)
    tiny_classifier.write_lines(tmp_path / "rows.tsv", _ROWS)
    (tmp_path / "bert_config.json").write_text(json.dumps(_SHAPE))
    words = [*_LATIN, *dict.fromkeys(_CHINESE), "##s", "the", "was", "a", ","]
    words += [f"##{n}" for n in range(tiny.VOCAB_SIZE - len(words) - 5)]
    project.write_vocabulary(tmp_path, words)
    objective = masked_lm.MaskedLm(tiny.config(**_SHAPE), use_nsp=True, seed=1)
    rng = np.random.default_rng(0)
    values = {
        variable.path: rng.normal(size=variable.shape).astype(np.float32)
        for variable in objective.saved
    }
    checkpoint.write(str(tmp_path / "bert_model.ckpt"), values)
    return tmp_path


def _config(directory, **changes):
    defaults = {
        "input_file": str(directory / "rows.tsv"),
        "output_file": str(directory / "more.tsv"),
        "num_variants": 8,
        "max_seq_length": _NUM_TOKENS,
    }
    if not {"init_checkpoint", "similar_words"} & changes.keys():
        defaults["similar_words"] = str(directory / "similar.tsv")
    return augment.AugmentConfig(**defaults | changes)


def _run(directory, **changes):
    """Returns the rows written."""
    config = _config(directory, **changes)
    augment.augment(config)
    with open(config.output_file, encoding="utf-8") as file:
        return [tuple(line.rstrip("\n").split("\t")) for line in file]


def _groups(rows):
    """Returns {id: its rows, the first as it was}."""
    groups = {}
    for row in rows[1:]:
        groups.setdefault(row[0], []).append(row)
    return groups


def _is_variant(text, other):
    """Whether texts are the same but for words that the table may change."""
    if not text or not other:
        return text == other
    for word, others in _TABLE.items():
        for written in (word, word.upper(), word.capitalize()):
            if text.startswith(written):
                for x in others:
                    for y in (x, x.upper(), x.capitalize()):
                        rest = text[len(written) :]
                        if other.startswith(y) and _is_variant(
                            rest, other[len(y) :]
                        ):
                            return True
    return text[0] == other[0] and _is_variant(text[1:], other[1:])


def test_each_row_stands_before_its_variants(directory):
    rows = _run(directory, word_segmenter="jieba")
    assert rows[0] == _ROWS[0]
    groups = _groups(rows)
    assert list(groups) == [row[0] for row in _ROWS[1:]]
    for before, after in zip(_ROWS[1:], groups.values(), strict=True):
        assert after[0] == before
        assert len(set(after)) == len(after) <= 9
        for row in after[1:]:
            assert (row[0], row[2]) == (before[0], before[2])
            assert _is_variant(before[1], row[1])
    assert len(groups["9"]) == 1
    assert {row[1] for row in groups["8"][1:]} == {
        "Its PLAYER said: don't. Film4 and xfilm stay"
    }
    assert any("影片" in row[1] for row in groups["10"])


def test_words_change_as_often_as_is_asked(directory):
    text = " ".join(["film good long actor"] * 10)
    tiny_classifier.write_lines(directory / "rows.tsv", ["text", *[text] * 50])
    for wanted in (0.1, 0.4, 0.8):
        rows = _run(directory, replace_prob=wanted)
        variants = [row[0].split() for row in rows[1:] if row[0] != text]
        assert len(variants) > 380
        share = np.mean(np.array(variants) != np.array(text.split()))
        # Five deviations of 400 texts of 40 words.
        assert share == pytest.approx(wanted, abs=0.02)
    rows = _run(directory, replace_prob=1.0)
    changed = {
        word for row in rows[1:] if row[0] != text for word in row[0].split()
    }
    assert changed == {"movie", "picture", "fine", "endless", "player"}
    with pytest.raises(ValueError, match="no word of its 50 rows can give way"):
        _run(directory, replace_prob=0.0)


def test_of_a_pair_one_text_changes_at_a_time(directory):
    rows = [("text_a", "text_b"), ("a good film", "a long film")]
    tiny_classifier.write_lines(directory / "rows.tsv", rows)
    found = _run(directory)
    assert found[:2] == rows
    first = [row for row in found[2:] if row[0] != rows[1][0]]
    second = [row for row in found[2:] if row[1] != rows[1][1]]
    assert first and second and not set(first) & set(second)
    assert all(row[1] == rows[1][1] for row in first)


def test_a_row_has_its_variants_whatever_stands_around_it(directory):
    """By a model, too: of any number of words at once."""
    model = {
        "init_checkpoint": str(directory),
        "similar_words": str(directory / "similar.tsv"),
        "replace_prob": 0.6,
    }
    rows = [("text",), *((f"film {x} plot 电影",) for x in _LATIN * 20)]
    tiny_classifier.write_lines(directory / "rows.tsv", rows)
    whole = _run(directory, **model)
    assert _run(directory, **model) == whole
    assert _run(directory, batch_size=7, **model) == whole
    tiny_classifier.write_lines(directory / "rows.tsv", rows[:71])
    part = _run(directory, **model)
    assert part == whole[: len(part)] and len(part) > 300
    assert _run(directory, random_seed=1, **model) != part


def test_a_model_puts_words_of_the_same_script_and_length(directory):
    rows = [("text",), ("the film was 电影",), ("movies was bad",)]
    tiny_classifier.write_lines(directory / "rows.tsv", rows)
    found = _run(
        directory,
        init_checkpoint=str(directory),
        word_segmenter="jieba",
        num_candidates=5,
        num_variants=60,
        replace_prob=1.0,
    )
    texts = [row[0] for row in found]
    first = texts[2 : texts.index("movies was bad")]
    assert len(first) > 20
    for text in first:
        the, word, was, chinese = text.split()
        assert (the, was) == ("the", "was")
        assert word in vocab.load(str(directory / "vocab.txt")).rows
        assert word != "film" and word.isalpha() and word.isascii()
        assert len(chinese) == 2 and set(chinese) <= set(_CHINESE)
        assert chinese != "电影"
    # "movies" is two tokens, and no file has similar words.
    last = [text.split() for text in texts[texts.index("movies was bad") :]]
    assert {words[0] for words in last} == {"movies"}
    assert len({words[2] for words in last[1:]}) == 5


def test_a_model_says_what_transformers_says(directory):
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    shape = _SHAPE | {"hidden_act": "gelu_new", "initializer_range": 0.5}
    theirs = transformers.BertForMaskedLM(
        transformers.BertConfig(**shape)
    ).eval()
    theirs.save_pretrained(directory / "model")
    (directory / "model" / "vocab.txt").write_bytes(
        (directory / "vocab.txt").read_bytes()
    )
    from tools.masked_words import MaskedWords

    config = _config(
        directory, init_checkpoint=str(directory / "model"), num_candidates=4
    )
    text = "the film was 电影"
    latin, chinese = (augmentation.Word(0, *x) for x in ((4, 8), (13, 15)))
    found = MaskedWords(config).candidates([text], [latin, chinese])
    rows = vocab.load(str(directory / "vocab.txt")).rows
    ids = {row: number for number, row in enumerate(rows)}
    tokens = ["the", "film", "was", "电", "影"]
    for word, places in ((latin, [1]), (chinese, [3, 4])):
        masked = [
            "[MASK]" if n in places else token for n, token in enumerate(tokens)
        ]
        both = ["[CLS]", *masked, "[SEP]", *tokens, "[SEP]"]
        segments = [0] * 7 + [1] * 6
        with torch.no_grad():
            logits = (
                theirs(
                    torch.tensor([[ids[token] for token in both]]),
                    token_type_ids=torch.tensor([segments]),
                )
                .logits[0]
                .numpy()
            )
        allowed = (
            _LATIN + ("the", "was", "a") if word == latin else set(_CHINESE)
        )
        scores = {
            (x, *rest): logits[1 + places[0], ids[x]]
            + sum(logits[2 + places[0], ids[y]] for y in rest)
            for x in allowed
            for rest in ([(y,) for y in allowed] if word == chinese else [()])
        }
        best = sorted(scores, key=scores.get, reverse=True)[:5]
        assert list(found[word]) == ["".join(x) for x in best]


def test_vectors_are_similar_by_their_angle(directory):
    rng = np.random.default_rng(0)
    names = ["Film", "movie", "plot", "actor", "long"]
    vectors = rng.normal(size=(5, 7)).astype(np.float32)
    lines = [
        f"{name} {' '.join(map(str, row))}"
        for name, row in zip(names, vectors, strict=True)
    ]
    cosines = np.corrcoef(np.c_[vectors, -vectors])[0]  # Of mean 0.
    wanted = [names[n] for n in np.argsort(-cosines)[1:4]]
    texts = ["the film", "a bad one"]
    words = [augmentation.Word(0, 4, 8), augmentation.Word(1, 2, 5)]
    for head in ([], ["5 7"]):
        path = directory / "vectors.txt.gz"
        text = "".join(f"{line}\n" for line in (*head, *lines))
        path.write_bytes(gzip.compress(text.encode()))
        read = similar_words.read(str(path), 3)
        assert read.candidates(texts, words) == {words[0]: wanted}
    path = directory / "bad.txt"
    tiny_classifier.write_lines(path, [lines[0], "movie 1 2"])
    with pytest.raises(ValueError, match="bad.txt, line 2: --similar_words"):
        similar_words.read(str(path), 3)


def test_what_cannot_be_used_is_one_line(directory):
    with pytest.raises(ValueError, match="--init_checkpoint or --similar_w"):
        augment.AugmentConfig(input_file="a", output_file="b")
    with pytest.raises(ValueError, match="no column 'texts' among"):
        _run(directory, text_columns="texts")
    with pytest.raises(ValueError, match="--similar_words: no file"):
        _run(directory, similar_words="nowhere")
    tiny_classifier.write_lines(
        directory / "rows.tsv", ["a good film\t1", "a long film"]
    )
    rows = _run(directory, text_columns="1")
    assert rows[-1] == ("a long film",)  # With a warning, and no variant.
    assert {row[1] for row in rows[:-1]} == {"1"}

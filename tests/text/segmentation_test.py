"""Words of Chinese text, against the segmenter asked by itself."""

import itertools
import random
import subprocess
import sys
import typing

import numpy as np
import pytest

from data import config
from tests import project
from tests.google_tokenization import FullTokenizer
from tests.text import tokenization_test
from text import normalization, segmentation, t2s, tokenization, vocab

jieba = pytest.importorskip("jieba")

SENTENCE = "使用语言模型来预测下一个词的概率"
# Its words in the README of ymcui/Chinese-BERT-wwm, which writes the last one
# in English.
WORDS = ["使用", "语言", "模型", "来", "预测", "下", "一个", "词", "的", "概率"]
AWKWARD = "aZ1 中国人，.-é\u0301\u0302ΑΣσς\u200b\u200d\u2028\x0b\x1c\x85\r\t\0"
AWKWARD += (
    "\ufffd\u3000Ａ１😀👩𠀀\U00030000\u302e\u0323\U0001d165\u1fef한かカ々ー"
)
segmenters = pytest.mark.parametrize("name", ["none", *segmentation.SEGMENTERS])
both_cases = tokenization_test.both_cases


def make(directory, text, name, do_lower_case=True):
    """A tokenizer that knows half of the characters of a text."""
    characters = sorted({c for c in text + SENTENCE if c.strip()})
    known = [c for c in characters if normalization.is_chinese(c)]
    known += characters[::2]
    path = project.write_vocabulary(
        directory, tokenization_test.with_pieces(known)
    )
    vocabulary = vocab.load(path)
    return tokenization.Tokenizer(vocabulary, do_lower_case, name), path


def words_of(tokenizer, line):
    """The words of a line, each as its number of tokens."""
    _, starts, begins = tokenizer.tokenize_words(line)
    assert starts.tolist() == [0, len(begins)]
    bounds = [*np.flatnonzero(begins), len(begins)]
    return [b - a for a, b in itertools.pairwise(bounds)]


def assert_tokens_stay(tokenizer, lines):
    text = "\n".join(lines)
    ids, starts, begins = tokenizer.tokenize_words(text)
    wanted_ids, wanted_starts = tokenizer.tokenize(text)
    np.testing.assert_array_equal(ids, wanted_ids)
    np.testing.assert_array_equal(starts, wanted_starts)
    assert begins.dtype == bool
    assert begins.shape == ids.shape
    assert begins[starts[:-1][np.diff(starts) > 0]].all()
    return ids, begins


def test_a_published_sentence_has_its_published_words(tmp_path):
    rows = [*SENTENCE, "pro", "##ba", "##bility", "。"]
    vocabulary = vocab.load(project.write_vocabulary(tmp_path, rows))
    tokenizer = tokenization.Tokenizer(vocabulary, True, "jieba")
    words = list(map(len, WORDS))
    assert words_of(tokenizer, SENTENCE) == words
    english = SENTENCE.replace("概率", "probability。")
    assert words_of(tokenizer, english) == [*words[:-1], 3, 1]


def test_traditional_text_has_its_words_once_converted(tmp_path):
    tokenizer, _ = make(tmp_path, "", "jieba")
    line = t2s.to_simplified("使用語言模型來預測下一個詞的概率")
    assert words_of(tokenizer, line) == list(map(len, WORDS))


def test_characters_between_spaces_are_a_word(tmp_path):
    tokenizer, _ = make(tmp_path, "", "spaces")
    assert words_of(tokenizer, " ".join(WORDS)) == list(map(len, WORDS))
    assert words_of(tokenizer, "\u3000".join(WORDS)) == list(map(len, WORDS))
    assert words_of(tokenizer, SENTENCE) == [len(SENTENCE)]
    assert words_of(tokenizer, "语言，模型。 概率") == [2, 1, 2, 1, 2]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        # jieba parts café as caf, é.
        ("喝café吧", [1, 4, 1]),
        ("喝cafe\u0301吧", [1, 4, 1]),
        ("语言a\u200bb模型", [2, 2, 2]),
        ("语言a\x1cb模型", [2, 2, 2]),
        ("语言a\u2028b模型", [2, 1, 1, 2]),
        ("语言\u200b\0模型", [2, 2]),
        ("语言abc", [2, 3]),
        # Without Chinese, words are BERT's.
        ("3.14", [1, 1, 2]),
        ("", []),
        ("\u200b", []),
        ("语", [1]),
    ],
)
def test_letters_that_bert_keeps_together_stay_together(tmp_path, line, words):
    rows = tokenization_test.with_pieces("abcdef.1234喝吧" + SENTENCE)
    vocabulary = vocab.load(project.write_vocabulary(tmp_path, rows))
    tokenizer = tokenization.Tokenizer(vocabulary, True, "jieba")
    assert words_of(tokenizer, line) == words


@both_cases
def test_a_line_that_cannot_be_parted_keeps_its_characters(
    tmp_path, do_lower_case
):
    # In ΑΣ.Α the sigma is not final; in ΑΣ, parted from .Α, it is.
    rows = tokenization_test.with_pieces("ασςΑΣ." + SENTENCE)
    vocabulary = vocab.load(project.write_vocabulary(tmp_path, rows))
    tokenizer = tokenization.Tokenizer(vocabulary, do_lower_case, "jieba")
    text = f"{SENTENCE}ΑΣ.Α\n{SENTENCE}"
    assert_tokens_stay(tokenizer, text.split("\n"))
    whole = list(map(len, WORDS))
    parted = [1] * len(SENTENCE) if do_lower_case else whole
    _, starts, begins = tokenizer.tokenize_words(text)
    got = np.diff([*np.flatnonzero(begins), len(begins)]).tolist()
    assert got == [*parted, 2, 1, 1, *whole]
    assert starts[1] == len(SENTENCE) + 4


@both_cases
@segmenters
def test_nonsense_has_the_tokens_it_has_without_words(
    tmp_path, name, do_lower_case
):
    draw = random.Random(7)
    everything = [c for c in tokenization_test.CODE_POINTS if not c.isascii()]
    lines = [
        "".join(draw.choices(alphabet, k=draw.randrange(14)))
        for alphabet in (AWKWARD, AWKWARD + SENTENCE, everything)
        for _ in range(2000)
    ]
    tokenizer, _ = make(tmp_path, AWKWARD, name, do_lower_case)
    assert_tokens_stay(tokenizer, lines)


def plain_begins(plain, line):
    """Whether each token begins a word; None where jieba cuts BERT's words."""
    tokens = plain.tokenize(line)
    if not any(map(normalization.is_chinese, line)):
        return [not token.startswith("##") for token in tokens]
    words = [plain.tokenize(word) for word in jieba.cut(line)]
    if list(itertools.chain(*words)) != tokens:
        return None
    return [k == 0 for word in words for k in range(len(word))]


def assert_words_are_jiebas(tokenizer, plain, lines):
    """Compares with jieba's words, tokenized one by one."""
    _, begins = assert_tokens_stay(tokenizer, lines)
    _, starts = tokenizer.tokenize("\n".join(lines))
    num_unlike = 0
    for line, bounds in zip(lines, itertools.pairwise(starts), strict=True):
        wanted = plain_begins(plain, line)
        if wanted is None:
            num_unlike += 1
        else:
            assert begins[slice(*bounds)].tolist() == wanted, line
    assert num_unlike < 0.02 * len(lines)


@both_cases
def test_words_of_the_samples_are_those_of_jieba(tmp_path, do_lower_case):
    path = project.write_vocabulary(tmp_path, project.sample_vocabulary())
    ours = tokenization.Tokenizer(vocab.load(path), do_lower_case, "jieba")
    plain = FullTokenizer(path, do_lower_case)
    assert_words_are_jiebas(ours, plain, project.sample_lines())


@pytest.mark.parametrize("name", tokenization_test.CORPORA)
def test_words_of_some_real_lines_are_those_of_jieba(tmp_path, name):
    lines = tokenization_test.corpus_lines(name, every=197)
    tokenizer, path = make(tmp_path, "".join(lines), "jieba")
    assert_words_are_jiebas(tokenizer, FullTokenizer(path), lines)


@pytest.mark.slow
@segmenters
@pytest.mark.parametrize("corpus", tokenization_test.CORPORA)
def test_every_real_line_has_the_tokens_it_has_without_words(corpus, name):
    path = project.vocabulary("en" if corpus == "en" else "zh")
    tokenizer = tokenization.Tokenizer(vocab.load(path), True, name)
    lines = tokenization_test.corpus_lines(corpus)
    for first in range(0, len(lines), 50000):
        assert_tokens_stay(tokenizer, lines[first : first + 50000])


def test_spaces_between_the_words_of_jieba_give_the_words_of_jieba(tmp_path):
    lines = project.sample_lines()
    lines = ["".join(filter(normalization.is_chinese, line)) for line in lines]
    ours, _ = make(tmp_path, "", "spaces")
    theirs, _ = make(tmp_path, "", "jieba")
    spaced = "\n".join(" ".join(jieba.cut(line)) for line in lines)
    begins = ours.tokenize_words(spaced)[2]
    wanted = theirs.tokenize_words("\n".join(lines))[2]
    assert len(begins) > 10_000
    assert 0.4 < begins.mean() < 0.8
    np.testing.assert_array_equal(begins, wanted)


def test_the_flag_offers_every_segmenter():
    hints = typing.get_type_hints(config.BuildConfig)
    offered = typing.get_args(hints["word_segmenter"])
    assert set(offered) == {"none", *segmentation.SEGMENTERS}


def test_a_version_is_named_where_there_is_one():
    assert segmentation.version("jieba") == f"jieba {jieba.__version__}"
    assert segmentation.version("spaces") == "spaces"
    assert segmentation.version("none") == "none"


def test_a_missing_package_is_named(monkeypatch):
    load = segmentation.SEGMENTERS["jieba"]
    load.cache_clear()
    monkeypatch.setitem(sys.modules, "jieba", None)
    with pytest.raises(ValueError, match="pip install jieba"):
        load()


def test_jieba_is_loaded_silently_and_leaves_no_file(tmp_path):
    # What jieba itself would read and write.
    broken = tmp_path / "jieba.cache"
    broken.write_bytes(b"broken")
    code = (
        "import sys\n"
        "from text import segmentation\n"
        "assert 'jieba' not in sys.modules\n"
        f"words = segmentation.SEGMENTERS['jieba']()({SENTENCE!r})\n"
        "print(*words)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        env=project.environment()
        | {"TMPDIR": str(tmp_path), "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert result.stdout.split() == WORDS
    assert result.stderr == ""
    assert list(tmp_path.iterdir()) == [broken]
    assert broken.read_bytes() == b"broken"

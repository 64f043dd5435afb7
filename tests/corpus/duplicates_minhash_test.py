"""Signatures: those of the formula, and as like as the texts are."""

import random
import unicodedata

import numpy as np
import pytest

from corpus.duplicates import folding, minhash

BANDS = minhash.choose_bands(0.6)
WORDS = ["wind", "rain", "Snow", "ICE", "2024", "don't", "naïve", "Ａｂｃ"]
MARKS = ["，", "。", " ", "\n", "!", "——", "\u3000", "🙂"]


def drawn_text(rng, num_parts):
    parts = [chr(rng.randint(0x4E00, 0x9FFF)) for _ in range(40)]
    return "".join(
        x + rng.choice(MARKS)
        for x in rng.choices([*WORDS, *parts], k=num_parts)
    )


def plain_shingles(text):
    """Runs of three units of a text, found one character at a time."""
    units, word = [], ""
    for character in text + " ":
        is_han = "\u4e00" <= character <= "\u9fff"
        is_letter = unicodedata.category(character)[0] in "LNM"
        if is_letter and not is_han:
            word += unicodedata.normalize("NFKC", character).lower()
            continue
        if word:
            units.append(word)
            word = ""
        if is_han:
            units.append(character)
    return [tuple(units[i : i + 3]) for i in range(len(units) - 2)]


def jaccard(a, b):
    a, b = set(a), set(b)
    return len(a & b) / len(a | b)


def similar_texts(seed, num_texts=12):
    """Texts that have more or less in common."""
    rng = random.Random(seed)
    sentences = [drawn_text(rng, 12) for _ in range(60)]
    return ["".join(rng.sample(sentences, 40)) for _ in range(num_texts)]


def estimates(texts):
    signed = minhash.signatures(texts, BANDS).transpose(1, 0, 2)
    flat = signed.reshape(len(texts), -1)
    return (flat[:, None] == flat[None]).mean(axis=2)


def test_shingles_are_as_like_as_those_that_a_plain_program_cuts():
    texts = similar_texts(1)
    plain = list(map(plain_shingles, texts))
    ours = list(map(minhash.shingles, texts))
    for i in range(len(texts)):
        assert len(ours[i]) == len(plain[i])
        assert len(set(ours[i].tolist())) == len(set(plain[i]))
        for j in range(i):
            assert jaccard(ours[i].tolist(), ours[j].tolist()) == jaccard(
                plain[i], plain[j]
            )


def test_a_signature_is_of_the_lowest_hashes_by_each_permutation():
    texts = similar_texts(2, 3)
    found = minhash.signatures(texts, BANDS)
    assert found.shape == (BANDS.num_bands, 3, BANDS.num_rows)
    factors, addends = minhash._permutations(BANDS.num_bands * BANDS.num_rows)
    for i, text in enumerate(texts):
        hashes = minhash.shingles(text).tolist()
        wanted = [
            min((x * a + b) % (1 << 32) for x in hashes) % (1 << 16)
            for a, b in zip(factors.tolist(), addends.tolist(), strict=True)
        ]
        assert found[:, i].ravel().tolist() == wanted


def test_estimates_are_of_the_spread_that_theory_says():
    errors = []
    for seed in range(20):
        texts = similar_texts(seed)
        sets = list(map(plain_shingles, texts))
        found = estimates(texts)
        for i in range(0, len(texts), 2):
            wanted = jaccard(sets[i], sets[i + 1])
            spread = (wanted * (1 - wanted) / (51 * 5)) ** 0.5
            errors.append((found[i, i + 1] - wanted) / spread)
    assert abs(np.mean(errors)) < 0.3
    assert 0.8 < np.std(errors) < 1.25


def test_estimates_are_those_of_datasketch():
    datasketch = pytest.importorskip("datasketch")
    texts = similar_texts(3)
    made = []
    for text in texts:
        made.append(datasketch.MinHash(num_perm=256, seed=1))
        for shingle in set(plain_shingles(text)):
            made[-1].update(" ".join(shingle).encode())
    theirs = np.array([[a.jaccard(b) for a in made] for b in made])
    # Each is off by 0.03 in the mean of squares.
    difference = estimates(texts) - theirs
    assert np.sqrt((difference**2).mean()) < 0.06
    assert abs(difference.mean()) < 0.03


def test_marks_blanks_case_width_and_lines_do_not_count():
    text = "天气预报 Today it is fine 2024 年，大部分地区晴"
    other = "天气\n预报：ＴＯＤＡＹ，IT is (fine)。２０２４年大部分\n地区晴！"
    assert (minhash.shingles(text) == minhash.shingles(other)).all()
    assert estimates([text, other]).min() == 1


def test_a_text_of_few_shingles_has_no_signature():
    long = "天地玄黄宇宙洪荒日月盈昃"
    assert len(minhash.shingles(long)) == minhash.MIN_SHINGLES
    texts = [long, long[:-1], "", "。。。"]
    found = minhash.signatures(texts, BANDS)
    assert (found[:, 0] != minhash.NONE).any()
    assert (found[:, 1:] == minhash.NONE).all()
    assert minhash.signatures([], BANDS).shape[1] == 0


def test_texts_sign_alone_as_in_a_block_of_many(monkeypatch):
    texts = ["", *similar_texts(4), "短", "\ud800" * 50, "𠀀𠀁" * 3000]
    together = minhash.signatures(texts, BANDS)
    monkeypatch.setattr(folding, "_BLOCK_CHARS", 1)
    assert (together == minhash.signatures(texts, BANDS)).all()


@pytest.mark.parametrize("threshold", [0.2, 0.3, 0.5, 0.6, 0.7, 0.8, 0.95, 1])
def test_bands_find_nearly_all_pairs_at_the_threshold(threshold):
    num_bands, num_rows = minhash.choose_bands(threshold)
    assert num_bands * num_rows <= 256
    assert 1 - (1 - threshold**num_rows) ** num_bands >= 0.98
    more = num_rows + 1
    if more <= 256:
        assert 1 - (1 - threshold**more) ** (256 // more) < 0.98 or num_rows > 9

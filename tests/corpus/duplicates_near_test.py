"""Near duplicates: as a plain comparison finds them, however they are cut."""

import numpy as np
import pytest

from corpus.duplicates import minhash, near

BANDS = minhash.choose_bands(0.6)
NUM_VALUES = BANDS.num_bands * BANDS.num_rows


def drawn(seed, num_documents):
    """Signatures of families, whose members differ in some of the values."""
    rng = np.random.default_rng(seed)
    found = rng.integers(0, minhash.NONE, (num_documents, NUM_VALUES))
    for i in range(1, num_documents):
        if rng.random() < 0.6:
            other = found[rng.integers(0, i)]
            is_same = rng.random(NUM_VALUES) < rng.choice([1, 0.9, 0.7, 0.6])
            found[i] = np.where(is_same, other, found[i])
    return found.astype(np.uint16)


def banded(signatures):
    cut = signatures.reshape(-1, BANDS.num_bands, BANDS.num_rows)
    return np.ascontiguousarray(cut.transpose(1, 0, 2))


def shards_of(signatures, num_shards):
    bounds = np.linspace(0, len(signatures), num_shards + 1).astype(int)
    return [
        banded(signatures[a:b])
        for a, b in zip(bounds[:-1], bounds[1:], strict=True)
    ]


def find_plainly(signatures, is_kept, threshold):
    """Each document beside all that stay before it and share a band."""
    found = np.full(len(signatures), -1)
    rows = banded(signatures)
    for i in range(len(signatures)):
        for j in range(i):
            if not (is_kept[i] and is_kept[j]) or found[j] >= 0:
                continue
            shares = (rows[:, i] == rows[:, j]).all(axis=1).any()
            likeness = (signatures[i] == signatures[j]).mean()
            if shares and likeness >= threshold:
                found[i] = j
                break
    return found


@pytest.mark.parametrize("seed", range(6))
def test_what_goes_is_what_a_plain_comparison_says(seed):
    signatures = drawn(seed, 150)
    is_kept = np.random.default_rng(seed).random(150) < 0.9
    wanted = find_plainly(signatures, is_kept, 0.6)
    found = near.find_near(shards_of(signatures, 1), is_kept, 0.6)
    assert 20 < (wanted >= 0).sum() < 130
    # Where a representative goes, what is near to it alone may stay.
    assert (found != wanted).sum() <= 2


def test_neither_shards_nor_memory_change_what_goes():
    signatures = drawn(9, 400)
    is_kept = np.random.default_rng(9).random(400) < 0.9
    wanted = near.find_near(shards_of(signatures, 1), is_kept, 0.6)
    assert (wanted >= 0).sum() > 50
    for num_shards in (2, 7, 500):
        for memory_bytes in (3000, 1 << 28):
            shards = shards_of(signatures, num_shards)
            found = near.find_near(shards, is_kept, 0.6, memory_bytes)
            assert (found == wanted).all(), (num_shards, memory_bytes)


def test_what_goes_is_near_to_an_earlier_one_that_stays():
    signatures = drawn(3, 500)
    is_kept = np.random.default_rng(3).random(500) < 0.8
    found = near.find_near(shards_of(signatures, 3), is_kept, 0.7)
    for i in np.flatnonzero(found >= 0):
        j = found[i]
        assert j < i and is_kept[i] and is_kept[j] and found[j] == -1
        assert (signatures[i] == signatures[j]).mean() >= 0.7


def test_what_is_near_only_to_one_that_goes_stays():
    kinds = np.arange(NUM_VALUES) // BANDS.num_rows % 10
    first = np.zeros(NUM_VALUES)
    second = np.where(kinds < 3, 1, first)
    third = np.where((kinds >= 3) & (kinds < 6), 2, second)
    chain = np.array([first, second, third], np.uint16)
    found = near.find_near(shards_of(chain, 1), np.ones(3, bool), 0.6)
    assert found.tolist() == [-1, 0, -1]
    found = near.find_near(shards_of(chain[1:], 1), np.ones(2, bool), 0.6)
    assert found.tolist() == [-1, 0]


def test_the_signatures_may_be_mapped_from_files(tmp_path):
    signatures = drawn(5, 200)
    wanted = near.find_near(shards_of(signatures, 2), np.ones(200, bool), 0.6)
    mapped = []
    for i, shard in enumerate(shards_of(signatures, 2)):
        np.save(tmp_path / f"{i}.npy", shard)
        mapped.append(np.load(tmp_path / f"{i}.npy", mmap_mode="r"))
    found = near.find_near(mapped, np.ones(200, bool), 0.6)
    assert (found == wanted).all()


def test_a_text_of_few_shingles_is_near_to_none():
    texts = ["短文", "短文", "天地玄黄宇宙洪荒日月盈昃辰宿列张"] * 2
    signed = minhash.signatures(texts, BANDS)
    found = near.find_near([signed], np.ones(6, bool), 0.6)
    assert found.tolist() == [-1, -1, -1, -1, -1, 2]


@pytest.mark.parametrize("shards", [0, 1, 3])
def test_no_documents(shards):
    empty = [minhash.signatures([], BANDS)] * shards
    assert near.find_near(empty, np.ones(0, bool), 0.6).tolist() == []


def test_one_document_and_a_wrong_number_of_them():
    signed = [minhash.signatures(["天地玄黄宇宙洪荒日月盈昃" * 3], BANDS)]
    assert near.find_near(signed, np.ones(1, bool), 0.6).tolist() == [-1]
    with pytest.raises(ValueError, match="1 documents have signatures and 2"):
        near.find_near(signed, np.ones(2, bool), 0.6)


def test_many_equal_documents_take_linear_time():
    num = (1 << 16) + 5
    one = drawn(1, 2)[1:]
    shards = shards_of(np.repeat(one, num, axis=0), 3)
    # All pairs would be 2 billion, and take minutes.
    found = near.find_near(shards, np.ones(num, bool), 0.6, 1 << 22)
    assert found[0] == -1 and (found[1:] == 0).all()


def test_many_templates_that_share_a_band_take_linear_time():
    num = 1 << 15
    rng = np.random.default_rng(0)
    signatures = rng.integers(0, 60_000, (num, NUM_VALUES), dtype=np.uint16)
    signatures[:, : BANDS.num_rows] = 7
    found = near.find_near(shards_of(signatures, 2), np.ones(num, bool), 0.6)
    assert (found == -1).all()

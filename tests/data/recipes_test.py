"""Recipes in memory and in a file are the same recipes."""

import numpy as np
import pytest

from data.building import recipes
from tests.data import built


def gathered(store, order):
    """The rows that `in_order` gives, one after another."""
    starts = range(len(order) + 1)
    parts = [rows[chosen] for rows, chosen in store.in_order(order, starts)]
    return np.concatenate(parts)


@pytest.mark.parametrize("max_rows", [1, 7, 64, 1000, 5000])
def test_rows_come_in_the_order_asked_for_wherever_they_are(tmp_path, max_rows):
    rng = np.random.default_rng(max_rows)
    rows = rng.integers(0, 1 << 16, (1000, 11)).astype(np.uint16)
    store = recipes.Store(11, max_rows * 22, tmp_path)
    for part in np.array_split(rows, 13):
        store.append(part)
    assert len(store) == 1000
    order = rng.permutation(1000).astype(np.uint32)
    np.testing.assert_array_equal(gathered(store, order), rows[order])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("vocab_size", "ids"),
    [
        (21128, [0, 103, 21127, -1]),
        ((1 << 16) - 1, [0, 65534, -1]),
        (1 << 16, [65535, -1, 65534]),
        (119547, [65535, 65536, 119546, -1]),
    ],
)
def test_what_is_written_is_read_whatever_the_size_of_the_vocabulary(
    vocab_size, ids
):
    max_masks = 6
    row = np.zeros(recipes.num_words(max_masks, vocab_size), np.uint16)
    places = np.zeros((2, max_masks), np.int32)
    places[0, : len(ids)] = 5 + np.arange(len(ids))
    places[1, : len(ids)] = ids
    a, b = (1 << 32) - 9, 70_000
    recipes.write(row, a, b, 4, 300, 1, places, len(ids), max_masks)
    assert recipes.segments(row) == (a, a + 4, b, b + 300)
    assert row[recipes.LABEL] == 1 and row[recipes.NUM_MASKS] == len(ids)
    got = [recipes.mask(row, k, max_masks) for k in range(len(ids))]
    assert got == list(zip(places[0].tolist(), ids, strict=False))


@pytest.mark.parametrize(
    "flags", [{}, {"masking": "dynamic"}, {"pack_sequences": 5}]
)
def test_a_build_that_spills_writes_the_same_records(
    tmp_path, monkeypatch, flags
):
    flags = {"dupe_factor": 5, "short_seq_prob": 0.5, **flags}
    whole = tmp_path / "whole"
    spilled = tmp_path / "spilled"
    built.build_only(tmp_path, output_file=str(whole), **flags)
    store = recipes.Store
    files = []

    def small(words, max_bytes, directory):
        made = store(words, 100 * 2 * words, directory)
        files.append(made)
        return made

    monkeypatch.setattr(recipes, "Store", small)
    built.build_only(tmp_path, output_file=f"{spilled},{spilled}2", **flags)
    assert len(files[0]) > 300
    monkeypatch.undo()
    built.build_only(tmp_path, output_file=f"{whole}1,{whole}2", **flags)
    assert spilled.read_bytes() == (tmp_path / "whole1").read_bytes()
    for name in ("spilled2", "whole2"):
        assert (tmp_path / name).read_bytes()
    assert (tmp_path / "spilled2").read_bytes() == (
        tmp_path / "whole2"
    ).read_bytes()

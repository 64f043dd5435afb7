"""Sequences that are filled: no padding, and nothing lost or twice."""

import collections

import numpy as np
import pytest

from data import config, token_counts
from data.feeding import input_pipeline, record_files
from data.manifest import UNKNOWN
from tests.data import built, unmasked
from tests.tools import recorded
from text import vocab
from tools.inspection import findings

LENGTH = 32
_FLAGS = {
    "pair_task": "none",
    "masking": "dynamic",
    "max_seq_length": LENGTH,
    "dupe_factor": 1,
}


@pytest.fixture(scope="module")
def corpora(tmp_path_factory):
    """{value of --fill_sequences: (vocabulary, rows, manifest)}"""
    made = {}
    for fill in ("no", "document", "corpus"):
        folder = tmp_path_factory.mktemp(fill)
        flags = {"short_seq_prob": 0.0} if fill == "no" else {}
        manifest = built.build_only(
            folder, fill_sequences=fill, **_FLAGS, **flags
        )
        vocabulary = vocab.load(str(folder / "vocab.txt"))
        path = str(folder / "records")
        made[fill] = vocabulary, unmasked.read(path), manifest
    return made


def _tokens(rows, sep_id):
    """The text of rows, without [CLS] and any [SEP]."""
    return [t for row in rows for t in row[1:-1] if t != sep_id]


@pytest.mark.parametrize("fill", ["document", "corpus"])
def test_every_token_is_in_one_record_once(corpora, fill):
    vocabulary, rows, manifest = corpora[fill]
    sep_id = vocabulary.roles.sep
    _, whole, _ = corpora["no"]
    assert collections.Counter(_tokens(rows, sep_id)) == collections.Counter(
        _tokens(whole, sep_id)
    )
    counts = manifest.statistics
    assert len(_tokens(rows, sep_id)) == counts["num_tokens"]
    assert counts["num_lost_tokens"] == 0
    assert all(row[0] == vocabulary.roles.cls for row in rows)
    assert all(row[-1] == sep_id for row in rows)
    assert all(len(row) <= LENGTH for row in rows)


def test_sequences_of_a_document_are_full_but_the_last(corpora):
    vocabulary, rows, manifest = corpora["document"]
    text = manifest.statistics
    sep_id = vocabulary.roles.sep
    assert not any(sep_id in row[1:-1] for row in rows)
    is_short = [len(row) < LENGTH for row in rows]
    # Some end before a word that does not fit in.
    assert sum(len(row) < LENGTH - 8 for row in rows) <= text["num_documents"]
    assert sum(is_short) < len(rows) / 2
    for row in rows:
        assert not vocabulary.rows[row[1]].startswith("##")


def test_documents_follow_one_another_behind_a_sep(corpora):
    vocabulary, rows, manifest = corpora["corpus"]
    sep_id = vocabulary.roles.sep
    text = manifest.statistics
    num_between = sum(row[1:-1].count(sep_id) for row in rows)
    # At the end of a record a document ends without one of its own.
    assert text["num_documents"] - len(rows) / 4 < num_between
    assert num_between < text["num_documents"]
    assert all(row[1] != sep_id != row[-2] for row in rows)
    assert sum(len(row) < LENGTH - 8 for row in rows) <= 1


@pytest.mark.parametrize("fill", ["document", "corpus"])
def test_the_inspector_finds_them_sound(tmp_path, fill):
    flags = _FLAGS | {"fill_sequences": fill, "t2s": True}
    path, manifest = recorded.build_samples(tmp_path, **flags)
    inspection = recorded.inspect(path, vocab_file=str(tmp_path / "vocab.txt"))
    assert not inspection.found.number(findings.ERROR)
    counts = inspection.statistics
    assert counts.num_records == manifest.statistics["num_records"]
    padding = 1 - counts.num_tokens / counts.num_places
    assert padding == manifest.statistics["padding_rate"]


def test_padding_is_next_to_none(corpora):
    rates = [
        corpora[fill][2].statistics["padding_rate"]
        for fill in ("no", "document", "corpus")
    ]
    assert rates[0] > rates[1] > rates[2]
    assert rates[2] < 0.03


def test_masks_leave_the_seps_between_documents_alone(corpora, tmp_path):
    vocabulary, rows, _ = corpora["corpus"]
    built.build_only(tmp_path, fill_sequences="corpus", **_FLAGS)
    files = record_files.find(str(tmp_path / "records"))
    for whole_word in (False, True):
        parse = input_pipeline.parser(
            files,
            config.MaskingConfig(
                masked_lm_prob=0.9,
                max_predictions_per_seq=LENGTH,
                do_whole_word_mask=whole_word,
            ),
            max_seq_length=LENGTH,
            vocab_size=len(vocabulary),
            seed=1,
        )
        batches = input_pipeline.training_batches(
            files, parse=parse, batch_size=len(rows), seed=1
        )
        (batch,) = batches.take(1).as_numpy_iterator()
        assert (batch["masked_lm_ids"] != vocabulary.roles.sep).all()
        assert batch["masked_lm_weights"].sum() > 0.5 * sum(map(len, rows))


@pytest.mark.parametrize("fill", ["no", "document", "corpus"])
def test_token_counts_are_those_of_the_text(corpora, fill):
    vocabulary, rows, manifest = corpora[fill]
    found = token_counts.of_manifests([manifest, manifest], len(vocabulary) + 3)
    wanted = np.bincount(
        _tokens(rows, vocabulary.roles.sep), minlength=len(vocabulary) + 3
    )
    assert found.tolist() == wanted.tolist()


def test_token_counts_of_any_size_come_back():
    ids = np.repeat([1, 2, 3, 5], [1, 127, 128, 20_000]).astype(np.uint16)
    text = token_counts.count(ids, 6)
    assert token_counts._decode(text).tolist() == [0, 1, 127, 128, 0, 20_000]
    assert token_counts.of_manifests([UNKNOWN], 6) is None
    assert token_counts.of_manifests([None], 6) is None
    for damaged in ("", "!", "//8="):
        with pytest.raises(ValueError):
            token_counts._decode(damaged)


def test_shards_count_each_their_own(tmp_path):
    text = tmp_path / "text.txt"
    text.write_text(
        "\n\n".join(f"天地玄黄{i}\n宇宙洪荒" for i in range(60_000)),
        encoding="utf-8",
    )
    flags = _FLAGS | {"input_file": str(text), "fill_sequences": "corpus"}
    made = []
    for size in (0, 1):
        folder = tmp_path / str(size)
        folder.mkdir()
        made.append(built.build_only(folder, shard_megabytes=size, **flags))
    whole, parts = made
    assert len(parts.shards) > 1
    counts = [token_counts.of_manifests([x], 100_000) for x in (whole, parts)]
    assert (counts[0] == counts[1]).all()
    assert counts[0].sum() == whole.statistics["num_tokens"]


@pytest.mark.parametrize(
    ("flags", "match"),
    [
        ({"pair_task": "nsp"}, "wants --pair_task=none"),
        ({"masking": "static"}, "wants --masking=dynamic"),
        ({"short_seq_prob": 0.1}, "--short_seq_prob=0.1, set it to 0"),
        ({"pack_sequences": 4}, "--fill_sequences=corpus leaves no padding"),
    ],
)
def test_what_cannot_be_filled_is_refused(tmp_path, flags, match):
    with pytest.raises(ValueError, match=match):
        built.make_config(
            tmp_path, **_FLAGS | {"fill_sequences": "corpus"} | flags
        )


def test_short_sequences_are_none_unless_asked_for(tmp_path):
    def prob(**flags):
        return built.make_config(tmp_path, **_FLAGS | flags).short_seq_prob

    assert prob() == 0.1
    assert prob(fill_sequences="document") == 0
    assert prob(fill_sequences="document", short_seq_prob=0.3) == 0.3

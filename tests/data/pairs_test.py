"""The segments of sentence order and of single-segment records."""

import numpy as np
import pytest
import tensorflow as tf

from data.building import build, documents, shards
from tests import project
from tests.data import built
from text import tokenization, vocab

LENGTH = 48


def build_unmasked(directory, pair_task, **flags):
    """Builds without masks; returns (vocabulary, corpus, records).

    A record is (ids of A, ids of B, label).
    """
    settings = built.make_config(
        directory,
        pair_task=pair_task,
        masking="dynamic",
        max_seq_length=LENGTH,
        **flags,
    )
    build.build(settings)
    vocabulary = vocab.load(settings.vocab_file)
    corpus = documents.read(
        [
            shards.Piece(path, 0, None)
            for path in settings.input_file.split(",")
        ],
        tokenization.Tokenizer(vocabulary),
        with_words=True,
        id_type=np.int32,
        advance=lambda num_bytes: None,
    ).corpus
    rows = []
    for record in tf.data.TFRecordDataset(settings.output_file):
        features = tf.train.Example.FromString(record.numpy()).features.feature
        ids = list(features["input_ids"].int64_list.value)
        (first,) = features["first_segment_tokens"].int64_list.value
        (label,) = features["next_sentence_labels"].int64_list.value
        assert len(ids) <= LENGTH
        assert ids[0] == vocabulary.ids["[CLS]"]
        assert ids[first - 1] == ids[-1] == vocabulary.ids["[SEP]"]
        rows.append((ids[1 : first - 1], ids[first:-1], label))
    return vocabulary, corpus, rows


def as_bytes(ids):
    return np.array(ids, "<i4").tobytes()


def sentences_of(corpus, document):
    first, last = corpus.documents[document : document + 2]
    ends = corpus.sentences[first : last + 1]
    return [
        corpus.ids[a:b].tolist() for a, b in zip(ends, ends[1:], strict=False)
    ]


def test_sentence_order_pairs_are_neighbours_and_half_of_them_swapped(tmp_path):
    _, corpus, rows = build_unmasked(tmp_path, "sop", dupe_factor=10)
    text = as_bytes(corpus.ids)
    for a, b, label in rows:
        if len(a) + len(b) == LENGTH - 3:
            # The pair may have been cut, and not be next to each other.
            assert as_bytes(a) in text and as_bytes(b) in text
            continue
        assert a and b
        whole = b + a if label else a + b
        other = a + b if label else b + a
        assert as_bytes(whole) in text
        assert as_bytes(other) not in text or a == b
    assert 0.45 < np.mean([label for _, _, label in rows]) < 0.55


def test_a_document_of_one_sentence_has_no_order(tmp_path):
    (tmp_path / "a.txt").write_text("天地。\n\n山水。\n\n", encoding="utf-8")
    with pytest.raises(ValueError, match="--pair_task=sop: no document of"):
        build_unmasked(tmp_path, "sop", input_file=str(tmp_path / "a.txt"))
    assert not (tmp_path / "records").exists()


def test_without_pairs_no_token_is_lost_and_sentences_stay_whole(tmp_path):
    vocabulary, corpus, rows = build_unmasked(
        tmp_path, "none", dupe_factor=1, short_seq_prob=0.0
    )
    assert all(not b and label == 0 for _, b, label in rows)
    assert sum(len(a) for a, _, _ in rows) == len(corpus.ids)
    left = sorted(as_bytes(a) for a, _, _ in rows)
    wanted, num_cut = [], 0
    for document in range(len(corpus.documents) - 1):
        row = []
        for sentence in sentences_of(corpus, document):
            if row and len(row) + len(sentence) > LENGTH - 2:
                wanted.append(row)
                row = []
            row = row + sentence
            while len(row) > LENGTH - 2:
                end = LENGTH - 2
                while vocabulary.rows[row[end]].startswith("##"):
                    end -= 1
                wanted.append(row[:end])
                row = row[end:]
                num_cut += 1
        wanted.append(row)
    assert left == sorted(map(as_bytes, wanted))
    assert num_cut > 3


def test_records_of_one_segment_look_like_single_sentences(tmp_path):
    built.build_only(tmp_path, pair_task="none", dupe_factor=1)
    vocabulary = vocab.load(str(tmp_path / "vocab.txt"))
    for record in built.read(tmp_path / "records"):
        ids = record["input_ids"][: sum(record["input_mask"])]
        for place, label in zip(
            record["masked_lm_positions"], record["masked_lm_ids"], strict=True
        ):
            ids[place] = label if place else ids[place]
        assert ids.count(vocabulary.ids["[SEP]"]) == 1
        assert ids[-1] == vocabulary.ids["[SEP]"]
        assert not any(record["segment_ids"])
        assert record["next_sentence_labels"] == [0]


def test_the_manifest_says_what_was_built(tmp_path):
    settings = built.make_config(
        tmp_path, pair_task="sop", masking="dynamic", dupe_factor=None
    )
    manifest = build.build(settings)
    assert settings.dupe_factor == 1
    assert manifest.masking == "dynamic"
    assert manifest.pair_task == "sop"
    assert manifest.word_segmenter == "none"
    rows = list(vocab.load(settings.vocab_file).rows)
    assert manifest.mask_id == rows.index("[MASK]")
    assert manifest.special_ids == [
        rows.index(token) for token in project.SPECIAL_TOKENS
    ]
    assert 0.3 < manifest.statistics["swapped_rate"] < 0.7

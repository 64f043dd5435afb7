"""Rows hold every word with its label, and windows give every word back."""

import numpy as np
import pytest

from finetuning.tagging import conll, tokenization, windows
from tests import project
from text import vocab


@pytest.fixture(scope="module")
def vocabulary(tmp_path_factory):
    path = tmp_path_factory.mktemp("vocab")
    tokens = ["play", "##ing", "##s", "a", "b", "中", "国"]
    return vocab.load(project.write_vocabulary(path, tokens))


def _sentence(words, labels=None):
    text, starts = conll.join(words)
    return conll.Sentence(tuple(words), labels, text, starts, "x", 1)


def _rows(vocabulary, sentences, max_seq_length=12, overlap=3):
    return windows.make_rows(
        sentences,
        tokenization.WordTokenizer(vocabulary),
        vocabulary,
        max_seq_length=max_seq_length,
        overlap=overlap,
        numbers={"O": 0, "B-X": 1, "I-X": 2},
    )


def test_a_row_by_hand(vocabulary):
    labels = ("B-X", "I-X", "I-X", "B-X", "O")
    sentence = _sentence(["playing", "\u200b", "zzz", "中国", "a"], labels)
    rows = _rows(vocabulary, [sentence, _sentence([])])
    pieces = [
        "[CLS]",
        "play",
        "##ing",
        "[UNK]",
        "[UNK]",
        "中",
        "国",
        "a",
        "[SEP]",
    ]
    assert rows["input_ids"].tolist() == [
        [vocabulary.ids[x] for x in pieces] + [0] * 3,
        [vocabulary.ids[x] for x in ("[CLS]", "[SEP]")] + [0] * 10,
    ]
    assert rows["input_mask"].sum(axis=1).tolist() == [9, 2]
    assert not rows["segment_ids"].any()
    weights = [0, 1, 0, 1, 1, 1, 0, 1, 0, 0, 0, 0]
    assert rows["label_weights"].tolist() == [weights, [0] * 12]
    assert rows["label_ids"][0].tolist() == [0, 1, 0, 2, 2, 1, *[0] * 6]
    assert rows["is_start"].tolist() == rows["is_end"].tolist() == [1, 1]


def test_a_word_longer_than_a_row_keeps_its_label(vocabulary):
    sentence = _sentence(["中" * 30, "a"], ("B-X", "O"))
    rows = _rows(vocabulary, [sentence])
    assert rows["input_mask"].sum(axis=1).tolist() == [12, 3]
    assert rows["label_ids"][0].tolist() == [0, 1, *[0] * 10]
    assert windows.merge(rows, rows["label_ids"], [2])[0].tolist() == [1, 0]


@pytest.mark.parametrize("overlap", [0, 3, 9])
def test_windows_cover_all_words_and_go_on(overlap):
    rng = np.random.default_rng(overlap)
    for num_words in (1, 5, 40, 200):
        pieces = rng.integers(1, 5, num_words)
        found = windows.spans(pieces, 10, overlap)
        assert found[0][0] == 0 and found[-1][1] == num_words
        for (begin, end), (next_begin, next_end) in zip(
            found, found[1:], strict=False
        ):
            assert begin < next_begin <= end < next_end
            shared = pieces[next_begin:end].sum()
            assert shared <= overlap
            # No whole word more would have gone in, or been shared.
            assert pieces[begin : end + 1].sum() > 10
            assert (
                shared + pieces[next_begin - 1] > overlap
                or pieces[next_begin - 1 : end + 1].sum() > 10
            )
        assert all(pieces[a:b].sum() <= 10 for a, b in found)


@pytest.mark.parametrize("overlap", [0, 3, 7])
def test_each_word_gets_its_tag_from_where_most_is_around_it(
    vocabulary, overlap
):
    words = ["a"] * 31
    rows = _rows(vocabulary, [_sentence(words), _sentence("ab")], 12, overlap)
    assert rows["is_start"].sum() == rows["is_end"].sum() == 2
    # Each window tags its words with its own number.
    tags = np.tile(np.arange(len(rows["sentence"]))[:, None], (1, 12))
    found, short = windows.merge(rows, tags, [31, 2])
    assert short.tolist() == [tags[-1, 0]] * 2
    spans = windows.spans([1] * 31, 10, overlap)
    for word, window in enumerate(found):
        around = {}
        for number, (begin, end) in enumerate(spans):
            if begin <= word < end:
                before = word - begin if begin else 99
                after = end - 1 - word if end < 31 else 99
                around[number] = min(before, after)
        assert around[window] == max(around.values())
        assert window == min(
            n for n in around if around[n] == max(around.values())
        )


def test_labels_come_back_through_windows(vocabulary):
    rng = np.random.default_rng(0)
    names = np.array(["O", "B-X", "I-X"])
    sentences = [
        _sentence(
            rng.choice(["playing", "中国中", "a", "zz", "\u3000"], count),
            tuple(rng.choice(names, count)),
        )
        for count in rng.integers(1, 60, 30)
    ]
    rows = _rows(vocabulary, sentences)
    assert len(rows["sentence"]) > 60
    counts = [len(s.words) for s in sentences]
    found = windows.merge(rows, rows["label_ids"], counts)
    for sentence, tags in zip(sentences, found, strict=True):
        assert tuple(names[tags]) == sentence.labels


def test_simplified_words_keep_their_labels(vocabulary):
    # Alone, 乾 becomes 干: the sentence decides.
    words = ["乾", "隆", "playing", "中", "國", "ab"]
    labels = ("B-X", "I-X", "O", "B-X", "I-X", "O")
    (found,) = tokenization.simplified([_sentence(words, labels)])
    assert found.words == ("乾", "隆", "playing", "中", "国", "ab")
    assert found.labels == labels

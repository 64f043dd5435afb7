"""A corpus that spoils the training is warned of with the reason it has."""

import pathlib

import pytest

from tests import project
from tests.data import built, warned

SENTENCE = "春天的雨下得很细院子里的石板慢慢变成了深色我们去看海"


@pytest.fixture
def make(tmp_path, caplog, capsys):
    """Builds records of documents; returns (statistics, warnings, summary)."""
    builder = warned.Builder(tmp_path, caplog, capsys)

    def make(documents, **flags):
        text = warned.text_of(documents)
        manifest, told, summary = builder.build(text, **flags)
        return manifest.statistics, told, summary

    return make


def test_words_that_fit_into_no_mask_are_told_of(make):
    found, told, summary = make(
        [[SENTENCE] * 3] * 3,
        pair_task="none",
        do_whole_word_mask=True,
        word_segmenter="spaces",
    )
    assert found["num_masks"] == found["masked_rate"] == 0
    (masks,) = [x for x in told if "OF THE TOKENS ARE MASKED" in x]
    assert masks.startswith(
        "0.0% OF THE TOKENS ARE MASKED, where --masked_lm_prob=0.15 and "
        "--max_predictions_per_seq=20 ask for 15.0%: words, which are masked "
        "as a whole, are longer"
    )
    (spaces,) = [x for x in told if "--word_segmenter=spaces" in x]
    assert spaces.startswith("the words of the text have 26.0 tokens on aver")
    # The row of the summary is there where there is nothing to praise.
    assert "masked             0.0% of the tokens\n" in summary


def test_words_between_spaces_are_no_reason_to_warn(make):
    words = " ".join(SENTENCE[i : i + 2] for i in range(0, 26, 2))
    found, told, _ = make(
        [[words] * 4] * 3,
        pair_task="none",
        do_whole_word_mask=True,
        word_segmenter="spaces",
    )
    assert found["masked_rate"] > 0.1
    assert not [x for x in told if "MASKED" in x or "spaces" in x]


@pytest.mark.parametrize(("prob", "most"), [(0.0, 20), (0.15, 1)])
def test_few_masks_that_were_asked_for_are_not_told_of(make, prob, most):
    _, told, _ = make(
        [[SENTENCE] * 4] * 3, masked_lm_prob=prob, max_predictions_per_seq=most
    )
    assert not [x for x in told if "TOKENS ARE MASKED" in x]


def test_without_masks_in_the_records_there_is_nothing_to_say(make):
    _, told, summary = make([[SENTENCE] * 4] * 3, masking="dynamic")
    assert "masked " not in summary
    assert not [x for x in told if "MASKED" in x]


def test_documents_of_one_sentence_are_the_reason_where_they_are_it(make):
    documents = [[SENTENCE]] * 9 + [[SENTENCE] * 2]
    _, told, _ = make(documents)
    (pairs,) = [x for x in told if "pairs are random" in x]
    assert "as 9 of 10 documents have one sentence; is there a blank" in pairs


def test_the_samples_are_no_reason_to_warn_of_cuts_or_masks(tmp_path, caplog):
    found = built.build_only(tmp_path, dupe_factor=1).statistics
    lines = [
        line
        for path in project.SAMPLES
        for line in pathlib.Path(path).read_text(encoding="utf-8").split("\n")
    ]
    assert found["num_sentences"] == sum(bool(line.strip()) for line in lines)
    assert "lost to" not in caplog.text and "MASKED" not in caplog.text

"""A corpus that spoils the training is warned of with the reason it has."""

import pathlib

import pytest

from data.building import build
from tests import project
from tests.data import built

SENTENCE = "春天的雨下得很细院子里的石板慢慢变成了深色我们去看海"
PARAGRAPH = SENTENCE * 7 + "。"


@pytest.fixture
def make(tmp_path, caplog, capsys):
    """Builds records of documents; returns (statistics, warnings, summary)."""

    def make(documents, **flags):
        caplog.clear()
        text = "\n".join(
            "".join(f"{x}\n" for x in lines) for lines in documents
        )
        path = tmp_path / "text.txt"
        path.write_text(text, encoding="utf-8")
        characters = sorted(set(text) - set("\n "))
        settings = built.make_config(
            tmp_path,
            input_file=str(path),
            vocab_file=project.write_vocabulary(tmp_path, characters, "v.txt"),
            **{"dupe_factor": 1, "overwrite": True} | flags,
        )
        found = build.build(settings).statistics
        warned = [
            record.getMessage()
            for record in caplog.records
            if record.levelname == "WARNING"
        ]
        return found, warned, capsys.readouterr().out

    return make


def test_words_that_fit_into_no_mask_are_told_of(make):
    found, warned, summary = make(
        [[SENTENCE] * 3] * 3,
        pair_task="none",
        do_whole_word_mask=True,
        word_segmenter="spaces",
    )
    assert found["num_masks"] == found["masked_rate"] == 0
    (masks,) = [x for x in warned if "OF THE TOKENS ARE MASKED" in x]
    assert masks.startswith(
        "0.0% OF THE TOKENS ARE MASKED, where --masked_lm_prob=0.15 and "
        "--max_predictions_per_seq=20 ask for 15.0%: words, which are masked "
        "as a whole, are longer"
    )
    (spaces,) = [x for x in warned if "--word_segmenter=spaces" in x]
    assert spaces.startswith("the words of the text have 26.0 tokens on aver")
    # The row of the summary is there where there is nothing to praise.
    assert "masked       0.0% of the tokens\n" in summary


def test_words_between_spaces_are_no_reason_to_warn(make):
    words = " ".join(SENTENCE[i : i + 2] for i in range(0, 26, 2))
    found, warned, _ = make(
        [[words] * 4] * 3,
        pair_task="none",
        do_whole_word_mask=True,
        word_segmenter="spaces",
    )
    assert found["masked_rate"] > 0.1
    assert not [x for x in warned if "MASKED" in x or "spaces" in x]


@pytest.mark.parametrize(("prob", "most"), [(0.0, 20), (0.15, 1)])
def test_few_masks_that_were_asked_for_are_not_told_of(make, prob, most):
    _, warned, _ = make(
        [[SENTENCE] * 4] * 3, masked_lm_prob=prob, max_predictions_per_seq=most
    )
    assert not [x for x in warned if "TOKENS ARE MASKED" in x]


def test_without_masks_in_the_records_there_is_nothing_to_say(make):
    _, warned, summary = make([[SENTENCE] * 4] * 3, masking="dynamic")
    assert "masked " not in summary
    assert not [x for x in warned if "MASKED" in x]


def test_paragraphs_are_called_paragraphs_and_not_single_sentences(make):
    found, warned, summary = make([[PARAGRAPH] * 3] * 3)
    assert found["num_long_sentences"] == found["num_sentences"] == 9
    (pairs,) = [x for x in warned if "pairs are random" in x]
    assert pairs.startswith(
        "100% of the pairs are random, as 9 of 9 lines have more tokens than "
        "--max_seq_length=128 has room for"
    )
    assert "are they paragraphs? Put each sentence on a line" in pairs
    assert "blank line" not in "".join(warned)
    # 183 tokens a line, of which 125 fit: 58 of each are lost.
    assert found["num_cut_tokens"] == 9 * 58
    assert found["cut_rate"] == pytest.approx(58 / 183)
    (cut,) = [x for x in warned if "are cut off" in x]
    assert cut.startswith("32% of the tokens are cut off in every pass over")
    assert "cut off      31.7% of the tokens\n" in summary


def test_one_very_long_line_is_not_lost_without_a_word(make):
    documents = [["天" * 20_000], *[[SENTENCE] * 5] * 3]
    found, warned, _ = make(documents)
    assert found["num_long_sentences"] == 1
    assert found["num_cut_tokens"] == 20_000 - 125
    (cut,) = [x for x in warned if "are cut off" in x]
    assert "as 1 of 16 lines have more tokens than --max_seq_length=128" in cut


@pytest.mark.parametrize("length", [124, 125, 126])
def test_a_line_that_just_fits_is_not_cut(make, length):
    found, _, _ = make([["天" * length, SENTENCE]] * 3)
    num_long = 3 if length == 126 else 0
    assert found["num_long_sentences"] == num_long
    assert found["num_cut_tokens"] == num_long


def test_whole_sentences_go_on_and_lose_nothing(make):
    found, warned, summary = make([[PARAGRAPH] * 3] * 3, pair_task="none")
    assert found["num_cut_tokens"] == found["cut_rate"] == 0
    assert not [x for x in warned if "cut off" in x]
    assert "cut off" not in summary


def test_documents_of_one_sentence_are_the_reason_where_they_are_it(make):
    documents = [[SENTENCE]] * 9 + [[SENTENCE] * 2]
    _, warned, _ = make(documents)
    (pairs,) = [x for x in warned if "pairs are random" in x]
    assert "as 9 of 10 documents have one sentence; is there a blank" in pairs


def test_the_samples_are_no_reason_to_warn_of_cuts_or_masks(tmp_path, caplog):
    found = built.build_only(tmp_path, dupe_factor=1).statistics
    lines = [
        line
        for path in project.SAMPLES
        for line in pathlib.Path(path).read_text(encoding="utf-8").split("\n")
    ]
    assert found["num_sentences"] == sum(bool(line.strip()) for line in lines)
    assert "cut off" not in caplog.text and "MASKED" not in caplog.text

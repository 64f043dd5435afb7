"""What is lost to truncation is what no record of the plain algorithm holds."""

import pytest

from tests import project
from tests.data import built, warned

SENTENCE = "春天的雨下得很细院子里的石板慢慢变成了深色我们去看海"
PARAGRAPH = SENTENCE * 7 + "。"


@pytest.fixture
def builder(tmp_path, caplog, capsys):
    return warned.Builder(tmp_path, caplog, capsys)


def different(lengths):
    """Documents, of which no two tokens are the same.

    Args:
        lengths: the tokens of the sentences, a list for each document.
    """
    characters = map(chr, range(0x4E00, 0x9F00))
    return [
        ["".join(next(characters) for _ in range(length)) for length in lines]
        for lines in lengths
    ]


def held(settings):
    """Different tokens in the records of the plain algorithm."""
    rows = set()
    for record in sum(built.expected(settings), []):
        ids = list(record["input_ids"])
        for place, label, weight in zip(
            record["masked_lm_positions"],
            record["masked_lm_ids"],
            record["masked_lm_weights"],
            strict=True,
        ):
            if weight:
                ids[place] = label
        rows.update(ids[: sum(record["input_mask"])])
    return len(rows - set(range(len(project.SPECIAL_TOKENS))))


@pytest.mark.parametrize(
    "lengths",
    [
        [[5, 20, 31, 40, 62, 63, 64, 65] * 3] * 2 + [[30] * 20],
        [[200, 7, 300], [30, 30], [1000], [12]] * 3,
        [[124, 125, 126, 127]] * 4,
        [[9000]],
    ],
    ids=["sentences", "mixed", "nearly full", "one line"],
)
@pytest.mark.parametrize("dupe_factor", [1, 3])
@pytest.mark.parametrize("short_seq_prob", [0.1, 0.9])
def test_lost_is_what_no_record_holds(
    builder, lengths, dupe_factor, short_seq_prob
):
    text = warned.text_of(different(lengths))
    flags = {"dupe_factor": dupe_factor, "short_seq_prob": short_seq_prob}
    manifest, _, summary = builder.build(text, **flags)
    found = manifest.statistics
    settings = built.make_config(
        builder.path.parent,
        input_file=str(builder.path),
        vocab_file=str(builder.path.with_name("v.txt")),
        **flags,
    )
    num_tokens = sum(map(sum, lengths))
    assert found["num_tokens"] == num_tokens
    lost = num_tokens - held(settings)
    assert found["num_lost_tokens"] == lost
    assert lost or short_seq_prob > 0.5
    assert found["lost_rate"] == lost / num_tokens
    told = f"lost to truncation {lost:,} tokens, {lost / num_tokens:.1%}\n"
    assert told in summary


def test_records_of_several_shards_add_up(builder, monkeypatch):
    monkeypatch.setattr("data.building.shards._BYTES_A_MEGABYTE", 1000)
    text = warned.text_of(different([[40] * 9] * 12))
    manifest, *_ = builder.build(text, shard_megabytes=3)
    lost = [shard.counts["num_lost_tokens"] for shard in manifest.shards]
    assert len(lost) > 2 and min(lost) > 0
    assert manifest.statistics["num_lost_tokens"] == sum(lost)


def test_whole_sentences_go_on_and_lose_nothing(builder):
    text = warned.text_of([[PARAGRAPH] * 3] * 3)
    manifest, told, summary = builder.build(text, pair_task="none")
    found = manifest.statistics
    assert found["num_lost_tokens"] == found["num_cut_tokens"] == 0
    assert not [x for x in told if "lost to" in x]
    assert "lost to truncation 0 tokens, 0.0%\n" in summary


def test_a_line_that_is_too_long_is_named_with_its_place(builder):
    documents = [[SENTENCE] * 5, [SENTENCE, "天" * 20_000], [SENTENCE] * 5]
    manifest, told, _ = builder.build(warned.text_of(documents))
    found = manifest.statistics
    assert found["num_long_sentences"] == 1
    assert found["num_cut_tokens"] == 20_000 - 125
    (lost,) = [x for x in told if "lost to truncation" in x]
    assert (
        "as 1 of 12 lines have more tokens than --max_seq_length=128 has room "
        "for, 20,000 on average" in lost
    )
    # Five lines and a blank one are before it.
    assert f"the longest is {builder.path}:8 with 20,000 tokens" in lost
    assert "prepare_corpus.py" in lost


@pytest.mark.parametrize("is_packed", [False, True])
def test_the_place_is_that_in_the_file_in_later_shards_too(
    builder, monkeypatch, is_packed
):
    monkeypatch.setattr("data.building.shards._BYTES_A_MEGABYTE", 1000)
    documents = [[SENTENCE] * 5] * 40
    documents[31] = [SENTENCE, "天" * 3000]
    text = "\n\n" + warned.text_of(documents)
    first = builder.path.with_name("first.txt")
    first.write_text(warned.text_of([["天"] * 7] * 3), encoding="utf-8")
    flags = {"input_file": f"{first},{builder.path}", "shard_megabytes": 3}
    manifest, told, _ = builder.build(text, **flags)
    assert len(manifest.shards) > 4
    (lost,) = [x for x in told if "lost to truncation" in x]
    lines = text.split("\n")
    number = 1 + lines.index("天" * 3000)
    assert f"{builder.path}:{number} with 3,000 tokens" in lost


@pytest.mark.parametrize("length", [124, 125, 126])
def test_a_line_that_just_fits_is_not_cut(builder, length):
    text = warned.text_of([["天" * length, SENTENCE]] * 3)
    found = builder.build(text)[0].statistics
    num_long = 3 if length == 126 else 0
    assert found["num_long_sentences"] == num_long
    assert found["num_cut_tokens"] == num_long


def test_paragraphs_are_called_paragraphs(builder):
    text = warned.text_of([[PARAGRAPH] * 3] * 3)
    manifest, told, _ = builder.build(text)
    (pairs,) = [x for x in told if "pairs are random" in x]
    assert pairs.startswith(
        "100% of the pairs are random, mostly as a line that fills "
        "--max_seq_length=128 by itself, as 9 in all passes, has no neighbour"
    )
    assert "are they paragraphs? If so, put each sentence on a line" in pairs
    assert "blank line" not in "".join(told)
    # 183 tokens a line, of which 125 fit: 58 of each are cut off at least.
    assert manifest.statistics["num_cut_tokens"] == 9 * 58
    (lost,) = [x for x in told if "lost to truncation" in x]
    assert "as 9 of 9 lines" in lost and ", 183 on average" in lost


def test_paragraphs_each_a_document_are_no_blank_lines_too_many(builder):
    _, told, _ = builder.build(warned.text_of([[PARAGRAPH]] * 9))
    (pairs,) = [x for x in told if "random" in x]
    assert pairs.startswith("each of the 9 documents has one sentence, so")
    assert "are they paragraphs?" in pairs and "blank" not in "".join(told)


def test_one_line_is_told_of_once(builder):
    _, told, _ = builder.build("天地玄黄" * 5000)
    (pairs,) = [x for x in told if "random" in x]
    assert pairs.startswith("the only document has one sentence, so every")
    assert "are they paragraphs?" in pairs


def test_single_sentences_want_fewer_blank_lines(builder):
    _, told, _ = builder.build(warned.text_of([[SENTENCE]] * 9))
    (pairs,) = [x for x in told if "random" in x]
    assert "9 of 9 documents have one sentence; is there a blank" in pairs
    assert "paragraphs" not in pairs


def test_short_targets_are_the_reason_where_they_are_it(builder):
    text = warned.text_of([[SENTENCE * 4] * 10] * 3)
    _, told, _ = builder.build(text, short_seq_prob=1.0)
    (pairs,) = [x for x in told if "pairs are random" in x]
    assert "mostly as --short_seq_prob=1 asks for short sequences" in pairs


def test_documents_of_few_sentences_are_the_reason(builder):
    # A document of two has one pair, or two that are random: 2 of 3 are.
    text = warned.text_of([[SENTENCE] * 2] * 40 + [[SENTENCE]] * 30)
    manifest, told, _ = builder.build(text, short_seq_prob=0.0)
    found = manifest.statistics
    assert found["num_alone_long"] == found["num_alone_short_target"] == 0
    assert found["num_alone_single"] == 30
    assert found["num_alone_last"] == found["num_label_1"] / 2 - 15
    (pairs,) = [x for x in told if "pairs are random" in x]
    assert "as 30 of 70 documents have one sentence" in pairs


def test_sentences_without_order_are_lost_and_told_of(builder):
    text = warned.text_of([[SENTENCE]] * 20 + [[SENTENCE] * 4] * 3)
    manifest, told, _ = builder.build(text, pair_task="sop")
    assert manifest.statistics["num_lost_tokens"] >= 20 * 26
    (lost,) = [x for x in told if "lost to truncation" in x]
    assert "20 of 23 documents have one sentence, and --pair_task=sop" in lost


def test_no_pair_of_long_lines_is_not_for_want_of_sentences(builder):
    text = warned.text_of([[PARAGRAPH] * 3] * 3)
    with pytest.raises(ValueError, match="has two lines that fit into --max_s"):
        builder.build(text, pair_task="sop")


def test_sentences_that_seldom_fill_a_sequence_want_more_passes(builder):
    text = warned.text_of(different([[90, 110, 100] * 8] * 6))
    _, told, _ = builder.build(text)
    (lost,) = [x for x in told if "lost to truncation" in x]
    assert "sentences of 100 tokens on average seldom fill" in lost
    assert "a larger --dupe_factor loses less" in lost

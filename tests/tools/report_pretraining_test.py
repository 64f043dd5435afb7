"""The page of a pretraining, and words that a model fills in."""

import json
import unicodedata

import pytest

from tests import albert_text, project, roberta_text, tiny
from text import t2s, vocab, vocabularies
from tools.reporting import fill_in, page


@pytest.fixture(name="filler")
def make_filler(tmp_path):
    vocab_file = project.write_vocabulary(tmp_path, project.sample_vocabulary())
    rows = 6_000  # Of the largest that is used.
    shape = tiny.CONFIG | {"vocab_size": rows, "max_position_embeddings": 64}
    (tmp_path / "bert.json").write_text(json.dumps(shape))
    return lambda vocabulary=None: fill_in.Filler(
        str(tmp_path),
        str(tmp_path / "bert.json"),
        vocabulary or vocab.load(vocab_file),
        do_lower_case=vocabulary is None,
        simplify=True,
    )


def test_a_line_is_put_together_again_but_for_its_word(filler, monkeypatch):
    with pytest.raises(ValueError, match="has no checkpoint"):
        filler()
    monkeypatch.setattr(
        fill_in.checkpoint, "restore_newest", lambda *args: "some"
    )
    lines = [x for x in project.sample_lines() if x and not x.isascii()]
    examples = filler().examples(lines, 5, 3)
    assert len(examples) == 5
    for one in examples:
        assert len(one.word) == 1
        text = (one.before + one.word + one.behind).replace(" ", "")
        assert len(text) > fill_in._MIN_TOKENS - 3
        shares = [share for _, share in one.guesses]
        assert len(shares) == 3 and shares == sorted(shares, reverse=True)
        assert 0 < sum(shares) <= 1
    assert filler().examples(["短", ""], 5, 3) == []
    # Where no word is Chinese it is a whole Latin one.
    line = "the quick brown fox was in the house of the king and all the men"
    (one,) = filler().examples([line], 5, 3)
    assert f"{one.before} {one.word} {one.behind}" == line
    assert one.word.isalpha()


@pytest.mark.parametrize("texts", [albert_text, roberta_text])
def test_a_line_of_another_tokenizer_is_put_together(
    filler, monkeypatch, tmp_path, texts
):
    monkeypatch.setattr(
        fill_in.checkpoint, "restore_newest", lambda *args: "some"
    )
    texts.write_model(tmp_path)
    name = "spiece.model" if texts is albert_text else "vocab.json"
    vocabulary = vocabularies.read(str(tmp_path / name))
    lines = project.sample_lines()
    shown = [t2s.to_simplified(line) for line in lines]
    if texts is albert_text:  # The library has more forms of its own.
        shown = [unicodedata.normalize("NFKC", line) for line in shown]
    examples = filler(vocabulary).examples(lines, 12, 3)
    assert len(examples) == 12
    for one in examples:
        text = (one.before + one.word + one.behind).replace(" ", "")
        assert text in [line.replace(" ", "") for line in shown]
        assert one.word.isalpha()
        assert len(one.guesses) == 3


def test_the_page_shows_what_there_is_and_no_more():
    rows = [
        {
            "step": step,
            "masked_lm_loss": 9.0 - step / 10,
            "eval_masked_lm_loss": 9.0,
            "masked_lm_accuracy": 0.1,
            "tokens_per_step": 100_000,
            "processor_seconds_per_step": 3.0,
        }
        for step in (10, 20, 40)
    ]
    run = page.Run(
        rows=rows,
        results={
            "global_step": 40,
            "masked_lm_loss": 3.25,
            "masked_lm_accuracy": 0.4,
        },
        shape=tiny.config(num_hidden_layers=4, hidden_size=256),
        examples=[
            fill_in.Example("<b>", "人", "后", [("人", 0.5), ("天", 0.25)])
        ],
        scores={"eval_accuracy": 0.875},
        plan="a & b",
    )
    made = page.make(run)
    for wanted in (
        "3.250",
        "4.0 M tokens",
        "2.0 min",
        "&lt;b&gt;<mark>人</mark>后",
        "<b>人</b>&nbsp;50%",
        "0.8750",
        "a &amp; b",
    ):
        assert wanted in made
    assert made.count('class="line"') == 3
    bare = page.Run(rows, run.results, run.shape, [], {})
    for title in ("fills in", "Fine-tuned", "The plan"):
        assert title in made and title not in page.make(bare)

"""The gold of the benchmark of sentences is what its files say."""

from benchmarks import sentences


def ends_shown(gold):
    """The text without blanks, | at ends and ? at open places."""
    bare = "".join(gold.text.split())
    marks = {**dict.fromkeys(gold.ends, "|"), **dict.fromkeys(gold.open, "?")}
    return "".join(marks.get(i, "") + char for i, char in enumerate(bare))


def test_brown_is_written_as_it_was_printed(tmp_path):
    (tmp_path / "ca01").write_text(
        "\n\n\tA/at-hl heading/nn-hl\n\n\n"
        "\t``/`` Come/vb in/rp ''/'' ,/, he/pps said/vbd ;/. ;/.\n"
        "(/( she/pps came/vbd ./.\n)/) Why/wrb ?/. ?/.\n\n"
    )
    (gold,) = sentences.brown(str(tmp_path), ";")
    assert gold.text == '"Come in," he said; (she came.) Why?'
    assert ends_shown(gold) == '"Comein,"hesaid;?(shecame.)|Why?'


def test_the_peoples_daily_counts_what_is_sure(tmp_path):
    path = tmp_path / "tagged.txt"
    path.write_text(
        "标题/n\n他/r 说/v ：/w “/w 好/a 。/w 走/v ！/w ”/w 天/n 黑/v 。/w "
        "我/r 走/v ；/w 你/r 来/v ？/w\n下/f 段/n 。/w （/w 完/v ）/w\n"
        "末/f 段/n 。/w\n",
        encoding="utf-8",
    )
    (gold,) = sentences.peoples_daily(str(path))
    assert ends_shown(gold) == (
        "他说：“好。?走！?”?天黑。|我走；?你来？|下段。?（完）?末段。"
    )


def test_a_score_counts_places_and_not_blanks():
    gold = sentences.gold_of(["A b.", "C.", "D."], " ", "")
    score = sentences.score(lambda text: ["A b. C. ", "D", "."], [gold])
    assert (score.right, score.wrong, score.missed) == (1, 1, 1)

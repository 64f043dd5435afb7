"""Cleaning: which documents are dropped as a whole, and by which flag."""

import pytest

from tests.corpus.cleaned import PROSE_EN, PROSE_ZH, clean, num_chars

MANY = [
    f"第{x}行说的是第{x}件事，与别的行不同。" for x in "一二三四五六七八九十"
]
DROPPED_DOCUMENTS = [
    ("document_short", "好。"),
    ("document_no_sentence", "几个问题\n第一部分 总论\n第二部分 分论"),
    ("document_symbols", "表一：12 34 56 78 90 12 34 56 78 甲乙丙丁。"),
    ("document_duplicate_lines",
     "\n".join([*MANY[:6], *["“嗯。”"] * 5])),
    ("document_duplicate_chars",
     "\n".join([*MANY, *[f"{MANY[0]}{MANY[1]}{MANY[2]}"] * 3])),
    ("document_bullets", "\n".join(f"• {line}" for line in MANY)),
    ("document_ellipses",
     "\n".join([*MANY[:6], *[f"{x[:-1]}..." for x in MANY[6:]]])),
    ("document_repeated", "这一段话被反复粘贴了许多次，毫无新意。" * 30),
    ("document_language", "Der Nebel hatte sich noch nicht gelichtet, und "
     "am Ufer warteten viele Leute auf das Boot, das sie nicht sahen."),
    ("document_empty", "----\n=====\n首页 | 新闻 | 体育"),
    ("document_empty", ""),
    ("document_empty", "\u3000\n \n\t"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "text"), DROPPED_DOCUMENTS)
def test_a_document_of_little_use_is_dropped(rule, text):
    kept, counts = clean(text)
    assert kept is None
    assert rule in counts
    assert num_chars(text) == sum(x.num_chars for x in counts.values())


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        ({"max_duplicate_lines": 1, "max_duplicate_chars": 1,
          "max_repeated_chars": 1}, DROPPED_DOCUMENTS[3][1]),
        ({"max_bullet_lines": 1}, DROPPED_DOCUMENTS[5][1]),
        ({"max_ellipsis_lines": 1}, DROPPED_DOCUMENTS[6][1]),
        ({"max_repeated_chars": 1}, DROPPED_DOCUMENTS[7][1]),
        ({"languages": "all"}, DROPPED_DOCUMENTS[8][1]),
        ({"languages": "zh, latin"}, DROPPED_DOCUMENTS[8][1]),
        ({"require_sentence": False}, DROPPED_DOCUMENTS[1][1]),
        ({"min_document_chars": 0}, DROPPED_DOCUMENTS[0][1]),
        ({"min_document_letters": 0}, DROPPED_DOCUMENTS[2][1]),
    ],
)  # fmt: skip
def test_a_flag_turns_a_rule_of_documents_off(flags, text):
    assert clean(text, **flags) == (text, {})


def test_a_document_with_a_bad_word_is_dropped(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("坏词\nDarn it\nfoo\n", encoding="utf-8")
    for text, is_kept in (
        (f"{PROSE_ZH}这里有坏词。", False),
        (f"{PROSE_EN} darn it!", False),
        (f"{PROSE_EN} The food is good.", True),
        (f"{PROSE_EN} FOO.", False),
        (f"{PROSE_ZH}坏的词不算。", True),
    ):
        kept, counts = clean(text, bad_words_file=str(path))
        assert (kept == text) == is_kept
        assert set(counts) == (set() if is_kept else {"document_bad_words"})

"""What the rules of cleaning are called, and who published them."""

from corpus.tally import Rule

_GOPHER = "Gopher (Rae et al. 2021, A.1.1)"
_C4 = "C4 (Raffel et al. 2020, 2.2)"
_CLUE = "CLUECorpus2020 (Xu et al. 2020)"

# In the order in which they are applied.
RULES: dict[str, Rule] = {
    "line_mojibake": Rule(
        "line", "misread encoding, beyond repair", "乱码，无法修复"
    ),
    "line_repaired": Rule(
        "line", "misread encoding, repaired", "乱码，已修复", drops=False
    ),
    "character_entity": Rule(
        "character", "HTML entities", "HTML 实体", drops=False
    ),
    "character_control": Rule("character", "control characters", "控制字符"),
    "character_invisible": Rule(
        "character", "invisible characters", "不可见字符"
    ),
    "character_private": Rule(
        "character", "characters of private use, or none", "私用区及非法字符"
    ),
    "character_replacement": Rule(
        "character", "replacement characters (U+FFFD)", "替换字符（U+FFFD）"
    ),
    "personal_url": Rule("character", "web addresses", "网址", flag="remove"),
    "personal_email": Rule(
        "character", "e-mail addresses", "电子邮箱", flag="remove", origin=_C4
    ),
    "personal_id_card": Rule(
        "character",
        "numbers of identity cards",
        "身份证号",
        flag="remove",
        origin="GB 11643-1999",
    ),
    "personal_bank_card": Rule(
        "character",
        "numbers of bank cards",
        "银行卡号",
        flag="remove",
        origin="ISO/IEC 7812",
    ),
    "personal_phone": Rule(
        "character", "telephone numbers", "电话号码", flag="remove"
    ),
    "line_symbols": Rule(
        "line",
        "mostly symbols or digits",
        "多为符号或数字",
        flag="min_line_letters",
        origin=_GOPHER,
    ),
    "line_run": Rule("line", "one character again and again", "同一字符反复"),
    "line_long_word": Rule(
        "line",
        "mostly a word of over 1000 characters",
        "多为超过 1000 个字符的词",
        origin="C4 (its code)",
    ),
    "line_lorem_ipsum": Rule(
        "line", "lorem ipsum", "占位文字（lorem ipsum）", origin=_C4
    ),
    "line_short": Rule(
        "line", "too short", "过短", flag="min_line_chars", origin=_CLUE
    ),
    "line_braces": Rule(
        "line", "curly brackets", "含花括号", flag="drop_braces", origin=_C4
    ),
    "line_no_end_mark": Rule(
        "line",
        "no mark at the end",
        "句末无标点",
        flag="require_end_mark",
        origin=f"{_C4}; {_CLUE}",
    ),
    "line_boilerplate": Rule(
        "line",
        "menus, copyright and the like",
        "菜单、版权等套话",
        flag="drop_boilerplate",
        origin=_C4,
    ),
    "document_empty": Rule("document", "nothing left", "无剩余内容"),
    "document_short": Rule(
        "document",
        "too short",
        "过短",
        flag="min_document_chars",
        origin=_GOPHER,
    ),
    "document_symbols": Rule(
        "document",
        "mostly symbols or digits",
        "多为符号或数字",
        flag="min_document_letters",
        origin=_GOPHER,
    ),
    "document_language": Rule(
        "document",
        "another language",
        "其他语言",
        flag="languages",
        origin=f"{_C4}; {_CLUE}",
    ),
    "document_no_sentence": Rule(
        "document",
        "no sentence",
        "没有句子",
        flag="require_sentence",
        origin=_C4,
    ),
    "document_bullets": Rule(
        "document",
        "lines are bullets",
        "多为列表项",
        flag="max_bullet_lines",
        origin=_GOPHER,
    ),
    "document_ellipses": Rule(
        "document",
        "lines end in an ellipsis",
        "行末多为省略号",
        flag="max_ellipsis_lines",
        origin=_GOPHER,
    ),
    "document_duplicate_lines": Rule(
        "document",
        "lines stand in it again",
        "文内重复行过多",
        flag="max_duplicate_lines",
        origin=_GOPHER,
    ),
    "document_duplicate_chars": Rule(
        "document",
        "characters of lines that stand in it again",
        "文内重复行字数过多",
        flag="max_duplicate_chars",
        origin=_GOPHER,
    ),
    "document_repeated": Rule(
        "document",
        "passages stand in it again",
        "文内重复片段过多",
        flag="max_repeated_chars",
        origin=_GOPHER,
    ),
    "document_bad_words": Rule(
        "document",
        "bad words",
        "含屏蔽词",
        flag="bad_words_file",
        origin=f"{_C4}; {_CLUE}",
    ),
}

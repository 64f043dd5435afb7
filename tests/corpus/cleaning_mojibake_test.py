"""Mojibake, made by Python's own codecs: repaired, or told; text never is."""

import hypothesis
import hypothesis.strategies as st
import pytest

from corpus.cleaning import mojibake, scanning
from tests.corpus import cleaned

LINES = [
    "清晨的雾还没有散去，渡口已经站满了等船的人。",
    "“今天风大，”他说，“你们都坐稳了！”",
    "臺灣的鐵道於一九○八年全線通車，連接基隆與高雄。",
    "第3章　Python 与数据：从入门到精通（第二版）",
    "東京の空は今日も青かった。",
]
WESTERN = [
    "L'été, la forêt où naît l'Œuvre était déjà âpre, à côté du château.",
    "Die Straße führt über die Brücke; schöne Grüße aus Österreich, Ärger!",
    "El niño comió en el jardín; ¿por qué no vino mañana? ¡Qué lástima!",
    "São Paulo não é a capital; a decisão foi tomada à noite, com ação.",
    "«PASSÉ» et «É», dit l'abbé»… café”—he said, é—à la fin«",
    "Ça coûte 5 €, 10 £ ou 20 ¥ ± 2 °C ¼ ½ ¾ × ÷ — © ® ™ § ¶ « » ‹ ›",
    "SÃO, NÃO, CORAÇÃO, IRMÃ; Ângela Â e Ã.",
    "Þetta reddast, sagði hún; ég fór þá út að gá til veðurs.",
    "Ærø, Øst og Åse; Ångström, Öl och Ägg: ÅÄÖ!",
    "10°–20° · 30°–40° ········ ×××××××× °°°°°°°°",
    "żółć, gęś, jaźń; příliš žluťoučký kůň úpěl ďábelské ódy.",
]


def clean(line):
    return cleaned.clean(
        line,
        languages="all",
        min_document_chars=0,
        require_sentence=False,
        max_repeated_chars=1,
    )


def latin(line, encoding="cp1252"):
    """UTF-8 as a reader of CP1252 sees it, who passes unknown bytes on."""
    return "".join(
        bytes([byte]).decode(encoding)
        if byte not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)
        else chr(byte)
        for byte in line.encode("utf-8")
    )


def tidy(line):
    return " ".join(line.split())


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("encoding", ["cp1252", "latin-1"])
def test_utf8_that_was_read_as_latin_is_repaired(line, encoding):
    kept, counts = clean(latin(line, encoding))
    assert kept == tidy(line)
    assert set(counts) == {"line_repaired"}


@pytest.mark.parametrize("line", LINES[:3])
def test_what_was_misread_twice_is_repaired_twice(line):
    kept, counts = clean(latin(latin(line)))
    assert kept == tidy(line)
    assert counts["line_repaired"].num == 2


@pytest.mark.parametrize("line", [*WESTERN[:4], WESTERN[7], WESTERN[8]])
def test_western_utf8_that_was_read_as_latin_is_repaired(line):
    assert clean(latin(line))[0] == line


@pytest.mark.parametrize(
    "line", ["It’s “fine”", "naïve café", "中文里的 naïve café 一词。"]
)
def test_a_little_of_it_is_repaired(line):
    foreign = line if line[0] != "中" else "naïve café"
    assert clean(line.replace(foreign, latin(foreign)))[0] == line


@pytest.mark.parametrize("line", LINES)
def test_utf8_that_was_read_as_gbk_is_repaired_or_told(line):
    raw = line.encode("utf-8")
    try:
        misread = raw.decode("gb18030")
    except UnicodeDecodeError:
        misread = raw.decode("gb18030", "replace")
        # What was lost there cannot come again.
        assert "line_mojibake" in clean(misread)[1]
    else:
        assert clean(misread)[0] == tidy(line)


@pytest.mark.parametrize("line", [LINES[0], "你好世界，我们来了"])
def test_gbk_that_was_read_as_latin_is_repaired(line):
    misread = line.encode("gb2312").decode("latin-1")
    assert clean(misread)[0] == line


@pytest.mark.parametrize("line", [*WESTERN, *LINES])
def test_real_text_is_not_touched(line):
    assert not {"line_repaired", "line_mojibake"} & set(clean(line)[1])
    for repair in (mojibake.repair_latin, mojibake.repair_gbk):
        assert repair(line) == line


@pytest.mark.parametrize(
    "fault", ["ï¿½", "锟斤拷锟斤拷", "\ufffd", "烫烫烫烫烫", "ä½ å¥½ä½"]
)
def test_a_long_line_is_not_dropped_for_a_fault(fault):
    line = "".join(LINES) * 5
    kept, counts = clean(line + fault + line)
    assert "line_mojibake" not in counts
    assert kept.startswith(tidy(line)) and kept.endswith(tidy(line))


@hypothesis.given(
    st.text(
        st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5),
        min_size=8,
        max_size=60,
    )
)
def test_any_chinese_comes_back(line):
    assert mojibake.repair_latin(latin(line)) == line
    # GBK takes pairs of bytes: of a number that is even nothing is lost.
    even = line + line
    assert mojibake.repair_gbk(even) == even or len(set(line)) < 2
    try:
        misread = even.encode("utf-8").decode("gb18030")
    except UnicodeDecodeError:
        return
    assert mojibake.repair_gbk(misread) == even


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["zh_mixed", "zh_tech", "zh_traditional", "en"]
)
def test_next_to_no_line_of_a_corpus_is_taken_for_mojibake(name):
    lines = list(filter(None, cleaned.corpus_lines(name)))
    marks = scanning.scan("\n".join(lines), 0.1).marks
    touched = [
        line
        for line, mark in zip(lines, marks.tolist(), strict=True)
        if (mark & scanning.LATIN_BYTES and mojibake.repair_latin(line) != line)
        or (mark & scanning.GBK_BYTES and mojibake.repair_gbk(line) != line)
    ]
    # One line of the mixed corpus is what it is taken for.
    assert len(touched) <= (name == "zh_mixed")

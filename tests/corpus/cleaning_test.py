"""Cleaning: what each rule keeps and drops, and that nothing is lost unsaid."""

import html
import time

import hypothesis
import hypothesis.strategies as st
import pytest

from corpus.cleaning import cleaner, config, rules
from corpus.document import Document
from corpus.tally import Tally
from tests.corpus import cleaned
from tests.corpus.cleaned import (
    PROSE_EN,
    PROSE_ZH,
    among_prose,
    clean,
    num_chars,
)


@pytest.mark.parametrize(
    "text",
    [
        PROSE_ZH,
        PROSE_EN,
        cleaned.POEM,
        # Traditional, with English; a heading, a list; little is no fault.
        "臺灣的鐵道\n縱貫線於一九○八年全線通車，連接基隆與高雄。",
        "How to use pip\n- Install it.\n- Run pip install numpy.\n"
        "- Read what it prints, and be patient with it.",
        "好评！衣服很合身，下次还会再来的。",
        "哈哈哈哈哈哈哈哈哈哈，你也来了啊！",
        "他走了……\n谁也没有说话……\n只有风声……\n灯灭了……\n天亮了……",
    ],
)
def test_prose_is_kept_as_it_is(text):
    assert clean(text) == (text, {})


@pytest.mark.parametrize(
    ("before", "after", "rule"),
    [
        ("　　第1章　开始了。", "第1章 开始了。", None),
        ("a\u00a0b\t c  d。", "a b c d。", None),
        ("零\u200b宽\ufeff字\u00ad符\u202a在此。", "零宽字符在此。",
         "character_invisible"),
        ("控\x00制\x08字\x7f符在此。", "控制字符在此。", "character_control"),
        ("私\ue000用\U000f0000区在此。", "私用区在此。", "character_private"),
        ("老陈把缆绳解开，\ufffd回头看了一眼岸上的灯火。",
         "老陈把缆绳解开，回头看了一眼岸上的灯火。", "character_replacement"),
        ("a &amp; b&nbsp;&lt;c&gt; &#20013;&#x6587;。", "a & b <c> 中文。",
         "character_entity"),
        ("A&amp;amp;B&amp;nbsp;C 是多重转义。", "A&B C 是多重转义。",
         "character_entity"),
        ("R&D; AT&T &copy &unknown; 不是实体。",
         "R&D; AT&T &copy &unknown; 不是实体。", None),
        # Neither widths nor compatible forms are folded.
        ("全角ＡＢＣ，：（）①㎡ﬁ½。", "全角ＡＢＣ，：（）①㎡ﬁ½。", None),
        ("字\ufe0f变体和👍🏽也留下。", "字\ufe0f变体和👍🏽也留下。", None),
    ],
)  # fmt: skip
def test_characters(before, after, rule):
    kept, counts = clean(among_prose(before))
    assert kept == among_prose(after)
    assert set(counts) == ({rule} if rule else set())
    if rule:
        lost = num_chars(before) - num_chars(after)
        assert counts[rule].num_chars == lost
        if rule != "character_entity":
            assert counts[rule].num == lost


def test_entities_are_those_of_the_standard_library():
    text = "若 a < b & b > c，则 \"a\" 与 'c' 无关。"
    assert clean(html.escape(text))[0] == text


DROPPED_LINES = [
    ("line_boilerplate", line)
    for line in (
        "首页 | 新闻 | 体育 | 财经 | 娱乐",
        "首页 新闻 体育 娱乐 论坛",
        "Home | News | Sports | Contact us",
        "当前位置：首页 > 新闻 > 国内",
        "（责任编辑：王小明）",
        "责编：李雷",
        "来源：新华社",
        "版权所有 © 2019 某某网",
        "未经授权，不得转载",
        "转载请注明出处：某某网",
        "来源：晚报返回搜狐，查看更多责任编辑：",
        "发布时间：2018-05-03 12:30",
        "阅读(1234) 评论(5)",
        "未经许可，任何人不得以任何方式转载本站内容。",
        "上一篇：春天来了",
        "下一篇: 夏天来了",
        "下一页",
        "[返回首页]",
        "请扫描下方二维码关注我们",
        "点击查看更多",
        "展开全文",
        "相关阅读：",
        "京ICP备05064898号",
        "您需要登录后才可以回帖",
        "分享到：微信 微博 QQ空间",
        "字号：大 中 小",
        "您的浏览器版本过低，请升级。",
        "© 2020 Example Ltd. All rights reserved.",
        "Copyright (c) 1999-2004 Somebody",
        "Please enable JavaScript to view this page.",
        "This site uses cookies to improve your experience.",
        "Privacy Policy",
        "Terms of Use",
        "Share on Facebook",
        "Subscribe to our newsletter",
        "Read more »",
        "Click here to read the full story",
        "Skip to main content",
        "Posted by admin on 3 May",
        "Leave a comment",
        "Follow us on Twitter",
    )
] + [
    ("line_symbols", "----------"),
    ("line_symbols", "* * * * *"),
    ("line_symbols", "2018-05-03 12:30"),
    ("line_symbols", "12,345 67,890 3.14 42%"),
    ("line_run", f"第一章说的是开始{'.' * 40}"),
    ("line_run", "啊" * 40),
    ("line_long_word", "QUJDREVGR0hJSktM" * 80),
    ("line_mojibake", "锟斤拷锟斤拷锟斤拷也没有用"),
    ("line_mojibake", "烫烫烫烫烫烫烫烫"),
    ("line_mojibake", "数\ufffd\ufffd据\ufffd坏了"),
    ("line_mojibake", "abc ï¿½ï¿½ def"),
    ("line_lorem_ipsum", "Lorem ipsum dolor sit amet, consectetur."),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "line"), DROPPED_LINES)
def test_a_line_that_says_nothing_is_dropped(rule, line):
    kept, counts = clean(among_prose(line))
    assert kept == f"{PROSE_ZH}\n{PROSE_EN}"
    assert set(counts) == {rule}
    assert (counts[rule].num, counts[rule].num_chars) == (1, num_chars(line))
    assert counts[rule].samples[0].source == "here"


@pytest.mark.parametrize(
    "line",
    [
        "他打开首页，发现新闻都变了。",
        "该书的版权所有者是一家英国公司，他们同意出版中文版。",
        "责任编辑王小明在会上说，今年的稿件比往年多。",
        "他扫描了墙上的二维码，然后付了钱。",
        "上一篇文章里我们谈到了语法，这一篇谈谈语义。",
        "下一章我们会看到，这个假设并不成立。",
        "来源不明的包裹不要打开。",
        "来源：这个词的来源，说法不一。",
        "请勿使用保留字作为变量的名称。",
        "扫描后的二维码会显示在屏幕上。",
        "更新于五月：这一章已经重写过了。",
        "不良信息举报中心公布了今年的十大谣言。",
        "他在文章里说不得随意转载别人的照片，这一点我很赞成。",
        "We use JavaScript for the front end and Python for the rest.",
        "打开 JavaScript 控制台，看看有没有报错。",
        "The home team won, and the news spread quickly.",
        "Home",
        "Print the page before you leave.",
        "The right to copy was reserved for members.",
        "He ate three cookies and asked for more.",
        "Share of the market: about ten percent",
        "一九四九年十月一日",
        "1949年10月1日",
        "三、实验结果",
        "“嗯。”",
        "===== 参考资料 =====",
        "锟斤拷是编码错误的产物，程序员们常拿它开玩笑，说的就是两次转换。",
        "汤很烫，烫烫烫！",
        "甲 | 乙 | 丙",
    ],
)
def test_a_near_miss_is_kept(line):
    assert clean(among_prose(line)) == (among_prose(line), {})


@pytest.mark.parametrize(
    ("flags", "line", "rule"),
    [
        ({"min_line_chars": 5}, "“嗯。”x", None),
        ({"min_line_chars": 5}, "是 的。", "line_short"),
        ({"drop_braces": True}, "if (x) { return 1; }", "line_braces"),
        ({"require_end_mark": True}, "没有标点的标题", "line_no_end_mark"),
        ({"require_end_mark": True}, "A heading of the page",
         "line_no_end_mark"),
        ({"require_end_mark": True}, "他说：“好的。”", None),
        ({"require_end_mark": True}, "他说：“好的”", None),
        ({"require_end_mark": True}, "It ends here.)", None),
        ({"min_line_letters": 0}, "----------", None),
        ({"drop_boilerplate": False}, "责任编辑：王小明", None),
    ],
)  # fmt: skip
def test_rules_of_lines_that_flags_set(flags, line, rule):
    # The dialogue's shortest line is as long as the limit wants.
    text = f"{PROSE_EN}\n{line}\n{PROSE_EN[:50]}"
    kept, counts = clean(text, **flags)
    assert rule is None or rule in counts
    assert (line in kept.split("\n")) == (rule is None)


@pytest.mark.parametrize(
    ("flags", "word"),
    [
        ({"languages": "zh,klingon"}, "--languages names 'klingon'"),
        ({"languages": " "}, "--languages names none"),
        ({"remove": "url,shoe"}, "--remove names 'shoe'"),
        ({"min_line_letters": 2}, "--min_line_letters must be between"),
        ({"min_document_chars": -1}, "--min_document_chars must not"),
    ],
)
def test_wrong_settings_name_their_flag(flags, word):
    with pytest.raises(ValueError, match=word):
        config.CleaningSettings(**flags)


# Text that has something of what the rules look for.
PIECES = st.sampled_from(
    [
        *"。，！a1Ã©ä½å¥½锟斤拷烫\ufffd\u200b\x00\x85\u00a0\u3000&;#|·*-…",
        *" \t\r\n\u2028",
        *(line for _, line in DROPPED_LINES if len(line) < 60),
        *PROSE_ZH.split("\n"),
        *PROSE_EN.split("\n"),
        "&amp;", "&#97;", "&#8203;", "amp;", "浣犲ソ涓栫晫", "ÄãºÃÊÀ½ç", "\n\n",
        "Ã¤Â½Â\u00a0Ã¥Â¥Â½",
    ]
)  # fmt: skip
ANY = st.one_of(
    st.text(st.characters(), max_size=200),
    st.lists(PIECES, max_size=30).map("".join),
)
LOOSE = {"languages": "all", "require_sentence": False, "min_document_chars": 0}


@hypothesis.settings(deadline=None, max_examples=400)
@hypothesis.given(ANY, st.sampled_from([{}, LOOSE]))
def test_every_character_comes_out_or_is_counted(text, flags):
    kept, counts = clean(text, **flags)
    noted = sum(count.num_chars for count in counts.values())
    assert num_chars(text) == num_chars(kept) + noted
    assert set(counts) <= set(rules.RULES)
    assert (kept is None) == any(
        rules.RULES[rule].unit == "document" for rule in counts
    )


@hypothesis.settings(deadline=None, max_examples=400)
@hypothesis.given(ANY)
def test_what_is_clean_stays_as_it_is(text):
    kept, _ = clean(text, **LOOSE)
    hypothesis.assume(kept is not None)
    assert clean(kept, **LOOSE) == (kept, {})
    assert all(line and line == line.strip() for line in kept.split("\n"))
    kept.encode("utf-8")


@pytest.mark.parametrize(
    "unit",
    ["a", "a ", "1", "1-", "中", "。", "&", "&amp;", "&#38;", "Ã©", "ä½",
     "é»…", "ÄãºÃ", "浣犲ソ", "锟斤拷", "烫", "\ufffd", "\u200b", "\u3000", "|",
     "首页 ", ">", "@", "a@", "a.", "@a.", "http://", "www.", "+1 ", "010-",
     "(0", "1381", "{", "\ue000", "…", "·", "\U0001f600", "版权", "cookies",
     "[", "。\n", "a\n"],
)  # fmt: skip
def test_long_lines_of_one_kind_take_linear_time(unit):
    text = unit * (400_000 // len(unit))
    flags = {"remove": "url,email,phone,id_card,bank_card"}
    clean(unit, **flags)  # compiles
    start = time.process_time()
    clean(text, **flags)
    assert time.process_time() - start < 3


def test_rules_say_what_they_are():
    names = {field for field in config.CleaningSettings.__annotations__}
    for name, rule in rules.RULES.items():
        assert name.split("_")[0] in (rule.unit, "personal")
        assert rule.chinese and rule.english
        assert not rule.flag or rule.flag in names


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "most"),
    [("zh_mixed", 0.01), ("zh_traditional", 0.005), ("en", 0.001)],
)
def test_real_prose_loses_next_to_nothing(name, most):
    documents = "\n".join(cleaned.corpus_lines(name)).split("\n\n")
    made, tally = cleaner.Cleaner(config.CleaningSettings()), Tally()
    kept = sum(num_chars(made.clean(Document("", x), tally)) for x in documents)
    total = sum(map(num_chars, documents))
    assert (1 - most) * total < kept < total
    assert total - kept == sum(count.num_chars for _, count in tally)

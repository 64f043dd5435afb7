"""Addresses and numbers of people: taken out where asked, and only these."""

import random

import pytest

from corpus.cleaning import personal
from corpus.tally import Tally
from tests.corpus.cleaned import PROSE_ZH, clean, num_chars

ALL = personal.KINDS


def remove(line, kinds=ALL):
    tally = Tally()
    return personal.remove(line, kinds, "here", tally), dict(tally)


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        ("url", "http://www.example.com/a/b.html?x=1&y=2#z"),
        ("url", "https://例子.com/路径"[:8] + "example.org"),
        ("url", "www.example.com.cn"),
        ("url", "ftp://ftp.example.org/pub"),
        ("email", "zhang.san+news@mail.example.com.cn"),
        ("email", "ａｂｃ＠example.com"),
        ("phone", "13800138000"),
        ("phone", "138-0013-8000"),
        ("phone", "138 0013 8000"),
        ("phone", "+86 13800138000"),
        ("phone", "008613800138000"),
        ("phone", "１３８００１３８０００"),
        ("phone", "010-62511234"),
        ("phone", "(021) 5888 1234"),
        ("phone", "0755-8123456"),
        ("phone", "02558881234"),
        ("phone", "021-58881234-801"),
        ("phone", "400-820-8820"),
        ("phone", "+1 202 555 0143"),
        ("phone", "+44 (0) 20 7946 0958"),
        # The example of GB 11643-1999, and one whose check digit is X.
        ("id_card", "11010519491231002X"),
        ("id_card", "11010519491231002x"),
        ("id_card", "440524188001010014"),
        ("id_card", "１１０１０５１９４９１２３１００２Ｘ"),
        # Numbers that card companies publish for tests.
        ("bank_card", "4111111111111111"),
        ("bank_card", "5555 5555 5555 4444"),
        ("bank_card", "6011-1111-1111-1117"),
    ],
)
def test_what_is_asked_for_is_taken_out(kind, found):
    for before, after in (
        ("联系：", "，谢谢。"),
        ("see ", " please."),
        ("", ""),
    ):
        line = f"{before}{found}{after}"
        kept, counts = remove(line)
        assert kept.split() == f"{before} {after}".split()
        count = counts.pop(f"personal_{kind}")
        assert not counts
        assert (count.num, count.num_chars) == (1, len(found.replace(" ", "")))
        # A report shows no more than what kind of thing it was.
        assert found[4:] not in count.samples[0].text
        others = [other for other in ALL if other != kind]
        if kind != "id_card":
            assert found in remove(line, others)[0]


@pytest.mark.parametrize(
    "line",
    [
        "2018-05-03 12:30:45，共 1234567 人",
        "圆周率是3.14159265358979，光速是299792458米每秒。",
        "订单号20180503123456789，编号 138001380001。",
        "ISBN 978-7-302-12345-6，国标 GB 11643-1999",
        "身份证号110105194912310021的校验位不对。",
        "卡号4111111111111112通不过校验。",
        "比分是 10-8，一共 400 人，1998-2008 年。",
        "他@了我一下，价格是 5@10。",
        "版本 1.3.800.13800 发布了。",
        "010 号房间，0755 是区号，110 报警。",
        "www 是万维网，http 是协议。",
        "+5 分，+86 是区号，a+b=c。",
        "1,234,567.89 元 12345678901234567890",
    ],
)
def test_other_numbers_stay(line):
    assert remove(line) == (line, {})


def test_nothing_is_taken_out_unasked():
    line = "写信给 a@example.com 或打 13800138000。"
    assert remove(line, ()) == (line, {})
    assert remove(line, ("phone",))[0] == "写信给 a@example.com 或打 。"


def test_one_identity_number_in_eleven_has_its_check_digit():
    rng = random.Random(7)
    numbers = [
        f"{rng.randrange(110000, 659999)}19{rng.randrange(10, 99)}"
        f"{rng.randrange(1, 13):02}{rng.randrange(1, 29):02}"
        f"{rng.randrange(1000):03}"
        for _ in range(300)
    ]
    for number in numbers:
        taken = [
            x for x in "0123456789X" if not remove(number + x, ("id_card",))[0]
        ]
        assert len(taken) == 1


def test_no_sample_of_any_rule_has_what_is_taken_out():
    text = (
        f"电话\u200b：13800138000。\n责任编辑：王 13900139000\n{PROSE_ZH}\n"
        "转载请注明出处 a@example.com\n藏起来的 138\u200b0013&#56;000。"
    )
    kept, counts = clean(text, remove="phone,email")
    assert counts["personal_phone"].num == 3
    shown = [x.text for count in counts.values() for x in count.samples]
    for hidden in ("13800138000", "13900139000", "a@example.com"):
        assert hidden not in kept
        assert not any(hidden in x for x in shown)
    noted = sum(count.num_chars for count in counts.values())
    assert num_chars(text) == num_chars(kept) + noted

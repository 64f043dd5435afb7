"""The page of the server in a real browser: every kind, attacks, errors."""

import time

import pytest

from tests.serving import fake_server
from tests.serving.browser import ask, bars, choose, find, marks, wait

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("opened")]


def test_blanks_are_filled_with_bars(server, driver):
    choose(driver, "mini")
    text = "😀这家【？】的菜[MASK]。"
    # The driver cannot type what is not in the first plane of Unicode.
    field = find(driver, "textarea")[0]
    driver.execute_script(
        "arguments[0].value = arguments[1];"
        "arguments[0].dispatchEvent(new Event('input'))",
        field,
        text,
    )
    find(driver, "form button.main")[0].click()
    said = wait(driver, ".said", "这家")
    assert said.text.replace(" ", "") == "😀这家好的菜好。"
    path, asked = server.asked[-1]
    assert path == "/v1/fill-mask"
    assert asked == {"model": "mini", "inputs": [text], "top_k": 5}
    assert len(find(driver, ".bars")) == 2
    for (share, width), wanted in zip(
        list(bars(driver).values()), (0.5, 0.25, 0.125), strict=False
    ):
        assert share == f"{100 * wanted:.1f}%"
        assert width == pytest.approx(wanted, abs=0.01)
    # A word of the model that looks like HTML is a word.
    assert "onerror" in find(driver, ".bars dt")[4].text
    assert not find(driver, "main img")
    assert driver.title == "Hanlin · 试用模型"


def test_a_word_that_goes_on_stands_in_the_sentence_without_its_mark(driver):
    choose(driver, "mini")
    ask(driver, "two word[MASK]")
    said = wait(driver, ".said", "two word")
    assert said.text.replace(" ", "") == "twowords"
    assert find(driver, ".bars dt")[0].text == "##s"


def test_two_sentences_have_the_cosine_of_their_vectors(server, driver):
    choose(driver, "mini")
    ask(driver, "甲", "乙", section=1)
    wait(driver, ".said", "0.960")  # (3, 4) and (4, 3): 24 / 25.
    assert server.asked[-1] == (
        "/v1/embeddings",
        {"model": "mini", "input": ["甲", "乙"]},
    )


@pytest.mark.parametrize(
    ("model", "texts", "asked", "said", "named"),
    [
        ("reviews", ["很好"], "很好", "好 · 75.0%", ["好", "差"]),
        ("pairs", ["甲", "甲"], ["甲", "甲"], "1 · 87.5%", ["1", "0"]),
        ("valence", ["很好"], "很好", "-1.25", []),
        ("topics", ["丙"], "丙", "体育 · 丙", ["体育", "丙", "财经"]),
        (
            "endings",
            ["开头", "甲", "乙"],
            ["开头", "甲", "乙"],
            "选项 2 · 乙 · 66.7%",
            ["乙", "甲"],
        ),
    ],
)
def test_answers_of_a_classifier(
    server, driver, model, texts, asked, said, named
):
    choose(driver, model)
    ask(driver, *texts)
    wait(driver, ".said", said)
    assert server.asked[-1] == (
        "/v1/predict",
        {"model": model, "inputs": [asked]},
    )
    shown = bars(driver)
    assert list(shown) == named
    for share, width in shown.values():
        assert float(share.rstrip("%")) / 100 == pytest.approx(width, abs=0.01)


def test_the_likeliest_of_many_labels_are_shown_and_the_rest_counted(driver):
    choose(driver, "reviews")
    ask(driver, fake_server.MANY)
    wait(driver, ".said", "c29 · 6.5%")  # 30 of 465.
    assert list(bars(driver)) == [f"c{n}" for n in range(29, 17, -1)]
    wait(driver, ".details .hint", "另有 18 个")


def test_more_choices_can_be_given(server, driver):
    choose(driver, "endings")
    add, drop = find(driver, "section .buttons button:not(.main)")
    for number in (3, 4):
        add.click()
        assert len(find(driver, "section input")) == number
    drop.click()
    ask(driver, "开头", "甲", "乙", "丙")
    wait(driver, ".said", "选项 3 · 丙 · 50.0%")
    assert server.asked[-1][1]["inputs"] == [["开头", "甲", "乙", "丙"]]
    drop.click()
    drop.click()
    assert len(find(driver, "section input")) == 2


def test_choices_are_as_many_and_in_the_order_that_the_model_has(driver):
    choose(driver, "columns")
    assert len(find(driver, "section input")) == 3
    assert len(find(driver, "section .buttons button")) == 1
    ask(driver, fake_server.COLUMNS, "甲", "乙", "丙")
    wait(driver, ".said", "选项 3 · 丙 · 50.0%")
    assert list(bars(driver)) == ["丙", "乙", "甲"]


def test_entities_and_answers_are_marked_in_the_text(server, driver):
    choose(driver, "ner")
    ask(driver, "王小明在北京。<b>")
    wait(driver, ".said", "找到 3 个实体")
    assert marks(driver) == [
        ("王小明", "nr"),
        ("北京", "ns"),
        ("<b>", "<i>x</i>"),
    ]
    assert (
        find(driver, ".said .unseen")[0]
        .get_property("textContent")
        .startswith(": 王小明 (nr), 北京 (ns)")
    )
    ask(driver, "没有人")
    wait(driver, ".said", "没有找到实体")
    choose(driver, "cmrc")
    ask(driver, "在哪里？", "西湖在杭州市。")
    wait(driver, ".said", "杭州")
    assert marks(driver) == [("杭州", "")]
    assert server.asked[-1][1]["inputs"] == [
        {"question": "在哪里？", "context": "西湖在杭州市。"}
    ]
    ask(driver, "在哪里？", "西湖很美。")
    wait(driver, ".said", "没有答案")
    assert not marks(driver)


def test_places_are_counted_in_characters_as_python_counts_them(driver):
    choose(driver, "ner")
    field = find(driver, "textarea")[0]
    text = "😀𠮷在北京"  # Of two units of UTF-16 each, one character each.
    driver.execute_script(
        "arguments[0].value = arguments[1];"
        "arguments[0].dispatchEvent(new Event('input'))",
        field,
        text,
    )
    find(driver, "form button.main")[0].click()
    wait(driver, ".said", "找到 1 个实体")
    assert marks(driver) == [("北京", "ns")]


def test_nothing_that_is_said_becomes_html(server, driver):
    attack = '"><img src=x onerror="document.title=1"><script>1</script>'
    for model in ("reviews", "topics", "ner"):
        choose(driver, model)
        ask(driver, attack)
        wait(driver, ".said")
        time.sleep(0.2)
        assert not find(driver, "main img, main script")
        assert driver.title == "Hanlin · 试用模型"
    choose(driver, "topics")
    ask(driver, attack)
    wait(driver, ".bars dt", attack)
    choose(driver, "reviews")
    ask(driver, "too long")
    wait(driver, ".wrong", "inputs[0] has <b>9</b> bytes")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("busy", "请 7 秒后再试"),
        ("not JSON", "返回了状态 500"),
        ("other form", "返回了状态 200"),
        ("", "请先填写“文本”"),
    ],
)
def test_errors_are_said_and_the_next_answer_is_whole(driver, text, wanted):
    choose(driver, "reviews")
    ask(driver, text)
    wrong = wait(driver, ".wrong", wanted)
    assert wrong.get_attribute("role") == "alert"
    assert not find(driver, ".details *")
    assert not find(driver, ".said")[0].text
    ask(driver, "很好")
    wait(driver, ".said", "75.0%")
    assert not wrong.is_displayed()
    # What the test's own server made up is no mistake of the page.
    driver.get_log("browser")


def test_an_answer_later_than_that_to_a_newer_question_is_left_aside(driver):
    choose(driver, "ner")
    ask(driver, fake_server.SLOW)
    wait(driver, ".said", "正在计算")
    assert find(driver, "button.main[aria-busy=true]")
    ask(driver, "在北京")
    wait(driver, ".said", "找到 1 个实体")
    time.sleep(1.5 * fake_server.SLOW_SECS)
    wait(driver, ".said", "找到 1 个实体")
    assert not find(driver, "[aria-busy]")


def test_a_sentence_without_a_blank_is_not_sent(server, driver):
    choose(driver, "mini")
    ask(driver, "没有空")
    wait(driver, ".wrong", "句子里没有空")
    assert not server.asked
    find(driver, "form .buttons button")[1].click()
    field = find(driver, "textarea")[0]
    assert field.get_property("value") == "没有空【？】"
    assert driver.switch_to.active_element == field


def test_a_server_that_is_gone_is_said(driver):
    choose(driver, "reviews")
    driver.execute_cdp_cmd("Network.enable", {})
    gone = {
        "offline": True,
        "latency": 0,
        "downloadThroughput": -1,
        "uploadThroughput": -1,
    }
    driver.execute_cdp_cmd("Network.emulateNetworkConditions", gone)
    try:
        ask(driver, "很好")
        wait(driver, ".wrong", "无法连接服务器")
    finally:
        there = gone | {"offline": False}
        driver.execute_cdp_cmd("Network.emulateNetworkConditions", there)
    ask(driver, "很好")
    wait(driver, ".said", "75.0%")


def test_a_server_without_models_says_so(server, driver):
    models, server.data = server.data, []
    try:
        driver.refresh()
        wait(driver, "#loading", "还没有模型")
    finally:
        server.data = models


def test_a_key_is_asked_for_once_and_kept_for_the_tab(server, driver):
    server.needs_key = True
    driver.refresh()
    field = wait(driver, "#key")
    field.send_keys("wrong")
    find(driver, "#ask-ok")[0].click()
    wait(driver, "#ask-why", "不接受")
    find(driver, "#ask-no")[0].click()
    wait(driver, "#failed", "没有输入密钥")
    find(driver, "#failed button")[0].click()
    wait(driver, "#key").send_keys(fake_server.KEY + "\n")
    wait(driver, "section.card")
    choose(driver, "reviews")
    ask(driver, "很好")
    wait(driver, ".said", "75.0%")
    driver.refresh()
    wait(driver, "section.card")
    assert not find(driver, "#key")[0].is_displayed()
    kept = driver.execute_script(
        "return [Object.values(sessionStorage), Object.values(localStorage)]"
    )
    assert fake_server.KEY in kept[0] and fake_server.KEY not in kept[1]

"""The page of the server: languages, keys, colours, narrow windows, names."""

import itertools
import json

import pytest

from tests.serving import browser, fake_server
from tests.serving.browser import choose, find, wait

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("opened")]


def test_the_language_is_the_browsers_until_one_is_chosen(driver):
    html = find(driver, "html")[0]
    assert html.get_attribute("lang") == "zh-CN"
    choose(driver, "reviews")
    find(driver, "textarea")[0].send_keys("半句")
    find(driver, "#languages button[value=en]")[0].click()
    wait(driver, "h2", "Classify a text")
    assert html.get_attribute("lang") == "en"
    # What was written stays, and so does the choice.
    assert find(driver, "textarea")[0].get_property("value") == "半句"
    driver.refresh()
    wait(driver, "h2", "Classify a text")
    assert find(driver, "#languages [aria-pressed=true]")[0].text == "English"


def test_the_keyboard_alone_is_enough(server, driver):
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    def press(*keys):
        chain = ActionChains(driver)
        for key in keys:
            chain.send_keys(key)
        chain.perform()
        return driver.switch_to.active_element

    stops = [press(Keys.TAB) for _ in range(4)]
    assert [x.get_attribute("id") or x.text for x in stops] == [
        "skip",
        "model",
        "中文",
        "English",
    ]
    # Back to the models, and down to the classifier by its name.
    ActionChains(driver).key_down(Keys.SHIFT).send_keys(
        Keys.TAB, Keys.TAB
    ).key_up(Keys.SHIFT).perform()
    assert press("r").get_attribute("id") == "model"
    wait(driver, "h2", "文本分类")
    press(Keys.TAB, Keys.TAB)
    assert press(Keys.TAB).tag_name == "textarea"
    press("fine", Keys.TAB)
    focused = press(Keys.ENTER)
    assert focused.text == "运行"
    wait(driver, ".said", "75.0%")
    # What has the focus is marked.
    outline = focused.value_of_css_property("outline-style")
    assert outline == "solid"
    examples = [press(Keys.TAB) for _ in range(2)]
    press(Keys.ENTER)
    wait(driver, ".said", "75.0%")
    assert server.asked[-1][1]["inputs"] == [examples[-1].text]


_WEIGHTS = (0.2126, 0.7152, 0.0722)


def _luminance(colour):
    """Returns the relative luminance of "rgb(1, 2, 3)", as WCAG 2.2 has it."""
    values = colour[colour.index("(") + 1 : -1].split(",")[:3]
    linear = [
        x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4
        for x in (float(value) / 255 for value in values)
    ]
    return sum(w * x for w, x in zip(_WEIGHTS, linear, strict=True))


_TEXTS = """
const bare = (node) => getComputedStyle(node).backgroundColor;
const rows = [];
for (const node of document.querySelectorAll('body *')) {
  const own = [...node.childNodes].some(
    (child) => child.nodeType === 3 && child.data.trim());
  const box = node.getBoundingClientRect();
  if (!own || !box.width || node.closest('.unseen, .skip, option')) continue;
  let under = node;
  while (under && bare(under).startsWith('rgba(0, 0, 0, 0')) {
    under = under.parentElement;
  }
  const style = getComputedStyle(node);
  rows.push([node.textContent, style.fill !== 'rgb(0, 0, 0)' ? style.fill
    : style.color, bare(under ?? document.body)]);
}
return rows;
"""


@pytest.mark.parametrize(
    ("width", "dark"),
    list(itertools.product((browser.WIDE, browser.PHONE), (False, True))),
)
def test_it_fits_and_can_be_read(driver, width, dark):
    browser.look(driver, width, dark=dark)
    for model in ("mini", "reviews", "topics", "endings", "ner", "cmrc"):
        choose(driver, model)
        for section in find(driver, "section.card"):
            for example in section.find_elements(
                "css selector", ".examples li:first-child button"
            ):
                example.click()
        wait(driver, ".details *")
        inner, whole = driver.execute_script(
            "return [innerWidth, document.documentElement.scrollWidth]"
        )
        assert inner == width and whole <= width, model
        for text, ink, paper in driver.execute_script(_TEXTS):
            pair = sorted((_luminance(ink), _luminance(paper)))
            contrast = (pair[1] + 0.05) / (pair[0] + 0.05)
            assert contrast >= 4.5, (text, ink, paper)


def test_every_part_has_a_name(driver):
    driver.execute_cdp_cmd("Accessibility.enable", {})
    for model in [x["id"] for x in fake_server.MODELS]:
        choose(driver, model)
        nodes = driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})
        for node in nodes["nodes"]:
            role = node.get("role", {}).get("value")
            if node.get("ignored") or role not in (
                *("button", "textbox", "combobox", "form", "region"),
                *("image", "group", "list", "heading"),
            ):
                continue
            if role == "list" or node["name"]["value"]:
                continue
            raise AssertionError(json.dumps(node))


@pytest.mark.parametrize(
    ("model", "facts", "curve"),
    [
        (
            "mini",
            ["4 × 256", "5,406,464", "312,000", "2,941", "3.126", "42.2%"],
            "训练集损失：第 0 步为 10，第 2,940 步为 3.109。",
        ),
        (
            "reviews",
            ["4 × 312", "7,444,010", "225,181", "2.500"],
            "训练集损失：第 100 步为 9，第 300 步为 4.25。 "
            "留出集损失：第 200 步为 8，第 300 步为 5.5。",
        ),
    ],
)
def test_the_card_says_what_the_server_knows(driver, model, facts, curve):
    choose(driver, model)
    (picture,) = find(driver, "svg.curve")
    assert picture.get_attribute("aria-label") == curve
    said = [x.text for x in find(driver, ".facts dd")]
    assert not {*facts} - {*said}
    assert "0.8313" in said and "undefined" not in "".join(said)
    lines = find(driver, "svg .line:not(.axis)")
    assert len([x for x in lines if x.get_attribute("d").count("L")]) == (
        curve.count("损失")
    )

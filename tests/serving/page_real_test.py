"""The page of a real server that asks for a key, in a real browser."""

import pytest

from tests.serving import browser, served
from tests.serving.browser import ask, bars, choose, find, wait

served.skip_without_server()
pytestmark = pytest.mark.slow
_KEY = "钥匙 of the tests"


@pytest.fixture(name="address", scope="module")
def start_server(tmp_path_factory):
    path = served.write(tmp_path_factory.mktemp("page"))
    keys = path / "keys.txt"
    keys.write_text(f"another\n{_KEY}\n", encoding="utf-8")
    with served.started(
        f"--model_dir={path / 'classes'},{path / 'answers'},{path / 'encoder'}",
        "--max_seq_length=16",
        f"--api_keys_file={keys}",
    ) as (address, _):
        yield address


@pytest.fixture(name="page")
def open_page(address, driver):
    """The page, for which the right key was given at the second try."""
    browser.look(driver)
    driver.get(address)
    driver.get_log("browser")
    wait(driver, "#key").send_keys("wrong\n")
    wait(driver, "#key").send_keys(f"{_KEY}\n")
    wait(driver, "section.card")
    yield
    said = [x["message"] for x in driver.get_log("browser")]
    # Only what was refused for its key is noted.
    assert not [x for x in said if "401" not in x]


def _predict(address, where, **body):
    return served.post(address, where, _KEY, **body)["answers"]


def test_the_page_shows_what_the_server_answers(address, page, driver):
    choose(driver, "classes")
    ask(driver, "w1 w2 w3")
    wait(driver, ".bars")
    wanted = _predict(address, "predict", model="classes", inputs=["w1 w2 w3"])
    shares = {name: share for name, (share, _) in bars(driver).items()}
    assert shares == {
        name: f"{100 * value:.1f}%"
        for name, value in wanted[0]["probabilities"].items()
    }

    choose(driver, "encoder")
    ask(driver, "w1 【？】 w3")
    wait(driver, ".bars")
    wanted = _predict(
        address, "fill-mask", model="encoder", inputs=["w1 【？】 w3"], top_k=5
    )
    words = [x["token"] for x in wanted[0][0]["words"]]
    assert list(bars(driver)) == words

    choose(driver, "answers")
    ask(driver, "w1 w2", "w3 w4 w5 w6")
    wait(driver, ".text")
    wanted = _predict(
        address,
        "predict",
        model="answers",
        inputs=[{"question": "w1 w2", "context": "w3 w4 w5 w6"}],
    )
    assert wanted[0]["answer"] in find(driver, "main")[0].text

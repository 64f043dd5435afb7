"""A real browser without a window, and the page of the server in it."""

import contextlib
import shutil
import time

import pytest

WIDE = 1280
PHONE = 390
_HEIGHT = 900
_WAIT_SECS = 20
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def start(folder, language="zh-CN"):
    """Returns a browser, or skips the test where there is none.

    Args:
        folder: where it keeps what it writes; a new one.
        language: that its user wants.
    """
    paths = [shutil.which(name) for name in ("chromium", "chromedriver")]
    if not all(paths):
        pytest.skip("no chromium with its chromedriver")
    webdriver = pytest.importorskip("selenium.webdriver")
    options = webdriver.ChromeOptions()
    options.binary_location = paths[0]
    for flag in (
        *_FLAGS,
        f"--user-data-dir={folder}",
        f"--lang={language}",
        f"--accept-lang={language}",
    ):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(executable_path=paths[1])
    return webdriver.Chrome(options=options, service=service)


def look(driver, width=WIDE, *, dark=False):
    """Sets the width of the window, in pixels, and the scheme of colours."""
    driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {
            "width": width,
            "height": _HEIGHT,
            "deviceScaleFactor": 1,
            "mobile": width < WIDE,
        },
    )
    scheme = {
        "name": "prefers-color-scheme",
        "value": "dark" if dark else "light",
    }
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})


@contextlib.contextmanager
def opened(driver, server):
    """The page as a new visitor has it; nothing is refused by its policy."""
    server.needs_key = False
    server.asked.clear()
    look(driver)
    driver.get(server.url)
    driver.execute_script("localStorage.clear(); sessionStorage.clear();")
    driver.get_log("browser")
    driver.refresh()
    wait(driver, "section.card")
    yield
    said = [x["message"] for x in driver.get_log("browser")]
    # The browser notes each answer that is an error.
    wrong = [x for x in said if "Failed to load resource" not in x]
    assert not wrong


def find(driver, selector):
    return driver.find_elements("css selector", selector)


def wait(driver, selector, text=None):
    """Returns the first element, once it is there and has the text."""
    end = time.monotonic() + _WAIT_SECS
    while time.monotonic() < end:
        for element in find(driver, selector):
            if element.is_displayed() and (
                text is None or text in element.text
            ):
                return element
        time.sleep(0.05)
    seen = find(driver, "body")[0].text
    raise AssertionError(f"no {selector} with {text!r} in {seen!r}")


def choose(driver, model):
    """Shows a model; the select's own events are what the page hears."""
    find(driver, f"#model option[value={model}]")[0].click()
    wait(driver, "#card + .hint", model)


def ask(driver, *texts, section=0):
    """Writes into the fields of a form and sends it."""
    form = find(driver, "form[aria-labelledby]")[section]
    for field, text in zip(
        form.find_elements("css selector", "input, textarea"),
        texts,
        strict=True,
    ):
        field.clear()
        field.send_keys(text)
    form.find_element("css selector", "button.main").click()


def bars(driver):
    """Returns {name: (what is written, the bar's share of its track)}."""
    names = [x.text for x in find(driver, ".bars dt")]
    shares = [x.text for x in find(driver, ".bars .share")]
    widths = driver.execute_script(
        "return [...document.querySelectorAll('.bars .track')].map(track => "
        "track.firstChild.getBoundingClientRect().width / "
        "track.getBoundingClientRect().width)"
    )
    pairs = zip(shares, widths, strict=True)
    return dict(zip(names, pairs, strict=True))


def marks(driver):
    """Returns (text, kind) of what is marked in a text."""
    return [
        (
            driver.execute_script("return arguments[0].firstChild.data", mark),
            "".join(
                x.text for x in mark.find_elements("css selector", "small")
            ),
        )
        for mark in find(driver, ".text mark")
    ]

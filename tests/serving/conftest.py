"""A browser, and a server that answers it without a model."""

import pytest

from tests.serving import browser, fake_server


@pytest.fixture(name="server", scope="module")
def start_server():
    with fake_server.FakeServer() as server:
        yield server


@pytest.fixture(name="driver", scope="module")
def start_browser(tmp_path_factory):
    driver = browser.start(tmp_path_factory.mktemp("chromium"))
    yield driver
    driver.quit()


@pytest.fixture
def opened(server, driver):
    """The page of the server in the browser."""
    with browser.opened(driver, server):
        yield

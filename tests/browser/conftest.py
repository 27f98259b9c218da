"""A headless Chromium without any network, for tests that read pages as a browser does."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.whole_runs import outputs, synthetic_run

__all__ = ["chromium", "outputs", "page", "synthetic_run"]

_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Return Chromium as the system has it installed; skip where it has none."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("Chromium is not installed: on Debian and Ubuntu, `apt-get install chromium`.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(_ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """Return a new page 1200 pixels wide that is refused every address but files; what it asked for is remembered."""
    context: BrowserContext = chromium.new_context(viewport={"width": 1200, "height": 900}, offline=True)
    yield context.new_page()
    context.close()

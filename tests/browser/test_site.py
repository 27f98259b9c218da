"""The site of the documentation in a browser: accessible, and its search finds what is there."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.built_site import site

__all__ = ["site"]


@pytest.mark.parametrize("name", ["docs/index", "build/reference/project-keys", "docs/methods/synthetic-control"])
def test_pages_are_accessible(page: Page, site: Path, name: str) -> None:
    page.goto((site / f"{name}.html").as_uri())
    found = Axe().run(page)
    assert [(one["id"], one["nodes"][0]["html"]) for one in found.response["violations"]] == []


def test_the_search_finds_a_method(page: Page, site: Path) -> None:
    page.goto((site / "search.html").as_uri() + "?q=synthetic+control")
    page.wait_for_selector("#search-results li a")
    titles = page.locator("#search-results li a").all_inner_texts()
    assert any("ynthetic control" in title for title in titles)

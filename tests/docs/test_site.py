"""The documentation builds as a site without a warning, links to what there is, and asks nothing of the network."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest
from axe_playwright_python.sync_playwright import Axe
from lxml import html
from playwright.sync_api import Page

from evalkit.run.commands.catalogue import COMMANDS
from tests.browser.conftest import chromium, page
from tools.make_reference import default_of, type_of

__all__ = ["chromium", "page"]

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the site, built as `python3 run.py docs` builds it; a warning is an error."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", "-c", "docs", ".", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def test_links_lead_to_pages_and_places_that_there_are(site):
    pages = {path: html.parse(str(path)).getroot() for path in site.rglob("*.html")}
    assert len(pages) > 90
    places = {path: {one.get("id") for one in root.iter() if one.get("id")} for path, root in pages.items()}
    broken = []
    for path, root in pages.items():
        for link in root.iter("a"):
            target, place = urldefrag(link.get("href", ""))
            if re.match(r"[a-z]+:", target):
                continue
            found = (path.parent / unquote(target)).resolve() if target else path
            if not found.exists() or (place and found in places and unquote(place) not in places[found] | {""}):
                broken.append((path.relative_to(site).as_posix(), link.get("href")))
    assert broken == []


def test_no_page_asks_the_network_for_anything(site):
    asked = []
    for path in site.rglob("*.html"):
        root = html.parse(str(path)).getroot()
        sources = [
            *root.xpath("//script/@src"),
            *root.xpath("//link[@rel='stylesheet']/@href"),
            *root.xpath("//img/@src"),
        ]
        asked += [(path.name, source) for source in sources if "//" in source]
    assert asked == []


def test_what_is_made_of_the_code_has_every_command_and_every_page_is_listed_for_machines(site):
    options = (site / "build" / "reference" / "command-options.html").read_text(encoding="utf-8")
    assert [name for name in COMMANDS if f'id="evalkit-{name}"' not in options] == []
    listed = (site / "llms.txt").read_text(encoding="utf-8")
    sources = [path.relative_to(ROOT).as_posix() for path in (ROOT / "docs" / "methods").glob("*.md")]
    assert [one for one in sources if one not in listed] == []


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


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"type": "array", "items": {"type": "string"}}, "list of text"),
        ({"anyOf": [{"$ref": "#/$defs/Cost"}, {"type": "null"}]}, "[Cost](#cost) or nothing"),
        ({"enum": ["a", 2]}, '`"a"` or `2`'),
        ({"$ref": "#/$defs/Analysis_areas"}, "[An analysis of the kind areas](#an-analysis-of-the-kind-areas)"),
    ],
)
def test_parts_of_a_schema_in_words(said, expected):
    assert type_of(said) == expected


def test_defaults_in_words():
    assert default_of({"default": 0.95}, is_needed=False) == "`0.95`"
    assert default_of({}, is_needed=True) == "needed"
    assert default_of({}, is_needed=False) == "its own defaults"

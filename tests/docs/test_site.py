"""The documentation builds as a site without a warning, links to what there is, and asks nothing of the network."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest
from lxml import html

from evalkit.run.commands.catalogue import COMMANDS
from tests.built_site import site
from tools.make_reference import default_of, type_of

__all__ = ["site"]

ROOT = Path(__file__).resolve().parents[2]


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

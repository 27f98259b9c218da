"""The kit's own addresses, and those of a user's file in whichever of its forms."""

import json

import pytest

from evalkit.core.errors import InputError
from evalkit.run.commands.fetch import SOURCES
from evalkit.run.fetch.addresses import PLACES, is_here, required_name, required_url, sources
from tests.conftest import ROOT


def given(tmp_path, text, source="gias"):
    path = tmp_path / "addresses.yml"
    path.write_text(text if isinstance(text, str) else json.dumps(text), encoding="utf-8")
    return sources(path)[source]


def test_every_source_that_can_be_typed_has_addresses_that_say_when_they_were_confirmed():
    own = sources()
    assert tuple(own) == SOURCES
    for source in own.values():
        assert source.confirmed == "not confirmed from where this was built"
        assert source.read_in
        assert source.page.startswith("https://")
        for one in source.addresses:
            assert one.url.startswith("https://")
            required_url(one.url, one.name)


@pytest.mark.parametrize(
    ("text", "files"),
    [
        ("gias: http://127.0.0.1:8000/edubasealldata{date}.csv", {"edubasealldata": "edubasealldata{date}.csv"}),
        ("gias: http://127.0.0.1:8000/download?id=7", {"gias": "gias.csv"}),
        ("gias: [http://127.0.0.1:8/a.csv, http://127.0.0.1:8/b.zip]", {"a": "a.csv", "b": "b.zip"}),
        ("gias:\n  url: http://127.0.0.1:8/x\n  file: mine.csv", {"mine": "mine.csv"}),
        ("gias:\n  a: http://127.0.0.1:8/x\n  b:\n    url: http://127.0.0.1:8/y.csv", {"a": "a.csv", "b": "y.csv"}),
        ("gias:\n  schools.csv: http://127.0.0.1:8/x", {"schools.csv": "schools.csv"}),
        ("gias:\n  files:\n    one: http://127.0.0.1:8/x.csv", {"one": "x.csv"}),
        ({"gias": "http://127.0.0.1:8/x.csv"}, {"x": "x.csv"}),
        ({"sources": {"gias": {"one": {"url": "http://127.0.0.1:8/x.csv"}}}}, {"one": "x.csv"}),
        ("gias: http://127.0.0.1:8/{year}/x.csv", {"x": "{year}_x.csv"}),
        ("gias: http://127.0.0.1:8/?la={la}&y={school_year}", {"gias": "gias_{year}_{area}.csv"}),
    ],
)  # fmt: skip
def test_a_users_file_may_have_several_forms(tmp_path, text, files):
    found = given(tmp_path, text)
    made = {one.name: one.file for one in found.addresses}
    assert made == files or list(made.values()) == list(files.values())
    assert found.confirmed == "given in addresses.yml"


def test_sources_that_a_users_file_does_not_name_stay(tmp_path):
    assert given(tmp_path, "gias: http://127.0.0.1:8/x.csv", "ees") == sources()["ees"]


def test_an_address_without_a_path_is_another_server_with_the_same_paths(tmp_path):
    own = sources()["performance-tables"].addresses[0]
    moved = given(tmp_path, "performance-tables: http://127.0.0.1:8000", "performance-tables").addresses[0]
    assert moved.url == own.url.replace(
        "https://www.compare-school-performance.service.gov.uk", "http://127.0.0.1:8000"
    )
    assert (moved.file, moved.missing) == (own.file, own.missing)


def test_reasons_for_missing_years_hold_whatever_the_address(tmp_path):
    text = "performance-tables:\n- http://127.0.0.1:8/{year}_ks2.csv\n- http://127.0.0.1:8/{year}_x.csv"
    ks2, other = given(tmp_path, text, "performance-tables").addresses
    assert (2020 in ks2.missing, 2022 in ks2.missing, ks2.last) == (True, True, None)
    assert (2020 in other.missing, 2022 in other.missing) == (True, False)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        ("gias", "one line for each source"),
        ("[1, 2]", "one line for each source"),
        ("gais: http://a.example/x", "Did you mean 'gias'"),
        ("gias: 7", "an address is a text"),
        ("gias: []", "there is no address"),
        ("gias: {}", "there is no address"),
        ("gias: /a/b.csv", "no address of the web"),
        ("gias: file:///etc/passwd", "no address of the web"),
        ("gias: ftp://a.example/b.csv", "no address of the web"),
        ("gias: http://me:secret@a.example/b.csv", "name or password"),
        ("gias: http://a.example:port/b.csv", "no address of the web"),
        ("gias: http://a.example/{yaer}.csv", "Did you mean 'year'"),
        ("gias:\n  url: http://a.example/x\n  file: ../x.csv", "cannot be a file's name"),
        ("gias:\n  url: http://a.example/x\n  file: a/b.csv", "cannot be a file's name"),
        ("gias:\n  url: http://a.example/x\n  file: NUL.csv", "cannot be a file's name"),
        ("gias: [http://a.example/1/x.csv, http://a.example/2/x.csv]", "two addresses have the name 'x'"),
        ('{"gias": ', "not JSON"),
        ("gias: [http://a.example/{year}.csv]", "line 1: .*Put what has braces in quotes"),
    ],
)
def test_a_users_file_that_cannot_be_understood_is_refused(tmp_path, text, why):
    with pytest.raises(InputError, match=why):
        given(tmp_path, text)


@pytest.mark.parametrize(
    "name", ["..", "a/b", "a\\b", ".hidden", "a.csv.part", "con", "COM1.csv", "a..csv", "x" * 200, ""]
)
def test_a_name_that_could_lead_elsewhere_is_refused(name):
    with pytest.raises(InputError):
        required_name(name, "x")


def test_this_machine_is_known_by_its_names():
    here = ["http://localhost:1/", "http://127.0.0.1/", "http://127.8.9.1/", "http://[::1]:80/", "https://LOCALHOST/x"]
    here += ["http://0.0.0.0/", "http://[::ffff:127.0.0.1]/", "http://localhost./", "http://a.localhost/"]
    elsewhere = ["http://127.0.0.1.example/", "http://localhost.example/", "https://a.example/127.0.0.1"]
    assert [is_here(url) for url in here + elsewhere] == [True] * len(here) + [False] * len(elsewhere)


def test_every_place_is_documented():
    said = (ROOT / "docs" / "reference" / "fetch.md").read_text(encoding="utf-8")
    assert [place for place in PLACES if f"`{{{place}}}`" not in said] == []
    assert [source for source in SOURCES if f"`{source}`" not in said] == []


def test_the_example_of_the_reference_is_understood(tmp_path):
    said = (ROOT / "docs" / "reference" / "fetch.md").read_text(encoding="utf-8")
    example = said.split("```yaml\n")[1].split("```")[0]
    made = {name: given(tmp_path, example, name).addresses for name in SOURCES}
    assert [one.file for one in made["performance-tables"]] == [
        "{year}_ks2.csv",
        "{school_year}_{area}_ks4final.csv",
    ]
    assert [one.name for one in made["ees"]] == ["one", "two"]
    assert {one.url[:22] for one in made["boundaries"]} == {"http://127.0.0.1:8000/"}
    assert made["gias-links"] == sources()["gias-links"].addresses

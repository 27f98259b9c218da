"""The report as one file: whole, accessible, careful with words, and the same every time."""

import csv
import json
import re
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

import pytest
from report_fixture import whole
from report_running import executed

from evalkit.core.errors import EvalkitError
from evalkit.diagnose.project.evaluation import AreasResults
from evalkit.report.documents.document import ExecutedNotebook, read_document
from evalkit.report.documents.html import report_html
from evalkit.report.documents.released import released_files
from evalkit.report.documents.typography import font_faces
from evalkit.report.kinds.areas import FIGURES
from evalkit.report.templates import packaged
from evalkit.report.words.names import forbidden_words


class Outline(HTMLParser):
    """What a test needs to know of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, Any]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, Any]]:
        return [attrs for name, attrs in self.tags if name == tag]


@pytest.fixture(params=["whole", "none"])
def page(request: pytest.FixtureRequest, made: dict[str, dict[str, bytes]]) -> str:
    return made[request.param]["report.html"].decode("utf-8")


def test_every_released_file_is_there(made: dict[str, dict[str, bytes]]) -> None:
    names = set(made["whole"])
    assert {"report.html", "results.json", "tables/effects.csv", "figures/choices.png", "figures/choices.svg"} <= names
    assert {"report.docx", "report.pdf", "summary.pdf"} <= names
    assert {"tables/flow.csv", "tables/flow_before.csv"} <= names
    assert set(made["none"]) == names
    assert "manifest.json" not in names


def test_a_figure_that_a_notebook_shows_is_not_drawn_again(
    evaluation: AreasResults, monkeypatch: pytest.MonkeyPatch, made: dict[str, dict[str, bytes]]
) -> None:
    notebooks, drawn = executed(evaluation), []
    for name in FIGURES:
        monkeypatch.setitem(FIGURES, name, lambda evaluation, name=name: drawn.append(name))
    again = released_files(whole(evaluation), notebooks)
    assert set(drawn) <= {"map"}
    figures = [name for name in made["whole"] if name.startswith("figures/")]
    assert figures
    assert {name: again.get(name) for name in figures} == {name: made["whole"][name] for name in figures}


def test_no_word_claims_more_than_the_design_allows(page: str) -> None:
    assert forbidden_words(page) == []


def test_one_file_without_network_script_or_machine_paths(page: str) -> None:
    outline = Outline(page)
    assert not outline.all("script")
    assert not outline.all("link")
    assert all(image["src"].startswith("data:image/") for image in outline.all("img"))
    assert all(anchor["href"].startswith("#") for anchor in outline.all("a"))
    assert not re.search(r"(?<![\w.])/(?:home|tmp|work|root|Users)/", page)


def test_accessible_structure(page: str) -> None:
    outline = Outline(page)
    assert outline.all("html")[0]["lang"] == "en-GB"
    assert outline.all("title")
    levels = [int(tag[1]) for tag, _ in outline.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    ids = [attrs["id"] for _, attrs in outline.tags if attrs.get("id")]
    assert len(ids) == len(set(ids))
    assert {anchor["href"][1:] for anchor in outline.all("a")} <= set(ids)
    assert len(outline.all("table")) == len(outline.all("caption"))
    assert all(cell["scope"] in ("row", "col", "rowgroup") for cell in outline.all("th"))
    assert all(len(image["alt"]) > 40 for image in outline.all("img"))
    regions = [attrs for _, attrs in outline.tags if attrs.get("role") in ("region", "group")]
    assert all(region["tabindex"] == "0" and region["aria-label"] for region in regions)
    assert any(attrs.get("class") == "skip" for attrs in outline.all("a"))


def test_synthetic_data_are_announced_once_at_the_top(page: str) -> None:
    body = page.split("<body>")[1]
    # once for readers who hear the page; the strip that stays while one scrolls is for the eye alone
    assert body.replace('<div class="mark" aria-hidden="true">SYNTHETIC DATA</div>', "").count("SYNTHETIC DATA") == 1
    assert body.index("SYNTHETIC DATA") < body.index("<h1>")


def test_the_headline_equals_results_json(made: dict[str, dict[str, bytes]]) -> None:
    results = json.loads(made["whole"]["results.json"])
    text = made["whole"]["report.html"].decode("utf-8")
    main = results["effects"][0]
    assert main["estimate"] == results["headline"]["estimate"]
    assert f"rose by {main['estimate']:.2f} points more" in text
    assert f"Of {main['n_areas']} areas analysed the same way, {results['headline']['n_as_large']} (" in text


def test_no_code_is_shown(page: str) -> None:
    assert "open_evaluation" not in page
    assert "report.headline" not in page


def test_two_runs_give_the_same_bytes(made: dict[str, dict[str, bytes]], made_again: dict[str, bytes]) -> None:
    assert [name for name in made_again if made_again[name] != made["whole"][name]] == []


def test_figures_name_no_software_and_no_date(made: dict[str, dict[str, bytes]]) -> None:
    for name, content in made["whole"].items():
        if name.endswith((".png", ".svg")):
            assert b"Matplotlib v" not in content
            assert b"dc:date" not in content
            assert b"Software" not in content


def test_html_that_is_not_released_is_refused(evaluation: AreasResults) -> None:
    cell = {
        "cell_type": "code",
        "source": "frame",
        "outputs": [{"data": {"text/html": "<table><tr><td>3</td></tr></table>"}}],
    }
    with pytest.raises(EvalkitError, match="has not been released"):
        read_document(whole(evaluation), [ExecutedNotebook(name="x", content={"cells": [cell]})])


def test_markup_in_text_cells_is_shown_not_run(evaluation: AreasResults) -> None:
    cell = {"cell_type": "markdown", "source": "# Why?\n\n<script>alert(1)</script>"}
    page = report_html(read_document(whole(evaluation), [ExecutedNotebook(name="x", content={"cells": [cell]})]))
    assert "<script>" not in page
    assert '<h2 id="annex-a-why">Annex A. Why?</h2>' in page


def test_reasons_stand_where_numbers_cannot_be_given(made: dict[str, dict[str, bytes]]) -> None:
    page = made["none"]["report.html"].decode("utf-8")
    assert re.search(
        r'<td colspan="3" role="cell" data-label="[^"]+" class="reason">Six schools are too few\.</td>', page
    )
    assert "nan" not in re.findall(r"[\w.]+", page.split("<body>")[1].lower().split("data:image")[0])


def test_csv_holds_numbers_in_full_and_both_ends(made: dict[str, dict[str, bytes]]) -> None:
    lines = made["whole"]["tables/effects.csv"].decode("utf-8").splitlines()
    assert lines[0] == "design,n_treated,n_comparison,estimate,interval_lower,interval_upper,p_value"
    assert lines[1] == "Statistical neighbours (main),49,563,0.94,0.02,1.86,0.04697986577"


def test_no_cell_of_a_csv_is_blank(made: dict[str, dict[str, bytes]]) -> None:
    for released in made.values():
        for name in (name for name in released if name.endswith(".csv")):
            rows = list(csv.reader(released[name].decode("utf-8").splitlines()))
            assert [row for row in rows if not all(cell.strip() for cell in row)] == [], name


def test_no_bare_na(page: str) -> None:
    assert not re.search(r">\s*n/a\s*<", page)


def test_the_contents_mark_where_the_reader_is_without_a_script(page: str) -> None:
    css = packaged("report.css")
    assert re.search(r"nav ol \{[^}]*scroll-target-group: auto", css)
    assert re.search(r"nav a:target-current \{[^}]*border-left-color", css)
    assert "<script" not in page


def test_the_page_brings_the_typeface_of_figures_and_paper(page: str) -> None:
    faces = re.findall(r'@font-face \{ font-family: "([^"]+)"; font-weight: (\d+); src: url\(data:', page)
    assert faces == [("DejaVu Sans", "400"), ("DejaVu Sans", "700")]
    assert re.search(r'body \{[^}]*"DejaVu Sans"', page)
    assert len(font_faces()) < 60_000
    assert 'font: "DejaVu Sans"' in packaged("report.typ")


def test_no_cell_of_a_csv_is_a_bare_none(made: dict[str, dict[str, bytes]]) -> None:
    for released in made.values():
        for name in (name for name in released if name.endswith(".csv")):
            cells = [cell for row in csv.reader(released[name].decode("utf-8").splitlines()) for cell in row]
            assert not {cell.lower() for cell in cells} & {"none", "nan", "n/a"}, name

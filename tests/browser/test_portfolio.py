"""The portfolio's page in a real browser: sorting, narrowing, links, no network, and accessibility at two widths."""

from dataclasses import replace

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from evalkit.core.quantities import Unavailable
from evalkit.diagnose.portfolio.portfolio import make_portfolio
from evalkit.diagnose.portfolio.project_record import FailedRun, UnreadFolder
from evalkit.diagnose.project.evaluation import evidence_rating
from evalkit.report.portfolio.site import portfolio_files
from tests.portfolio_records import outcome, project, projects

WCAG_22_AA = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def portfolio():
    """Eight projects: two without an effect, two on synthetic data, two themes, three regions, three ratings."""
    made = projects([0.9, -0.5, 0.1, 0.4])
    made[0] = replace(made[0], theme="", region="London", compared=(7, 8), rating=evidence_rating(0.45, 0.0, 0))
    made[1] = replace(made[1], theme="numeracy", compared=(8, 9))
    made[2] = replace(made[2], rating=evidence_rating(Unavailable("No SD."), 0.0, 0))
    lacking = [project(slug, outcome(Unavailable("six schools: too few")), region="South East") for slug in ("y", "z")]
    synthetic = [project(slug, outcome(0.2), data_kind="synthetic") for slug in ("s", "t")]
    failed = (FailedRun("gale", "time limit", "notebooks, How large is it?", "Stopped after 600 seconds.", False),)
    return make_portfolio([*made, *lacking, *synthetic], failed, (UnreadFolder("old", "It has no manifest.json."),))


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site beside the reports it links to."""
    outputs = tmp_path_factory.mktemp("outputs")
    made = portfolio()
    for name, content in portfolio_files(made).items():
        path = outputs / "_portfolio" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    for one in made.projects:
        (outputs / one.slug).mkdir()
        (outputs / one.slug / "report.html").write_text(f"<title>{one.slug}</title>", encoding="utf-8")
    return (outputs / "_portfolio" / "index.html").as_uri()


@pytest.fixture
def opened(page, site):
    """The page opened, with everything it asked for and complained of."""
    asked, said = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(site)
    yield page
    assert said == []
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []


def places(page, shown_only=True):
    """Return the places in the first column of the table of projects, in the order shown."""
    rows = page.locator("#projects-table tbody tr" + (":visible" if shown_only else ""))
    return [text.strip() for text in rows.locator("th .aside").all_inner_texts()]


def header(page, name):
    return page.locator("#projects-table thead th").filter(has=page.get_by_role("button", name=name, exact=True))


def test_it_opens_in_the_order_of_titles(opened):
    assert places(opened) == ["A", "B", "C", "D", "S", "T", "Y", "Z"]
    assert opened.get_by_role("status").inner_text() == "Shown: 8 of 8 projects."
    assert header(opened, "Project").get_attribute("aria-sort") == "ascending"


def test_a_click_sorts_and_another_turns_round(opened):
    opened.get_by_role("button", name="Effect", exact=True).click()
    # −0.5, 0.1, 0.2, 0.2, 0.4, 0.9; without an effect last; equal ones by title
    assert places(opened) == ["B", "C", "S", "T", "D", "A", "Y", "Z"]
    assert header(opened, "Effect").get_attribute("aria-sort") == "ascending"
    assert header(opened, "Project").get_attribute("aria-sort") is None
    assert opened.get_by_role("status").inner_text().endswith("Sorted by Effect, ascending.")
    opened.get_by_role("button", name="Effect", exact=True).click()
    assert places(opened) == ["A", "D", "S", "T", "C", "B", "Y", "Z"]
    assert header(opened, "Effect").get_attribute("aria-sort") == "descending"


def test_the_keyboard_sorts(opened):
    button = opened.get_by_role("button", name="Region", exact=True)
    button.focus()
    opened.keyboard.press("Enter")
    assert places(opened)[:2] == ["A", "B"]  # London, then the North West
    assert places(opened)[-2:] == ["Y", "Z"]
    opened.keyboard.press("Space")
    assert places(opened)[:2] == ["Y", "Z"]
    assert header(opened, "Region").get_attribute("aria-sort") == "descending"
    assert opened.evaluate("document.activeElement.textContent") == "Region"


def test_every_control_is_reached_by_tab_in_order(opened):
    reached = []
    for _ in range(30):
        opened.keyboard.press("Tab")
        reached.append(opened.evaluate("document.activeElement.id || document.activeElement.textContent.trim()"))
    wanted = ["filter-rating", "filter-phase", "filter-theme", "filter-region", "filter-data", "Show all"]
    at = reached.index("filter-rating")
    assert reached[at : at + 6] == wanted
    assert reached.index("Project") < reached.index("Region") < reached.index("Effect")


@pytest.mark.parametrize(
    ("label", "value", "shown"),
    [
        ("Data", "synthetic", ["S", "T"]),
        ("Theme", "numeracy", ["B"]),
        ("Theme", "not stated", ["A"]),
        ("Region", "South East", ["Y", "Z"]),
        ("Evidence", "2 of 5", ["A"]),
        ("Evidence", "not rated", ["C"]),
        ("Phase", "primary", ["A", "B", "C", "D", "S", "T", "Y", "Z"]),
    ],
)
def test_a_choice_narrows_the_table_and_the_count_says_so(opened, label, value, shown):
    opened.get_by_label(label, exact=True).select_option(value)
    assert places(opened) == shown
    assert opened.get_by_role("status").inner_text() == f"Shown: {len(shown)} of 8 projects."


def test_choices_add_up_and_can_be_taken_back(opened):
    opened.get_by_label("Data", exact=True).select_option("published")
    opened.get_by_label("Region", exact=True).select_option("North West")
    opened.get_by_role("button", name="Effect", exact=True).click()
    assert places(opened) == ["B", "C", "D"]
    opened.get_by_label("Theme", exact=True).select_option("not stated")
    assert places(opened) == []
    assert "Choose “Show all”" in opened.get_by_role("status").inner_text()
    opened.get_by_role("button", name="Show all").click()
    expect(opened.get_by_role("status")).to_contain_text("Shown: 8 of 8 projects.")
    assert places(opened) == ["B", "C", "S", "T", "D", "A", "Y", "Z"]  # still sorted by effect


def test_every_report_opens(opened):
    links = opened.locator("#projects-table tbody th a")
    assert links.count() == 8
    links.nth(1).click()
    assert opened.title() == "b"


def test_every_link_of_the_page_leads_to_a_part_of_it(opened):
    for href in opened.eval_on_selector_all("a[href^='#']", "all => all.map(one => one.getAttribute('href'))"):
        assert opened.locator(href).count() == 1, href


@pytest.mark.parametrize("width", [1200, 320])
def test_no_violation_of_wcag_22_aa_and_no_overflow(opened, width):
    opened.set_viewport_size({"width": width, "height": 800})
    opened.get_by_label("Data", exact=True).select_option("published")
    opened.get_by_role("button", name="Effect", exact=True).click()
    assert opened.evaluate("document.documentElement.scrollWidth") <= width
    for details in opened.locator("details").all():
        details.evaluate("one => { one.open = true; }")
    found = Axe().run(opened, options={"runOnly": WCAG_22_AA})
    assert found.response["violations"] == []
    assert opened.evaluate("document.documentElement.scrollWidth") <= width


def test_without_its_script_it_is_a_plain_full_table(chromium, site):
    context = chromium.new_context(java_script_enabled=False, offline=True)
    page = context.new_page()
    page.goto(site)
    assert places(page) == ["A", "B", "C", "D", "S", "T", "Y", "Z"]
    assert page.locator("#filters").is_hidden()
    assert page.locator("#projects-table thead button").count() == 0
    assert page.locator("#projects-table thead th").first.inner_text() == "Project"
    context.close()


def test_figures_have_their_words(opened):
    figures = opened.locator("figure img")
    assert figures.count() == 2
    for figure in figures.all():
        assert figure.get_attribute("alt").startswith("Forest plot of ")
        assert figure.evaluate("one => one.naturalWidth") > 100


def test_paper_shows_the_table_without_controls(opened):
    opened.emulate_media(media="print")
    assert opened.locator("#filters").is_hidden()
    assert opened.get_by_role("status").is_hidden()
    assert opened.locator("#projects-table").is_visible()

"""The report as a browser shows it: to keyboards, small screens, printers, and readers who hear it."""

from __future__ import annotations

import io
import unicodedata
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page
from pypdf import PdfReader

from tests.match_command import run_match

STANDARD = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
OPEN_ALL = "document.querySelectorAll('details').forEach(one => { one.open = true; })"
SPACED = "* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important; }"


@pytest.fixture(scope="session")
def report(synthetic_run) -> Path:
    """Return the report of the Knowsley project on the synthetic England."""
    return synthetic_run / "report.html"


@pytest.fixture(scope="session")
def match_page(tmp_path_factory) -> Path:
    """Return the page of `evalkit match`, with every figure it can have."""
    rng = np.random.default_rng(11)
    need = rng.normal(size=240)
    treated = (need + rng.normal(size=240) > 1).astype(int)
    table = pd.DataFrame(
        {
            "unit": [f"s{i:03d}" for i in range(240)],
            "treated": treated,
            "need": need.round(3),
            "size": rng.integers(20, 90, 240),
            "score_2017": (5 - need + rng.normal(size=240)).round(3),
            "score_2019": (5 - need + treated + rng.normal(size=240)).round(3),
        }
    )
    folder = tmp_path_factory.mktemp("match")
    table.to_csv(folder / "table.csv", index=False)
    asked = ("--treated", "treated", "--on", "need,size,score_2017", "--id", "unit", "--outcome", "score_2019")
    done = run_match(folder / "table.csv", *asked, "--out", str(folder / "page.html"))
    assert done.code == 0, done.err
    return folder / "page.html"


@pytest.fixture(params=["report", "match_page"])
def path(request: pytest.FixtureRequest) -> Path:
    """Return each page that readers are given."""
    found: Path = request.getfixturevalue(request.param)
    return found


def opened(page: Page, path: Path, width: int = 1200) -> Page:
    """Show a file in a window of a width."""
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(path.as_uri())
    return page


def too_wide(page: Page) -> int:
    """Return by how many pixels the page can be scrolled sideways."""
    return int(page.evaluate("document.scrollingElement.scrollWidth - window.innerWidth"))


def focused(page: Page) -> str:
    """Return what the keyboard is at: a link's text, or the tag and label of something else."""
    return str(
        page.evaluate(
            "(one => one.tagName === 'A' ? one.textContent : one.tagName + (one.getAttribute('aria-label') || ''))"
            "(document.activeElement)"
        )
    )


@pytest.mark.parametrize("width", [1200, 320])
def test_no_violation_of_wcag_2_2_aa(page: Page, path: Path, width: int) -> None:
    opened(page, path, width).evaluate(OPEN_ALL)
    found = Axe().run(page, options={"runOnly": STANDARD}).response
    assert len(found["passes"]) > 25
    assert [(v["id"], [n["html"][:120] for n in v["nodes"]]) for v in found["violations"]] == []


def test_axe_sees_what_is_wrong(page: Page, report: Path) -> None:
    """The check above can fail: a figure without its text and pale type are found."""
    opened(page, report).evaluate(
        "document.querySelector('img').removeAttribute('alt'); document.querySelector('main p').style.color = '#bbb'"
    )
    found = Axe().run(page, options={"runOnly": STANDARD}).response
    assert {v["id"] for v in found["violations"]} == {"image-alt", "color-contrast"}


@pytest.mark.parametrize("width", [320, 480, 768, 1200])
def test_the_page_never_scrolls_sideways(page: Page, path: Path, width: int) -> None:
    opened(page, path, width).evaluate(OPEN_ALL)
    assert too_wide(page) <= 0


def test_nor_with_type_of_twice_the_size_or_wide_spacing(page: Page, path: Path) -> None:
    """WCAG 1.4.4, 1.4.10 and 1.4.12: 200 % zoom is half the width, and readers may set type and spacing themselves."""
    opened(page, path, 640).add_style_tag(content="html { font-size: 200% !important; }")
    assert too_wide(page) <= 0
    opened(page, path, 320).add_style_tag(content=SPACED)
    assert too_wide(page) <= 0
    hidden = "[...document.querySelectorAll('main p, main li')].filter(e => e.scrollWidth > e.clientWidth + 1).length"
    assert page.evaluate(hidden) == 0


def test_whatever_scrolls_can_be_reached_by_keyboard(page: Page, path: Path) -> None:
    opened(page, path, 320).evaluate(OPEN_ALL)
    scrolling = page.evaluate(
        "[...document.querySelectorAll('*')].filter(e => e.scrollWidth > e.clientWidth + 1 && "
        "['auto', 'scroll'].includes(getComputedStyle(e).overflowX))"
        ".map(e => [e.tabIndex, e.getAttribute('aria-label')])"
    )
    assert scrolling
    assert all(index == 0 and label for index, label in scrolling)
    page.evaluate("document.querySelector('img').closest('.scroll').focus()")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.activeElement.scrollLeft > 0")


def test_the_first_tab_skips_to_the_report(page: Page, path: Path) -> None:
    opened(page, path).keyboard.press("Tab")
    assert focused(page).startswith("Skip to the")
    assert page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")


def test_tab_goes_through_the_contents_and_on_into_the_report(page: Page, report: Path) -> None:
    opened(page, report)
    contents = page.evaluate("[...document.querySelectorAll('nav a')].map(a => a.textContent)")
    page.keyboard.press("Tab")  # the skip link
    for text in contents:
        page.keyboard.press("Tab")
        assert focused(page) == text
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")
    page.evaluate("document.querySelector('details > summary').focus()")
    page.keyboard.press("Enter")
    assert page.evaluate("document.querySelector('details').open")


def test_a_link_of_the_contents_leads_to_its_heading(page: Page, report: Path) -> None:
    opened(page, report)
    anchors = page.evaluate("[...document.querySelectorAll('nav a')].map(a => a.getAttribute('href').slice(1))")
    headings = page.evaluate("[...document.querySelectorAll('main h2, main h3')].map(h => h.id)")
    assert anchors == headings
    page.click(f"nav a[href='#{anchors[-1]}']")
    top = page.evaluate(f"document.getElementById('{anchors[-1]}').getBoundingClientRect().top")
    assert -1 < top < 900  # pages scroll by whole pixels


@pytest.mark.parametrize("selector", ["nav a", "main .scroll", "main summary"])
def test_what_has_the_focus_is_seen(page: Page, report: Path, selector: str) -> None:
    opened(page, report).keyboard.press("Tab")  # so that focus counts as moved by keyboard
    page.evaluate(f"document.querySelector('{selector}').focus()")
    style = page.evaluate(
        "(s => [s.outlineStyle, parseFloat(s.outlineWidth), s.outlineColor])(getComputedStyle(document.activeElement))"
    )
    assert style == ["solid", 3, "rgb(179, 71, 0)"]  # 5.6 to 1 on white


def test_nothing_is_asked_of_a_network(page: Page, path: Path) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    opened(page, path).evaluate(OPEN_ALL)
    page.wait_for_load_state("networkidle")
    assert [url for url in asked if not url.startswith("data:")] == [path.as_uri()]
    assert page.evaluate("document.scripts.length") == 0
    assert page.evaluate("[...document.images].every(i => i.complete && i.naturalWidth > 0)")


def test_nothing_moves_for_readers_who_ask_for_rest(page: Page, path: Path) -> None:
    page.emulate_media(reduced_motion="reduce")
    opened(page, path)
    moving = page.evaluate(
        "[...document.querySelectorAll('*')].filter(e => { const s = getComputedStyle(e); return s.animationName !== "
        "'none' || s.transitionDuration !== '0s' || s.scrollBehavior === 'smooth'; }).length"
    )
    assert moving == 0


def test_no_table_scrolls_sideways_on_a_screen_of_1280_pixels(page: Page, report: Path) -> None:
    opened(page, report, 1280)
    wide = "[...document.querySelectorAll('.evalkit-table .scroll')].filter(e => e.scrollWidth > e.clientWidth + 1)"
    assert page.evaluate(f"{wide}.map(e => e.getAttribute('aria-label'))") == []
    assert page.evaluate("document.querySelectorAll('.evalkit-table .scroll').length") > 20


def test_the_contents_mark_where_the_reader_is(page: Page, report: Path) -> None:
    opened(page, report, 1280)
    accent = "getComputedStyle(a).borderLeftColor === 'rgb(11, 79, 138)'"
    look = f"[...document.querySelectorAll('nav a')].filter(a => {accent})"
    seen = []
    for at in (1, 3):
        page.evaluate(f"document.querySelectorAll('main h2')[{at}].scrollIntoView()")
        page.wait_for_timeout(200)
        seen.append(page.evaluate(f"{look}.map(a => a.textContent)"))
    assert [len(one) for one in seen] == [1, 1]
    assert seen[0] != seen[1]


def test_print_leaves_out_what_only_a_screen_needs(page: Page, report: Path) -> None:
    opened(page, report)
    page.emulate_media(media="print")
    for selector in (".skip", "summary"):
        assert page.evaluate(f"getComputedStyle(document.querySelector('{selector}')).display") == "none"


def as_typed(text: str) -> str:
    """Return a text without what a font makes of its letters: `fi` and `ffi` may be one sign each on paper."""
    return unicodedata.normalize("NFKC", text)


def test_words_are_read_back_from_paper_whatever_the_font() -> None:
    assert as_typed("Satis\N{LATIN SMALL LIGATURE FI}ed, e\N{LATIN SMALL LIGATURE FFI}cient") == "Satisfied, efficient"


def test_the_printed_pages_cut_no_table(page: Page, report: Path) -> None:
    """Every last cell of a row stands on the paper: A4 less its margins is 182 mm wide."""
    opened(page, report, 688)
    page.emulate_media(media="print")
    cut = page.evaluate(
        "[...document.querySelectorAll('main table, main img')].filter(e => e.getBoundingClientRect().right > "
        "document.querySelector('main').getBoundingClientRect().right + 1).map(e => e.outerHTML.slice(0, 150))"
    )
    assert cut == []
    printed = PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True)))
    text = "\n".join(as_typed(sheet.extract_text()) for sheet in printed.pages)
    printed_words = page.evaluate(
        "[...document.querySelectorAll('main h2, main h3, .evalkit-table .panel th')].map(e => e.textContent)"
    )
    flat = "".join(text.split())
    assert [words for words in printed_words if "".join(as_typed(words).split()) not in flat] == []
    assert {tuple(round(float(side)) for side in sheet.mediabox[2:]) for sheet in printed.pages} == {(595, 842)}


@pytest.mark.parametrize("width", [1200, 320])
def test_type_in_figures_can_be_read(page: Page, report: Path, width: int) -> None:
    """The smallest type is 10 points on a figure 7.5 inches (720 CSS pixels) wide: never under 9 pixels."""
    opened(page, report, width)
    widths = page.evaluate("[...document.images].map(i => i.getBoundingClientRect().width)")
    assert widths
    assert all(10 / 72 * 96 * shown / 720 >= 9 for shown in widths)


def test_synthetic_data_are_named_wherever_one_has_scrolled_to_and_on_each_printed_page(
    page: Page, report: Path
) -> None:
    opened(page, report).evaluate("scrollTo(0, 5000)")
    assert page.evaluate("document.querySelector('.mark').getBoundingClientRect().top") == 0
    printed = PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True)))
    assert all("SYNTHETIC DATA" in as_typed(sheet.extract_text()) for sheet in printed.pages)


def test_long_texts_are_cards_on_a_small_screen(page: Page, report: Path) -> None:
    """Nothing in a card is a sliver: every cell is as wide as the card, under the name of its column."""
    opened(page, report, 320)
    narrow = "[...document.querySelectorAll('.cards td')].filter(e => e.getBoundingClientRect().width < 220).length"
    assert page.evaluate("document.querySelectorAll('.cards td').length") > 20
    assert page.evaluate(narrow) == 0
    label = page.evaluate("getComputedStyle(document.querySelector('.cards td'), '::before').content")
    assert len(label) > 3

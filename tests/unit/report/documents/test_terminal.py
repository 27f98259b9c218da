"""A document on a terminal: the same parts as on a page, in lines that fit."""

from io import BytesIO

import docx
import pytest

from evalkit.core.quantities import Interval, Unavailable
from evalkit.core.sentence import Sentence, count
from evalkit.report.border.disclosure import release
from evalkit.report.border.parts import Document, Heading, Prose, Text, released_document
from evalkit.report.border.table import Column, Table
from evalkit.report.documents.html import report_html
from evalkit.report.documents.pdf import pdf_report
from evalkit.report.documents.terminal import WIDTH, terminal_text
from evalkit.report.documents.word import word_report
from tests.unit.report.document_fixture import figure, small_table
from tests.unit.report.pdf_reading import all_text, squeezed


def lines(*parts, **top):
    return terminal_text(Document(**({"title": "Title"} | top), sections=(parts,))).splitlines()


def table(*rows, **more):
    columns = (
        Column("name", "Name"),
        Column("n", "Schools", "count"),
        Column("effect", "Effect", "estimate", decimals=3),
        Column("interval", "95% interval", "interval", decimals=3),
    )
    return release(Table(caption="By school", columns=columns, rows=rows, **more), 0)


def test_a_table_is_aligned_and_its_reasons_stand_below_it():
    none = Unavailable("One treated area has no spread.")
    shown = table(("a", 12, -1.23456, Interval(-2.0, 1.0)), ("bb", 1234, none, none), notes=("A note.",))
    # names: 4 wide (the header); counts: 7 (the header); effects: 6; intervals: 15 ("−2.000 to 1.000")
    assert lines(shown) == [
        "Title",
        "",
        "By school",
        "  Name  Schools  Effect     95% interval",
        "  a          12  −1.235  −2.000 to 1.000",
        "  bb      1,234     [1]              [1]",
        "  [1] One treated area has no spread.",
        "  A note.",
    ]


def test_a_caption_is_not_said_twice_under_a_heading_of_the_same_words():
    shown = table(("a", 12, 1.0, Interval(0.0, 1.0)))
    assert lines(Heading(1, "By school"), shown).count("By school") == 1
    assert lines(Heading(1, "Other"), shown)[1:5] == ["", "Other", "", "By school"]


def test_long_texts_are_parted_inside_their_column_and_no_line_is_too_long():
    long = "Each cohort is compared with units that are never treated, period by period, and then averaged. " * 2
    columns = (
        Column("name", "Estimator"),
        Column("effect", "Effect", "estimate"),
        Column("what", "What it compares"),
        Column("how", "How it is made"),
    )
    rows = (("group-time", 1.0, long, long), ("imputation", 2.0, "short", "x"))
    made = lines(release(Table(caption="Estimators", columns=columns, rows=rows), 0))
    assert max(map(len, made)) <= WIDTH
    assert " ".join(made).count("period by") == 4  # twice in each of two cells
    [at] = [i for i, line in enumerate(made) if line.startswith("  imputation")]
    assert made[at].split() == ["imputation", "2.00", "short", "x"]


def test_headers_are_parted_before_numbers_are():
    columns = (Column("name", "Name"), *(Column(f"n{i}", f"Rather long header {i}", "number") for i in range(9)))
    made = lines(release(Table(caption="Wide", columns=columns, rows=(("a", *[1.25] * 9),)), 0))
    assert max(map(len, made)) <= WIDTH
    assert made[-1].split() == ["a", *["1.25"] * 9]
    assert len(made) > 5  # the header takes several lines


def test_sentences_lists_written_text_and_figures_have_their_words():
    drawn = figure()
    made = lines(
        Heading(2, "What could be wrong"),
        Prose(("One.", "Two."), "list"),
        Text("Some *words*\n\n- a bullet"),
        drawn,
        face=("The answer.",),
        question="What?",
    )
    assert made[:6] == ["Title", "What?", "  The answer.", "", "What could be wrong", "  - One."]
    assert "  Some words" in made
    assert "  - a bullet" in made
    flat = " ".join(" ".join(made).split())
    assert drawn.caption in flat
    assert drawn.alt in flat


def test_nothing_commands_the_terminal():
    assert "\x1b" not in terminal_text(Document(title="a\x1b[2J", sections=((Prose(("b\x9b1m",)),),)))


def drawings(document):
    """Return what every drawing says, without white space and hyphens, as lines are broken where there is room."""
    word = docx.Document(BytesIO(word_report(document)))
    return {
        "terminal": squeezed(terminal_text(document)),
        "page": squeezed(report_html(document)),
        "word": squeezed(" ".join(paragraph.text for paragraph in word.paragraphs)),
        "pdf": all_text(pdf_report(document)),
    }


SECRET = Sentence("{lost} were left out.", lost=count(3, of="people", noun="person", nouns="people"))


@pytest.mark.parametrize("drawing", ["terminal", "page", "word", "pdf"])
def test_every_drawing_withholds_what_the_border_withholds(drawing):
    document = Document(title="T", face=(SECRET,), sections=((Prose((SECRET, "Words."), "list"),),))
    assert drawings(document)[drawing].count("3peoplewereleftout.") == 2
    withheld = drawings(released_document(document, 10))[drawing]
    assert "3people" not in withheld
    assert withheld.lower().count("fewerthan10peoplewereleftout.") == 2


def test_a_document_without_a_project_speaks_of_none():
    document = Document(title="T", face=("Said.",), sections=((Heading(1, "H"), release(small_table(), 0)),))
    for text in drawings(document).values():
        assert "results.json" not in text
        assert "Contents" not in text
        assert "project" not in text


def test_very_small_numbers_are_written_in_powers_of_ten():
    columns = (Column("name", "Name"), Column("effect", "Effect", "estimate", is_in_powers=True))
    made = lines(release(Table(caption="Small", columns=columns, rows=(("a", -3.2e-14),)), 0))
    assert made[-1].split() == ["a", "−3.2e−14"]

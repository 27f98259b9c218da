"""The page: numbers of tables and figures, cards of small screens, marks of synthetic data."""

import re
from io import BytesIO

from document_fixture import figure, make_document, released, small_table
from docx import Document as read_docx

from evalkit.report.border.markup import table_html
from evalkit.report.border.parts import Heading
from evalkit.report.border.table import Column, Table
from evalkit.report.documents.html import report_html
from evalkit.report.documents.word import word_report


def test_tables_and_figures_have_the_numbers_of_the_paper():
    panels = Table(
        caption="Every outcome",
        columns=(Column("outcome", "Outcome"), Column("n", "Schools", "school_count")),
        rows=(("Reading", 30), ("Maths", 40)),
        panel_by="outcome",
    )
    parts = (Heading(1, "One"), released(panels), figure(), released(small_table()), figure())
    document = make_document(sections=(parts,))
    page = report_html(document)
    # the panels of a table share its number
    shown = re.findall(r'<span class="number">([^<]*)</span>', page)
    assert shown == ["Table 1.", "Figure 1.", "Table 2.", "Figure 2."]
    made = read_docx(BytesIO(word_report(document)))
    captions = [p.text for p in made.paragraphs if p.style.name.lower() == "caption"]
    assert [re.match(r"\w+ \d+\.", text)[0] for text in captions] == shown


def test_a_table_elsewhere_has_no_number():
    assert 'class="number"' not in table_html(small_table())
    assert 'class="number"' not in figure()._repr_html_()


def test_a_table_with_long_texts_can_be_cards_whose_cells_are_named():
    html = table_html(small_table())
    assert 'class="scroll"' in html
    assert '<td role="cell" data-label="95% interval" class="num">0.02 to 1.86</td>' in html
    # the reason takes two columns and is named after both
    assert 'data-label="Estimate, 95% interval"' in html
    columns = (Column("a", "Check"), Column("b", "Verdict"), Column("c", "What it says"))
    long = Table(caption="Checks", columns=columns, rows=(("One", "Caution", "word " * 20),))
    assert 'class="scroll cards"' in table_html(long)
    for role in ("table", "rowgroup", "row", "columnheader", "rowheader", "cell"):
        assert f'role="{role}"' in html


def test_synthetic_data_are_named_on_every_screen_and_every_printed_page():
    page, plain = report_html(make_document()), report_html(make_document(banner=""))
    assert '<div class="mark" aria-hidden="true">SYNTHETIC DATA</div>' in page
    assert '@top-right { content: "SYNTHETIC DATA"' in page
    assert "SYNTHETIC DATA" not in plain

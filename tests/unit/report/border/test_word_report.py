"""report.docx: native tables that fit and repeat their headers, real headings, alt text, and the same bytes."""

import io
import re
import zipfile

import docx
import pytest
from document_fixture import figure, make_document, released, small_table, wide_table
from docx.oxml.ns import qn
from lxml import etree

from evalkit.report.border.disclosure import ReleasedTable
from evalkit.report.border.markup import shown_rows
from evalkit.report.border.parts import Document, Heading, Text
from evalkit.report.documents.word import word_report
from evalkit.report.documents.word_xml import run

TEXT_WIDTH = 11906 - 2 * 1134
"""Twentieths of a point between the margins of an A4 page."""


@pytest.fixture(scope="module")
def content():
    return word_report(make_document())


@pytest.fixture(scope="module")
def made(content):
    return docx.Document(io.BytesIO(content))


def style_names(made):
    return [paragraph.style.name for paragraph in made.paragraphs]


def test_headings_are_real_ones(made):
    found = [(p.style.name, p.text) for p in made.paragraphs if p.style.name.startswith("Heading")]
    expected = [(f"Heading {part.level}", part.text) for part in make_document().parts if isinstance(part, Heading)]
    assert found == expected
    assert made.paragraphs[0].text.startswith("SYNTHETIC DATA")
    assert [p.text for p in made.paragraphs if p.style.name == "Title"] == [make_document().title]


def test_every_cell_stands_in_a_native_table(made):
    tables = [part.table for part in make_document().parts if isinstance(part, ReleasedTable)]
    assert len(made.tables) == len(tables)
    for drawn, table in zip(made.tables, tables, strict=True):
        rows = [[tc_text(cell) for cell in row._tr.tc_lst] for row in drawn.rows]
        assert rows[0] == [column.header for column in table.shown_columns]
        assert rows[1:] == [[cell.text for cell in row] for row in shown_rows(table)]


def tc_text(cell):
    return "".join(text.text or "" for text in cell.iter(qn("w:t"))).replace("\u00a0", " ")


def test_an_interval_is_not_broken_and_a_range_of_words_is_searched_as_one(made):
    cells = [text.text for text in made.element.iter(qn("w:t"))]
    assert "0.02\u00a0to\u00a01.86" in cells
    assert run("the SHA-256 of it").count("<w:noBreakHyphen/>") == 1


def test_headers_repeat_rows_stay_whole_and_reasons_share_a_cell(made):
    for table in made.tables:
        first, *rest = (row._tr.xml for row in table.rows)
        assert "<w:tblHeader/>" in first
        assert all("<w:cantSplit/>" in row for row in (first, *rest))
        assert not any("<w:tblHeader/>" in row for row in rest)
    spans = [found.get(qn("w:val")) for found in made.tables[0]._tbl.iter(qn("w:gridSpan"))]
    assert spans == ["2"]


def test_numbers_stand_right_and_words_left(made):
    names = [cell.paragraphs[0].style.name for cell in made.tables[0].rows[1].cells]
    assert names == ["Table Text", "Table Number", "Table Number", "Table Number"]
    assert str(made.styles["Table Number"].paragraph_format.alignment).startswith("RIGHT")


def test_captions_are_words_own_and_numbered(made):
    before = [table._tbl.getprevious() for table in made.tables]
    assert all("SEQ Table" in paragraph.xml and "keepNext" in paragraph.xml for paragraph in before)
    texts = [p.text for p in made.paragraphs if p.style.name == "Caption"]
    assert texts == [
        "Figure 1. A line",
        "Table 1. Difference in change, by design (progress points)",
        "Table 2. Every area",
        "Table 3. Many measurements",
    ]


def test_no_table_is_wider_than_its_page(made):
    for table in made.tables:
        widths = [int(column.get(qn("w:w"))) for column in table._tbl.tblGrid]
        assert sum(widths) <= (16838 - 2300 - 200 if len(widths) > 10 else TEXT_WIDTH)
        for row in table.rows:
            cells = [int(cell.find(f".//{qn('w:tcW')}").get(qn("w:w"))) for cell in row._tr.tc_lst]
            assert sum(cells) == sum(widths)


def test_a_wide_table_stands_on_a_turned_page_of_its_own(made):
    turned = [section for section in made.sections if section.page_width > section.page_height]
    assert len(made.sections) == 3
    assert len(turned) == 1
    assert all(section.header.paragraphs[0].text == "SYNTHETIC DATA" for section in made.sections)


def test_figures_have_their_words_in_both_places(made):
    (shape,) = made.inline_shapes
    assert shape._inline.docPr.get("descr") == figure().alt
    (picture,) = shape._inline.iter(qn("pic:cNvPr"))
    assert picture.get("descr") == figure().alt
    assert shape.width <= TEXT_WIDTH * 635


def test_the_contents_stand_there_before_anyone_updates_them(made):
    entries = [p for p in made.paragraphs if p.style.name.lower().startswith("toc ") and "Heading" not in p.style.name]
    assert [p.text for p in entries] == [
        p.text for p in make_document().parts if isinstance(p, Heading) and p.level < 3
    ]
    xml = "".join(p._p.xml for p in entries)
    assert "TOC \\o" in xml
    anchors = re.findall(r'w:anchor="(\w+)"', xml)
    assert set(anchors) <= set(re.findall(r'bookmarkStart[^>]*w:name="(\w+)"', made.element.xml))
    kinds = re.findall(r'fldCharType="(\w+)"', made.element.xml)
    assert kinds.count("begin") == kinds.count("separate") == kinds.count("end")


def test_title_language_pages_and_banner(made, content):
    properties = made.core_properties
    assert (properties.title, properties.language, properties.author) == (make_document().title, "en-GB", "")
    assert 'w:lang w:val="en-GB"' in made.styles.element.xml
    assert "PAGE" in made.sections[0].footer._element.xml
    assert "SYNTHETIC DATA" in made.sections[0].header._element.xml
    published = docx.Document(io.BytesIO(word_report(make_document(banner=""))))
    assert "SYNTHETIC" not in published.element.xml + published.sections[0].header._element.xml


def test_written_text_keeps_its_looks(made):
    paragraph = next(p for p in made.paragraphs if p.text.startswith("The answer first"))
    looks = {run.text: (run.bold, run.italic) for run in paragraph.runs}
    assert looks["first"] == (None, True)
    assert looks["what"] == (True, None)
    assert [p.text for p in made.paragraphs if p.text in ("one", "two")] == ["one", "two"]


def test_text_before_a_table_stays_with_it(made):
    paragraph = next(p for p in made.paragraphs if p.text == "A sentence before the table.")
    assert paragraph.paragraph_format.keep_with_next


def test_links_lead_only_to_addresses():
    text = Text("[good](https://example.org/a?b=1&c=2) and [bad](javascript:alert(1)) and [file](file:///etc/passwd)")
    content = word_report(make_document(sections=((text,),)))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        relations = archive.read("word/_rels/document.xml.rels").decode()
    assert re.findall(r'Target="(\w+:[^"]*)"', relations) == ["https://example.org/a?b=1&amp;c=2"]


def test_what_xml_cannot_hold_is_left_out():
    content = word_report(make_document(title="A\x00B\ud800C\x0b", sections=((Text("x\x01y ]]> &amp;"),),)))
    made = docx.Document(io.BytesIO(content))
    assert "ABC" in [p.text for p in made.paragraphs]
    assert "xy ]]> &" in " ".join(p.text for p in made.paragraphs)


def test_every_xml_part_is_well_formed_and_ids_are_single(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            if name.endswith((".xml", ".rels")):
                etree.fromstring(archive.read(name))
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    made = docx.Document(io.BytesIO(content))
    ids = [found.get(qn("w:id")) for found in made.element.iter(qn("w:bookmarkStart"))]
    assert len(ids) == len(set(ids))


def test_the_same_content_gives_the_same_bytes(content):
    assert word_report(make_document()) == content


def test_nothing_of_this_machine_or_of_the_library_is_told(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        text = b" ".join(archive.read(name) for name in archive.namelist()).decode("utf-8", "ignore")
    assert "python-docx" not in text
    assert not re.search(r"/(?:home|tmp|work|root)/", text)


def test_an_empty_report_is_a_document():
    made = docx.Document(io.BytesIO(word_report(make_document(sections=(), face=(), question=""))))
    assert "Contents" not in [p.text for p in made.paragraphs]


def test_the_report_of_an_evaluation_shows_what_the_page_shows(made_files: dict[str, bytes]) -> None:
    made = docx.Document(io.BytesIO(made_files["report.docx"]))
    page = made_files["report.html"].decode("utf-8")
    headings = [p.text for p in made.paragraphs if p.style.name in ("Heading 1", "Heading 2")]
    assert len(headings) == len(re.findall(r"<h[23] ", page))
    assert len(made.inline_shapes) == page.count("<img ")


@pytest.fixture
def made_files(made: object) -> dict[str, bytes]:
    from report_fixture import make_evaluation, whole
    from report_running import executed

    from evalkit.report.documents.document import read_document
    from evalkit.report.documents.html import report_html

    evaluation = make_evaluation()
    document: Document = read_document(whole(evaluation), executed(evaluation))
    return {"report.docx": word_report(document), "report.html": report_html(document).encode()}


def test_two_tables_never_touch():
    part = released(small_table())
    made = docx.Document(io.BytesIO(word_report(make_document(sections=((part, part, released(wide_table())),)))))
    body = [child.tag.rsplit("}", 1)[-1] for child in made.element.body]
    assert "tbltbl" not in "".join(body)
    assert body[-2:] == ["p", "sectPr"]

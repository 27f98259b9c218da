"""report.pdf and summary.pdf: tagged, whole, nothing printed over anything, the same bytes every time."""

import re
from dataclasses import replace

import pypdf
import pytest
import typst
from document_fixture import figure, long_table, make_document, released, small_table, wide_table
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pdf_reading import all_text, overlaps, reader, squeezed, text_boxes

from evalkit.core.errors import EvalkitError
from evalkit.report.border.disclosure import ReleasedTable
from evalkit.report.border.markup import shown_rows
from evalkit.report.border.parts import Figure, Heading, Prose, Text
from evalkit.report.border.table import Column, Table
from evalkit.report.documents.markdown import written_blocks
from evalkit.report.documents.pdf import pdf_report, summary_pdf
from evalkit.report.documents.typography import printable

MARGIN = 50.0
"""Points of a page's edge in which no word stands but those of header and footer."""


@pytest.fixture(scope="module")
def content():
    return pdf_report(make_document())


def expected_words(document):
    """Yield every sentence and cell that paper shows."""
    yield from (document.title, document.question, document.banner, *document.face)
    for part in document.parts:
        if isinstance(part, Heading):
            yield part.text
        elif isinstance(part, Text):
            yield from (block.text for block in written_blocks(part.markdown))
        elif isinstance(part, Prose):
            yield from part.sentences
        elif isinstance(part, Figure):
            yield part.caption
        else:
            yield from table_words(part)


def table_words(part: ReleasedTable):
    yield from (*part.table.above, *part.table.notes)
    table = part.table
    yield from (table.caption, *(column.header for column in table.shown_columns))
    yield from (cell.text for row in shown_rows(table) for cell in row)


def test_it_is_tagged_and_says_that_it_is_accessible(content):
    root = reader(content).trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert "/StructTreeRoot" in root
    assert root["/Lang"] == "en-GB"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert b"pdfuaid" in root["/Metadata"].get_data()
    assert reader(content).metadata.title == make_document().title


def test_headings_tables_and_figures_carry_their_tags(content):
    tags = structure(reader(content).trailer["/Root"]["/StructTreeRoot"])
    names = [name for name, _ in tags]
    assert {"/Table", "/TR", "/TH", "/TD", "/Caption", "/Figure", "/H1", "/H2", "/L", "/LI", "/TOC"} <= set(names)
    assert names.count("/Table") == 3
    assert figure().alt in [alt for name, alt in tags if name == "/Figure"]


def structure(node):
    """Return the tags of a tree with their alternative texts."""
    node = node.get_object() if hasattr(node, "get_object") else node
    if isinstance(node, list):
        return [found for child in node for found in structure(child)]
    if not isinstance(node, pypdf.generic.DictionaryObject) or "/K" not in node:
        return []
    here = [(str(node["/S"]), str(node.get("/Alt", "")))] if "/S" in node else []
    return here + structure(node["/K"])


def test_bookmarks_are_the_headings(content):
    def titles(outline):
        return [t for entry in outline for t in (titles(entry) if isinstance(entry, list) else [entry.title])]

    found = titles(reader(content).outline)
    expected = [part.text for part in make_document().parts if isinstance(part, Heading)]
    assert [title for title in found if title != "Contents"] == expected


def test_every_sentence_and_cell_can_be_found(content):
    text = all_text(content)
    assert [words for words in expected_words(make_document()) if squeezed(words) not in text] == []


def test_nothing_is_printed_over_anything_and_nothing_leaves_its_page(content):
    for (width, height), boxes in text_boxes(content):
        assert boxes
        assert overlaps(boxes) == []
        for left, bottom, right, top in boxes:
            assert left >= MARGIN
            assert right <= width - MARGIN
            assert bottom >= 20
            assert top <= height - 20


def test_a_long_table_repeats_its_header_on_every_page():
    document = make_document(sections=((released(long_table()),),))
    pages = [page.extract_text() for page in reader(pdf_report(document)).pages]
    with_rows = [page for page in pages if "What happened in area" in page]
    assert len(with_rows) >= 2
    assert all(re.search(r"What happened\s", page) for page in with_rows)
    numbers = [n for page in with_rows for n in re.findall(r"What happened in area (\d+)", page)]
    assert numbers == [str(n) for n in range(1, 91)]


def test_a_wide_table_turns_its_page():
    sizes = [size for size, _ in text_boxes(pdf_report(make_document(sections=((released(wide_table()),),))))]
    assert [width > height for width, height in sizes].count(True) == 1


def test_words_too_long_for_their_cell_are_broken_not_printed_over():
    long = "x" * 300
    rows = tuple((long, long, f"row {i}", 1.5) for i in range(3))
    columns = (Column("a", "A" * 90), Column("b", "B"), Column("c", "C"), Column("d", "D", "number"))
    content = pdf_report(make_document(sections=((released(Table(caption=long, columns=columns, rows=rows)),),)))
    for (width, _), boxes in text_boxes(content):
        assert overlaps(boxes) == []
        assert all(right <= width - MARGIN for _, _, right, _ in boxes)
    assert all_text(content).count(long) >= 6


def test_a_row_taller_than_a_page_is_shown_whole():
    words = " ".join(f"word{i}" for i in range(2500))
    table = Table(caption="Tall", columns=(Column("a", "A"), Column("b", "B")), rows=(("x", words), ("y", "z")))
    text = all_text(pdf_report(make_document(sections=((released(table),),))))
    assert [i for i in range(2500) if f"word{i}" not in text] == []


def test_pages_are_numbered_and_marked(content):
    pages = reader(content).pages
    for number, page in enumerate(pages, start=1):
        assert f"Page {number} of {len(pages)}" in page.extract_text()
        assert "SYNTHETIC DATA" in page.extract_text()
    assert "SYNTHETIC" not in all_text(pdf_report(make_document(banner="")))


def test_the_same_content_gives_the_same_bytes(content):
    assert pdf_report(make_document()) == content
    assert b"CreationDate" not in content


@pytest.mark.parametrize("part", [Prose(()), Prose(("",)), Text("---"), Text("![no](x.png)"), Text("1. a\n\n> b")])
def test_odd_parts_are_drawn(part):
    assert pdf_report(make_document(sections=((part,),), question="", face=()))


def test_an_empty_table_is_drawn():
    table = Table(caption="Nothing was found", columns=(Column("a", "Area"),), rows=())
    assert "Nothingwasfound" in all_text(pdf_report(make_document(sections=((released(table),),))))


def test_markup_is_shown_as_it_is():
    said = "#panic() *a* _b_ $x$ <l> @r `c` \\u{41} // no /* no */ [z] = h - i + j ~ 'k' \"m\" https://a.uk #let x = 1"
    text = all_text(pdf_report(make_document(sections=((Prose((said,)), Prose((said,), "list")),), title=said)))
    assert text.count(squeezed(said)) >= 3


def test_what_no_font_shows_is_marked():
    assert printable("a\U0001f9a9b\u4e2d") == "a\ufffdb\ufffd"
    assert printable("x" * 50) == "\u200b".join("x" * 50)
    assert printable(" a\n\t b\u2028c\x00") == "a b c\ufffd"
    assert printable("−0.5 ≤ τ – “é” √¾ Σw²") == "−0.5 ≤ τ – “é” √¾ Σw²"
    assert pdf_report(make_document(title="\U0001f600 \u0627\u0644", question="\u4e2d\u6587"))


letters = st.text(
    st.characters(min_codepoint=33, max_codepoint=0x24F, exclude_categories=["Cc", "Cf", "Zs"]), max_size=30
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(letters, min_size=1, max_size=4))
def test_any_words_come_out_as_they_went_in(words):
    said = "Begin " + " ".join(words) + " end."
    table = Table(caption="Words", columns=(Column("a", "A"),), rows=((said,),))
    text = all_text(pdf_report(make_document(sections=((Prose((said,)), released(table)),))))
    assert text.count(squeezed(printable(said))) >= 2


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=40), st.text(max_size=40))
def test_any_text_at_all_can_be_set(said, title):
    table = Table(caption=said or "c", columns=(Column("a", said),), rows=((said,),), unit=said, notes=(said,))
    parts = (Heading(1, f"A {said}"), Text(said), Prose((said,), "list"), released(table))
    assert pdf_report(make_document(sections=(parts,), title=f"A {title}", question=said))


def test_what_the_typesetter_refuses_is_a_sentence():
    with pytest.raises(EvalkitError, match=r"^The PDF could not be made: .*heading level.* Please report this\.$"):
        pdf_report(make_document(sections=((Heading(1, "A?"), Heading(3, "B?")),)))


def test_a_summary_is_exactly_one_page():
    content = summary_pdf(make_document())
    assert len(reader(content).pages) == 1
    text = all_text(content)
    first = make_document(sections=make_document().sections[:1])
    assert [words for words in expected_words(first) if squeezed(words) not in text] == []
    assert "Whatcouldbewrong" not in text
    ((width, height), boxes) = text_boxes(content)[0]
    assert overlaps(boxes) == []
    assert all(left > 0 and right < width and bottom > 15 and top < height for left, bottom, right, top in boxes)


def test_a_longer_summary_takes_smaller_type():
    def size(n):
        document = make_document(sections=((*make_document().sections[0], Prose(("A sentence of words. " * n,))),))
        content = summary_pdf(document)
        assert len(reader(content).pages) == 1
        return max(top - bottom for left, bottom, _, top in text_boxes(content)[0][1] if left > 50)

    assert size(250) < size(1)


def test_a_summary_that_cannot_fit_is_refused_in_a_sentence():
    with pytest.raises(EvalkitError, match=r"does not fit on one page in 5.5 point type\. Shorten"):
        summary_pdf(make_document(sections=((Prose(("Too many words. " * 2000,)),),)))


def test_a_figure_without_a_text_would_be_refused(content):
    # The standard itself is checked: a picture without words does not compile as PDF/UA-1.
    source = '#set document(title: "T")\n#image(bytes(sys.inputs.f), format: "svg")'
    with pytest.raises(typst.TypstError, match="alt"):
        typst.compile(source.encode(), format="pdf", sys_inputs={"f": figure().svg.decode()}, pdf_standards=["ua-1"])
    assert replace(make_document()).slug == "invented"
    assert released(small_table())

"""A reference document gives the report its look and nothing else, and a file that is none is refused in a sentence."""

import io
import re
import zipfile

import docx
import pytest
from document_fixture import figure, make_document
from docx.enum.section import WD_SECTION
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor

from evalkit.core.errors import InputError
from evalkit.report.documents.word import word_report
from evalkit.report.documents.word_reference import require_reference


def saved(document):
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def branded():
    """Return a university's document: its own headings, pages, header, and a body with a picture that is not ours."""
    document = docx.Document()
    document.styles["Heading 1"].font.name = "Georgia"
    document.styles["Heading 1"].font.color.rgb = RGBColor(0x66, 0x00, 0x66)
    document.styles["Normal"].font.size = Pt(12)
    section = document.sections[0]
    section.page_width, section.page_height = Cm(21.0), Cm(29.7)
    section.left_margin = section.right_margin = Cm(3)
    section.header.paragraphs[0].text = "University of Invention"
    document.add_heading("Text of the template", 1)
    document.add_picture(io.BytesIO(figure().png), width=Cm(4))
    document.core_properties.author = "Somebody"
    return document


@pytest.fixture(scope="module")
def made():
    return docx.Document(io.BytesIO(word_report(make_document(), saved(branded()))))


def test_its_styles_pages_and_header_win(made):
    assert made.styles["Heading 1"].font.name == "Georgia"
    assert made.styles["Normal"].font.size == Pt(12)
    upright = [section for section in made.sections if section.page_width < section.page_height]
    assert all(abs(section.left_margin - Cm(3)) < 1000 for section in upright)
    header = [paragraph.text for paragraph in made.sections[0].header.paragraphs]
    assert header == ["SYNTHETIC DATA", "University of Invention"]


def test_its_text_pictures_and_author_are_left_out(made):
    assert "Text of the template" not in [p.text for p in made.paragraphs]
    assert made.core_properties.author == ""
    assert len(made.inline_shapes) == 1
    other = docx.Document(io.BytesIO(word_report(make_document(sections=()), saved(branded()))))
    assert not [r for r in other.part.rels.values() if r.reltype.endswith("/image")]


def test_styles_that_it_lacks_are_added(made):
    for name in ("Table Text", "Table Number", "Table Note", "Report Headline", "Report Banner", "Report Table"):
        assert made.styles[name]
    ids = [style.get(qn("w:styleId")) for style in made.styles.element.findall(qn("w:style"))]
    assert len(ids) == len(set(ids))
    used = set(re.findall(r'w:(?:pStyle|tblStyle|rStyle) w:val="([^"]+)"', made.element.xml))
    assert used <= set(ids)
    defaults = [s for s in made.styles.element.findall(qn("w:style")) if s.get(qn("w:default")) == "1"]
    assert len([s for s in defaults if s.get(qn("w:type")) == "paragraph"]) == 1


def test_tables_fit_its_narrower_lines(made):
    # 21 cm less 3 cm on both sides is 15 cm, 8504 twentieths of a point
    for table in made.tables[:2]:
        assert sum(int(column.get(qn("w:w"))) for column in table._tbl.tblGrid) <= 8505


def test_a_style_id_that_is_taken_is_not_taken_twice():
    document = branded()
    style = document.styles.add_style("Something else", 1)
    style.element.set(qn("w:styleId"), "TableText")
    made = docx.Document(io.BytesIO(word_report(make_document(), saved(document))))
    assert made.styles["Something else"].style_id == "TableText"
    assert made.styles["Table Text"].style_id == "TableText2"
    assert made.styles["Table Number"].base_style.name == "Table Text"


def test_the_header_of_an_earlier_section_is_inherited_and_every_kind_is_marked():
    document = branded()
    document.sections[0].different_first_page_header_footer = True
    document.sections[0].first_page_header.paragraphs[0].text = "First"
    document.add_section(WD_SECTION.NEW_PAGE)
    document.settings.odd_and_even_pages_header_footer = True
    made = docx.Document(io.BytesIO(word_report(make_document(), saved(document))))
    section = made.sections[0]
    for header in (section.header, section.first_page_header, section.even_page_header):
        assert header.paragraphs[0].text == "SYNTHETIC DATA"
    assert section.header.paragraphs[1].text == "University of Invention"


def test_a_document_without_lists_gets_them():
    document = docx.Document()
    part = document.part
    for key in [key for key, related in part.rels.items() if related.reltype.endswith("/numbering")]:
        part.rels.pop(key)
    for style in [s for s in document.styles.element.findall(qn("w:style")) if "List" in s.get(qn("w:styleId"))]:
        document.styles.element.remove(style)
    made = docx.Document(io.BytesIO(word_report(make_document(), saved(document))))
    numbers = {found.get(qn("w:numId")) for found in made.part.numbering_part.element.findall(qn("w:num"))}
    used = {n.get(qn("w:val")) for n in made.styles.element.iter(qn("w:numId"))}
    assert used
    assert used <= numbers


def test_a_template_elsewhere_is_not_fetched():
    document = branded()
    settings = document.part._settings_part
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/attachedTemplate"
    key = settings.relate_to("https://example.org/evil.dotm", kind, is_external=True)
    attached = OxmlElement("w:attachedTemplate")
    attached.set(qn("r:id"), key)
    document.settings.element.append(attached)
    with zipfile.ZipFile(io.BytesIO(word_report(make_document(), saved(document)))) as archive:
        text = b"".join(archive.read(name) for name in archive.namelist())
    assert b"example.org" not in text


def test_the_same_reference_gives_the_same_bytes():
    reference = saved(branded())
    assert word_report(make_document(), reference) == word_report(make_document(), reference)


def as_macros(content):
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(out, "w") as target:
        for name in source.namelist():
            kind = b"wordprocessingml.document.main+xml", b"ms-word.document.macroEnabled.main+xml"
            target.writestr(name, source.read(name).replace(b"openxmlformats-officedocument." + kind[0], kind[1]))
    return out.getvalue()


def without(content, left_out):
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(out, "w") as target:
        for name in source.namelist():
            if name != left_out:
                target.writestr(name, source.read(name))
    return out.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"plain text",
        b"PK\x03\x04 broken",
        saved(docx.Document())[:4000],
        as_macros(saved(docx.Document())),
        without(saved(docx.Document()), "word/document.xml"),
        b"%PDF-1.7",
    ],
)
def test_what_is_no_word_document_is_refused_in_a_sentence(content):
    with pytest.raises(InputError, match=r"a/b\.docx is not a Word document that can be read\. Give a \.docx"):
        require_reference(content, "a/b.docx")


def test_a_huge_file_is_refused_before_it_is_opened():
    with pytest.raises(InputError, match="larger than 20 MB"):
        require_reference(b"0" * 20_000_001, "a/b.docx")


def texts(content):
    """Return every file of an archive as text."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name).decode("utf-8", "replace") for name in archive.namelist()}


OLD = "Reading in Oldtown: an evaluation"


def old_report():
    """Return an old report of the kit after somebody changed it in Word: remarks, properties, a heading's colour."""
    old = make_document(title=OLD, question="Did Oldtown read better?", banner="SYNTHETIC DATA. Made up.")
    document = docx.Document(io.BytesIO(word_report(old)))
    document.styles["Heading 1"].font.name = "Georgia"
    document.sections[0].footer.add_paragraph(f"From: {OLD}, page 3")
    document.add_comment(document.paragraphs[2].runs, text="Secret remark", author="An Author")
    document.core_properties.author = "An Author"
    document.core_properties.category = "Old category"
    return document


@pytest.mark.parametrize("banner", ["", "SYNTHETIC DATA. Nothing here is real."])
def test_an_old_report_as_reference_brings_its_look_and_not_its_words(banner):
    made = word_report(make_document(title="Maths in Newtown", banner=banner), saved(old_report()))
    files = texts(made)
    for word in ("Oldtown", "Secret remark", "An Author", "Old category"):
        assert not [name for name, text in files.items() if word in text], word
    document = docx.Document(io.BytesIO(made))
    header = [p.text for p in document.sections[0].header.paragraphs if p.text]
    assert header == (["SYNTHETIC DATA"] if banner else []) + ["Maths in Newtown"]
    assert "From: Maths in Newtown, page 3" in [p.text for p in document.sections[0].footer.paragraphs]
    assert document.styles["Heading 1"].font.name == "Georgia"
    assert not [name for name in files if "comment" in name or "custom" in name.lower()]


def test_a_report_made_from_a_report_is_retitled_each_time():
    first = word_report(make_document(title="One"), saved(branded()))
    assert "University of Invention" in texts(first)["word/header1.xml"]
    second = word_report(make_document(title="Two"))
    third = docx.Document(io.BytesIO(word_report(make_document(title="Three", banner=""), second)))
    assert [p.text for p in third.sections[0].header.paragraphs] == ["Three"]


def test_no_relation_leads_out_of_a_report():
    """Templates, pictures, links and objects by their addresses, in the text, the header, the settings or a field."""
    document = branded()
    kinds = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
    header = document.sections[0].header
    for part, kind in (
        (document.part, "attachedTemplate"),
        (document.part, "oleObject"),
        (document.part, "frame"),
        (header.part, "image"),
        (header.part, "hyperlink"),
        (document.part._settings_part, "attachedTemplate"),
        (document.part._styles_part, "image"),
    ):
        part.relate_to(f"http://evil.example/{kind}", kinds + kind, is_external=True)
    key = header.part.relate_to("http://evil.example/link", kinds + "hyperlink", is_external=True)
    link = OxmlElement("w:hyperlink")
    link.set(qn("r:id"), key)
    link.append(header.paragraphs[0].runs[0]._r)
    header.paragraphs[0]._p.append(link)
    fetching = OxmlElement("w:instrText")
    fetching.text = ' INCLUDEPICTURE "http://evil.example/x.png" '
    header.paragraphs[0].add_run()._r.append(fetching)
    files = texts(word_report(make_document(), saved(document)))
    assert not [name for name, text in files.items() if "evil.example" in text or 'TargetMode="External"' in text]
    made = docx.Document(io.BytesIO(word_report(make_document(), saved(document))))
    assert made.sections[0].header.paragraphs[-1].text == "University of Invention"


def test_an_attached_template_does_not_reach_the_report(shared):
    reference = shared / "cases" / "tables" / "attached_template.docx"
    if not reference.exists():
        pytest.skip("needs ../shared/cases/tables/attached_template.docx, which is not on this machine")
    files = texts(word_report(make_document(), reference.read_bytes()))
    assert not [name for name, text in files.items() if 'TargetMode="External"' in text or "evil.example" in text]


def test_a_reference_that_swells_is_refused_before_it_is_unpacked():
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in zip_parts(saved(branded())).items():
            archive.writestr(name, part)
        archive.writestr("word/media/large.bin", bytes(201_000_000))
    assert len(content.getvalue()) < 20_000_000
    with pytest.raises(InputError, match="is not a Word document that can be read"):
        require_reference(content.getvalue(), "large.docx")


def zip_parts(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}

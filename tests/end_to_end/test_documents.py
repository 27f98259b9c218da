"""The documents of whole runs, opened by other programs: LibreOffice, and two readers of PDF."""

import io
import re
import shutil
import subprocess

import docx
import pypdf
import pypdfium2
import pytest


@pytest.fixture(params=["synthetic_run", "real_run"])
def folder(request):
    return request.getfixturevalue(request.param)


def squeezed(text):
    return re.sub(r"[\s\u00ad\u200b\ufffe-]+", "", text)


def pdf_text(content):
    document = pypdfium2.PdfDocument(content)
    try:
        return squeezed("".join(page.get_textpage().get_text_range() for page in document))
    finally:
        document.close()


def word_cells(folder):
    for table in docx.Document(str(folder / "report.docx")).tables:
        for row in table._tbl.tr_lst:
            for cell in row.tc_lst:
                yield "".join(paragraph.text for paragraph in cell.p_lst)


def test_word_and_pdf_show_the_same_tables(folder):
    text = pdf_text((folder / "report.pdf").read_bytes())
    cells = [cell for cell in word_cells(folder) if cell]
    assert len(cells) > 500
    assert [cell for cell in cells if squeezed(cell) not in text] == []


def test_the_three_documents_have_the_same_headings(folder):
    page = (folder / "report.html").read_text(encoding="utf-8")
    of_page = [re.sub(r"&#(?:x27|39);", "'", text) for text in re.findall(r"<h[23] id=[^>]*>([^<]*)</h", page)]
    word = docx.Document(str(folder / "report.docx"))
    assert [p.text for p in word.paragraphs if p.style.name in ("Heading 1", "Heading 2")] == of_page

    def titles(outline):
        return [t for entry in outline for t in (titles(entry) if isinstance(entry, list) else [entry.title])]

    found = titles(pypdf.PdfReader(folder / "report.pdf").outline)
    assert [title for title in found if title != "Contents"] == of_page


def test_no_words_are_printed_over_others_or_off_the_page(folder):
    for name in ("report.pdf", "summary.pdf"):
        document = pypdfium2.PdfDocument((folder / name).read_bytes())
        for page in document:
            width, height = page.get_size()
            text = page.get_textpage()
            boxes = sorted(text.get_rect(i) for i in range(text.count_rects()))
            assert all(left > 40 and right < width - 40 for left, _, right, _ in boxes)
            assert all(bottom > 15 and top < height - 15 for _, bottom, _, top in boxes)
            assert list(_covering(boxes)) == []
        document.close()


def _covering(boxes):
    for i, (left, bottom, right, top) in enumerate(boxes):
        for other in boxes[i + 1 :]:
            if other[0] >= right - 1:
                break
            if min(right, other[2]) - max(left, other[0]) > 1 and min(top, other[3]) - max(bottom, other[1]) > 1.5:
                yield boxes[i], other


def test_pdfs_are_tagged_and_the_summary_is_one_page(folder):
    for name in ("report.pdf", "summary.pdf"):
        root = pypdf.PdfReader(folder / name).trailer["/Root"]
        assert root["/MarkInfo"]["/Marked"]
        assert root["/Lang"] == "en-GB"
        assert b"pdfuaid" in root["/Metadata"].get_data()
    assert len(pypdf.PdfReader(folder / "summary.pdf").pages) == 1


def test_libreoffice_opens_the_word_document_and_keeps_its_words(folder, tmp_path):
    program = shutil.which("soffice")
    if program is None:
        pytest.skip("LibreOffice is not installed")
    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    command = [program, profile, "--headless", "--convert-to", "pdf", "--outdir", str(tmp_path)]
    subprocess.run([*command, str(folder / "report.docx")], check=True, capture_output=True, timeout=180)
    converted = (tmp_path / "report.pdf").read_bytes()
    text = pdf_text(converted)
    assert [cell for cell in word_cells(folder) if squeezed(cell) not in text] == []
    assert 10 <= len(pypdf.PdfReader(io.BytesIO(converted)).pages) <= 80

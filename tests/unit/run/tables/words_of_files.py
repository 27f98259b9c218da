"""The words of a file that a command wrote, whatever its kind."""

import io
import re
from html import unescape

import docx

from tests.unit.report.pdf_reading import all_text, squeezed


def words_of(path):
    """Return every word of a file, those for readers who see no figures included, without white space and hyphens."""
    content = path.read_bytes()
    if path.suffix == ".pdf":
        return all_text(content)
    if path.suffix == ".docx":
        document = docx.Document(io.BytesIO(content))
        cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
        alts = re.findall(r'descr="([^"]*)"', document.element.xml)
        return squeezed(" ".join([*(paragraph.text for paragraph in document.paragraphs), *cells, *alts]))
    page = re.sub(r"<style>.*?</style>", " ", content.decode(), flags=re.DOTALL)
    alts = re.findall(r'alt="([^"]*)"', page)
    return squeezed(unescape(" ".join([re.sub(r"<[^>]+>", " ", page), *alts])))

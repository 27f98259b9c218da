"""Paragraphs, runs and fields of a Word document as XML; words are escaped, and what XML cannot hold is left out."""

from __future__ import annotations

import re
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from evalkit.core.words import cleaned
from evalkit.report.documents.typography import parted

_HYPHEN: Final = '</w:t><w:noBreakHyphen/><w:t xml:space="preserve">'
_NOT_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def clean(text: str) -> str:
    """Return words without what XML cannot hold, and without what turns the order of reading round."""
    return _NOT_XML.sub("", cleaned(text))


def xml_text(text: str) -> str:
    """Return words for the content of an element."""
    return escape(clean(text))


def attribute(text: str) -> str:
    """Return words as the quoted value of an attribute."""
    return quoteattr(clean(text))


def run(text: str, look: str = "") -> str:
    """Return words set alike; `look` is the XML of their properties."""
    properties = f"<w:rPr>{look}</w:rPr>" if look else ""
    words = "".join(_held(part) if is_whole else xml_text(part) for part, is_whole in parted(text))
    return f'<w:r>{properties}<w:t xml:space="preserve">{words}</w:t></w:r>'


def _held(text: str) -> str:
    """Return what is read as one word with spaces and a hyphen at which no line ends."""
    return xml_text(text.replace(" ", "\N{NO-BREAK SPACE}")).replace("-", _HYPHEN)


def tab() -> str:
    """Return a tabulator."""
    return "<w:r><w:tab/></w:r>"


def paragraph(style: str, *content: str, more: str = "") -> str:
    """Return a paragraph in a style; `more` is the XML of further properties, in the order the schema wants."""
    return f'<w:p><w:pPr><w:pStyle w:val="{style}"/>{more}</w:pPr>{"".join(content)}</w:p>'


def field(instruction: str, *shown: str) -> str:
    """Return a field with what it shows until it is updated."""
    return "".join((field_begin(instruction), *shown, field_end()))


def field_begin(instruction: str) -> str:
    """Return the beginning of a field, after which stands what it shows."""
    return (
        '<w:r><w:fldChar w:fldCharType="begin"/></w:r>'
        f'<w:r><w:instrText xml:space="preserve"> {xml_text(instruction)} </w:instrText></w:r>'
        '<w:r><w:fldChar w:fldCharType="separate"/></w:r>'
    )


def field_end() -> str:
    """Return the end of a field."""
    return '<w:r><w:fldChar w:fldCharType="end"/></w:r>'


def bookmarked(number: int, name: str, *content: str) -> str:
    """Return content that links and the table of contents find by name."""
    return f'<w:bookmarkStart w:id="{number}" w:name="{name}"/>{"".join(content)}<w:bookmarkEnd w:id="{number}"/>'

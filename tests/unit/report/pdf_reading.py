"""What a test needs to know of the pages of a PDF."""

import io
import re
import unicodedata

import pypdf
import pypdfium2

Box = tuple[float, float, float, float]


def reader(content: bytes) -> pypdf.PdfReader:
    """Return a reader of the document."""
    return pypdf.PdfReader(io.BytesIO(content))


def squeezed(text: str) -> str:
    """Return a text without white space, hyphens and what a font may join, to find it across broken lines."""
    return re.sub(r"[\s\u00ad\u200b\ufffe-]+", "", unicodedata.normalize("NFKC", text))


def all_text(content: bytes) -> str:
    """Return the words of every page, squeezed."""
    document = pypdfium2.PdfDocument(content)
    try:
        return squeezed("".join(page.get_textpage().get_text_range() for page in document))
    finally:
        document.close()


def text_boxes(content: bytes) -> list[tuple[tuple[float, float], list[Box]]]:
    """Return for each page its size and the boxes of its text: left, bottom, right, top."""
    document = pypdfium2.PdfDocument(content)
    found = []
    try:
        for page in document:
            text = page.get_textpage()
            found.append((page.get_size(), [text.get_rect(i) for i in range(text.count_rects())]))
    finally:
        document.close()
    return found


def overlaps(boxes: list[Box]) -> list[tuple[Box, Box]]:
    """Return pairs of boxes that cover more than a sliver of each other."""
    ordered = sorted(boxes)
    found = []
    for i, (left, bottom, right, top) in enumerate(ordered):
        for other in ordered[i + 1 :]:
            if other[0] >= right - 1:
                break
            width = min(right, other[2]) - max(left, other[0])
            height = min(top, other[3]) - max(bottom, other[1])
            if width > 1 and height > 1.5:
                found.append((ordered[i], other))
    return found

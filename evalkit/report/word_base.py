"""What a Word document starts from: the kit's own look, or the reference document of whoever answers for the report."""

from __future__ import annotations

import io
import zipfile
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final

import docx
from docx.opc.constants import CONTENT_TYPE, RELATIONSHIP_TYPE
from docx.opc.packuri import PackURI
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.parts.numbering import NumberingPart

from evalkit.core.errors import InputError
from evalkit.report.html import packaged
from evalkit.report.word_reference import only_its_look

_LARGEST: Final = 20_000_000
_LARGEST_UNPACKED: Final = 200_000_000
_LISTS: Final = (("BULLET", "bullet", "•"), ("NUMBER", "decimal", "%1."))
_A4: Final = (
    f'<w:sectPr {nsdecls("w")}><w:pgSz w:w="11906" w:h="16838"/>'
    '<w:pgMar w:top="1300" w:right="1134" w:bottom="1200" w:left="1134" w:header="600" w:footer="560" w:gutter="0"/>'
    "</w:sectPr>"
)


@dataclass(frozen=True, slots=True)
class Base:
    """An empty document with every style that a report needs; `styles` gives the id of each by its name.

    `is_own` says that it has the kit's own look; `said` are the title and subject of the reference document, which its
    header may show.
    """

    document: Any
    styles: dict[str, str]
    is_own: bool
    said: tuple[str, str] = ("", "")

    @property
    def section(self) -> Any:
        """Return the settings of its pages."""
        return self.document.element.body.sectPr


def require_reference(content: bytes, name: str) -> None:
    """Raise `InputError` unless a file can be the reference document of a report."""
    _opened(content, name)


def word_base(reference: bytes | None) -> Base:
    """Return an empty document in the kit's look, or in that of a reference document, lacking styles added."""
    document = _own() if reference is None else _opened(reference, "The reference document")
    said = ("", "") if reference is None else _said(document)
    _emptied(document)
    only_its_look(document)
    return Base(document, _styled(document, is_own=reference is None), reference is None, said)


def _said(document: Any) -> tuple[str, str]:
    """Return the title and the subject of a document, empty where it has none that can be read."""
    try:
        properties = document.core_properties
        return str(properties.title or ""), str(properties.subject or "")
    except Exception:  # damaged properties are no reason to refuse a look
        return "", ""


def _own() -> Any:
    document = docx.Document()
    body = document.element.body
    body.replace(body.sectPr, parse_xml(_A4))
    return document


def _opened(content: bytes, name: str) -> Any:
    """Return a reference document; whatever is wrong with the file, the sentence is for whoever supplied it."""
    advice = "Give a .docx saved by Word or LibreOffice, without macros; its styles, header and footer are used."
    if len(content) > _LARGEST:
        raise InputError(f"{name} is larger than {_LARGEST // 1_000_000} MB. {advice}")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            n_bytes = sum(part.file_size for part in archive.infolist())
        if n_bytes > _LARGEST_UNPACKED:
            raise ValueError("swollen")
        document = docx.Document(io.BytesIO(content))
        document.element.body.sectPr.tag  # noqa: B018  # a document without pages is not one to build on
        document.styles.element.findall(qn("w:style"))
    except Exception:  # a broken archive can fail in any of its readers
        raise InputError(f"{name} is not a Word document that can be read. {advice}") from None
    return document


def _emptied(document: Any) -> None:
    """Leave only the settings of the last pages, with the headers and footers that they inherit."""
    body = document.element.body
    pages = list(body.iter(qn("w:sectPr")))
    last = body.sectPr
    for earlier in reversed(pages):
        for found in earlier:
            if found.tag in (qn("w:headerReference"), qn("w:footerReference")) and not _has(last, found):
                last.insert(0, deepcopy(found))
    for child in list(body):
        if child is not last:
            body.remove(child)
    for change in last.findall(qn("w:sectPrChange")):
        last.remove(change)
    for kind in last.findall(qn("w:type")):
        last.remove(kind)


def _has(pages: Any, reference: Any) -> bool:
    kind = reference.get(qn("w:type"))
    return any(found.get(qn("w:type")) == kind for found in pages.findall(reference.tag))


def _styled(document: Any, is_own: bool) -> dict[str, str]:
    """Return the ids of the styles by their names, having added those that lack."""
    held = document.styles.element
    wanted = parse_xml(packaged("word_styles.xml").encode("utf-8"))
    if is_own:
        for child in list(held):
            held.remove(child)
        held.append(deepcopy(wanted.find(qn("w:docDefaults"))))
    known, lists = _ids(held), _lists(document)
    lacking = [style for style in wanted.findall(qn("w:style")) if _name(style) not in known]
    added = {style.get(qn("w:styleId")): _free(style, set(known.values())) for style in lacking}
    ids = {style.get(qn("w:styleId")): known.get(_name(style), "") for style in wanted.findall(qn("w:style"))} | added
    for style in lacking:
        if not is_own and style.get(qn("w:default")) is not None:
            del style.attrib[qn("w:default")]  # a document has its own default, whatever it is called
        for reference in style.iter(qn("w:numId"), qn("w:basedOn"), qn("w:next")):
            value = reference.get(qn("w:val"))
            reference.set(qn("w:val"), lists.get(value) or ids[value])
        style.set(qn("w:styleId"), ids[style.get(qn("w:styleId"))])
        held.append(style)
    return known | _ids(held)


def _free(style: Any, taken: set[str]) -> str:
    name = str(style.get(qn("w:styleId")))
    return next(free for free in (name, *(f"{name}{i}" for i in range(2, 999))) if free not in taken)


def _ids(styles: Any) -> dict[str, str]:
    return {_name(style): style.get(qn("w:styleId")) for style in styles.findall(qn("w:style"))}


def _name(style: Any) -> str:
    found = style.find(qn("w:name"))
    return "" if found is None else str(found.get(qn("w:val"))).lower()


def _lists(document: Any) -> dict[str, str]:
    """Add a list with bullets and one with numbers to a document; return the number of each by its name."""
    numbering = _numbering(document)
    made = {}
    for name, kind, sign in _LISTS:
        abstract = _next(numbering, "w:abstractNum", "w:abstractNumId")
        number = _next(numbering, "w:num", "w:numId")
        first = numbering.find(qn("w:num"))
        definition = parse_xml(
            f'<w:abstractNum {nsdecls("w")} w:abstractNumId="{abstract}"><w:multiLevelType w:val="singleLevel"/>'
            f'<w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="{kind}"/><w:lvlText w:val="{sign}"/>'
            '<w:lvlJc w:val="left"/><w:pPr><w:ind w:left="340" w:hanging="280"/></w:pPr></w:lvl></w:abstractNum>'
        )
        numbering.insert(len(numbering) if first is None else numbering.index(first), definition)
        numbering.append(
            parse_xml(f'<w:num {nsdecls("w")} w:numId="{number}"><w:abstractNumId w:val="{abstract}"/></w:num>')
        )
        made[name] = str(number)
    return made


def _next(numbering: Any, tag: str, key: str) -> int:
    return 1 + max((int(found.get(qn(key))) for found in numbering.findall(qn(tag))), default=0)


def _numbering(document: Any) -> Any:
    """Return the definitions of lists, made where a document has none."""
    part = document.part
    if not any(related.reltype == RELATIONSHIP_TYPE.NUMBERING for related in part.rels.values()):
        element = parse_xml(f"<w:numbering {nsdecls('w')}/>")
        made = NumberingPart(PackURI("/word/numbering.xml"), CONTENT_TYPE.WML_NUMBERING, element, part.package)
        part.relate_to(made, RELATIONSHIP_TYPE.NUMBERING)
    return part.numbering_part.element

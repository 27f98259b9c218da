"""What a Word document starts from: the kit's own look, or a reference document's, and what of it comes in."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final

import docx
from docx.opc.constants import CONTENT_TYPE, RELATIONSHIP_TYPE
from docx.opc.packuri import PackURI
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, nsmap, qn
from docx.parts.numbering import NumberingPart
from lxml import etree

from evalkit.core.errors import InputError
from evalkit.report.documents.word_xml import run
from evalkit.report.templates import packaged

# What a reference document brings into a report: its look, its header and footer, and nothing of another report.

MARK: Final = "SYNTHETIC DATA"
RUNNING_TITLE: Final = "EvalkitRunningTitle"
"""The bookmark around the title that a report sets into its header, by which the next report finds it."""
_KEPT_OF_PACKAGE: Final = ("officeDocument",)
_KEPT_OF_DOCUMENT: Final = ("styles", "settings", "fontTable", "theme", "numbering", "header", "footer")
_KEPT_BELOW: Final = ("image", "font", "theme")
"""Relations that are followed, all to parts inside the file; those to comments, notes, objects and data are not."""
_SETTINGS_LEFT_OUT: Final = (
    *("attachedTemplate", "attachedSchema", "mailMerge", "saveThroughXslt", "docVars", "rsids", "documentProtection"),
    *("writeProtection", "trackRevisions", "footnotePr", "endnotePr", "schemaLibrary", "revisionView"),
)
_FETCHING: Final = re.compile(
    r"\s*(INCLUDEPICTURE|INCLUDETEXT|IMPORT|LINK|DDE|DDEAUTO|RD|HYPERLINK|DATABASE|MACROBUTTON)\b", re.I
)
"""Fields that fetch something from elsewhere, or lead there, whatever relations a file has."""
_OF_RELATIONS: Final = f"{{{nsmap['r']}}}"
_SHORTEST_TITLE: Final = 4


def only_its_look(document: Any) -> None:
    """Leave out of an emptied reference document every part, link and setting that is not its look.

    No relation leads out of the file; comments, notes, custom data, properties and headers no page uses are gone.
    """
    package, part = document.part.package, document.part
    _keep(package, _KEPT_OF_PACKAGE)
    used = {found.get(qn("r:id")) for found in document.element.iter(qn("w:headerReference"), qn("w:footerReference"))}
    for key, related in list(part.rels.items()):
        if _kind(related) in ("header", "footer") and key not in used:
            part.rels.pop(key)
    _without(part, _keep(part, _KEPT_OF_DOCUMENT))
    for below in {id(related.target_part): related.target_part for related in part.rels.values()}.values():
        _without(below, _keep(below, _KEPT_BELOW))
    settings = document.settings.element
    for name in _SETTINGS_LEFT_OUT:
        for found in settings.findall(qn(f"w:{name}")):
            settings.remove(found)
    for place in headers_and_footers(document):
        _quiet(place)


def headers_and_footers(document: Any) -> Iterator[Any]:
    """Yield the element of every header and footer that pages refer to."""
    for related in document.part.rels.values():
        if _kind(related) in ("header", "footer"):
            yield related.target_part.element


def retitled(document: Any, old: tuple[str, str], new: tuple[str, str]) -> None:
    """Set the new title (and question) where headers and footers show those of the report that they come from.

    `old` are the title and the subject in the properties of the reference document. A mark that its data were
    synthetic is taken out: whether those of the new report are, it says itself.
    """
    for place in headers_and_footers(document):
        for found in list(place.iter(qn("w:p"))):
            text = _text(found)
            if text.strip() == MARK:
                _left_out(found)
            elif _is_running_title(found) or (text.strip() and text.strip() == old[0].strip()):
                _say(found, running_title(new[0]))
            else:
                changed = _replaced(text, old, new)
                if changed != text:
                    _say(found, run(changed))


def running_title(title: str) -> str:
    """Return the title as the content of a header, marked so that it is found again."""
    marked = f'<w:bookmarkStart w:id="9001" w:name="{RUNNING_TITLE}"/>'
    return f'{marked}{run(title)}<w:bookmarkEnd w:id="9001"/>'


def _kind(related: Any) -> str:
    return str(related.reltype.rsplit("/", 1)[-1])


def _keep(part: Any, kinds: tuple[str, ...]) -> set[str]:
    """Drop relations that lead out of the file or are of no kind that is kept; return their keys."""
    dropped = {key for key, related in part.rels.items() if related.is_external or _kind(related) not in kinds}
    for key in dropped:
        part.rels.pop(key)
    return dropped


def _without(part: Any, keys: set[str]) -> None:
    """Take out of a part's XML what refers to relations that are gone; the words of a link stay."""
    if not keys:
        return
    element = getattr(part, "element", None)
    if element is not None:
        _cut(element, keys)
    elif part.partname.endswith(".xml"):
        tree = etree.fromstring(part.blob, etree.XMLParser(resolve_entities=False, no_network=True))
        _cut(tree, keys)
        part._blob = etree.tostring(tree, xml_declaration=True, encoding="UTF-8", standalone=True)


def _cut(element: Any, keys: set[str]) -> None:
    for found in list(element.iter(etree.Element)):
        if any(name.startswith(_OF_RELATIONS) and value in keys for name, value in found.attrib.items()):
            _take_out(found)


def _take_out(element: Any) -> None:
    if element.tag == qn("w:hyperlink"):
        _unwrap(element)
        return
    whole = (qn("w:drawing"), qn("w:pict"), qn("w:object"))
    around = next((parent for parent in element.iterancestors() if parent.tag in whole), element)
    if around.getparent() is not None:
        around.getparent().remove(around)


def _unwrap(element: Any) -> None:
    for child in list(element):
        element.addprevious(child)
    element.getparent().remove(element)


def _quiet(place: Any) -> None:
    """Take fields that fetch something, remarks and bindings to other data out of a header or footer."""
    for name in ("w:dataBinding", "w:commentRangeStart", "w:commentRangeEnd", "w:object"):
        for found in list(place.iter(qn(name))):
            found.getparent().remove(found)
    for found in [one for one in place.iter(qn("w:fldSimple")) if _FETCHING.match(one.get(qn("w:instr")) or "")]:
        _unwrap(found)
    for words in [one for one in place.iter(qn("w:instrText")) if _FETCHING.match(one.text or "")]:
        words.getparent().remove(words)
    for reference in list(place.iter(qn("w:commentReference"), qn("w:footnoteReference"), qn("w:endnoteReference"))):
        reference.getparent().remove(reference)


def _is_running_title(element: Any) -> bool:
    return any(mark.get(qn("w:name")) == RUNNING_TITLE for mark in element.iter(qn("w:bookmarkStart")))


def _text(element: Any) -> str:
    return "".join(one.text or "" for one in element.iter(qn("w:t")))


def _replaced(text: str, old: tuple[str, str], new: tuple[str, str]) -> str:
    for before, after in zip(old, new, strict=True):
        if len(before.strip()) >= _SHORTEST_TITLE:
            text = text.replace(before.strip(), after)
    return text


def _say(paragraph: Any, content: str) -> None:
    """Put content in the place of what a paragraph says; what it looks like stays."""
    look = next((one.find(qn("w:rPr")) for one in paragraph.iter(qn("w:r"))), None)
    for child in [child for child in paragraph if child.tag != qn("w:pPr")]:
        paragraph.remove(child)
    made = parse_xml(f"<w:p {nsdecls('w')}>{content}</w:p>")
    for child in list(made):
        if look is not None and child.tag == qn("w:r") and child.find(qn("w:rPr")) is None:
            child.insert(0, parse_xml(etree.tostring(look)))
        paragraph.append(child)


def _left_out(paragraph: Any) -> None:
    """Take a paragraph out; a cell or header that it stands in alone keeps an empty one, as Word wants."""
    others: Iterable[Any] = [one for one in paragraph.getparent().findall(qn("w:p")) if one is not paragraph]
    if others:
        paragraph.getparent().remove(paragraph)
    else:
        _say(paragraph, "")


# What a Word document starts from: the kit's own look, or the reference document of whoever answers for the report.

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

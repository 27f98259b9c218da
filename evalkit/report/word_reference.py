"""What a reference document brings into a report: its look, its header and footer, and nothing of another report."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, nsmap, qn
from lxml import etree

from evalkit.report.word_xml import run

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


def _take_out(found: Any) -> None:
    if found.tag == qn("w:hyperlink"):
        _unwrap(found)
        return
    whole = (qn("w:drawing"), qn("w:pict"), qn("w:object"))
    around = next((parent for parent in found.iterancestors() if parent.tag in whole), found)
    if around.getparent() is not None:
        around.getparent().remove(around)


def _unwrap(found: Any) -> None:
    for child in list(found):
        found.addprevious(child)
    found.getparent().remove(found)


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


def _is_running_title(found: Any) -> bool:
    return any(mark.get(qn("w:name")) == RUNNING_TITLE for mark in found.iter(qn("w:bookmarkStart")))


def _text(found: Any) -> str:
    return "".join(one.text or "" for one in found.iter(qn("w:t")))


def _replaced(text: str, old: tuple[str, str], new: tuple[str, str]) -> str:
    for before, after in zip(old, new, strict=True):
        if len(before.strip()) >= _SHORTEST_TITLE:
            text = text.replace(before.strip(), after)
    return text


def _say(found: Any, content: str) -> None:
    """Put content in the place of what a paragraph says; what it looks like stays."""
    look = next((one.find(qn("w:rPr")) for one in found.iter(qn("w:r"))), None)
    for child in [child for child in found if child.tag != qn("w:pPr")]:
        found.remove(child)
    made = parse_xml(f"<w:p {nsdecls('w')}>{content}</w:p>")
    for child in list(made):
        if look is not None and child.tag == qn("w:r") and child.find(qn("w:rPr")) is None:
            child.insert(0, parse_xml(etree.tostring(look)))
        found.append(child)


def _left_out(found: Any) -> None:
    """Take a paragraph out; a cell or header that it stands in alone keeps an empty one, as Word wants."""
    others: Iterable[Any] = [one for one in found.getparent().findall(qn("w:p")) if one is not found]
    if others:
        found.getparent().remove(found)
    else:
        _say(found, "")

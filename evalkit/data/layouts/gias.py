"""The lists of schools: Get Information about Schools (GIAS) in a cut of any width, its links, and the tables' own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from evalkit.core.shown import Shown
from evalkit.data.files.layout import Contents, Field, Layout, fitting
from evalkit.data.files.members import Member
from evalkit.data.files.raw_table import RawTable
from evalkit.data.flow import CountedCase
from evalkit.data.layouts.school_columns import (
    absent,
    encoding_of,
    latest_day,
    read_school_table,
    refuse_repeated,
    typed,
    urns,
)
from evalkit.data.published.tables import has_columns


def _optional(name: str, meaning: str, form: str = "text") -> Field:
    return Field(name=name, meaning=meaning, form=form, is_required=False)  # type: ignore[arg-type]  # a Form


_GIAS: Final = {
    "urn": Field(name="URN", meaning="Unique reference number of the establishment.", form="urn"),
    "area": Field(name="LA (code)", meaning="Local authority, three digits.", form="area"),
    "number": Field(name="EstablishmentNumber", meaning="Its number within the authority.", form="code"),
    "name": Field(name="EstablishmentName", meaning="Name of the establishment."),
    "area_name": _optional("LA (name)", "Name of the local authority."),
    "type": _optional("TypeOfEstablishment (name)", "Type, such as Academy converter."),
    "group": _optional("EstablishmentTypeGroup (name)", "Group of types, such as Academies."),
    "status": _optional("EstablishmentStatus (name)", "Open, Closed, Proposed to open or to close."),
    "opened": _optional("OpenDate", "Day it opened under this URN; blank for most old schools.", "date"),
    "why_opened": _optional("ReasonEstablishmentOpened (name)", "Why it opened, such as Academy Converter."),
    "closed": _optional("CloseDate", "Day it closed under this URN.", "date"),
    "why_closed": _optional("ReasonEstablishmentClosed (name)", "Why it closed, such as Academy Converter."),
    "phase": _optional("PhaseOfEducation (name)", "Phase, such as Primary."),
    "lowest_age": _optional("StatutoryLowAge", "Lowest age of pupils.", "number"),
    "highest_age": _optional("StatutoryHighAge", "Highest age of pupils.", "number"),
    "gender": _optional("Gender (name)", "Boys, Girls or Mixed."),
    "religious_character": _optional("ReligiousCharacter (name)", "Religious character."),
    "admissions": _optional("AdmissionsPolicy (name)", "Selective or not."),
    "capacity": _optional("SchoolCapacity", "Places.", "number"),
    "pupils": _optional("NumberOfPupils", "Pupils at the last census before the cut.", "number"),
    "fsm_percent": _optional("PercentageFSM", "Pupils eligible for free school meals, in per cent.", "percent"),
    "trust": _optional("Trusts (name)", "Academy trust on the day of the cut."),
    "sponsor": _optional("SchoolSponsors (name)", "Sponsor on the day of the cut."),
    "federation": _optional("Federations (name)", "Federation on the day of the cut."),
    "postcode": _optional("Postcode", "Postcode."),
    "district": _optional("DistrictAdministrative (name)", "District council's area."),
    "region": _optional("GOR (name)", "Region."),
    "lsoa": _optional("LSOA (code)", "Lower-layer super output area of its postcode."),
    "lsoa_name": _optional("LSOA (name)", "Name of that area."),
    "ofsted_rating": _optional("OfstedRating (name)", "Ofsted's overall judgement on the day of the cut."),
    "changed": _optional("LastChangedDate", "Day its row last changed.", "date"),
}
"""Fields of GIAS by the name of their column in `SchoolList`."""

_SPINE: Final = {
    "urn": Field(name="URN", meaning="Unique reference number of the school.", form="urn"),
    "area": Field(name="LA", meaning="Local authority, three digits.", form="area"),
    "number": Field(name="ESTAB", meaning="Its number within the authority.", form="code"),
    "laestab": Field(name="LAESTAB", meaning="Authority and number in one, seven digits.", form="laestab"),
    "name": Field(name="SCHNAME", meaning="Name of the school."),
    "group": Field(name="MINORGROUP", meaning="Group of types, such as Academy."),
    "type": _optional("NFTYPE", "Type, such as Academy - Converter mainstream."),
    "status": _optional("ICLOSE", "1 open, 2 closed, 3 of another kind.", "code"),
    "opened": _optional("OPENDATE", "Day it opened under this URN, where near the year of the list.", "date"),
    "closed": _optional("CLOSEDATE", "Day it closed under this URN, where near the year of the list.", "date"),
    "is_primary": _optional("ISPRIMARY", "1 where it teaches primary pupils.", "code"),
    "is_secondary": _optional("ISSECONDARY", "1 where it teaches secondary pupils.", "code"),
    "gender": _optional("GENDER", "Boys, Girls or Mixed."),
    "religious_character": _optional("RELDENOM", "Religious character."),
    "admissions": _optional("ADMPOL", "Selective or not."),
    "lowest_age": _optional("AGEL", "Lowest age of pupils.", "number"),
    "highest_age": _optional("AGEH", "Highest age of pupils.", "number"),
    "postcode": _optional("POSTCODE", "Postcode."),
    "other_urn": _optional("OTHERURN", "URN of the school that it followed, where near the year of the list.", "code"),
}
"""Fields of the performance tables' list of schools by the name of their column in `SchoolList`."""


_LINKS: Final = (
    Field(name="URN", meaning="Unique reference number of the establishment.", form="urn"),
    Field(name="LinkURN", meaning="That of the establishment it is linked to.", form="urn"),
    Field(name="LinkName", meaning="Name of that establishment.", is_required=False),
    Field(name="LinkType", meaning="What the linked establishment is to it, such as Predecessor."),
    Field(name="LinkEstablishedDate", meaning="Day of the link; blank for a quarter of them.", form="date"),
)

_NO_LAESTAB: Final = "no local authority of England, or no number of four digits in it"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SchoolList(Shown):
    """A list of schools: `schools` by URN, typed; `reasons`, of the same shape, says why a cell is missing.

    `schools` has every column of the layout, whichever of them a cut holds, and `laestab` (seven digits, empty where
    the school has no number). `as_of` is the latest day in it (yyyy-mm-dd), `cases` what was counted while reading.
    """

    schools: pd.DataFrame
    reasons: pd.DataFrame
    as_of: str
    cases: tuple[CountedCase, ...]


def read_gias(path: Path | Member) -> SchoolList:
    """Read a list of schools: a cut of GIAS (`edubasealldata…csv` or part of it) or the performance tables' own list.

    Only the URN, the authority, the number in it and the name must be there; of every other column that a cut lacks
    each cell is missing, with that reason. Days are those of GIAS (31-08-2021) or as programs write them; 1 January
    1900 stands for a day that is not known.

    Raises
    ------
    DataError
        If the file is neither list, is damaged or cut short, has a school twice, or a cell that cannot be what its
        column holds.

    Examples
    --------
    >>> from pathlib import Path
    >>> from evalkit import read_gias
    >>> head = '"URN","LA (code)","EstablishmentNumber","EstablishmentName","OpenDate","PercentageFSM"'
    >>> rows = ['104451,"340","3312","Huyton CofE","",""', '145435,"340","3312","Huyton CofE","01-02-2018","21.4"']
    >>> _ = Path("edubasealldata20210901.csv").write_text("\\n".join([head, *rows, ""]), encoding="cp1252")
    >>> found = read_gias(Path("edubasealldata20210901.csv"))
    >>> list(found.schools["laestab"]), found.schools.loc["145435", "opened"].date().isoformat()
    (['3403312', '3403312'], '2018-02-01')
    >>> found.reasons.loc["104451", ["opened", "fsm_percent", "phase"]].tolist()
    ['blank in the source', 'blank in the source', 'not a column of this cut']
    """
    encoding = encoding_of(path)  # which takes a way through the whole file
    is_spine = has_columns(path, [field.name for field in _SPINE.values() if field.is_required], encoding)
    columns = _SPINE if is_spine else _GIAS
    frame = read_school_table(path, tuple(columns.values()), encoding)
    keys = urns(frame["URN"], path.name)
    refuse_repeated(keys, path.name)
    both = {
        name: typed(frame[field.name], field, path.name) if field.name in frame else absent(field, frame.index)
        for name, field in columns.items()
        if name != "urn"
    }
    schools = pd.DataFrame({name: values for name, (values, _) in both.items()}).set_index(keys.rename("urn"))
    why = pd.DataFrame({name: reasons for name, (_, reasons) in both.items()}).set_index(schools.index)
    if not is_spine:
        schools["laestab"] = _laestabs(schools)
        why["laestab"] = np.where(schools["laestab"] == "", _NO_LAESTAB, "")
    lacking = [field.name for field in columns.values() if field.name not in frame]
    cases = (
        CountedCase("schools in the list", len(schools)),
        CountedCase("of these, without a number of their own in the authority", int((schools["number"] == "").sum())),
        CountedCase("columns of the whole list that this cut has not", len(lacking)),
    )
    dated = [frame[field.name] for field in columns.values() if field.form == "date" and field.name in frame]
    return SchoolList(schools, why, latest_day(*dated), cases)


def _laestabs(schools: pd.DataFrame) -> pd.Series:
    """Return authority and number in one, empty where either lacks or the number is not of four digits."""
    number = schools["number"].str.zfill(4)
    is_whole = schools["area"].notna() & (schools["number"] != "") & number.str.fullmatch(r"\d{4}")
    return (schools["area"].astype("string").fillna("") + number).where(is_whole, "").astype(object)


def _contents(table: RawTable) -> Contents:
    """Return what a cut of GIAS gives; two cuts of the same authorities are one list, the later by its own days."""
    found = _contents_of_list(table, tuple(_GIAS.values()))
    scope = "England" if len(found.areas) > _MOST_OF_A_PART else "of " + ", ".join(found.areas)
    return replace(found, subject=f"GIAS {scope}")


_MOST_OF_A_PART: Final = 140
"""Authorities of which a cut is one of England, though one or another of the 150 or so may have no row."""


def _contents_of_spine(table: RawTable) -> Contents:
    found = _contents_of_list(table, tuple(_SPINE.values()))
    return replace(found, measures=(), subject="performance tables' list of schools")


def _contents_of_list(table: RawTable, fields: Sequence[Field]) -> Contents:
    """Return what a list of schools gives: the columns that are there, its authorities, and the latest of its days."""
    by_name = {field.name.casefold(): field for field in fields}
    names = [name for column in table.peek.columns if (name := column.casefold()) in by_name]
    present = [by_name[name] for name in dict.fromkeys(names)]
    area = next(field.name for field in present if field.form == "area")
    dates = [field.name for field in present if field.form == "date"]
    frame = table.read([area, *dates]).fillna("")
    return Contents(
        rows=len(frame), areas=tuple(sorted(code for code in frame[area].unique() if code.strip())),
        measures=tuple(field.name for field in present), levels=("school",),
        as_of=latest_day(*(frame[name] for name in dates)),
    )  # fmt: skip


def _contents_of_links(table: RawTable) -> Contents:
    """Return what a file of links gives: of two cuts the one that reaches the later day is used."""
    frame = table.read(["URN", "LinkType", "LinkEstablishedDate"]).fillna("")
    return Contents(
        rows=len(frame), levels=("school",), measures=tuple(sorted(frame["LinkType"].unique())), subject="GIAS links",
        as_of=latest_day(frame["LinkEstablishedDate"]),
    )  # fmt: skip


LAYOUTS: Final = (
    Layout(
        name="gias", title="Get Information about Schools, establishments", publisher="DfE",
        fields=tuple(_GIAS.values()), fits=fitting(tuple(_GIAS.values()), "csv"),
        contents=_contents, reader="read_gias",
        seen="a cut of ten columns, Hampshire and Surrey, 2021; the whole list was never read",
    ),
    Layout(
        name="gias-spine", title="School information of the performance tables", publisher="DfE",
        fields=tuple(_SPINE.values()), fits=fitting(tuple(_SPINE.values()), "csv"),
        contents=_contents_of_spine, reader="read_gias",
        seen="England, 2017/18",
    ),
    Layout(
        name="gias-links", title="Get Information about Schools, links between establishments", publisher="DfE",
        fields=_LINKS, fits=fitting(_LINKS, "csv"), contents=_contents_of_links, reader="read_links",
        seen="England, 2021 and 2022",
    ),
)  # fmt: skip

"""What the school lists say: links between establishments, dates of conversion, groups and types, pupils on roll."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, NamedTuple

import pandas as pd

from evalkit.core.project import Exposure, day_of_tests
from evalkit.core.shown import Shown
from evalkit.data.files.members import Member
from evalkit.data.flow import CountedCase
from evalkit.data.layouts.school_columns import encoding_of
from evalkit.data.published.codes import parse_cells
from evalkit.data.published.records import SchoolRecords, area_codes
from evalkit.data.published.school_types import group_of_type
from evalkit.data.published.tables import read_table

# GIAS links between establishments, and the chains that identity over time may follow.


MANY_PASTS: Final = "it had more than one predecessor"
SHARED_PAST: Final = "its predecessor had more than one successor"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Links(Shown):
    """Which establishment followed which.

    `predecessor` maps a URN to the one it followed, only where neither has another
    predecessor or successor; `cases` counts the links of every type and what was chained. `opened`
    gives the day (dd-mm-yyyy) of each chained link, where the file has it; `unfollowed` why a URN that has
    predecessors is not followed; `merged` and `merging` have the URNs that came of a merger, an amalgamation or a
    split, and those that went into one.
    """

    predecessor: dict[str, str]
    cases: tuple[CountedCase, ...]
    opened: dict[str, str] = field(default_factory=dict)
    unfollowed: dict[str, str] = field(default_factory=dict)
    merged: frozenset[str] = frozenset()
    merging: frozenset[str] = frozenset()

    def oldest(self, urn: str) -> str:
        """Return the oldest URN reached by one-to-one predecessors; a loop stops where it closes."""
        return followed_back(urn, self.predecessor)[-1]


def followed_back(urn: str, predecessor: Mapping[str, str]) -> list[str]:
    """Return a URN and those before it, the oldest last; a loop stops where it closes."""
    passed = [urn]
    while (before := predecessor.get(passed[-1])) is not None and before not in passed:
        passed.append(before)
    return passed


def read_links(path: Path | Member) -> Links:
    """Read the GIAS links file (Windows-1252, quoted or not) and keep the chains that are one-to-one.

    A school is followed along links of the type Predecessor where neither end has another such link. Mergers,
    amalgamations, splits and sixth-form centres are counted and never followed.

    Raises
    ------
    DataError
        If the file is another table, is damaged or cut short.

    Examples
    --------
    >>> from pathlib import Path
    >>> from evalkit import read_links
    >>> head = "URN,LinkURN,LinkName,LinkType,LinkEstablishedDate"
    >>> rows = ["145435,104451,Huyton CofE,Predecessor,01-02-2018", "104451,145435,Huyton CofE,Successor,01-02-2018"]
    >>> _ = Path("links.csv").write_text("\\n".join([head, *rows, ""]), encoding="cp1252")
    >>> links = read_links(Path("links.csv"))
    >>> links.oldest("145435"), links.opened["145435"]
    ('104451', '01-02-2018')
    """
    columns = ["URN", "LinkURN", "LinkType", "LinkEstablishedDate"]
    frame = read_table(path, columns, encoding=encoding_of(path))
    pairs = frame.loc[frame["LinkType"] == "Predecessor", ["URN", "LinkURN", "LinkEstablishedDate"]]
    pairs = pairs.drop_duplicates(["URN", "LinkURN"])
    # a merger gives a school two pasts and a split gives one two futures: only one-to-one links are the same school
    unique = ~(pairs.duplicated("URN", keep=False) | pairs.duplicated("LinkURN", keep=False))
    chained = pairs[unique]
    structural = frame[frame["LinkType"].str.contains("merged|amalgam|split", case=False)]
    reorganised = chained["URN"].isin(set(structural["URN"])) | chained["LinkURN"].isin(set(structural["URN"]))
    is_other_kind = ~frame["LinkType"].isin(["Predecessor", "Successor"])
    cases = (
        CountedCase("links from a school to its one predecessor, followed", len(chained)),
        CountedCase(
            "of these, schools that also took part in a merger, an amalgamation or a split", int(reorganised.sum())
        ),
        CountedCase("predecessor links not followed because they are not one-to-one", int((~unique).sum())),
        CountedCase(
            "links of another kind (mergers, amalgamations, splits, sixth-form centres), never followed",
            int(is_other_kind.sum()),
        ),
    )
    opened = dict(zip(chained["URN"], chained["LinkEstablishedDate"], strict=True))
    has_many = pairs.duplicated("URN", keep=False)
    unfollowed = dict.fromkeys(pairs.loc[~unique & ~has_many, "URN"], SHARED_PAST)
    unfollowed |= dict.fromkeys(pairs.loc[has_many, "URN"], MANY_PASTS)
    predecessor = dict(zip(chained["URN"], chained["LinkURN"], strict=True))
    looks_ahead = structural["LinkType"].str.startswith("Successor")
    merged = {*structural.loc[~looks_ahead, "URN"], *structural.loc[looks_ahead, "LinkURN"]}
    merging = {*structural.loc[~looks_ahead, "LinkURN"], *structural.loc[looks_ahead, "URN"]}
    return Links(predecessor, cases, opened, unfollowed, frozenset(merged), frozenset(merging))


# When schools changed legal identity, by the dates of the school list and the links file.

CONFLICTS: Final = "conversions that the school list and the links file date more than a month apart"
"""A count over both files as a whole, whatever the key stage."""
_APART: Final = pd.Timedelta(days=31)


class Conversions(NamedTuple):
    """Pairs of a school's oldest URN and the day of a conversion, and how many days the two files tell differently."""

    dated: list[tuple[str, pd.Timestamp]]
    conflicts: int


def with_conversions(records: SchoolRecords, conversions: Conversions | None, exposure: Exposure) -> SchoolRecords:
    """Say which schools changed legal identity between the last tests before and the last tests analysed.

    Tables of results lag behind the files that date conversions; without either file the change of URN in the
    tables is all there is.
    """
    if conversions is None:
        return records
    dated, conflicts = conversions
    start, end = (pd.Timestamp(day_of_tests(year)) for year in (max(exposure.pre), max(exposure.post)))
    within = {school for school, day in dated if start < day <= end}
    schools = records.schools.assign(is_converted=records.schools.index.isin(within))
    case = CountedCase(CONFLICTS, conflicts)
    return replace(records, schools=schools, cases=(*records.cases, case))


def conversions_of(links: Links | None, spine: pd.DataFrame | None) -> Conversions | None:
    """Return when schools converted, by the school list where it has a date, otherwise by the links file."""
    if links is None and spine is None:
        return None
    linked = _of_links(links) if links else {}
    listed = _of_list(spine) if spine is not None else {}
    both = [(listed[new][1], linked[new][1]) for new in listed if new in linked]
    conflicts = sum(abs(day_in_list - day_in_links) > _APART for day_in_list, day_in_links in both)
    pairs = {**linked, **listed}
    return Conversions([(links.oldest(old) if links else old, day) for old, day in pairs.values()], conflicts)


def _of_links(links: Links) -> dict[str, tuple[str, pd.Timestamp]]:
    days = pd.to_datetime(pd.Series(links.opened), format="%d-%m-%Y", errors="coerce").dropna()
    return {str(new): (links.predecessor[str(new)], day) for new, day in days.items()}


def _of_list(spine: pd.DataFrame) -> dict[str, tuple[str, pd.Timestamp]]:
    days = pd.to_datetime(spine["opened"].str[:10], format="%Y-%m-%d", errors="coerce")
    known = spine.assign(day=days)[days.notna() & (spine["other_urn"] != "")]
    columns = (known.index, known["other_urn"], known["day"])
    return {str(new): (str(old), pd.Timestamp(str(day))) for new, old, day in zip(*columns, strict=True)}


def read_spine(path: Path | Member) -> pd.DataFrame:
    """Read the school list by URN: area, laestab, name, minor_group, is_primary, is_secondary, opened, other_urn."""
    columns = ["URN", "LA", "LAESTAB", "SCHNAME", "MINORGROUP", "ISPRIMARY", "ISSECONDARY"]
    columns += ["OPENDATE", "OTHERURN"]
    frame = read_table(path, columns).drop_duplicates("URN")
    names = {"LA": "area", "LAESTAB": "laestab", "SCHNAME": "name", "MINORGROUP": "minor_group"}
    names |= {"OPENDATE": "opened", "OTHERURN": "other_urn"}
    spine = frame.set_index("URN").rename(columns=names)
    spine["area"] = area_codes(spine["area"])
    spine["is_primary"] = spine.pop("ISPRIMARY") == "1"
    spine["is_secondary"] = spine.pop("ISSECONDARY") == "1"
    return spine


_TYPE: Final = "TypeOfEstablishment (name)"
_PHASE: Final = "PhaseOfEducation (name)"
_NUMBER: Final = "EstablishmentNumber"
_NO_CELLS: Final = pd.Series(dtype=str)


def read_register(path: Path | Member) -> pd.DataFrame:
    """Read an extract of Get Information about Schools by URN, with the columns by which schools are known.

    They are area, laestab, name, minor_group, is_primary and is_secondary. The group is that of the school's type, and
    missing where the extract does not give it.
    """
    columns = ["URN", "LA (code)", "EstablishmentName"]
    frame = read_table(path, columns, optional=[_TYPE, _PHASE, _NUMBER], encoding="cp1252")
    frame = frame.drop_duplicates("URN").set_index("URN")
    types, phases, numbers = (frame.get(name, _NO_CELLS).reindex(frame.index) for name in (_TYPE, _PHASE, _NUMBER))
    groups = group_of_type(types)
    register = pd.DataFrame({"area": area_codes(frame["LA (code)"]), "name": frame["EstablishmentName"]})
    laestab = (frame["LA (code)"] + numbers.str.zfill(4)).where(numbers.fillna("") != "", "")
    phase = phases.fillna("").str.casefold()
    return register.assign(
        laestab=laestab,
        minor_group=groups.where(groups != "", None),
        is_primary=phase.str.endswith("primary"),  # a middle school is deemed one or the other
        is_secondary=phase.str.endswith("secondary"),
    )


def read_registers(files: Sequence[Path | Member], read: Callable[..., pd.DataFrame]) -> pd.DataFrame | None:
    """Return extracts of the register as one, of a school in several the first; None without any.

    `read(read_register, file)` returns one of them.
    """
    if not files:
        return None
    every = pd.concat([read(read_register, file) for file in files])
    return every[~every.index.duplicated()]


def with_minor_group(identity: pd.DataFrame, spine: pd.DataFrame) -> pd.DataFrame:
    """Give each school the group that any of its URNs has in the school list; blank where none is listed."""
    group_of_urn = identity["urn"].map(spine["minor_group"])
    group_of_oldest = identity["school_id"].map(spine["minor_group"])
    by_school = group_of_urn.fillna(group_of_oldest).groupby(identity["school_id"]).transform("first")
    return identity.assign(minor_group=by_school.fillna(""))


ROLL: Final = "NOR_2223"
ROLL_YEAR: Final = "2022/23"
"""The school year of the only census whose rolls are at hand."""


def read_roll(covariates: Mapping[str, Path]) -> pd.Series | None:
    """Return pupils on roll by school_id over all key stages, or None where no file has them.

    A school that teaches two key stages stands in both files with one roll and is kept once.
    """
    rolls_by_file = [rolls for _, path in sorted(covariates.items()) if (rolls := _read(path)) is not None]
    if not rolls_by_file:
        return None
    both = pd.concat(rolls_by_file)
    pupils: pd.Series = both[~both.index.duplicated()]
    return pupils


def _read(path: Path) -> pd.Series | None:
    frame = read_table(path, ["SCHOOL_ID"], optional=[ROLL])
    if ROLL not in frame:
        return None
    pupils = pd.Series(parse_cells(frame[ROLL], f"{path.name}, {ROLL}")[0], index=frame["SCHOOL_ID"], dtype=float)
    return pupils.dropna()

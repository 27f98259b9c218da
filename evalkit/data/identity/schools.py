"""Which URNs are one school over time: by GIAS links, by LAESTAB, or by both; what was decided of each, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

import pandas as pd

from evalkit.core.errors import DataError
from evalkit.core.shown import Shown
from evalkit.data.areas.authorities import is_successor
from evalkit.data.flow import CountedCase
from evalkit.data.layouts.gias import SchoolList
from evalkit.data.published.school_lists import MANY_PASTS, Links, followed_back

Rule = Literal["links", "laestab", "both"]
LIMITS: Final[dict[Rule, str]] = {
    "links": (
        "Links tell of sponsor-led academies and of conversions alike, but some schools have none, 28% have no "
        "date, and a school with two links in one direction is not followed (2,022 had more than one predecessor in "
        "2021). A link may go when a school merges: the links of 2021 lack one of the 1,323 changes of URN under one "
        "LAESTAB in the list of 2017/18."
    ),
    "laestab": (
        "A converter keeps its LAESTAB (95.2% of 1,309 mainstream conversions with a link in the list of 2017/18); a "
        "sponsor-led academy never does (0 of 448), nor a free school that follows another (0 of 9). So conversions "
        "are found and most other changes are missed: they look like a school that closed and one that opened."
    ),
    "both": (
        "Links come first, and a LAESTAB joins what no link tells of. What is missed is a change without a link under "
        "a new number; what could be wrong is a number used again within a month by another school."
    ),
}
"""What each rule gets wrong, with what was counted in the list of 2017/18 and the links of 2021 and 2022."""

_LONGEST_GAP: Final = pd.Timedelta(days=31)
"""Between the day a school closed and the day one opened under its number; all 1,323 pairs of 2017/18 have one day."""

BY_LINK = "followed by its link"
BY_BOTH = "followed by its link, and the LAESTAB is the same"
BY_NUMBER = "followed by its LAESTAB: no link tells of it"
BY_NUMBER_ALONE = "followed by its LAESTAB"
REORGANISED = "not followed: a merger, an amalgamation or a split"
MANY = "not followed: it had more than one predecessor"
SHARED = "not followed: its predecessor had more than one successor"
UNCLEAR = "not followed: its LAESTAB was that of other schools, and not one after the other"
FIRST = "nothing before it is known"
LOOP = "not followed: the links lead back to itself"

SAME_AREA: Final = ""
REFORMED_AREA: Final = "its authority was reorganised"
OTHER_AREA: Final = "it moved to another authority"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SchoolIdentity(Shown):
    """What was decided of every URN: one row of `decisions` each, by URN.

    `decisions` has school_id (the oldest URN it was followed to), earlier (the URN before it, empty where none is
    followed), decision (in words) and area_change (whether its authority is another than before). `cases` counts
    them; `rule` is what was followed, and `limits` says what that gets wrong.
    """

    decisions: pd.DataFrame
    cases: tuple[CountedCase, ...]
    rule: Rule

    @property
    def limits(self) -> str:
        """Return what the rule gets wrong."""
        return LIMITS[self.rule]

    def school_of(self, urn: str) -> str:
        """Return the school_id of a URN; a URN that neither file has is a school of its own."""
        return str(self.decisions["school_id"].get(urn, urn))


def follow_schools(schools: SchoolList | None = None, links: Links | None = None) -> SchoolIdentity:
    """Return which URNs are one school: by a list of schools, by links between them, or by both, whichever is given.

    Only chains that are one-to-one in both directions are followed. Of links those of the type Predecessor are; of a
    list the schools of one LAESTAB of which one closed and the next opened within a month. With both, links come
    first, and a LAESTAB joins two URNs of which no link tells anything.

    Raises
    ------
    DataError
        If neither is given.

    Examples
    --------
    >>> from pathlib import Path
    >>> from evalkit import follow_schools, read_gias
    >>> head = "URN,LA (code),EstablishmentNumber,EstablishmentName,OpenDate,CloseDate"
    >>> rows = ["104451,340,3312,Huyton CofE,,31-01-2018", "145435,340,3312,Huyton CofE,01-02-2018,"]
    >>> _ = Path("edubasealldata.csv").write_text("\\n".join([head, *rows, ""]), encoding="cp1252")
    >>> found = follow_schools(read_gias(Path("edubasealldata.csv")))
    >>> found.school_of("145435"), found.decisions.loc["145435", "decision"]
    ('104451', 'followed by its LAESTAB')
    """
    if schools is None and links is None:
        raise DataError("Neither a list of schools nor links between them were given, so no school can be followed.")
    rule: Rule = "both" if schools is not None and links is not None else "links" if links is not None else "laestab"
    numbered, unclear = _by_number(schools) if schools is not None else ({}, set())
    earlier = dict(links.predecessor) if links is not None else {}
    followed_by = set(earlier.values())
    added = {
        urn: before
        for urn, before in numbered.items()
        if links is None or (before not in followed_by and not _is_told_of(urn, before, links))
    }
    chain = added | earlier
    urns = sorted({*chain, *chain.values(), *_listed(schools, links)})
    rows = [_row(urn, chain, links, numbered, unclear) for urn in urns]
    decisions = pd.DataFrame(rows, columns=["urn", "school_id", "earlier", "decision"]).set_index("urn")
    decisions["area_change"] = _area_changes(decisions["earlier"], schools)
    return SchoolIdentity(decisions, tuple(_cases(decisions, numbered, earlier)), rule)


def _is_told_of(urn: str, before: str, links: Links) -> bool:
    """Return whether a link tells of the past of a URN, or that the one before it went into a merger or a split."""
    has_past = urn in links.predecessor or urn in links.unfollowed or urn in links.merged
    return has_past or before in links.merging


def _listed(schools: SchoolList | None, links: Links | None) -> set[str]:
    of_list = set() if schools is None else set(schools.schools.index)
    return of_list if links is None else of_list | set(links.unfollowed) | links.merged | links.merging


def _by_number(found: SchoolList) -> tuple[dict[str, str], set[str]]:
    """Return for each URN the one that had its LAESTAB just before it, and the URNs of which that cannot be told."""
    listed = found.schools[found.schools["laestab"] != ""]
    shared = listed[listed.duplicated("laestab", keep=False)].sort_values(
        ["laestab", "opened"], kind="stable", na_position="first"
    )
    earlier: dict[str, str] = {}
    unclear: set[str] = set()
    for _, rows in shared.groupby("laestab"):
        urns = [str(urn) for urn in rows.index]
        gaps = rows["opened"].to_numpy()[1:] - rows["closed"].to_numpy()[:-1]
        if all(pd.Timedelta(0) <= pd.Timedelta(gap) <= _LONGEST_GAP for gap in gaps):
            earlier |= dict(zip(urns[1:], urns[:-1], strict=True))
        else:
            unclear |= set(urns)
    return earlier, unclear


def _row(
    urn: str, chain: dict[str, str], links: Links | None, numbered: dict[str, str], unclear: set[str]
) -> tuple[str, str, str, str]:
    oldest, is_loop = _oldest(urn, chain)
    if is_loop:
        return urn, oldest, "", LOOP
    before = chain.get(urn, "")
    return urn, oldest, before, _decision(urn, before, links, numbered, unclear)


def _oldest(urn: str, chain: dict[str, str]) -> tuple[str, bool]:
    """Return the oldest URN of a chain, and whether the chain closes into a loop: then its lowest URN stands for it."""
    passed = followed_back(urn, chain)
    return (min(passed), True) if passed[-1] in chain else (passed[-1], False)


def _decision(urn: str, before: str, links: Links | None, numbered: dict[str, str], unclear: set[str]) -> str:
    if before:
        if links is None:
            return BY_NUMBER_ALONE
        is_linked, is_numbered = links.predecessor.get(urn) == before, numbered.get(urn) == before
        return BY_BOTH if is_linked and is_numbered else BY_LINK if is_linked else BY_NUMBER
    if links is not None:
        if urn in links.unfollowed:
            return MANY if links.unfollowed[urn] == MANY_PASTS else SHARED
        if urn in links.merged:
            return REORGANISED
    return UNCLEAR if urn in unclear else FIRST


def _area_changes(earlier: pd.Series, schools: SchoolList | None) -> pd.Series:
    """Return in words how the authority of each URN differs from that of the URN before it."""
    areas = {} if schools is None else schools.schools["area"].dropna().to_dict()
    return pd.Series(
        [_area_change(areas.get(before), areas.get(urn)) for urn, before in earlier.items()],
        index=earlier.index,
        dtype=object,
    )


def _area_change(before: int | None, after: int | None) -> str:
    if before is None or after is None or before == after:
        return SAME_AREA
    return REFORMED_AREA if is_successor(int(before), int(after)) else OTHER_AREA


def _cases(decisions: pd.DataFrame, numbered: dict[str, str], linked: dict[str, str]) -> Iterator[CountedCase]:
    yield CountedCase("URNs", len(decisions))
    yield CountedCase("schools, once those followed are one", decisions["school_id"].nunique())
    for decision, n in decisions["decision"].value_counts().items():
        yield CountedCase(f"URNs: {decision}", int(n))
    for change in (REFORMED_AREA, OTHER_AREA):
        yield CountedCase(f"URNs followed though {change}", int((decisions["area_change"] == change).sum()))
    if numbered and linked:
        differ = sum(urn in linked and linked[urn] != before for urn, before in numbered.items())
        yield CountedCase("URNs of which link and LAESTAB tell different schools; the link is followed", differ)


SAME_NUMBER: Final = "the same LAESTAB"
MOVED_NUMBER: Final = "the same number in the authority that followed"
SEVERAL_NUMBERS: Final = "not followed: the number stands in more than one of the authorities that followed"
TWO_SCHOOLS: Final = "not followed: two schools lead to one number"
GONE: Final = "not followed: not there later"


def follow_laestabs(earlier: pd.Series, later: pd.Series) -> pd.DataFrame:
    """Return for each LAESTAB of one year that of a later year, across reorganised authorities too, one-to-one only.

    A school keeps its four digits when its authority is split or merged: 875/2001 became 895/2001. Where the number
    stands in more than one of the authorities that followed, or two schools lead to one, neither is followed. For
    tables that know schools by LAESTAB alone; a URN does not change when an authority does.

    The frame has one row for each LAESTAB of `earlier`: `later` (empty where it is not followed) and `decision`.

    Examples
    --------
    >>> import pandas as pd
    >>> from evalkit import follow_laestabs
    >>> then, now = pd.Series(["8752001", "8752002", "3402001"]), pd.Series(["8952001", "3402001", "3402002"])
    >>> follow_laestabs(then, now)["later"].to_dict()
    {'3402001': '3402001', '8752001': '8952001', '8752002': ''}
    """
    there, before = set(later.astype(str)), sorted(set(earlier.astype(str)))
    by_number: dict[str, list[str]] = {}
    for laestab in there:
        by_number.setdefault(laestab[3:], []).append(laestab)
    rows = [(laestab, *_later_number(laestab, there, by_number.get(laestab[3:], []))) for laestab in before]
    frame = pd.DataFrame(rows, columns=["laestab", "later", "decision"]).set_index("laestab")
    is_shared = (frame["later"] != "") & frame.duplicated("later", keep=False)
    frame.loc[is_shared, ["later", "decision"]] = ["", TWO_SCHOOLS]
    return frame


def _later_number(laestab: str, there: set[str], same_number: list[str]) -> tuple[str, str]:
    if laestab in there:
        return laestab, SAME_NUMBER
    moved = [other for other in same_number if is_successor(int(laestab[:3]), int(other[:3]))]
    if len(moved) == 1:
        return moved[0], MOVED_NUMBER
    return "", SEVERAL_NUMBERS if moved else GONE

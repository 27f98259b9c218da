"""Groups of schools in GIAS: who belongs to which trust, sponsor or federation, and since when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import pandas as pd

from evalkit.core.errors import DataError
from evalkit.core.shown import Shown
from evalkit.core.words import counted, did_you_mean, listed
from evalkit.data.files.layout import Contents, Field, Layout, fitting
from evalkit.data.files.members import Member
from evalkit.data.files.raw_table import RawTable
from evalkit.data.flow import CountedCase
from evalkit.data.layouts.school_columns import absent, latest_day, read_school_table, typed, urns

_FIELDS: Final = {
    "urn": Field(name="URN", meaning="Unique reference number of the member.", form="urn"),
    "group": Field(name="Group UID", meaning="Number of the group.", form="code"),
    "group_id": Field(name="Group ID", meaning="Its other number, such as TR02343.", form="code", is_required=False),
    "name": Field(name="Group Name", meaning="Name of the group."),
    "kind": Field(name="Group Type", meaning="Kind of group, such as Multi-academy trust."),
    "joined": Field(name="Joined date", meaning="Day the member joined.", form="date"),
    "status": Field(name="Group Status", meaning="Open or Closed.", is_required=False),
    "closed": Field(name="Closed Date", meaning="Day the group closed.", form="date", is_required=False),
    "school_name": Field(name="EstablishmentName", meaning="Name of the member.", is_required=False),
    "type": Field(name="TypeOfEstablishment (name)", meaning="Type of the member.", is_required=False),
    "phase": Field(name="PhaseOfEducation (name)", meaning="Phase of the member.", is_required=False),
    "area": Field(name="LA (code)", meaning="Local authority, three digits.", form="area", is_required=False),
    "company": Field(
        name="Companies House Number", meaning="Number of the company.", form="code", is_required=False
    ),
}  # fmt: skip

_LIKELY: Final = (
    "Multi-academy trust", "Single-academy trust", "Trust", "Federation", "Umbrella trust", "School sponsor",
)  # fmt: skip
"""Kinds of group in the order in which a name that several bear means one: a sponsor often bears its trust's."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class TrustMembership(Shown):
    """Who belonged to which group when: one row of `members` for each school and group.

    `members` has urn, group (its UID), group_id, name, kind, joined (a day, missing where it is not known), closed (of
    the group), school_name, type, phase, area, …; `reasons`, of the same shape, says why a cell is missing. A file is
    a picture of one day: of a school that left a group before, it says nothing.
    """

    members: pd.DataFrame
    reasons: pd.DataFrame
    as_of: str
    cases: tuple[CountedCase, ...]

    def of(self, group: str) -> pd.DataFrame:
        """Return the members of a group by its name, UID or ID, in the order in which they joined.

        A name in any case of letters. Where groups of several kinds bear it, trusts come before federations, and
        these before sponsors. Raise `DataError` where no group, or more than one of a kind, is called so.
        """
        asked = group.strip().casefold()
        columns = [self.members[key].str.casefold() for key in ("group", "group_id")]
        found = self.members[(columns[0] == asked) | (columns[1] == asked)]
        if found.empty:
            found = self._named(group, asked)
        by_day: pd.DataFrame = found.sort_values(["joined", "urn"], kind="stable", na_position="first")
        return by_day

    def _named(self, group: str, asked: str) -> pd.DataFrame:
        named: pd.DataFrame = self.members[self.members["name"].str.casefold() == asked]
        if named.empty:
            near = did_you_mean(group, sorted(set(self.members["name"])))
            raise DataError(f"No group is called '{group}'.{near} Give its name, Group UID or Group ID.")
        kinds = named["kind"].unique()
        kind = min(kinds, key=lambda kind: _LIKELY.index(kind) if kind in _LIKELY else len(_LIKELY))
        found: pd.DataFrame = named[named["kind"] == kind]
        if found["group"].nunique() > 1:
            choice = [f"{uid} ({counted(len(rows), 'member')})" for uid, rows in found.groupby("group")]
            raise DataError(
                f"'{group}' is the name of more than one group: {listed(choice)}. Give the Group UID of one."
            )
        return found

    def on(self, day: date) -> pd.DataFrame:
        """Return who belonged to a group on a day, so far as is known: who had joined, of groups not closed by then.

        A member whose day is not known counts as one from the beginning.
        """
        moment = pd.Timestamp(day)
        has_joined = self.members["joined"].isna() | (self.members["joined"] <= moment)
        is_open = self.members["closed"].isna() | (self.members["closed"] > moment)
        return self.members[has_joined & is_open]


def read_trusts(path: Path | Member) -> TrustMembership:
    """Read the membership of trusts, sponsors and federations, as GIAS publishes it ("group links").

    Raises
    ------
    DataError
        If the file is another table, is damaged or cut short, or a cell cannot be what its column holds.

    Examples
    --------
    >>> from pathlib import Path
    >>> from evalkit import read_trusts
    >>> head = "URN,Group UID,Group ID,Group Name,Group Type,Joined date,Closed Date"
    >>> rows = ["145435,5142,TR02343,Plover Trust,Multi-academy trust,2018-02-01,",
    ...         "104451,5142,TR02343,Plover Trust,Multi-academy trust,1900-01-01,",
    ...         "145435,5143,SP00592,Plover Trust,School sponsor,2018-02-01,"]
    >>> _ = Path("group_links.csv").write_text("\\n".join([head, *rows, ""]))
    >>> found = read_trusts(Path("group_links.csv"))
    >>> [(urn, str(day.date())) for urn, day in found.of("plover trust")[["urn", "joined"]].to_numpy()]
    [('104451', 'NaT'), ('145435', '2018-02-01')]
    """
    frame = read_school_table(path, tuple(_FIELDS.values()))
    frame["URN"] = urns(frame["URN"], path.name)
    columns = {name: field for name, field in _FIELDS.items() if field.name in frame}
    both = {name: typed(frame[field.name], field, path.name) for name, field in columns.items()}
    members = pd.DataFrame({name: values for name, (values, _) in both.items()})
    reasons = pd.DataFrame({name: why for name, (_, why) in both.items()})
    for name, field in _FIELDS.items():
        if name not in members:
            members[name], reasons[name] = absent(field, members.index)
    twice = members[members.duplicated(["urn", "group"])]
    if not twice.empty:
        raise DataError(
            f"{path.name}, row {int(twice.index[0]) + 2}: URN {twice['urn'].iloc[0]} stands twice in group "
            f"{twice['group'].iloc[0]}. Download the file again."
        )
    cases = (
        CountedCase("memberships", len(members)),
        CountedCase("groups", members["group"].nunique()),
        CountedCase("schools", members["urn"].nunique()),
        CountedCase("memberships since a day that is not known", int(members["joined"].isna().sum())),
        CountedCase("memberships of a group that has closed", int(members["closed"].notna().sum())),
    )
    return TrustMembership(members, reasons, latest_day(frame["Joined date"]), cases)


def _contents(table: RawTable) -> Contents:
    frame = table.read(["URN", "Joined date"]).fillna("")
    return Contents(
        rows=len(frame), levels=("school",), measures=("Joined date",), subject="GIAS groups",
        as_of=latest_day(frame["Joined date"]),
    )  # fmt: skip


LAYOUTS: Final = (
    Layout(
        name="gias-groups", title="Get Information about Schools, members of groups", publisher="DfE",
        fields=tuple(_FIELDS.values()), fits=fitting(tuple(_FIELDS.values()), "csv"),
        contents=_contents, reader="read_trusts",
        seen="England, to March 2022 (20,395 rows)",
    ),
)  # fmt: skip

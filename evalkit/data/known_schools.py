"""Every school that the published files know, by its numbers and names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from evalkit.data.links import Links
from evalkit.data.records import SchoolRecords
from evalkit.data.school_names import NameIndex, alike


@dataclass(frozen=True, eq=False)
class KnownSchools:
    """What is known of schools, each by its school_id: the oldest URN that the files follow it to.

    `names[school]` are all names a school is given, that of its results first; `areas[school]` its area's code;
    `laestabs[number]` the schools that have had a LAESTAB, each with the URN it had it under; `urns` every URN known.
    """

    records: Mapping[str, SchoolRecords]
    links: Links | None
    names: dict[str, list[str]]
    areas: dict[str, int]
    area_names: dict[int, str]
    laestabs: dict[str, dict[str, str]]
    urns: frozenset[str]

    @classmethod
    def of(cls, records: Mapping[str, SchoolRecords], spine: pd.DataFrame | None, links: Links | None) -> KnownSchools:
        """Gather what the results, and the school list where there is one, say of schools."""
        urns = {urn for r in records.values() for urn in r.urns} | (set() if spine is None else set(spine.index))
        known = cls(records, links, {}, {}, {}, {}, frozenset(map(str, urns)))
        for r in records.values():
            known._add(r.schools)
            known.area_names.update(zip(r.schools["area"], r.schools.get("area_name", []), strict=False))
        if spine is not None:
            known._add(spine)
        return known

    def _add(self, frame: pd.DataFrame) -> None:
        columns = (frame.index.astype(str), *(frame[key] for key in ("name", "area", "laestab")))
        for urn, name, area, laestab in zip(*columns, strict=True):
            school = self.school_of(urn)
            self.names.setdefault(school, []).append(str(name))
            self.areas.setdefault(school, int(area))
            self.laestabs.setdefault(str(laestab), {}).setdefault(school, urn)

    def oldest(self, urn: str) -> str:
        """Return the oldest URN that the links follow a school to."""
        return self.links.oldest(urn) if self.links else urn

    def school_of(self, urn: str) -> str:
        """Return the school_id of a URN; of one that no file knows its oldest URN."""
        oldest = self.oldest(urn)
        return next((r.urns[u] for r in self.records.values() for u in (urn, oldest) if u in r.urns), oldest)

    def at(self, laestab: str) -> dict[str, str]:
        """Return the schools that have had a LAESTAB, each with its URN."""
        return self.laestabs.get(laestab, {})

    def is_called(self, school: str, name: str) -> bool:
        """Return whether a name is near one that a school is given."""
        return any(alike(name, known) for known in self.names[school])

    def said(self, school: str) -> str:
        """Return a school in words: its URN, name and area."""
        area = self.area_names.get(self.areas[school], f"area {self.areas[school]}")
        return f"URN {self._newest.get(school, school)} {self.names[school][0]} ({area})"

    def candidates(self, name: str, areas: Iterable[int]) -> list[str]:
        """Return the schools that a name may mean, those of some areas first among equals."""
        here = set(areas)
        return self._index.candidates(name, [school for school, area in self.areas.items() if area in here])

    @cached_property
    def _index(self) -> NameIndex:
        return NameIndex.of({school: names[0] for school, names in self.names.items()})

    @cached_property
    def _newest(self) -> dict[str, str]:
        """The last URN that results stand under, where it is not the school_id."""
        return {school: urn for r in self.records.values() for urn, school in r.urns.items() if urn != school}

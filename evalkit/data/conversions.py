"""When schools changed legal identity, by the dates of the school list and the links file."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, NamedTuple

import pandas as pd

from evalkit.core.project import Exposure, day_of_tests
from evalkit.data.flow import CountedCase
from evalkit.data.links import Links
from evalkit.data.records import SchoolRecords

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
    told = _of_list(spine) if spine is not None else {}
    both = [(told[new][1], linked[new][1]) for new in told if new in linked]
    conflicts = sum(abs(one - other) > _APART for one, other in both)
    pairs = {**linked, **told}
    return Conversions([(links.oldest(old) if links else old, day) for old, day in pairs.values()], conflicts)


def _of_links(links: Links) -> dict[str, tuple[str, pd.Timestamp]]:
    days = pd.to_datetime(pd.Series(links.opened), format="%d-%m-%Y", errors="coerce").dropna()
    return {str(new): (links.predecessor[str(new)], day) for new, day in days.items()}


def _of_list(spine: pd.DataFrame) -> dict[str, tuple[str, pd.Timestamp]]:
    days = pd.to_datetime(spine["opened"].str[:10], format="%Y-%m-%d", errors="coerce")
    known = spine.assign(day=days)[days.notna() & (spine["other_urn"] != "")]
    columns = (known.index, known["other_urn"], known["day"])
    return {str(new): (str(old), pd.Timestamp(str(day))) for new, old, day in zip(*columns, strict=True)}

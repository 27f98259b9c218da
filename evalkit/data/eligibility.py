"""Which listed schools can be analysed, and the reason of each that cannot."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from evalkit.data.records import OUTSIDE_ENGLAND_LIST, SchoolRecords

_GROUPS = {"": OUTSIDE_ENGLAND_LIST}


def exclusion_reasons(
    records: SchoolRecords, measure: str, years: Sequence[int], minor_groups: Sequence[str]
) -> pd.Series:
    """Return, for each school, why it cannot be analysed; an empty text where it can.

    A school is left out for the first of these that holds: it is not of the mainstream
    state-funded groups; in one of `years` (earliest first) no result was published.
    """
    reason = pd.Series("", index=records.schools.index, dtype=object)
    group = records.schools["minor_group"]
    outside = ~group.isin(list(minor_groups))
    reason[outside] = group[outside].map(
        lambda name: _GROUPS.get(name, f"not mainstream state-funded ({name.lower()})")
    )
    for year in sorted(years):
        missing = (reason == "") & records.values[measure][year].isna()
        reason[missing] = f"{year}: " + records.reasons[measure].loc[missing, year]
    return reason


def has_any_before_and_all_after(
    records: SchoolRecords, measure: str, pre: Sequence[int], post: Sequence[int], minor_groups: Sequence[str]
) -> pd.Series:
    """Return which mainstream schools have at least one result before and every result after."""
    values = records.values[measure]
    some = values[list(pre)].notna().any(axis=1) & values[list(post)].notna().all(axis=1)
    return some & records.schools["minor_group"].isin(list(minor_groups))

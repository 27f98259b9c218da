"""The group of schools that a type of establishment belongs to: which schools are mainstream and state-funded."""

from __future__ import annotations

from typing import Final

import pandas as pd

MAINTAINED, ACADEMY, SPECIAL, INDEPENDENT = "Maintained School", "Academy", "Special School", "Independent School"
"""Groups as the school list of 2017/18 calls them."""

_GROUPS: Final[dict[str, tuple[str, ...]]] = {
    MAINTAINED: (
        # codes of the performance tables, then names of the register and of open data
        "CY", "VA", "VC", "FD", "CTC",
        "community school", "voluntary aided school", "voluntary controlled school", "foundation school",
        "city technology college", "ctcs",
    ),
    ACADEMY: (
        "AC", "ACC", "F", "UTC", "FUTC", "SS", "FSS", "AC1619", "ACC1619", "F1619",
        "academy converter", "academy sponsor led", "free schools", "university technical college", "studio schools",
        "academy 16-19 converter", "academy 16 to 19 sponsor led", "free schools 16 to 19",
        "converter academies", "sponsored academies", "university technical colleges (utcs)",
    ),
    SPECIAL: (
        "CYS", "FDS", "ACS", "FS", "ACCS", "NMSS", "INDSPEC", "INDSPS",
        "community special school", "foundation special school", "non-maintained special school",
        "other independent special school", "academy special converter", "academy special sponsor led",
        "free schools special", "converter academies - special school", "sponsored academies - special school",
        "free schools - special school", "independent special schools", "non-maintained special schools",
    ),
    INDEPENDENT: ("IND", "other independent school", "independent schools"),
}  # fmt: skip
_GROUP_OF: Final = {name.casefold(): group for group, names in _GROUPS.items() for name in names}


def group_of_type(kinds: pd.Series) -> pd.Series:
    """Return the group of each type of establishment, by its code in the tables or its name; empty where not known.

    >>> group_of_type(pd.Series(["ACC", "Community school", "Free schools special", "Pupil referral unit"])).tolist()
    ['Academy', 'Maintained School', 'Special School', '']
    """
    return kinds.fillna("").astype("str").str.strip().str.casefold().map(_GROUP_OF).fillna("")

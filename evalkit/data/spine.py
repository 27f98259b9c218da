"""The 2017/18 list of schools: group, type and phase by URN."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from evalkit.data.tables import read_table


def read_spine(path: Path) -> pd.DataFrame:
    """Read the school list by URN: area, laestab, name, minor_group, is_primary, is_secondary, opened, other_urn."""
    columns = ["URN", "LA", "LAESTAB", "SCHNAME", "MINORGROUP", "ISPRIMARY", "ISSECONDARY"]
    columns += ["OPENDATE", "OTHERURN"]
    frame = read_table(path, columns).drop_duplicates("URN")
    names = {"LA": "area", "LAESTAB": "laestab", "SCHNAME": "name", "MINORGROUP": "minor_group"}
    names |= {"OPENDATE": "opened", "OTHERURN": "other_urn"}
    spine = frame.set_index("URN").rename(columns=names)
    spine["area"] = pd.to_numeric(spine["area"], errors="coerce").fillna(0).astype(int)
    spine["is_primary"] = spine.pop("ISPRIMARY") == "1"
    spine["is_secondary"] = spine.pop("ISSECONDARY") == "1"
    return spine


def with_minor_group(identity: pd.DataFrame, spine: pd.DataFrame) -> pd.DataFrame:
    """Give each school the group that any of its URNs has in the school list; blank where none is listed."""
    found = identity["urn"].map(spine["minor_group"])
    of_oldest = identity["school_id"].map(spine["minor_group"])
    by_school = found.fillna(of_oldest).groupby(identity["school_id"]).transform("first")
    return identity.assign(minor_group=by_school.fillna(""))

"""The analysed schools of one outcome, and their changes over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalkit.core.project import Exposure, Project
from evalkit.data.panel import Panel
from evalkit.data.published.records import SchoolRecords, exclusion_reasons, has_any_before_and_all_after
from evalkit.data.roles import Roles
from evalkit.design.project.plan import OutcomeDesign


@dataclass(frozen=True, slots=True, eq=False)
class Changes:
    """One number of change and one weight per unit, with the unit's group."""

    units: pd.Index
    group: NDArray[np.int64]
    change: NDArray[np.float64]
    weight: NDArray[np.float64]

    def keep(self, units: pd.Index) -> Changes:
        """Return the changes of those units only."""
        is_kept = units.get_indexer(self.units) >= 0
        return Changes(self.units[is_kept], self.group[is_kept], self.change[is_kept], self.weight[is_kept])

    def scaled(self, weight: pd.Series) -> Changes:
        """Return the changes with other weights; units without one are left out."""
        known = weight.reindex(self.units).to_numpy(dtype=float)
        has_weight = np.isfinite(known) & (known > 0)
        return Changes(self.units[has_weight], self.group[has_weight], self.change[has_weight], known[has_weight])


def outcome_panel(project: Project, records: SchoolRecords, design: OutcomeDesign, every_year: bool = True) -> Panel:
    """Return the analysed schools of an outcome as a panel, clusters being groups.

    With `every_year` a school has a published outcome in each year of the project; otherwise at least
    one before and all after.
    """
    code, exposure, groups = design.outcome, project.exposure, design.groups
    if every_year:
        is_analysed = exclusion_reasons(records, code, exposure.years, project.pool.minor_groups) == ""
    else:
        is_analysed = has_any_before_and_all_after(
            records, code, exposure.pre, exposure.post, project.pool.minor_groups
        )
    units = groups.index[is_analysed.reindex(groups.index)]
    return make_panel(records.values[code].loc[units, list(exposure.years)], groups, design.treated_group, project)


def make_panel(wide: pd.DataFrame, groups: pd.Series, treated_group: int, project: Project) -> Panel:
    """Return a school × year table as a panel; the treated group's cohort is the first year after the baseline."""
    start = min((*project.exposure.partial, *project.exposure.post))
    row, column = np.nonzero(wide.notna().to_numpy())  # cells that were published, school by school
    group = groups.loc[wide.index].to_numpy()[row]
    table = {
        "unit": wide.index[row],
        "period": wide.columns.to_numpy(dtype=np.int64)[column],
        "outcome": wide.to_numpy(dtype=float)[row, column],
        "cluster": group,
        "cohort": np.where(group == treated_group, float(start), np.nan),
    }
    roles = Roles(unit="unit", period="period", outcome="outcome", cohort="cohort", cluster="cluster")
    return Panel.from_frame(pd.DataFrame(table), roles)


def changes_to(panel: Panel, exposure: Exposure, years: Sequence[int]) -> Changes:
    """Return each unit's mean over `years` less its mean over the years before the programme.

    The same base serves the headline and every point of the event study.
    """
    wide = panel.wide()
    after = wide[list(years)].mean(axis=1, skipna=False)
    return _of_units(panel, after - wide[list(exposure.pre)].mean(axis=1))


def changes_less_trend(panel: Panel, exposure: Exposure) -> Changes:
    """Return each unit's change less its own linear trend before the programme, continued to the years after.

    The trend is the least-squares slope over the years before; it is continued over
    mean(post) − mean(pre) years.
    """
    wide = panel.wide()
    years = np.array(exposure.pre, dtype=float)
    scores = wide[list(exposure.pre)].to_numpy(dtype=float)
    centred = years - years.mean()
    slope = scores @ centred / (centred @ centred)
    ahead = float(np.mean(exposure.post)) - years.mean()
    change = wide[list(exposure.post)].mean(axis=1, skipna=False) - wide[list(exposure.pre)].mean(axis=1)
    return _of_units(panel, change - ahead * slope)


def levels_before(panel: Panel, exposure: Exposure) -> Changes:
    """Return each unit's mean over the years before the programme, in the place of a change."""
    return _of_units(panel, panel.wide()[list(exposure.pre)].mean(axis=1))


def changes_before(panel: Panel, exposure: Exposure) -> Changes:
    """Return each unit's change from the first to the last year before the programme."""
    wide = panel.wide()
    return _of_units(panel, wide[max(exposure.pre)] - wide[min(exposure.pre)])


def changes_to_last_before(panel: Panel, exposure: Exposure) -> Changes:
    """Return each unit's last year before the programme less its mean over the years before that one."""
    wide, last = panel.wide(), max(exposure.pre)
    earlier = [year for year in exposure.pre if year != last]
    return _of_units(panel, wide[last] - wide[earlier].mean(axis=1, skipna=False))


def values_of_units(panel: Panel, units: pd.Index, values: NDArray[np.float64]) -> Changes:
    """Return one number of each of some units, in the place of a change, with its group and weight."""
    return _of_units(panel, pd.Series(values, units))


def _of_units(panel: Panel, change: pd.Series) -> Changes:
    by_unit = panel.by_unit()
    known = change.dropna()
    units = by_unit.loc[known.index]
    return Changes(
        known.index,
        units["cluster"].to_numpy(dtype=np.int64),
        known.to_numpy(dtype=float),
        units["weight"].to_numpy(dtype=float),
    )

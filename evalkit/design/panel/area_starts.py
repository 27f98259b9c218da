"""Treated areas whose programmes start in years of their own, and donors that never have one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from evalkit.core.arrays import Floats, Ints
from evalkit.core.errors import DesignError
from evalkit.data.areas.series import AreaSeries
from evalkit.data.flow import LeftOut
from evalkit.design.panel.area_design import area_design


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AreaStarts:
    """Treated areas with a start each, and donors, each with every period; made by `area_starts`.

    Attributes
    ----------
    outcome : what was measured, in words
    treated, donors : ids, in the order of ids
    starts : first treated period of each treated area
    periods : tuple of int, sorted
    treated_values, donor_values : shape (n_treated, n_periods) and (n_donors, n_periods)
    dropped : areas that serve as donor nowhere, with the reason
    notes : what a reader must know of the series
    """

    outcome: str
    treated: tuple[object, ...]
    starts: tuple[int, ...]
    donors: tuple[object, ...]
    periods: tuple[int, ...]
    treated_values: Floats
    donor_values: Floats
    dropped: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def n_pre(self) -> Ints:
        """Return how many periods lie before each area's start, shape (n_treated,)."""
        return np.array([sum(period < start for period in self.periods) for start in self.starts])

    @property
    def n_lags(self) -> int:
        """Return how many periods before its start every area has."""
        return int(self.n_pre.min())

    @property
    def n_leads(self) -> int:
        """Return how many periods from its start on every area has."""
        return len(self.periods) - int(self.n_pre.max())


def area_starts(series: AreaSeries, starts: Mapping[Any, int]) -> AreaStarts:
    """Return the comparison of treated areas with areas that never start; checks and errors as of `area_design`.

    Examples
    --------
    >>> import pandas as pd
    >>> from evalkit import AreaRoles, AreaSeries
    >>> frame = pd.DataFrame({"area": list("KKKLLLMMM"), "year": [2016, 2017, 2018] * 3, "rate": range(9)})
    >>> series = AreaSeries.from_frame(frame, AreaRoles(unit="area", period="year", outcome="rate"))
    >>> design = area_starts(series, {"K": 2017, "L": 2018})
    >>> design.donors, design.n_pre.tolist(), design.n_leads
    (('M',), [1, 2], 1)
    """
    made = area_design(series, list(starts), min(starts.values()))
    last = max(starts.values())
    if last > series.periods[-1]:
        late = [series.name(area) for area, start in starts.items() if start == last]
        raise DesignError(
            f"{late[0]} starts in {last}, and the series ends in {series.periods[-1]}: nothing of its programme can be "
            "seen yet. Take it off the list, or supply later periods."
        )
    return AreaStarts(
        outcome=made.outcome,
        treated=made.treated,
        starts=tuple(starts[area] for area in made.treated),
        donors=made.donors,
        periods=made.periods,
        treated_values=made.treated_values,
        donor_values=made.donor_values,
        dropped=made.dropped,
        notes=made.notes,
    )

"""A matched sample over time: the panel of the units matched, with their weights, for every staggered estimator."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalkit.core.arrays import Ints
from evalkit.core.errors import DesignError
from evalkit.core.words import counted, listed
from evalkit.data.panel import Panel
from evalkit.design.matching.matched import MatchedDesign
from evalkit.estimate.matched.matched_effect import FEWEST_STRATA


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """For each unit of a panel its position in the baseline, −1 where it has none."""

    place: Ints
    ids: pd.Index


def matched_panel(panel: Panel, design: MatchedDesign, clusters: Literal["set", "unit"] = "set") -> Panel:
    """Return the panel of the units that a design uses, their weights times the design's.

    Parameters
    ----------
    panel : Panel
        Outcomes over time; units of the design are found by their ids.
    design : MatchedDesign
    clusters : "set" or "unit"
        Errors cluster by matched set, pair or stratum, where the design has them, a set shares no unit with another,
        and strata that are no pairs are 20 or more; by the panel's own cluster (its unit, if it names none) otherwise
        and with "unit". Clusters of the panel above its units are kept, and hold whole sets only if the matching was
        within them.

    Raises
    ------
    DesignError
        Where a unit that the design uses is not in the panel, or treated units have no cohort or comparison units one.

    Examples
    --------
    >>> import evalkit
    >>> import pandas as pd
    >>> schools = pd.DataFrame(
    ...     {"school": range(40), "before": [i * 7 % 40 for i in range(40)], "helped": [i % 4 == 0 for i in range(40)]}
    ... )
    >>> later = schools["before"] + 2 * schools["helped"] + schools["school"] % 3 / 10
    >>> roles = evalkit.BaselineRoles(treated="helped", covariates=("before",), unit="school")
    >>> baseline = evalkit.Baseline.from_frame(schools, roles)
    >>> design = evalkit.match(baseline, evalkit.NearestNeighbour())
    >>> years = pd.concat([schools.assign(year=year, score=schools["before"] + year % 5) for year in (2014, 2015)])
    >>> years["start"] = years["helped"].map({True: 2015.0, False: None})
    >>> roles = evalkit.Roles(unit="school", period="year", outcome="score", cohort="start")
    >>> panel = evalkit.matched_panel(evalkit.Panel.from_frame(years, roles), design)
    >>> len(panel.units)
    20
    """
    rows = _rows(panel, design)
    used = np.zeros(len(panel.units), dtype=bool)
    used[rows.place >= 0] = design.is_used[rows.place[rows.place >= 0]]
    _require_present(rows, design, used)
    _require_cohorts(panel, design, rows, used)
    kept = panel.restricted(used[panel.unit_codes])
    place = rows.place[used][kept.unit_codes]
    frame = kept.frame.assign(weight=kept.frame["weight"].to_numpy() * design.weights[place])
    if clusters == "set" and design.strata is not None and _are_many(design) and _is_by_unit(panel):
        frame["cluster"] = design.strata[place]
        kept = replace(kept, clustered_by="matched set")
    return replace(kept, frame=frame)


def _rows(panel: Panel, design: MatchedDesign) -> _Rows:
    ids = design.baseline.units.index
    if pd.api.types.is_numeric_dtype(ids.dtype) != pd.api.types.is_numeric_dtype(panel.units.dtype):
        raise DesignError(
            "Units are numbers in the panel and texts in the design, or the reverse, so that none can be found in the "
            "other. Read both with ids as texts."
        )
    return _Rows(ids.get_indexer(panel.units).astype(np.int64), ids)


def _require_present(rows: _Rows, design: MatchedDesign, used: NDArray[np.bool_]) -> None:
    missing = rows.ids[design.is_used].difference(rows.ids[rows.place[used]], sort=False)
    if len(missing):
        raise DesignError(
            f"{counted(len(missing), 'unit')} that the design uses {'is' if len(missing) == 1 else 'are'} not in the "
            f"panel ({listed([str(unit) for unit in missing], 5)}). Add their rows; leaving them out would change who "
            "is compared after outcomes were seen."
        )


def _require_cohorts(panel: Panel, design: MatchedDesign, rows: _Rows, used: NDArray[np.bool_]) -> None:
    """Raise `DesignError` where who is treated in the design and in the panel differs."""
    has_cohort = panel.by_unit()["cohort"].notna().to_numpy()[used]
    is_treated = design.baseline.is_treated[rows.place[used]]
    differs = has_cohort != is_treated
    if differs.any():
        unit = panel.units[used][int(np.argmax(differs))]
        said = "treated in the design and has no cohort" if is_treated[differs][0] else "compared with and has a cohort"
        raise DesignError(f"Unit {unit!r} is {said} in the panel. A cohort is the first treated period of the treated.")


def _are_many(design: MatchedDesign) -> bool:
    """Return whether errors may cluster by sets: six subclasses are no sample of subclasses."""
    assert design.strata is not None
    return design.pairs is not None or len(np.unique(design.strata[design.is_used])) >= FEWEST_STRATA


def _is_by_unit(panel: Panel) -> bool:
    """Return whether the panel names no cluster above its units."""
    cluster, unit = panel.frame["cluster"], panel.frame["unit"]
    return bool((cluster.astype("str") == unit.astype("str")).all())

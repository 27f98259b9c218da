"""A matched sample over time: the panel of the units matched, with their weights, for every staggered estimator."""

from __future__ import annotations

from dataclasses import replace
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
    position = _positions(panel, design)
    is_used = np.zeros(len(panel.units), dtype=bool)
    is_used[position >= 0] = design.is_used[position[position >= 0]]
    _require_present(design, position[is_used])
    _require_cohorts(panel, design, position, is_used)
    matched = panel.restricted(is_used[panel.unit_codes])
    by_row = position[is_used][matched.unit_codes]
    frame = matched.frame.assign(weight=matched.frame["weight"].to_numpy() * design.weights[by_row])
    if clusters == "set" and design.strata is not None and _are_many(design) and _is_by_unit(panel):
        frame["cluster"] = design.strata[by_row]
        matched = replace(matched, clustered_by="matched set")
    return replace(matched, frame=frame)


def _positions(panel: Panel, design: MatchedDesign) -> Ints:
    """Return each unit's position in the baseline, −1 where it has none, shape (n_units,)."""
    ids = design.baseline.units.index
    if pd.api.types.is_numeric_dtype(ids.dtype) != pd.api.types.is_numeric_dtype(panel.units.dtype):
        raise DesignError(
            "Units are numbers in the panel and texts in the design, or the reverse, so that none can be found in the "
            "other. Read both with ids as texts."
        )
    return ids.get_indexer(panel.units).astype(np.int64)


def _require_present(design: MatchedDesign, present: Ints) -> None:
    ids = design.baseline.units.index
    missing = ids[design.is_used].difference(ids[present], sort=False)
    if len(missing):
        raise DesignError(
            f"{counted(len(missing), 'unit')} that the design uses {'is' if len(missing) == 1 else 'are'} not in the "
            f"panel ({listed([str(unit) for unit in missing], 5)}). Add their rows; leaving them out would change who "
            "is compared after outcomes were seen."
        )


def _require_cohorts(panel: Panel, design: MatchedDesign, position: Ints, used: NDArray[np.bool_]) -> None:
    """Raise `DesignError` where who is treated in the design and in the panel differs."""
    has_cohort = panel.by_unit()["cohort"].notna().to_numpy()[used]
    is_treated = design.baseline.is_treated[position[used]]
    differs = has_cohort != is_treated
    if differs.any():
        unit = panel.units[used][int(np.argmax(differs))]
        clash = (
            "treated in the design and has no cohort" if is_treated[differs][0] else "compared with and has a cohort"
        )
        raise DesignError(
            f"Unit {unit!r} is {clash} in the panel. A cohort is the first treated period of the treated."
        )


def _are_many(design: MatchedDesign) -> bool:
    """Return whether errors may cluster by sets: six subclasses are no sample of subclasses."""
    assert design.strata is not None
    return design.pairs is not None or len(np.unique(design.strata[design.is_used])) >= FEWEST_STRATA


def _is_by_unit(panel: Panel) -> bool:
    """Return whether the panel names no cluster above its units."""
    cluster, unit = panel.frame["cluster"], panel.frame["unit"]
    return bool((cluster.astype("str") == unit.astype("str")).all())

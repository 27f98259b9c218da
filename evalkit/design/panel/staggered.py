"""Difference-in-differences with cohorts that start in different periods: who is compared with whom, and from when."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalkit.core.arrays import Floats
from evalkit.core.errors import DesignError
from evalkit.core.shown import Shown
from evalkit.core.words import counted, listed
from evalkit.data.flow import LeftOut
from evalkit.data.panel import CrossSections, Panel
from evalkit.data.roles import codes_of
from evalkit.design.algebra_arrays import dependence

# Difference-in-differences with cohorts that start in different periods: who is compared with whom, and from when.

ComparisonGroup = Literal["never", "not-yet"]
BasePeriod = Literal["varying", "universal"]
Unbalanced = Literal["pairs", "complete", "levels"]


@dataclass(frozen=True, slots=True)
class CellPlan:
    """One comparison to be made: a cohort in a period, measured from `base`, against the cohorts named.

    `compared` holds positions in the design's cohorts; the position after the last is the never-treated.
    """

    cohort: int
    period: int
    base: int
    compared: tuple[int, ...]

    @property
    def is_reference(self) -> bool:
        """Return whether the period is the base itself, where the effect is zero by definition."""
        return self.period == self.base


@dataclass(frozen=True, slots=True, kw_only=True)
class StaggeredOptions:
    """How cohorts are compared.

    Attributes
    ----------
    comparison : "never" (never-treated units) or "not-yet" (also units that start later)
    anticipation : periods before the start in which the programme may already act
    base_period : "varying" (before the start each period is measured from the one before it) or
        "universal" (every period from the last one before the start)
    unbalanced : what is done where a unit lacks periods: "pairs" (it serves each comparison for which it has
        both periods), "complete" (it is left out), "levels" (rows serve as repeated cross-sections)
    """

    comparison: ComparisonGroup = "never"
    anticipation: int = 0
    base_period: BasePeriod = "varying"
    unbalanced: Unbalanced = "pairs"

    def __post_init__(self) -> None:
        if self.anticipation < 0 or self.anticipation != int(self.anticipation):
            raise DesignError(f"Anticipation is a number of periods from 0 on, not {self.anticipation}.")
        _one_of("comparison", self.comparison, ("never", "not-yet"))
        _one_of("base period", self.base_period, ("varying", "universal"))
        _one_of("rule for unbalanced panels", self.unbalanced, ("pairs", "complete", "levels"))


_IDLE_TREATED = "it is not seen both before its start and since, so that no effect rests on it"
_IDLE_COMPARISON = "it is seen in one period only, so that no change is compared with its own"


def _one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise DesignError(f"The {name} '{value}' is not known. It is {' or '.join(known)}.")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class StaggeredDesign(Shown):
    """Cohorts, the units they are compared with, and the comparisons to be made; made by `staggered_design`.

    Attributes
    ----------
    observations : Panel or CrossSections, of the analysed units only
    options : StaggeredOptions
    cohorts : tuple of int, the cohorts that have a period before their start, earliest first
    stratum : shape (n_units,) of a panel or (n_rows,) of cross-sections
        Position of each unit's cohort in `cohorts`, or their number where it is never treated.
    cluster : shape like `stratum`, position of each unit's cluster, or None where each unit is one
    n_clusters : number of clusters, which are independent of each other
    dropped : units left out, with the reason
    n_by_stratum : shape (n_cohorts + 1,), number of units (rows) of each cohort and of the never-treated
    is_in_cluster : shape (n_cohorts + 1, n_clusters), whether a cluster holds units of a stratum; empty for units
    """

    observations: Panel | CrossSections
    options: StaggeredOptions
    cohorts: tuple[int, ...]
    stratum: NDArray[np.int64]
    cluster: NDArray[np.int64] | None
    n_clusters: int
    dropped: tuple[LeftOut, ...]
    n_by_stratum: NDArray[np.int64] = field(init=False)
    is_in_cluster: NDArray[np.bool_] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "n_by_stratum", np.bincount(self.stratum, minlength=len(self.cohorts) + 1))
        is_in_cluster = np.zeros((len(self.cohorts) + 1, 0 if self.cluster is None else self.n_clusters), dtype=bool)
        if self.cluster is not None:
            is_in_cluster[self.stratum, self.cluster] = True
        object.__setattr__(self, "is_in_cluster", is_in_cluster)

    @property
    def panel(self) -> Panel:
        """Return the panel; raise `DesignError` for repeated cross-sections."""
        if isinstance(self.observations, Panel):
            return self.observations
        raise DesignError(
            "This estimator follows units over time, and repeated cross-sections have other people in each period. "
            "Use the group-time estimator, or give means by unit and period."
        )

    @property
    def is_panel(self) -> bool:
        """Return whether the same units are followed over time."""
        return isinstance(self.observations, Panel)

    @property
    def comparison(self) -> ComparisonGroup:
        """Return whether only never-treated units are compared, or also those that start later."""
        return self.options.comparison

    @property
    def anticipation(self) -> int:
        """Return the periods before the start in which the programme may already act."""
        return self.options.anticipation

    def treated_clusters(self, cohorts: tuple[int, ...]) -> int:
        """Return how many clusters hold the units of some cohorts."""
        strata = [self.cohorts.index(cohort) for cohort in cohorts]
        if self.cluster is None:
            return int(self.n_by_stratum[strata].sum())
        return int(self.is_in_cluster[strata].any(axis=0).sum())

    @property
    def is_carrying(self) -> NDArray[np.bool_]:
        """Return which units (rows, of cross-sections) an effect can rest on, shape like `stratum`.

        A treated unit of a panel is seen both before its start and since, a treated observation of cross-sections
        since its start; of units compared all are.
        """
        is_treated = self.stratum < len(self.cohorts)
        if isinstance(self.observations, CrossSections):
            start = np.append(np.array(self.cohorts, dtype=float), np.inf)
            period = np.asarray(self.observations.periods, dtype=float)[self.observations.period_codes]
            return np.asarray(~is_treated | (period >= start[self.stratum]))
        if self.panel.is_balanced:
            return np.ones(len(self.stratum), dtype=bool)
        since, before = _sides(self)
        return np.asarray(~is_treated | ((since > 0) & ((before > 0) | (self.options.unbalanced == "levels"))))

    @property
    def n_never(self) -> int:
        """Return how many units (rows, of cross-sections) are never treated."""
        return int(self.n_by_stratum[-1])

    @property
    def n_treated(self) -> int:
        """Return how many units (rows, of cross-sections) are in a cohort."""
        return int(self.n_by_stratum[:-1].sum())

    def base_of(self, cohort: int) -> int:
        """Return the last period before the start of a cohort, and before its anticipation."""
        periods = self.observations.periods
        return periods[bisect_left(periods, cohort - self.anticipation) - 1]

    def cells(self) -> tuple[CellPlan, ...]:
        """Return every comparison to be made, by cohort and period."""
        return tuple(cell for cohort in self.cohorts for cell in self._cells_of(cohort))

    def _cells_of(self, cohort: int) -> list[CellPlan]:
        periods, base_of_cohort = self.observations.periods, self.base_of(cohort)
        cells = []
        for before, period in zip((None, *periods), periods, strict=False):
            is_after = period >= cohort
            # from the start on every period is measured from the last one before it, whatever the base of earlier ones
            base = base_of_cohort if is_after or self.options.base_period == "universal" else before
            if base is not None:
                cells.append(CellPlan(cohort, period, base, self._compared(cohort, max(period, base))))
        return cells

    def _compared(self, cohort: int, latest: int) -> tuple[int, ...]:
        """Return the strata that no programme has reached by the later of the two periods."""
        later = [
            i
            for i, other_cohort in enumerate(self.cohorts)
            if other_cohort != cohort and other_cohort > latest + self.anticipation
        ]
        never = [len(self.cohorts)] if self.n_never else []
        return tuple((later if self.comparison == "not-yet" else []) + never)


def with_universal_base(design: StaggeredDesign) -> StaggeredDesign:
    """Return a design whose every period, early ones as well, is measured from the last one before the start."""
    if design.options.base_period == "universal":
        return design
    return staggered_design(design.observations, replace(design.options, base_period="universal"))


def staggered_design(observations: Panel | CrossSections, options: StaggeredOptions | None = None) -> StaggeredDesign:
    """Return the comparisons to be made between cohorts; raise `DesignError` where none is possible.

    Units whose programme (or its anticipation) had begun by the first period are left out and counted:
    nothing is known of them without it. So are units of a panel on which no effect after a start can rest. A cohort
    that starts after the last period, anticipation included, counts as never treated within these periods.
    A covariate that tells no units of a period apart, or follows from the others, is refused whatever the estimator.

    Examples
    --------
    >>> import pandas as pd
    >>> from evalkit import Panel, Roles, StaggeredOptions, staggered_design
    >>> frame = pd.DataFrame({"school": list("AAABBBCCC"), "year": [2017, 2018, 2019] * 3, "score": range(9)})
    >>> frame["first_year"] = frame["school"].map({"A": 2018, "B": 2019})
    >>> panel = Panel.from_frame(frame, Roles(unit="school", period="year", outcome="score", cohort="first_year"))
    >>> design = staggered_design(panel, StaggeredOptions(comparison="not-yet"))
    >>> design.cohorts, design.n_never
    ((2018, 2019), 1)
    >>> [(cell.cohort, cell.period, cell.base) for cell in design.cells()]
    [(2018, 2018, 2017), (2018, 2019, 2017), (2019, 2018, 2017), (2019, 2019, 2018)]
    """
    options = options or StaggeredOptions()
    if not observations.periods:
        raise DesignError("The table has no rows, so there is nothing to compare. Check how it was read or filtered.")
    observations, left_out = _complete(observations, options)
    # who is left out can take a period or a cohort along, and then others rest on nothing: until nobody goes
    while True:
        observations, already = _without_already_treated(observations, options.anticipation)
        design = _design_of(observations, options, (*left_out, *already))
        _require_comparison(design)
        observations, idle = _serving(design)
        if not idle:
            require_distinct_covariates(observations)
            return design
        left_out = (*left_out, *already, *idle)


def _design_of(
    observations: Panel | CrossSections, options: StaggeredOptions, dropped: tuple[LeftOut, ...]
) -> StaggeredDesign:
    """Return the design of observations from which nobody has to be left out any more."""
    periods = observations.periods
    if len(periods) < 2:
        raise DesignError("Fewer than two periods are left, so no change can be measured. Add an earlier period.")
    cohort = _cohort_of_units(observations)
    cohort = np.where(cohort > periods[-1] + options.anticipation, np.nan, cohort)
    codes, known = pd.factorize(cohort, sort=True)  # a missing cohort has the code −1
    stratum = np.where(codes < 0, len(known), codes).astype(np.int64)
    cluster, n_clusters = _clusters(observations)
    return StaggeredDesign(
        observations, options, tuple(int(start) for start in known), stratum, cluster, n_clusters, dropped
    )


def _sides(design: StaggeredDesign) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return in how many periods each unit of a panel is seen since its start, and before it and its anticipation."""
    panel = design.panel
    start = np.append(np.array(design.cohorts, dtype=float), np.inf)[design.stratum][panel.unit_codes]
    period = np.asarray(panel.periods, dtype=float)[panel.period_codes]
    n_units = len(panel.units)
    since = np.bincount(panel.unit_codes[period >= start], minlength=n_units)
    return since, np.bincount(panel.unit_codes[period < start - design.anticipation], minlength=n_units)


def _serving(design: StaggeredDesign) -> tuple[Panel | CrossSections, tuple[LeftOut, ...]]:
    """Leave out units of a panel on which no effect can rest, whatever the estimator, each with the reason.

    A treated unit is needed on both sides of its start, and a comparison unit in two periods; where nobody is never
    treated, units that start later are compared until then. Counted among the treated or the clusters the others
    would lend an estimate a certainty that it has not.
    """
    panel = design.observations
    if not isinstance(panel, Panel) or panel.is_balanced or design.options.unbalanced == "levels":
        return panel, ()
    is_treated = design.stratum < len(design.cohorts)
    _, before = _sides(design)
    is_compared = before > 1
    if design.n_never:  # the same units whatever the comparison, so that estimators stay comparable
        is_compared &= ~is_treated
    serves = design.is_carrying | is_compared
    if serves.all():
        return panel, ()
    if not serves.any():
        raise DesignError(
            "No unit is seen in two periods, so that no change can be measured. Add the missing periods, or take rows "
            "as repeated cross-sections (unbalanced 'levels')."
        )
    return _without(panel, is_treated, serves)


def without_idle(panel: Panel) -> tuple[Panel, tuple[LeftOut, ...]]:
    """Leave out units that tell nothing of an effect in one regression with unit and period effects, with the reason.

    As in `staggered_design` a unit that starts within the panel is needed on both sides of its start, and any other,
    one treated all along among them, in two periods.
    """
    if panel.is_balanced:
        return panel, ()
    cohort = panel.by_unit()["cohort"].to_numpy(dtype=float)
    starts_within = (cohort > panel.periods[0]) & (cohort <= panel.periods[-1])
    is_since = np.asarray(panel.periods)[panel.period_codes] >= cohort[panel.unit_codes]
    since = np.bincount(panel.unit_codes, is_since, len(panel.units))
    n_periods = np.bincount(panel.unit_codes, minlength=len(panel.units))
    serves = np.where(starts_within, (since > 0) & (since < n_periods), n_periods > 1)
    if serves.all() or not serves.any():
        return panel, ()
    return _without(panel, starts_within, serves)


def _without(
    panel: Panel, is_treated: NDArray[np.bool_], serves: NDArray[np.bool_]
) -> tuple[Panel, tuple[LeftOut, ...]]:
    left_out: tuple[LeftOut, ...] = ()
    for arm, reason in ((is_treated, _IDLE_TREATED), (~is_treated, _IDLE_COMPARISON)):
        idle = arm & ~serves
        if idle.any():
            names = tuple(panel.units[idle].astype(str).tolist())
            left_out += (LeftOut(reason, names, int(idle[panel.unit_codes].sum())),)
    return panel.restricted(serves[panel.unit_codes]), left_out


def _cohort_of_units(observations: Panel | CrossSections) -> NDArray[np.float64]:
    cohort: NDArray[np.float64] = observations.frame["cohort"].to_numpy(dtype=float)
    return cohort[observations.first_rows] if isinstance(observations, Panel) else cohort


def _clusters(observations: Panel | CrossSections) -> tuple[NDArray[np.int64] | None, int]:
    """Return the cluster of each unit (row, of cross-sections), None where each is its own, and their number."""
    unit_rows = observations.first_rows if isinstance(observations, Panel) else np.arange(len(observations.frame))
    cluster = observations.frame["cluster"].iloc[unit_rows]
    if isinstance(observations, Panel) and cluster.array.equals(observations.frame["unit"].iloc[unit_rows].array):
        return None, len(unit_rows)
    codes, distinct = codes_of(cluster, "cluster")
    return (None if len(distinct) == len(codes) else codes), len(distinct)


def _complete(
    observations: Panel | CrossSections, options: StaggeredOptions
) -> tuple[Panel | CrossSections, tuple[LeftOut, ...]]:
    """Leave out units without every period, where that is the rule."""
    if not isinstance(observations, Panel) or options.unbalanced != "complete" or observations.is_balanced:
        return observations, ()
    has_all = np.bincount(observations.unit_codes) == len(observations.periods)
    reason = f"has not all of the {len(observations.periods)} periods"
    return _kept(observations, has_all[observations.unit_codes], reason)


def _without_already_treated(
    observations: Panel | CrossSections, anticipation: int
) -> tuple[Panel | CrossSections, tuple[LeftOut, ...]]:
    """Leave out units treated from the first period on; where they alone had it, the next one is the first."""
    left_out: tuple[LeftOut, ...] = ()
    while True:
        first = observations.periods[0]
        already = observations.frame["cohort"].to_numpy(dtype=float) <= first + anticipation
        reason = f"its programme had begun by the first period, {first}, so that nothing is known of it without it"
        reason += " (anticipation included)" if anticipation else ""
        observations, more = _kept(observations, ~already, reason)
        left_out += more
        if not more or observations.periods[0] == first:
            return observations, left_out


def _kept(
    observations: Panel | CrossSections, keep: NDArray[np.bool_], reason: str
) -> tuple[Panel | CrossSections, tuple[LeftOut, ...]]:
    if keep.all():
        return observations, ()
    if not keep.any():
        raise DesignError(f"Every unit is left out: {reason}. Add earlier periods, or units of which more is known.")
    units_lost = observations.frame.loc[~keep, "unit"]
    left_out = LeftOut(reason, tuple(units_lost.drop_duplicates().astype(str).tolist()), int((~keep).sum()))
    return observations.restricted(keep), (left_out,)


def _require_comparison(design: StaggeredDesign) -> None:
    if not design.cohorts:
        raise DesignError(
            "No unit is treated within the periods of the table, so there is no effect to estimate. "
            + ("A programme that acts before its start needs earlier periods still. " if design.anticipation else "")
            + "Check the cohort column: it holds the first treated period."
        )
    if design.comparison == "never" and not design.n_never:
        raise DesignError(
            "No unit is never treated, so there is no comparison group. Leave the cohort empty for units never "
            "treated, add such units, or compare with units that start later (comparison 'not-yet')."
        )
    if all(not cell.compared for cell in design.cells()):
        names = listed([str(cohort) for cohort in design.cohorts])
        raise DesignError(
            f"There is nobody to compare the {counted(len(design.cohorts), 'cohort')} ({names}) with. "
            "Add units that are never treated or start later."
        )


# Covariates of units over time: each must say something that period and the other covariates do not.

_ROUNDING = 1e-12
"""A spread below this share of the largest value is no variation."""


def require_distinct_covariates(observations: Panel | CrossSections) -> None:
    """Raise `DesignError` that names a covariate with nothing of its own to say: alike in a period, or collinear.

    Every estimator compares units within periods, so that a covariate is only what it is beyond its period's mean.
    """
    names = observations.covariates
    if not names:
        return
    columns = np.column_stack([_within_periods(observations, name) for name in names])
    determined = dependence(columns)
    if determined is None:
        return
    name = names[determined.column]
    if not determined.made_of:
        raise DesignError(
            f"The covariate '{name}' is the same for all units of a period, so that it tells none of them apart. "
            "Leave it out."
        )
    other_names = listed([f"'{names[k]}'" for k in determined.made_of])
    raise DesignError(
        f"The covariates are collinear: within each period '{name}' follows from {other_names}, so that they cannot be "
        "adjusted for side by side. Leave one of them out."
    )


def _within_periods(observations: Panel | CrossSections, name: str) -> Floats:
    """Return a covariate less its mean in each period, at SD 1; zeros where it does not vary within any."""
    values = observations.frame[name].to_numpy(dtype=float)
    code, n_periods = observations.period_codes, len(observations.periods)
    mean = np.bincount(code, values, n_periods) / np.maximum(np.bincount(code, minlength=n_periods), 1)
    apart = values - mean[code]
    spread = float(np.sqrt(apart @ apart / len(apart)))
    none: Floats = np.zeros(len(apart))
    return none if spread <= _ROUNDING * np.abs(values).max() else apart / spread

"""Difference-in-differences of pupils in schools in years, other pupils each year, as a two-level model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from evalkit.core.arrays import Floats, Ints
from evalkit.core.errors import DesignError
from evalkit.core.quantities import Estimate, Unavailable
from evalkit.core.words import listed
from evalkit.data.panel import CrossSections
from evalkit.data.roles import codes_of
from evalkit.design.clusters import NO_CLUSTER_HERE, independence
from evalkit.estimate.pupils.multilevel import notes_of, outcome_only, require_fit, too_few, variance_parts
from evalkit.estimate.pupils.random_intercept_arrays import GroupSums, fit, group_sums
from evalkit.estimate.pupils.two_level import Coefficient, TwoLevelModel, TwoLevelOptions

Shock = Literal["period", "span"]

EFFECT: Final = "treated after the start"
PERIOD: Final = "period "
SCHOOLS_DF: Final = "schools observed before and after, less two and less covariates of whole groups"
PUPIL_DF: Final = "pupils less groups less coefficients"


@dataclass(frozen=True, slots=True, eq=False)
class SchoolPeriods:
    """Pupils as sums by school and period (or span)."""

    sums: GroupSums
    names: tuple[str, ...]
    n_treated: int
    n_comparison: int
    n_schools: int
    cohort: int


def two_level_did(
    sections: CrossSections, shock: Shock = "span", options: TwoLevelOptions | None = None
) -> TwoLevelModel:
    """Return the effect on pupils of treated schools after the start, given school, period and covariates.

    Model: y_ijt = α_j + γ_t + δ·(treated and t ≥ start) + x'β + v_jt + e_ijt. School constants α_j are absorbed, so
    that lasting differences between schools never bias δ. The random intercept v stands for a school before and a
    school after the start (`shock="span"`, right also where a school's good years come in runs), or for a school in a
    single period (`shock="period"`, where they do not). A random intercept for the school alone is not offered: it
    takes the pupils of one year as independent given the school, so that a school's good or bad year would count as
    many independent observations.

    Raises `DesignError` for several cohorts, for no period before the start, no comparison, or weights that differ.

    >>> import evalkit
    >>> import pandas as pd
    >>> rows = [
    ...     (i % 12, t, i * 7 % 11 / 5 + i % 12 % 3 + (i % 12 < 6 and t), 1 if i % 12 < 6 else None)
    ...     for i in range(240) for t in (0, 1)
    ... ]
    >>> pupils = pd.DataFrame(rows, columns=["school", "year", "score", "start"])
    >>> roles = evalkit.Roles(unit="school", period="year", outcome="score", cohort="start", cluster="school")
    >>> model = evalkit.two_level_did(evalkit.CrossSections.from_frame(pupils, roles))
    >>> round(model.effect.value, 2)
    1.0
    """
    chosen = options or TwoLevelOptions()
    cells = _school_periods(sections, shock)
    require_fit(cells.sums, cells.names)
    is_restricted = chosen.likelihood == "REML"
    if chosen.engine != "own":
        raise DesignError("Absorbed school constants are fitted by the engine 'own' only.")
    found, empty = fit(cells.sums, is_restricted), outcome_only(cells.sums)
    coefficients = _coefficients(cells, found.beta, np.sqrt(np.diag(found.covariance)))
    return TwoLevelModel(
        effect=coefficients[0].estimate,
        estimand=_estimand(cells, sections),
        coefficients=coefficients,
        conditional=variance_parts(cells.sums, found, chosen),
        unconditional=variance_parts(empty, fit(empty, is_restricted), chosen),
        grouping=f"school and {shock}",
        n_pupils=cells.sums.n,
        n_groups=len(cells.sums.size),
        n_schools=cells.n_schools,
        n_treated_schools=cells.n_treated,
        n_comparison_schools=cells.n_comparison,
        log_likelihood=-found.deviance / 2,
        likelihood=chosen.likelihood,
        engine=chosen.engine,
        level=chosen.level,
        notes=(
            _SHARE,
            *notes_of(found, len(cells.sums.size)),
            independence("schools", remedy=NO_CLUSTER_HERE),
        ),
    )


_SHARE: Final = (
    "Variances are those left after each school's own constant: the share between groups is that of school-by-period "
    "shocks, not of lasting differences between schools."
)


def _school_periods(sections: CrossSections, shock: Shock) -> SchoolPeriods:
    frame = sections.frame
    start = _start(sections)
    period = frame["period"].to_numpy()
    school, schools = codes_of(frame[_school_column(sections)], "school")
    is_treated = frame["cohort"].notna().to_numpy()
    is_after = period >= start
    part = sections.period_codes if shock == "period" else is_after.astype(np.int64)
    n_parts = int(part.max()) + 1
    cell, group = np.unique(school * n_parts + part, return_inverse=True)
    columns = [(is_treated & is_after).astype(float)]
    columns += [(sections.period_codes == at).astype(float) for at in range(1, len(sections.periods))]
    columns += [frame[name].to_numpy(dtype=float) for name in sections.covariates]
    names = (EFFECT, *(f"{PERIOD}{p}" for p in sections.periods[1:]), *sections.covariates)
    sums = group_sums(frame["outcome"].to_numpy(dtype=float), np.asfortranarray(np.array(columns).T), group,
                      absorbed=cell // n_parts)  # fmt: skip
    both = _both(school, is_after, len(schools))
    treated = np.zeros(len(schools), dtype=bool)
    treated[school] = is_treated
    n_treated, n_comparison = int((both & treated).sum()), int((both & ~treated).sum())
    _require_arms(n_treated, n_comparison)
    return SchoolPeriods(sums, names, n_treated, n_comparison, len(schools), start)


def _school_column(sections: CrossSections) -> str:
    """Return the column that names schools: the unit where it holds several pupils of a period, else the cluster."""
    if sections.clustered_by == "row":
        raise DesignError("Each unit has one row a period, so no unit is a school of pupils. Name the school's column.")
    place = sections.frame[["unit", "period"]]
    return "unit" if sections.clustered_by == "unit" or place.duplicated().any() else "cluster"


def _both(school: Ints, is_after: NDArray[np.bool_], size: int) -> NDArray[np.bool_]:
    before, after = (np.bincount(school[rows], minlength=size) > 0 for rows in (~is_after, is_after))
    both: NDArray[np.bool_] = before & after
    return both


def _start(sections: CrossSections) -> int:
    """Return the one first treated period."""
    if not (sections.frame["weight"] == 1).all():
        raise DesignError("A two-level model weighs pupils by its variances. Leave the weights out.")
    cohorts = np.unique(sections.frame["cohort"].dropna().to_numpy())
    if len(cohorts) == 0:
        raise DesignError("No school is treated, so there is nothing to compare. Give treated schools a cohort.")
    if len(cohorts) > 1:
        raise DesignError(
            f"Schools start in {listed([str(int(c)) for c in cohorts])}. One coefficient would mix early and late "
            "starters as comparisons of each other; estimate group-time effects, or keep one cohort."
        )
    start = int(cohorts[0])
    if start <= sections.periods[0] or start > sections.periods[-1]:
        raise DesignError(f"The start in {start} needs periods before and after it: {listed_periods(sections)} given.")
    return start


def listed_periods(sections: CrossSections) -> str:
    """Return the periods as words."""
    return listed([str(period) for period in sections.periods], 20)


def _require_arms(n_treated: int, n_comparison: int) -> None:
    if n_treated == 0 or n_comparison == 0:
        arm = "treated" if n_treated == 0 else "comparison"
        raise DesignError(f"No {arm} school was observed both before and after the start, so no change can be seen.")


def _coefficients(cells: SchoolPeriods, beta: Floats, error: Floats) -> tuple[Coefficient, ...]:
    """Return every coefficient; those of columns that are the same for all pupils of a group lean on schools."""
    within = np.diag(cells.sums.within)[1:-1]
    of_school = within <= 1e-10 * (within + (cells.sums.mean[:, 1:-1] ** 2 * cells.sums.size[:, None]).sum(axis=0))
    n_more = sum(
        is_in and name != EFFECT and not name.startswith(PERIOD)
        for name, is_in in zip(cells.names, of_school, strict=True)
    )
    df = cells.n_treated + cells.n_comparison - 2 - n_more
    df_pupil = max(cells.sums.n - len(cells.sums.size) - int((~of_school).sum()), 1)
    reason = _no_error(cells, df)
    made = []
    for at, name in enumerate(cells.names):
        leans = bool(of_school[at]) or name.startswith(PERIOD)
        std_error = reason if leans and reason is not None else float(error[at])
        estimate = Estimate(float(beta[at]), std_error, float(df if leans else df_pupil))
        made.append(Coefficient(name=name, estimate=estimate, df_rule=SCHOOLS_DF if leans else PUPIL_DF))
    return tuple(made)


def _no_error(cells: SchoolPeriods, df: int) -> Unavailable | None:
    if min(cells.n_treated, cells.n_comparison) >= 2:
        return too_few(cells.n_treated + cells.n_comparison, df)
    arm = "treatment" if cells.n_treated < 2 else "comparison"
    return Unavailable(
        f"The {arm} stands in one school only: what happened in that school cannot be told from the programme."
    )


def _estimand(cells: SchoolPeriods, sections: CrossSections) -> str:
    given = f", given {', '.join(sections.covariates)}" if sections.covariates else ""
    return (
        f"Effect on pupils of treated schools from {cells.cohort} on{given}: how much more their outcome changed than "
        "that of comparison schools' pupils, if without the programme both would have changed alike and the pupils' "
        "make-up, as far as it is not among the covariates, moved alike."
    )

"""Whether cohorts moved like the others before their start, told from untreated observations."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evalkit.core.arrays import Floats
from evalkit.core.errors import DesignError
from evalkit.core.quantities import ROUNDING, Estimate, Quantity, Unavailable, without_rounding
from evalkit.core.scipy_parts import special
from evalkit.core.shown import Shown
from evalkit.design.clusters import (
    CR2,
    LEAST_DF,
    PLAIN_DF,
    Concentration,
    one_treated_cluster_reason,
    recommended_inference,
    too_concentrated,
)
from evalkit.design.panel.staggered import StaggeredDesign
from evalkit.estimate.cluster_model import ARMS, ClusterModel
from evalkit.estimate.staggered.cells import StaggeredRows
from evalkit.estimate.staggered.imputation import with_untreated_periods
from evalkit.estimate.staggered.imputation_arrays import AlikeClusters, alike_clusters
from evalkit.estimate.staggered.pre_test import PreTest
from evalkit.estimate.staggered.results import Reported, ReportedSet, StaggeredResults
from evalkit.estimate.staggered.summaries import NO_VARIATION
from evalkit.estimate.staggered.sun_abraham import small_sample_factor
from evalkit.estimate.two_way.absorbed_arrays import Absorbed, Regressors

# Whether cohorts moved like the others before their start, told from untreated observations alone.


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Leads(Shown):
    """How far cohorts were from the others in each of the last periods before their start.

    Attributes
    ----------
    times : tuple of int, event times, the earliest first; earlier ones are what they are measured from
    estimates : tuple of Estimate or Unavailable, one for each
    covariance : shape (n_times, n_times); 0 where there is no estimate
    joint : the test that all are zero, or why there is none
    is_corrected : whether errors are corrected for few clusters (CR2)
    """

    times: tuple[int, ...]
    estimates: tuple[Estimate | Unavailable, ...]
    covariance: Floats
    joint: PreTest | Unavailable
    is_corrected: bool = False

    @property
    def p_value(self) -> Quantity:
        """Return the p-value of the test that all are zero, or why there is none."""
        return self.joint if isinstance(self.joint, Unavailable) else self.joint.p_value


def imputation_leads(design: StaggeredDesign, n_leads: int) -> Leads:
    """Return the leads of Borusyak, Jaravel and Spiess (2024, section 4.4) and their joint test.

    Untreated observations alone are regressed on unit and period effects, covariates, and an indicator for each of
    the last `n_leads` periods before the start (and its anticipation), so that the test does not change what
    imputation finds. Errors are cluster-robust with G/(G − 1) · (n − 1)/(n − k), unit effects not counted in k.
    Where few clusters carry some lead contributions are corrected as CR2 corrects them where clusters are alike
    (`alike_clusters`), with its degrees of freedom, not more than those of the cohorts that a lead is of; in the joint
    test the fewest of these. A lead is measured from earlier periods, which fewer cohorts may have than the lead.

    >>> import evalkit
    >>> import pandas as pd
    >>> rows = [
    ...     (i, t, i % 3 + i * t % 5 / 10 + (i < 6 and t >= 3), 3 if i < 6 else None)
    ...     for i in range(18) for t in range(5)
    ... ]
    >>> table = pd.DataFrame(rows, columns=["school", "year", "score", "start"])
    >>> roles = evalkit.Roles(unit="school", period="year", outcome="score", cohort="start")
    >>> panel = evalkit.Panel.from_frame(table, roles)
    >>> design = evalkit.staggered_design(panel)
    >>> leads = evalkit.imputation_leads(design, n_leads=2)
    >>> leads.times
    (-2, -1)
    >>> round(leads.p_value, 2)
    0.84
    """
    if n_leads < 1 or n_leads != int(n_leads):
        raise DesignError(f"The number of leads is a whole number from 1 on, not {n_leads}.")
    rows = StaggeredRows.of(with_untreated_periods(design))
    rows.require_varying(rows.unit, "unit")
    times = tuple(range(-rows.design.anticipation - n_leads, -rows.design.anticipation))
    at = ~rows.is_exposed
    indicators = (_event_time(rows)[at][:, None] == np.array(times)).astype(float)
    absorbed = Absorbed.of(
        Regressors(
            rows.unit[at],
            rows.period[at],
            rows.weight[at],
            rows.n_units,
            rows.n_periods,
            np.empty((int(at.sum()), 0)),
            np.hstack([rows.covariates[at], indicators]),
        )
    )
    return _leads(rows, absorbed, times, at)


def _event_time(rows: StaggeredRows) -> Floats:
    """Return each row's periods since its cohort's start, infinite for never-treated units."""
    # Minus infinity for never treated: their time since the start is infinite and equals no lead.
    start = np.array([*rows.design.cohorts, -np.inf])
    return np.asarray(np.asarray(rows.design.panel.periods)[rows.period] - start[rows.stratum])


def _leads(rows: StaggeredRows, absorbed: Absorbed, times: tuple[int, ...], at: NDArray[np.bool_]) -> Leads:
    combination = np.eye(len(absorbed.normal))[:, -len(times) :]
    known = absorbed.is_estimable(combination)
    combination = np.where(known, combination, 0.0)
    fit = absorbed.fit(rows.outcome[at])
    n_clusters = len(np.unique(rows.cluster[at]))
    contribution = absorbed.contributions(fit.residuals, combination, rows.cluster[at], rows.design.n_clusters)
    few = _few_cluster_correction(
        rows, times, alike_clusters(absorbed, combination, rows.cluster[at], rows.design.n_clusters), known
    )
    if few is None:
        factor = small_sample_factor(n_clusters, int(at.sum()), absorbed.rank + 1)
        covariance, df = factor * contribution.T @ contribution, [float(max(n_clusters - 1, 1))] * len(times)
    else:
        scaled = contribution / np.sqrt(few.deflator)
        covariance, df = scaled.T @ scaled, few.df
    values = combination.T @ fit.coefficients
    size = float(np.abs(rows.outcome).max(initial=1e-300))
    errors = [_error(rows, time, covariance[k, k], few and few.reasons[k]) for k, time in enumerate(times)]
    estimates = tuple(
        Estimate(without_rounding(float(values[k]), size), errors[k], df[k])
        if known[k]
        else Unavailable(_why_none(time))
        for k, time in enumerate(times)
    )
    joint = _joint(values, covariance, known, errors, few and min(df))
    return Leads(times=times, estimates=estimates, covariance=covariance, joint=joint, is_corrected=few is not None)


class FewClusterCorrection(NamedTuple):
    """What corrects contributions to each lead for few clusters; `reasons` why it has no error, or empty texts."""

    deflator: Floats
    df: list[float]
    reasons: list[str]


def _few_cluster_correction(
    rows: StaggeredRows, times: tuple[int, ...], alike: AlikeClusters, known: NDArray[np.bool_]
) -> FewClusterCorrection | None:
    """Return the correction of each lead where few clusters carry some, None where many carry all of them."""
    design, event_time = rows.design, _event_time(rows)
    model = ClusterModel.of_arms(design)
    models = [ClusterModel.of_arms(design, np.unique(rows.stratum[event_time == time]).tolist()) for time in times]
    carried = [of_lead.concentration(ARMS) for of_lead in models]
    df = [
        min(arms.df, float(one)) if is_known else arms.df
        for arms, one, is_known in zip(carried, alike.df, known, strict=True)
    ]
    advice = recommended_inference(model.counts, concentration=model.concentration(ARMS))
    if advice.inference == "cluster-robust" and all(one >= PLAIN_DF for one in df):
        return None
    reasons = [
        _too_few(of_lead, arms, freedom) if freedom < LEAST_DF else ""
        for of_lead, arms, freedom in zip(models, carried, df, strict=True)
    ]
    return FewClusterCorrection(alike.deflator, df, reasons)


def _too_few(of_lead: ClusterModel, arms: Concentration, df: float) -> str:
    """Return why the clusters of a lead give no error."""
    return one_treated_cluster_reason(of_lead.counts) or (arms.reason if arms.df < LEAST_DF else too_concentrated(df))


def _error(rows: StaggeredRows, time: int, variance: float, reason: str | None) -> float | Unavailable:
    if reason:
        return Unavailable(reason)
    inside = np.unique(rows.cluster[_event_time(rows) == time])
    if len(inside) < 2:
        return Unavailable(f"All units observed at event time {time} lie in one cluster.")
    error = float(np.sqrt(variance))
    return Unavailable(NO_VARIATION) if error <= ROUNDING * np.abs(rows.outcome).max(initial=1e-300) else error


def _why_none(time: int) -> str:
    return (
        f"The lead at event time {time} cannot be told from unit and period effects. Ask for fewer leads: some earlier "
        "untreated period of the cohorts must remain."
    )


def _joint(
    values: Floats,
    covariance: Floats,
    known: NDArray[np.bool_],
    errors: list[float | Unavailable],
    df: float | None,
) -> PreTest | Unavailable:
    """Return the test of all leads together, or why there is none: Wald's, or with few clusters Hotelling's."""
    if not known.all() or any(isinstance(error, Unavailable) for error in errors):
        return Unavailable("Some lead has no estimate or no standard error, so that they cannot be tested together.")
    q = len(values)
    freedom = None if df is None else df - q + 1
    is_singular = np.linalg.matrix_rank(covariance, hermitian=True) < q
    if freedom is not None and (freedom < 1 or is_singular):
        ratio = float(np.abs(values / np.sqrt(np.diagonal(covariance))).max())
        p_value = min(1.0, q * float(2 * special.stdtr(df, -ratio)))
        return PreTest(statistic=ratio, df=q, p_value=p_value, kind="largest")
    if is_singular:
        return Unavailable("The leads' covariance is singular: there are more leads than clusters can tell apart.")
    statistic = float(values @ np.linalg.solve(covariance, values))
    if df is None or freedom is None:
        return PreTest(statistic=statistic, df=q, p_value=float(special.chdtrc(q, statistic)))
    statistic *= freedom / (df * q)
    p_value = float(special.fdtrc(q, freedom, statistic))
    return PreTest(statistic=statistic, df=q, p_value=p_value, kind="F", df_denominator=freedom)


# The results of the imputation estimator with its own test of the periods before the start.

MOST_LEADS = 5
NO_BAND = "The leads are tested together; the band is over the effects after the start."
NO_LEADS = "No cohort has two periods before its start, one to be tested and one to be measured from."


def with_leads(results: StaggeredResults, design: StaggeredDesign) -> StaggeredResults:
    """Return imputation results with leads before the start in the event study, and their joint test.

    The leads are those of `imputation_leads`, up to five, and at least one untreated period earlier for the cohort
    that starts last. They are no effects of the imputation but a check of it, and change none of its estimates.
    """
    longest = max(design.cohorts) - design.anticipation - design.panel.periods[0]
    n_leads = min(MOST_LEADS, longest - 1)
    if n_leads < 1:
        return replace(results, pre_test=Unavailable(NO_LEADS))
    try:
        leads = imputation_leads(design, n_leads)
    except DesignError as problem:  # the effects stand; only their check cannot be made
        return replace(results, pre_test=Unavailable(str(problem)))
    both = zip(leads.times, leads.estimates, strict=True)
    parts = tuple(_reported(time, one, results, leads.is_corrected) for time, one in both)
    study = ReportedSet(overall=results.event_study.overall, parts=(*parts, *results.event_study.parts))
    return replace(results, event_study=study, pre_test=leads.joint)


def _reported(time: int, lead: Estimate | Unavailable, results: StaggeredResults, is_corrected: bool) -> Reported:
    if isinstance(lead, Unavailable):
        return Reported(label=time, estimate=lead, std_error=lead, interval=lead, p_value=lead, band=lead)
    return Reported(
        label=time,
        estimate=lead.value,
        std_error=lead.std_error,
        interval=lead.interval(results.level),
        p_value=lead.p_value,
        band=Unavailable(NO_BAND),
        df=lead.df,
        method=CR2 if is_corrected else "cluster-robust",
    )

"""The results of the imputation estimator with its own test of the periods before the start."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from evalkit.core.errors import DesignError
from evalkit.core.quantities import Estimate, Unavailable
from evalkit.design.staggered import StaggeredDesign
from evalkit.estimate.imputation_leads import Leads, imputation_leads
from evalkit.estimate.pre_test import PreTest
from evalkit.estimate.staggered_results import Reported, ReportedSet, StaggeredResults

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
    parts = tuple(_reported(time, one, results) for time, one in zip(leads.times, leads.estimates, strict=True))
    study = ReportedSet(overall=results.event_study.overall, parts=(*parts, *results.event_study.parts))
    return replace(results, event_study=study, pre_test=_test(leads))


def _reported(time: int, lead: Estimate | Unavailable, results: StaggeredResults) -> Reported:
    if isinstance(lead, Unavailable):
        return Reported(label=time, estimate=lead, std_error=lead, interval=lead, p_value=lead, band=lead)
    return Reported(
        label=time,
        estimate=lead.value,
        std_error=lead.std_error,
        interval=lead.interval(results.level),
        p_value=lead.p_value,
        band=Unavailable(NO_BAND),
    )


def _test(leads: Leads) -> PreTest | Unavailable:
    """Return the Wald test of all leads, v'V⁻¹v with χ² of as many degrees of freedom."""
    if isinstance(leads.p_value, Unavailable):
        return leads.p_value
    values = np.array([one.value for one in leads.estimates if isinstance(one, Estimate)])
    statistic = float(values @ np.linalg.solve(leads.covariance, values))
    return PreTest(statistic=statistic, df=len(values), p_value=leads.p_value)

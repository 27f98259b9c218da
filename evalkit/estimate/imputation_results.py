"""The results of the imputation estimator with its own test of the periods before the start."""

from __future__ import annotations

from dataclasses import replace

from evalkit.core.errors import DesignError
from evalkit.core.quantities import Estimate, Unavailable
from evalkit.design.clusters import CR2
from evalkit.design.staggered import StaggeredDesign
from evalkit.estimate.imputation_leads import imputation_leads
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

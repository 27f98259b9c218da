"""The answer of `evalkit did` as plain data; what cannot be given is `{"unavailable": reason}`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from evalkit.core.disclosure import FEWEST_PEOPLE
from evalkit.core.plain import plain_or_reason as plain_value
from evalkit.core.quantities import Estimate, Interval, Unavailable
from evalkit.core.sentence import Count
from evalkit.design.clusters import half_length, is_conservative
from evalkit.diagnose.cross_checks import CrossChecks
from evalkit.estimate.effect import Inference
from evalkit.estimate.staggered.pre_test import PreTest
from evalkit.estimate.staggered.results import Reported, ReportedCell, ReportedSet, StaggeredResults
from evalkit.estimate.two_way.bacon import BaconDecomposition
from evalkit.estimate.two_way.two_way import TwoWayEventStudy
from evalkit.report.words.did import Counts, DidAnswer, TwoWayAnswer, clusters_of, counts_of, losses_of, notes
from evalkit.run.tables.bounds import bounds_record

Json = dict[str, Any]

FEW = Unavailable(f"fewer than {FEWEST_PEOPLE}")
REVEALING = Unavailable(f"It would reveal a count of fewer than {FEWEST_PEOPLE}.")
NO_IDS = Unavailable("Ids of people are not listed.")
NOTHING_WITHIN = Unavailable("No part of the effect is within cohorts: only covariates make one.")
NO_FREEDOM = Unavailable("No Student's t is used, so there are no degrees of freedom.")
ONE_NUMBER = Unavailable("Two-way fixed effects give one number for all cohorts and periods.")


def did_record(answer: DidAnswer) -> Json:
    """Return everything of an answer as it may be told, as plain lists, texts and numbers."""
    found = answer.results
    record = _two_way(found, answer) if isinstance(found, TwoWayAnswer) else _staggered(found, answer)
    record |= _counts(counts_of(answer), answer.question.fewest)
    record["dropped"] = [
        {
            "reason": loss.reason,
            "n_units": _told(loss.n_units, answer.question.fewest),
            "n_rows": _told(loss.n_rows, answer.question.fewest),
            "units": plain_value(NO_IDS) if loss.units is None else list(loss.units),
        }
        for loss in losses_of(answer)
    ]
    if isinstance(found, TwoWayAnswer):
        robust = found.effect.as_told
        record["cluster_robust"] = _of_estimate(robust, answer.question.level) | {"df": _freedom(robust.df)}
        if reason := found.effect.why_no_plain_test:
            record["cluster_robust"]["interval"] = plain_value(reason)
        record["goodman_bacon"] = _bacon(found.bacon)
    if answer.checks:
        record["side_by_side"] = side_by_side_record(answer.checks)
    if answer.bounds is not None:
        record["bounds"] = bounds_record(answer.bounds)
    return record | _settings(answer)


def side_by_side_record(checks: CrossChecks) -> list[Json]:
    """Return the overall effect by every estimator as plain data."""
    return [{"estimator": row.estimator, **_numbers(row), "compares": row.compares} for row in checks.rows]


def _counts(counts: Counts, fewest: int) -> Json:
    return {
        "n_units": counts.n if counts.every.is_told(fewest) else plain_value(REVEALING),
        "n_treated": _told(counts.treated, fewest),
        "n_comparison": _told(counts.comparison, fewest),
    }


def _told(n: Count, fewest: int) -> Any:
    return n.n if n.is_told(fewest) else plain_value(FEW)


def _numbers(one: Any) -> Json:
    """Return estimate, standard error and interval of anything that has them."""
    return {name: plain_value(getattr(one, name)) for name in ("estimate", "std_error", "interval")}


def _staggered(results: StaggeredResults, answer: DidAnswer) -> Json:
    return staggered_record(results, answer.question.are_people)


def staggered_record(results: StaggeredResults, are_people: bool = False) -> Json:
    """Return every number of a staggered estimator as plain data: by cohort and period, and the four averages."""
    return {
        "group_time": [_cell(cell, are_people) for cell in results.group_time],
        "simple": _one(results.simple),
        "by_cohort": _set(results.by_cohort, "cohorts", "cohort"),
        "event_study": _set(results.event_study, "times", "event_time"),
        "calendar": _set(results.calendar, "periods", "period"),
    }


def _cell(cell: ReportedCell, are_people: bool) -> Json:
    """Return a cell; how many people it compares is not told, as counts of cells could be told apart by subtraction."""
    counts = {} if are_people else {"n_treated": cell.n_treated, "n_comparison": cell.n_comparison}
    note = {"note": cell.note} if cell.note else {}
    return {"cohort": cell.cohort, "period": cell.period, **_numbers(cell), **_made_by(cell), **counts, **note}


def _made_by(one: Reported | ReportedCell) -> Json:
    """Return by which inference a number's error and interval are, and the large-sample error beside it.

    Where a number has no error of its own the large-sample one is withheld with it, for the same reason.
    """
    has_own = one.plain_error is not None and not isinstance(one.std_error, Unavailable)
    plain = one.plain_error if has_own else one.std_error
    return {
        "inference": one.method,
        "df": _freedom(one.df),
        "plain_std_error": plain_value(plain),
        **_conservative(one),
    }


def _conservative(one: Reported | ReportedCell | Inference) -> Json:
    """Return whether a number's inference is conservative by arithmetic, and then the half-length of its interval."""
    if not isinstance(one.interval, Interval):
        return {}
    is_so = is_conservative(one.interval.level, one.df, one.n_ranked)
    return {"is_conservative": is_so} | ({"half_length": half_length(one.interval)} if is_so else {})


def _one(one: Reported) -> Json:
    found = {**_numbers(one), "p_value": plain_value(one.p_value), **_made_by(one)}
    if one.lacking:
        found["lacking"] = _places(one.lacking)
    return found | ({"note": one.note} if one.note else {})


def _places(cells: tuple[tuple[int, int], ...]) -> list[Json]:
    return [{"cohort": cohort, "period": period} for cohort, period in cells]


def _set(found: ReportedSet, plural: str, singular: str) -> Json:
    parts = []
    for part in found.parts:
        band = {"band": plain_value(part.band)} if plural == "times" else {}
        parts.append({singular: part.label, **_numbers(part), **band, **_rest(part)})
    return {"overall": _one(found.overall), plural: parts}


def _rest(part: Reported) -> Json:
    return {key: value for key, value in _one(part).items() if key not in ("estimate", "std_error", "interval")}


def _settings(answer: DidAnswer) -> Json:
    """Return how the result was made, and what a reader must know of it."""
    question, found = answer.question, answer.results
    settings: Json = {
        "estimator": question.estimator,
        "method": "two-way fixed effects" if isinstance(found, TwoWayAnswer) else found.method,
        "comparison": compared_with(answer),
        "covariates": list(question.covariates),
        "level": question.level,
        "seed": question.seed,
        "n_bootstrap_draws": question.n_draws,
        "bootstrap_draws": "clusters" if question.are_clusters_drawn else "multipliers",
        "counts_are_of": counts_of(answer).treated.noun + "s",
        "periods": list(answer.periods),
        "cohorts": list(answer.cohorts),
    }
    if isinstance(found, StaggeredResults):
        settings["pre_test"] = pre_test_record(found.pre_test)
    return settings | {"inference": _inference(answer), "notes": list(notes(answer))}


def pre_test_record(test: PreTest | Unavailable) -> Json:
    if isinstance(test, Unavailable):
        return {"unavailable": test.reason}
    note = {"note": test.note} if test.note else {}
    numbers = {"statistic": test.statistic, "df": test.df, "p_value": test.p_value, "test": test.kind, "of": test.of}
    if test.df_denominator is not None:
        numbers["df_denominator"] = test.df_denominator
    return numbers | {"lacking": _places(test.lacking)} | note


def _inference(answer: DidAnswer) -> Json:
    """Return which inference the clusters support; where clusters are people, few of them are not counted."""
    clusters, advice = clusters_of(answer), answer.recommendation
    return {
        "clustered_by": answer.clustered_by,
        "assumes": answer.assumes,
        "n_treated_clusters": _told(clusters.treated, answer.question.fewest),
        "n_comparison_clusters": _told(clusters.comparison, answer.question.fewest),
        "recommended": advice.inference,
        "reason": plain_value(FEW) if clusters.are_few(answer.question.fewest) else advice.reason,
        "overall": _supported(answer.inference),
    }


def _supported(inference: Inference) -> Json:
    """Return what the recommended inference says of the overall effect."""
    withheld = isinstance(inference.interval, Unavailable)
    return {
        "method": inference.method,
        "std_error": plain_value(inference.std_error),
        "df": plain_value(inference.interval) if withheld else _freedom(inference.df),
        "interval": plain_value(inference.interval),
        "p_value": plain_value(inference.p_value),
        "note": inference.note,
        **_conservative(inference),
    }


def _freedom(df: float | None) -> Any:
    return plain_value(NO_FREEDOM if df is None else df)


def compared_with(answer: DidAnswer) -> str:
    """Return whom treated units are compared with: never or not-yet where that was a choice, else in words."""
    if answer.question.estimator in ("group-time", "extended", "all"):
        return answer.question.comparison
    return {
        "sun-abraham": "never-treated units, or where there are none the last cohort",
        "twfe": "all other units, those already treated included",
    }.get(answer.question.estimator, "all untreated observations")


def _two_way(found: TwoWayAnswer, answer: DidAnswer) -> Json:
    none, effect = plain_value(ONE_NUMBER), found.effect
    return {
        "group_time": none,
        "simple": {
            "estimate": plain_value(effect.estimate.value),
            "std_error": plain_value(effect.inference.std_error),
            "interval": plain_value(effect.inference.interval),
            "p_value": plain_value(effect.inference.p_value),
            "note": effect.inference.note,
            **_conservative(effect.inference),
        },
        "by_cohort": none,
        "event_study": _two_way_times(found.event_study, answer.question.level),
        "calendar": none,
    }


def _of_estimate(estimate: Estimate, level: float) -> Json:
    return {
        "estimate": plain_value(estimate.value),
        "std_error": plain_value(estimate.std_error),
        "interval": plain_value(estimate.interval(level)),
    }


def _two_way_times(study: TwoWayEventStudy | Unavailable, level: float) -> Json:
    if isinstance(study, Unavailable):
        return {"unavailable": study.reason}
    no_band = Unavailable("No simultaneous band is made for the two-way event study.")
    no_mean = Unavailable("The overall effect is the one under 'simple'.")
    overall = {name: plain_value(no_mean) for name in ("estimate", "std_error", "interval")}
    times = [
        {"event_time": time.event_time, **_of_estimate(time.estimate, level), "band": plain_value(no_band)}
        for time in study.times
    ]
    return {"overall": overall, "times": times, "base_time": study.base_time}


def _bacon(found: BaconDecomposition | Unavailable) -> Json:
    if isinstance(found, Unavailable):
        return {"unavailable": found.reason}
    within = {} if found.within_share else {"within_estimate": plain_value(NOTHING_WITHIN)}
    totals = [asdict(total) | {"estimate": plain_value(total.estimate)} for total in found.totals]
    return asdict(found) | {"totals": totals} | within

"""What could be wrong with the effect of a comparative interrupted time series, and the effects as every kind has them.

A check that could show the effect to be none of the programme's is ranked among areas; no verdict rests on a test from
the errors of one short series, which rejects far too often.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from evalkit.core.formats import lower_first, mean_of, p_equals, visible, years_text
from evalkit.core.project import Project
from evalkit.core.quantities import Estimand, Quantity, Unavailable
from evalkit.core.words import counted, listed
from evalkit.design.kinds.series import AFTER_FOR_SLOPES, BEFORE_FOR_SLOPES
from evalkit.diagnose.finding import CheckPower, Finding, FindingKind, Verdict, design_fact, not_assessable, statement
from evalkit.diagnose.kinds.area_checks import breaks_finding, source_finding
from evalkit.diagnose.kinds.series import (
    ALL_AREAS,
    BY_LEVELS,
    BY_LINES,
    OWN_SERIES,
    SeriesFindings,
    SeriesOutcomeResults,
    years_words,
)
from evalkit.estimate.areas.gap_series import Ranked
from evalkit.estimate.effect import Effect, PermutationDetail, SetsDetail
from evalkit.estimate.published_spread import effect_size

_FEWEST_COMPARED: Final = 3
"""Areas below which the mean that a series is taken less of says little of any common course."""


def findings_of(found: SeriesFindings) -> tuple[Finding, ...]:
    """Return what could be wrong with the primary outcome's effect, each check named and judged."""
    one = found.primary
    return (
        *source_finding(one.source),
        _years(one),
        _breaks(one),
        *_few_compared(one),
        _trend(one),
        _unsteadiness(one),
        _placebo_start(one),
        _given(one),
        _correlation(one),
        *_without_one(one),
        *_other_choices(one),
        *(_placebo(other) for other in found.outcomes if other.role == "placebo"),
    )


def _years(one: SeriesOutcomeResults) -> Finding:
    """Return how many years there are; with one before, its chance is in the effect whole."""
    n = len(one.before)
    verdict = Verdict.SERIOUS if n < 2 else Verdict.CAUTION if n < BEFORE_FOR_SLOPES else Verdict.REASSURING
    if one.has_slope:
        how = "Lines are fitted on either side of the start."
    else:
        how = (
            "Levels alone are compared, so that a course which the areas were on before counts as the programme's; "
            f"lines need {BEFORE_FOR_SLOPES} years before and {AFTER_FOR_SLOPES} from the start on."
        )
    holes = [year for year in range(one.years[0], one.years[-1]) if year not in one.years]
    gaps = f" No value is compared of {years_text(holes)}." if holes else ""
    return design_fact("years", verdict, float(n), f"The series has {years_words(one)}.{gaps} {how}")


def _breaks(one: SeriesOutcomeResults) -> Finding:
    """Return whether how the outcome is made changed among the years compared, and where such a change ends them."""
    left = [f"{years_text(years)} left out: {reason}." for reason, years in one.years_left_out]
    for each in one.plan.breaks if one.plan.is_own else ():
        if each.kind == "level" and each.after <= one.years[0]:
            left.append(f"Years up to {each.before} are not compared: {each.sentence}")
        elif each.kind == "level" and each.before >= one.years[-1]:
            left.append(f"Years from {each.after} on are not compared: {each.sentence}")
    left += one.source.stopped if one.source is not None else ()
    return breaks_finding(one.breaks, left, is_unknown=one.plan.is_own and not one.plan.breaks)


def _few_compared(one: SeriesOutcomeResults) -> Iterator[Finding]:
    if one.is_single:
        text = "There is no area to compare with: whatever else changed at the same time counts as the programme's."
        yield design_fact("compared", Verdict.SERIOUS, 0.0, text)
    elif len(one.compared) < _FEWEST_COMPARED:
        names = listed([one.plan.name(area) for area in one.compared])
        text = f"The gap is to {counted(len(one.compared), 'area')} alone ({names}), whose own shocks are in it."
        yield design_fact("compared", Verdict.CAUTION, float(len(one.compared)), text)


def _judged(p_value: Quantity) -> Verdict:
    if isinstance(p_value, Unavailable):
        return Verdict.NOT_ASSESSABLE
    return Verdict.SERIOUS if p_value <= 0.05 else Verdict.CAUTION if p_value <= 0.20 else Verdict.REASSURING


def _ranked(
    name: str, found: Ranked, p_value: Quantity, sentence: str, power: CheckPower | Unavailable | None = None
) -> Finding:
    """Return a check by its rank; one that was passed and finds a grave flaw too seldom (`power`) says nothing."""
    verdict = _judged(p_value)
    if isinstance(power, CheckPower):
        sentence += (
            f" A flaw that biased the effect by {visible(power.violation)}, the least that it could detect, would be "
            f"found in {power.at_one:.0%} of areas."
        )
        if verdict is Verdict.REASSURING and power.at_one < _ENOUGH_POWER:
            verdict = Verdict.UNINFORMATIVE
    if verdict is Verdict.REASSURING and found.n_disjoint and 1 / (1 + found.n_disjoint) > _LEAST_P:
        verdict = Verdict.UNINFORMATIVE
        sentence += f" With {counted(found.n_disjoint, 'set')} without an area in common, passing says little."
    told = _NO_POWER if power is None else power
    return Finding(name, verdict, found.estimate, sentence, FindingKind.FALSIFICATION, p_value, found.n_areas, told)


_LEAST_P: Final = 0.05
"""A p-value that cannot come below this calls nothing unusual, and so reassures of nothing."""
_ENOUGH_POWER: Final = 0.5
"""A check that finds a flaw as large as the least detectable effect less often than this says nothing by passing."""
_NO_POWER: Final = Unavailable("What the check would find of a planted flaw was not reckoned.")


def _trend(one: SeriesOutcomeResults) -> Finding:
    """Return the trend of the gap before the start: a flaw of levels, and what lines are there for."""
    name, found = "trend_before", one.trend
    if isinstance(found, Unavailable):
        return not_assessable(name, f"The trend before the start: {lower_first(found.reason)}", _FALSIFICATION)
    size = f"Before the start the gap moved by {one.made.number(found.estimate)} {one.unit} a year ({_place(found)})"
    if one.has_slope:
        return statement(name, found.estimate, f"{size}; the line before the start carries that on.")
    bias = f"{size}; were it to go on, it would be in the effect."
    return _ranked(name, found, found.p_value, bias, one.trend_power)


def _place(found: Ranked) -> str:
    """Return where a number stands among areas, in words."""
    p = found.p_value
    if isinstance(p, Unavailable):
        return "not ranked"
    if found.n_disjoint:
        return f"{p_equals(p)} by its rank among {found.n_draws:,} sets of areas that border each other"
    return f"{p_equals(p)} by its rank among {counted(found.n_areas, 'area')}"


def _unsteadiness(one: SeriesOutcomeResults) -> Finding:
    """Return how far the gap strayed from its own line before, as against other areas: if far, ranks flatter."""
    name, found = "steadiness_before", one.unsteadiness
    if isinstance(found, Unavailable):
        return not_assessable(name, f"How steady the gap was before: {lower_first(found.reason)}", _FALSIFICATION)
    p = found.p_value_one_sided
    others = "sets of them" if found.n_disjoint else "areas"
    share = "" if isinstance(p, Unavailable) else f", farther than all but {p:.0%} of {others}"
    sentence = (
        f"Before the start the gap strayed {one.made.number(found.estimate)} {one.unit} from its own line{share}; an "
        "area less steady than others is placed in a tail by chance more often than its p-value says."
    )
    return _ranked(name, found, found.p_value_one_sided, sentence)


def _placebo_start(one: SeriesOutcomeResults) -> Finding:
    """Return the effect at a start that was none."""
    name, found = "placebo_start", one.placebo_start
    if isinstance(found, Unavailable):
        return not_assessable(name, f"A start that was none: {lower_first(found.reason)}", _FALSIFICATION)
    sentence = (
        "Had the programme begun in the middle of the years before, its effect then would be "
        f"{one.made.number(found.estimate)} {one.unit} ({_place(found)}), where there can be none."
    )
    return _ranked(name, found, found.p_value, sentence, one.placebo_power)


def _given(one: SeriesOutcomeResults) -> Finding:
    """Return the effect given where the gap stood and how it moved before."""
    name, found = "given_before", one.given
    if isinstance(found, Unavailable):
        return not_assessable(name, f"The effect given the gap before: {lower_first(found.reason)}")
    number = one.made.number
    before = "stood" if isinstance(one.trend, Unavailable) else "stood and moved"
    sentence = (
        f"Where other areas' gaps {before} before as the treated one's did, they went on to change by "
        f"{number(one.overall.estimate - found.estimate)} {one.unit} without a programme; less that the effect is "
        f"{number(found.estimate)} ({_place(found)})."
    )
    return statement(name, found.estimate, sentence)


def _correlation(one: SeriesOutcomeResults) -> Finding:
    """Return how far one year's chance is the next one's, which is why no t-test is given."""
    name, found = "autocorrelation", one.correlation
    if isinstance(found, Unavailable):
        return not_assessable(name, found.reason)
    sentence = (
        f"What the regression leaves of one year correlates by {visible(found)} with what it leaves of the next, which "
        "a series this short understates: a t-test from it rejects too often, and none is given."
    )
    return statement(name, found, sentence)


def _without_one(one: SeriesOutcomeResults) -> Iterator[Finding]:
    if not one.without_one:
        return
    name, value = max(one.without_one, key=lambda each: abs(each[1] - one.overall.estimate))
    made = one.made
    sentence = (
        f"Without {name} the effect is {made.number(value)} in place of {made.number(one.overall.estimate)}: no other "
        f"of the {counted(len(one.without_one), 'area')} compared with moves it more."
    )
    yield statement("without_one", value - one.overall.estimate, sentence)


def _other_choices(one: SeriesOutcomeResults) -> Iterator[Finding]:
    if not one.beside:
        return
    told = listed([f"{one.made.number(each.estimate)} ({_CHOICES[each.name]})" for each in one.beside])
    spread = max(abs(each.estimate - one.overall.estimate) for each in one.beside)
    sentence = f"By other choices the effect is {told}, in place of {one.made.number(one.overall.estimate)}."
    yield statement("other_choices", spread, sentence)


_CHOICES: Final = {
    BY_LEVELS: "levels alone",
    BY_LINES: "with lines before and after",
    ALL_AREAS: "less all other areas",
    OWN_SERIES: "the treated areas' own series alone",
}


def _placebo(one: SeriesOutcomeResults) -> Finding:
    name, found = "placebo_outcome", one.overall
    if isinstance(found.p_value, Unavailable):
        return not_assessable(name, f"{one.label}: {lower_first(found.p_value.reason)}", _FALSIFICATION)
    sentence = (
        f"{one.label}, which the programme should not move, changed by {one.made.number(found.estimate)} {one.unit} "
        f"more than expected ({_place(found)})."
    )
    return _ranked(name, found, found.p_value, sentence)


_FALSIFICATION: Final = FindingKind.FALSIFICATION

# Effects in the form that every kind gives them.

_NO_ERROR: Final = Unavailable("Areas are compared directly, which gives no standard error.")
_ONE_DECIDES: Final = Unavailable("A p-value is given for the quoted choice; the others show whether it depends on it.")
_NOT_STUDENTISED: Final = Unavailable("An area's series has no sampling error to divide by.")
MAIN: Final = "interrupted-series"


def effects_of_outcome(one: SeriesOutcomeResults) -> Iterator[Effect]:
    """Yield the mean effect over the years from the start on, marked as main, that of each year, and other choices."""
    main = _effect(one, "post", one.overall)
    size = effect_size(one.overall.estimate, one.overall.interval, one.spreads)
    yield replace(main, is_main=True, effect_size=size)
    for time in one.by_time:
        period = str(time.year) if time.year else f"{counted(time.since, 'year')} since the start"
        yield _effect(one, period, time.ranked)
    for other in one.beside:
        yield replace(
            main,
            design=other.name.replace(" ", "-"),
            estimate=other.estimate,
            interval=other.interval,
            p_value=_ONE_DECIDES,
            p_value_one_sided=_ONE_DECIDES,
            method=f"Interrupted time series, {_CHOICES[other.name]}.",
            permutation=None,
            sets=None,
        )


def _effect(one: SeriesOutcomeResults, period: str, found: Ranked) -> Effect:
    n_treated = len(one.plan.starts)
    return Effect(
        outcome=one.code,
        role=one.role,
        design=MAIN,
        estimand=Estimand.AREA_ITT,
        period=period,
        estimate=found.estimate,
        std_error=_NO_ERROR,
        interval=found.interval,
        p_value=found.p_value,
        p_value_one_sided=found.p_value_one_sided,
        inference="permutation" if n_treated == 1 else "sets",
        cluster_level="local_authority",
        n_treated=n_treated,
        n_comparison=len(one.compared),
        n_treated_clusters=n_treated,
        method=method_of(one),
        permutation=_permutation(one, found),
        sets=_sets(one, found),
    )


def method_of(one: SeriesOutcomeResults) -> str:
    """Return how the effect is made, in a sentence."""
    of_what = "the areas' own series" if one.is_single else "the gap to those compared with"
    lines = "a line before and a line from the start on" if one.has_slope else "one level before, one from the start on"
    return f"Interrupted time series of {of_what}: {lines}, by ordinary least squares."


def _permutation(one: SeriesOutcomeResults, found: Ranked) -> PermutationDetail | None:
    if len(one.plan.starts) > 1 or isinstance(found.rank, Unavailable):
        return None
    return PermutationDetail(
        rank=int(found.rank),
        n_areas=found.n_areas,
        smallest_p=1 / found.n_areas,
        studentised_p=_NOT_STUDENTISED,
        studentised_interval=_NOT_STUDENTISED,
        plain_p=found.p_value,
        plain_interval=found.interval,
    )


def _sets(one: SeriesOutcomeResults, found: Ranked) -> SetsDetail | None:
    if len(one.plan.starts) == 1:
        return None
    return SetsDetail(
        rule="simple",
        unadjusted=found.estimate,
        expected=found.expected,
        spread=found.spread,
        n_areas=found.n_areas,
        n_treated_areas=len(one.plan.starts),
        n_sets=found.n_draws,
        monte_carlo_error=found.monte_carlo_error,
        is_whole=True,
    )


def estimand_of(project: Project, one: SeriesOutcomeResults) -> str:
    """Return what is estimated, in words."""
    who = listed([one.plan.name(area) for area in one.plan.starts], 6)
    expected = (
        "the line of the years before, carried on, leads one to expect"
        if one.has_slope
        else f"it stood on average before ({mean_of(one.before)})"
    )
    gap = "the outcome" if one.is_single else "the gap between its outcome and that of the areas compared with"
    return (
        f"The average effect of {project.programme.name} on {who} over {mean_of(one.after)}: how far {gap} lay from "
        f"where {expected}."
    )

"""The list of every check of a result, in the order a reader meets them; and the checks of who is compared."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from evalkit.core.formats import interval_text, level_text, lower_first, number, p_equals, visible
from evalkit.core.quantities import Interval, Unavailable
from evalkit.core.words import counted, listed
from evalkit.design.project import labels
from evalkit.design.project.labels import age_of_lists, postdates
from evalkit.design.project.set_rule import SUCH_SETS
from evalkit.diagnose.finding import Finding, FindingKind, Verdict, banded, design_fact, not_assessable, statement
from evalkit.diagnose.project import falsification
from evalkit.diagnose.project.checks_sample import (
    attrition,
    balance,
    concentration,
    conversions,
    overlap,
    power,
    score_cap,
)
from evalkit.diagnose.project.checks_trend import (
    joint,
    level_and_change,
    matching_assumptions,
    placebo_outcome,
    placebo_start,
    pre_trend,
    ranked,
    triple_difference,
    unranked,
)
from evalkit.diagnose.project.influence import influences, one_area_out
from evalkit.diagnose.project.results import Results
from evalkit.estimate.effect import Effect, PermutationDetail, SetsDetail

# Checks of the comparison: where the estimate stands, and how far it rests on who is compared.

_BESIDE: Final = ("neighbours_2025", "neighbours_2021", labels.ENGLAND, labels.PUPIL_WEIGHTED, labels.SCHOOL_WEIGHTED,
                  labels.UNRESTRICTED)  # fmt: skip
_APART: Final = (labels.MATCHED, labels.MATCHED_WITHOUT_OUTCOMES, labels.WITHOUT_CONVERSIONS,
                 labels.WITHOUT_CONTAMINATED)  # fmt: skip


MOST_CONTAMINATED: Final = 0.5
"""Share of compared schools in areas with another known programme from which that is serious: most of them."""


def permutation(results: Results) -> Finding:
    """Say where the treated area stands among all areas analysed the same way."""
    effect = results.main_effect
    if effect is not None and effect.sets is not None and isinstance(effect.p_value, float):
        return statement("permutation", effect.p_value, _among_sets(effect, effect.sets))
    if effect is None or effect.permutation is None or not isinstance(effect.p_value, float):
        reason = (
            effect.p_value
            if effect and isinstance(effect.p_value, Unavailable)
            else Unavailable("No estimate was made.")
        )
        return not_assessable("permutation", reason.reason)
    detail, inside = effect.permutation, not isinstance(effect.interval, Interval) or 0.0 in effect.interval
    sentence = (
        f"The treated area's change ranks {detail.rank} of {detail.n_areas} in size ({p_equals(effect.p_value)}; the "
        f"smallest p these areas allow is {visible(detail.smallest_p, 3)}). {_studentised(detail)}"
        + ("The interval contains zero. " if inside else "The interval does not contain zero. ")
        + "The comparison is exact only if the treated area was as likely to be chosen as any other, which it was not."
    )
    return statement("permutation", effect.p_value, sentence)


def _among_sets(effect: Effect, detail: SetsDetail) -> str:
    """Return where listed schools stand among sets, and what such sets gain where nothing happened."""
    others = counted(detail.n_areas - detail.n_treated_areas, "other area")
    what = "whole areas" if detail.is_whole else "sets of as many schools"
    like = ", as many of each national tenth before as the list has" if detail.rule == "like" else ""
    what = SUCH_SETS["rule"] if detail.rule == "rule" else what
    error = detail.monte_carlo_error
    drawn = f", give or take {visible(error, 3)} for the number drawn" if isinstance(error, float) and error else ""
    gained = ""
    if detail.rule != "simple" and isinstance(detail.expected, float):
        gained = (
            f"Such sets gained {visible(detail.expected)} points where nothing happened, which is taken off the "
            f"{visible(detail.unadjusted)} of the listed schools; this reduces what chance in low scores does, and "
            "does not remove it. "
        )
    inside = not isinstance(effect.interval, Interval) or 0.0 in effect.interval
    return (
        f"The listed schools' change is set against that of {detail.n_sets:,} {what} drawn in {others}{like} "
        f"({p_equals(_p(effect))}{drawn}). {gained}"
        + ("The interval contains zero. " if inside else "The interval does not contain zero. ")
        + "The comparison is exact only if the listed schools were as likely to be chosen as any other such set, which "
        "they were not."
    )


def _studentised(detail: PermutationDetail) -> str:
    p = detail.studentised_p
    return f"Set against school sampling error, {p_equals(p)}. " if isinstance(p, float) else ""


def choices(results: Results) -> Finding:
    """Compare the main estimate with those of the other ways of choosing and weighing the comparison."""
    main = results.estimate(results.primary)
    if isinstance(main, Unavailable):
        return not_assessable("choices", main.reason)
    found = {name: results.estimate(results.primary, name) for name in _BESIDE}
    known = {name: value for name, value in found.items() if isinstance(value, float)}
    if not known:
        return not_assessable("choices", "No other comparison could be made.")
    moved = {name: abs(value - main) for name, value in known.items()}
    furthest = max(moved, key=lambda name: moved[name])
    sentence = (
        f"Over {len(known)} other ways of choosing or weighing the comparison ({_named(known)}) the estimate runs "
        f"from {visible(min(known.values()))} to {visible(max(known.values()))}, against {visible(main)} in the main "
        f"one{_over_all(results)}. Of the {len(known)} the furthest is: {lower_first(labels.design_label(furthest))}. "
        f"{_beside_zero(results, list(known))}"
    ).rstrip()
    return statement("choices", moved[furthest], sentence)


def alternative_list(results: Results) -> Finding:
    """Say what the other list of neighbours makes of the estimate, and in how many areas lists matter as much."""
    test, pool = falsification.alternative_list(results), results.project.pool
    second = results.estimate(results.primary, labels.neighbours_of(pool.alternative_neighbours))
    main = results.estimate(results.primary)
    names = [labels.LIST_LABEL[name] for name in (pool.alternative_neighbours, pool.neighbours)]
    told = (
        f"With the neighbours of the {names[0]} list in place of those of the {names[1]} list the estimate is "
        f"{visible(second)} instead of {visible(main)}."
        if isinstance(second, float) and isinstance(main, float)
        else ""
    )
    if isinstance(test, Unavailable):
        return unranked("alternative_list", test, told)
    did = "moved at least as far, up or down, from one list to the other"
    return ranked(results, test, (told, did, "A passing shock to the main list's areas that"))


def influence(results: Results) -> Finding:
    """Say how far the estimate moves at most when one school is left out, and in how many areas it moves as far."""
    test = falsification.influence(results)
    if isinstance(test, Unavailable):
        return unranked("influence", test)
    told = (
        f"Leaving out one school, treated or compared, moves the estimate by at most {visible(test.points)} points, "
        f"{visible(test.value)} standard deviations of the other areas' effects."
    )
    return ranked(results, test, (told, "moved at least as far", "One school that"))


def _named(designs: Iterable[str]) -> str:
    return "; ".join(lower_first(labels.design_label(name)) for name in designs)


def _over_all(results: Results) -> str:
    """Return the range over every other comparison shown, matched ones and those of fewer schools among them."""
    found = (results.estimate(results.primary, name) for name in (*_BESIDE, *_APART))
    known = [value for value in found if isinstance(value, float)]
    if len(known) < 2:
        return ""
    return f"; over all {len(known)} other comparisons shown, from {visible(min(known))} to {visible(max(known))}"


def _beside_zero(results: Results, names: list[str]) -> str:
    """Say for which of the other comparisons the interval excludes zero, with the p-value of each."""
    effects = [results.effect(results.primary, name) for name in names]
    known = [e for e in effects if e and isinstance(e.interval, Interval) and isinstance(e.p_value, float)]
    without = [e for e in known if isinstance(e.interval, Interval) and 0.0 not in e.interval]
    if not known:
        return ""
    if not without:
        return "The interval contains zero in each. "
    told = " and ".join(f"{lower_first(labels.design_label(e.design))} ({p_equals(_p(e))})" for e in without)
    rest = "; for the others it does not" if len(without) < len(known) else ""
    return f"The interval excludes zero for {told}{rest}. "


def _p(effect: Effect) -> float:
    return effect.p_value if isinstance(effect.p_value, float) else 1.0


def one_neighbour_out(results: Results) -> Finding:
    """Say how far the estimate moves when each comparison area in turn is left out, and in how many it moves as far."""
    test, found = one_area_out(results), influences(results)
    parts = () if isinstance(found, Unavailable) else found.of("comparison area")
    known = {one.name: one.estimate for one in parts if isinstance(one.estimate, float)}
    if not known:
        return unranked("one_neighbour_out", Unavailable("There are too few neighbouring areas to leave one out."))
    low, high = min(known, key=lambda name: known[name]), max(known, key=lambda name: known[name])
    told = (
        f"Leaving out one neighbouring area at a time, the estimate runs from {visible(known[low])} (without {low}) to "
        f"{visible(known[high])} (without {high})"
    )
    if isinstance(test, Unavailable):
        return unranked("one_neighbour_out", test, f"{told}.")
    told += f", {visible(test.value)} standard deviations of the other areas' effects away at most."
    return ranked(results, test, (told, "moved at least as far", "One comparison area that"))


def contamination(results: Results) -> Finding:
    """Name other programmes in comparison areas, their share of the schools, and the estimate without those areas."""
    unknown = (
        "No list of schools helped elsewhere by the same fund was available; some comparison schools may have been "
        "helped."
    )
    design, names = results.locked.outcomes[results.primary], results.area_names
    near = design.comparisons[labels.NEIGHBOURS].of(design.treated_group)
    known = {area for entry in results.project.contamination for area in entry.areas} & set(near)
    if not known:
        none = f"No neighbour is known to have had another programme. {unknown}"
        return not_assessable("contamination", none, FindingKind.DESIGN_FACT)
    told = [
        f"{listed([names.get(code, str(code)) for code in entry.areas if code in near])}: {entry.programme.rstrip('.')}"
        for entry in results.project.contamination
        if set(entry.areas) & set(near)
    ]
    groups = results.outcomes[results.primary].panel.by_unit()["cluster"]
    compared = groups[groups.isin(near)]
    share = float(compared.isin(known).mean()) if len(compared) else 0.0
    sentence = (
        f"Known among the neighbours: {'; '.join(told)}. {number(100 * share, 0)}% of the compared schools lie there."
        f"{_without_those(results)} {unknown}"
    )
    return design_fact("contamination", banded(share, 0.0, MOST_CONTAMINATED), share, sentence)


def _without_those(results: Results) -> str:
    rest, main = results.estimate(results.primary, labels.WITHOUT_CONTAMINATED), results.estimate(results.primary)
    if isinstance(rest, Unavailable) or isinstance(main, Unavailable):
        return ""
    return f" Without those areas the estimate is {visible(rest)} instead of {visible(main)}."


def clustering_by_area(results: Results) -> Finding:
    """Say what errors clustered by local authority give, or why there are none."""
    name, n = "clustering_by_area", len(results.locked.outcomes[results.primary].treated_areas)
    if n == 1:
        return not_assessable(
            name,
            "Clustering by local authority is unavailable: with one treated authority its residuals sum to zero, so "
            "that no standard error clustered by area, with a correction for few areas (CR2) or without, sees the "
            "area's "
            "own shock.",
        )
    effect = results.clustered(results.primary)
    if effect is None:
        return not_assessable(name, "No effect was estimated that could be clustered by local authority.")
    if isinstance(effect.p_value, Unavailable):
        return not_assessable(name, f"Clustering by local authority gives no test. {effect.p_value.reason}")
    interval = (
        f"the {level_text(results.project.inference.level)} interval is {interval_text(effect.interval)} and "
        if isinstance(effect.interval, Interval)
        else ""
    )
    sentence = f"Clustered by local authority ({n} treated authorities), {interval}{p_equals(effect.p_value)}."
    return statement(name, effect.p_value, sentence)


def lists_postdate(results: Results) -> Finding:
    """Say when the neighbour lists were drawn up; a main one later than the programme's start is a caution."""
    verdict = Verdict.CAUTION if postdates(results.project, results.project.pool.neighbours) else Verdict.REASSURING
    none = Unavailable("This is a statement, not a statistic.")
    return design_fact("lists_postdate", verdict, none, age_of_lists(results.project))


CHECKS: Final[tuple[Callable[[Results], Finding], ...]] = (
    pre_trend,
    placebo_start,
    placebo_outcome,
    alternative_list,
    influence,
    one_neighbour_out,
    joint,
    balance,
    overlap,
    attrition,
    conversions,
    contamination,
    concentration,
    lists_postdate,
    permutation,
    level_and_change,
    triple_difference,
    choices,
    matching_assumptions,
    clustering_by_area,
    score_cap,
    power,
)
"""Every check, falsification tests first, then design facts, then statements: takes results, returns one finding."""

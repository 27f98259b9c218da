"""The checks that could sink the result, each with a verdict and a sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from evalkit.core.formats import careful, interval_text, p_equals
from evalkit.core.quantities import Interval, Quantity, Unavailable
from evalkit.data.measures import measure
from evalkit.design import labels
from evalkit.diagnose.balance import ADJUSTABLE, SATISFIED
from evalkit.diagnose.finding import Finding, Verdict
from evalkit.diagnose.results import Results

LARGE_DIFFERENCE: Final = 0.25
"""Points by which two ways of choosing the comparison may differ before the result counts as resting on the choice."""

_BESIDE: Final = ("neighbours_2025", "neighbours_2021", labels.ENGLAND, labels.PUPIL_WEIGHTED, labels.SCHOOL_WEIGHTED,
                  labels.UNRESTRICTED)  # fmt: skip


def choices(results: Results) -> Finding:
    """Compare the main estimate with those of the other ways of choosing and weighing the comparison."""
    main = results.estimate(results.primary)
    if isinstance(main, Unavailable):
        return Finding("choices", Verdict.NOT_ASSESSABLE, main, main.reason)
    found = {name: results.estimate(results.primary, name) for name in _BESIDE}
    known = {name: value for name, value in found.items() if isinstance(value, float)}
    if not known:
        return _not_assessable("choices", "No other comparison could be made.")
    moved = {name: abs(value - main) for name, value in known.items()}
    furthest = max(moved, key=lambda name: moved[name])
    apart = any(v * main < 0 or moved[n] > abs(main) / 2 or moved[n] >= LARGE_DIFFERENCE for n, v in known.items())
    sentence = (
        f"Over {len(known)} other ways of choosing or weighing the comparison the estimate runs from "
        f"{careful(min(known.values()))} to {careful(max(known.values()))}, against {careful(main)} in the main one. "
        f"The furthest is '{labels.design_label(furthest)}'. "
        + (
            "The size of the result rests on the choice."
            if apart
            else "None changes the sign, moves it by half, or by 0.25 points."
        )
    )
    return Finding("choices", Verdict.CAUTION if apart else Verdict.REASSURING, moved[furthest], sentence)


def permutation(results: Results) -> Finding:
    """Say where the treated area stands among all areas analysed the same way."""
    effect = results.effect(results.primary)
    if effect is None or effect.permutation is None or not isinstance(effect.p_value, float):
        reason = (
            effect.p_value
            if effect and isinstance(effect.p_value, Unavailable)
            else Unavailable("No estimate was made.")
        )
        return Finding("permutation", Verdict.NOT_ASSESSABLE, reason, reason.reason)
    detail, inside = effect.permutation, not isinstance(effect.interval, Interval) or 0.0 in effect.interval
    sentence = (
        f"The treated area's change ranks {detail.rank} of {detail.n_areas} in size "
        f"({p_equals(effect.p_value)}; the smallest "
        f"p these areas allow is {careful(detail.smallest_p, 3)}). "
        + ("The interval contains zero. " if inside else "The interval does not contain zero. ")
        + "The comparison is exact only if the treated area was as likely to be chosen as any other, which it was not."
    )
    return Finding("permutation", Verdict.CAUTION, effect.p_value, sentence)


def pre_trend(results: Results) -> Finding:
    """Say whether the treated schools were already moving differently before the programme."""
    pre = results.project.exposure.pre
    lead = results.estimate(results.primary, labels.LEAD, f"{min(pre)}-{max(pre)}")
    adjusted, main = results.estimate(results.primary, labels.TREND_ADJUSTED), results.estimate(results.primary)
    if not (isinstance(lead, float) and isinstance(adjusted, float) and isinstance(main, float)):
        return _not_assessable(
            "pre_trend", "Only one year was observed before the programme, so no earlier trend can be seen."
        )
    effect = results.effect(results.primary, labels.LEAD, f"{min(pre)}-{max(pre)}")
    reach = f" ({interval_text(effect.interval)})" if effect and isinstance(effect.interval, Interval) else ""
    less = abs(adjusted) < abs(main) / 2 or adjusted * main < 0
    sentence = (
        f"Between {min(pre)} and {max(pre)}, before the programme, the treated schools moved by "
        f"{careful(lead)} points more than "
        f"their neighbours{reach}. If that had continued in a straight line, {careful(adjusted)} of the "
        f"{careful(main)} points would be left. "
        f"{'Two years give one free comparison, too noisy' if len(pre) == 2 else 'So few years are too noisy'} "
        "to rule such a trend in or out."
    )
    return Finding("pre_trend", Verdict.SERIOUS if less else Verdict.CAUTION, lead, sentence)


def placebo_outcome(results: Results) -> Finding:
    """Say how far an outcome moved that the programme did not aim at."""
    code = next((o.measure for o in results.project.outcomes if o.role == "placebo"), "")
    effect, main = results.effect(code), results.estimate(results.primary)
    if effect is None or not isinstance(effect.estimate, float) or not isinstance(main, float):
        return _not_assessable("placebo_outcome", "The project names no placebo outcome that could be estimated.")
    share = effect.estimate / main if main else float("inf")
    verdict = Verdict.SERIOUS if share >= 1 else Verdict.CAUTION if share >= 0.5 else Verdict.REASSURING
    p = f" ({p_equals(effect.p_value)})" if isinstance(effect.p_value, float) else ""
    sentence = (
        f"{measure(code).label}, which the programme did not aim at, moved by {careful(effect.estimate)} "
        f"points{p}, against "
        f"{careful(main)} for {measure(results.primary).label.lower()}. "
        "Whatever moved it is a reason to expect part of the main estimate without the programme, unless "
        "teaching one subject "
        "helps the other."
    )
    return Finding("placebo_outcome", verdict, effect.estimate, sentence)


def triple_difference(results: Results) -> Finding:
    """Give the effect on the outcome aimed at less that on the one not aimed at."""
    effect = results.effect(results.contrast())
    if effect is None or not isinstance(effect.estimate, float):
        return _not_assessable(
            "triple_difference", "The project asks for no triple difference that could be estimated."
        )
    inside = not isinstance(effect.interval, Interval) or 0.0 in effect.interval
    p = f"; {p_equals(effect.p_value)}" if isinstance(effect.p_value, float) else ""
    reach = f" ({interval_text(effect.interval)}{p})" if isinstance(effect.interval, Interval) else ""
    first = results.project.contrasts[0]
    sentence = (
        f"{measure(first.measure).label} less {measure(first.minus).label.lower()} within the same schools moved by "
        f"{careful(effect.estimate)} points{reach}. This removes what moved both subjects alike, and would "
        "hide an effect that did."
    )
    return Finding("triple_difference", Verdict.CAUTION if inside else Verdict.REASSURING, effect.estimate, sentence)


def matching_assumptions(results: Results) -> Finding:
    """Set the estimates matched with and without earlier outcomes side by side, with what chance does to each."""
    with_, without = (
        results.estimate(results.primary, name) for name in (labels.MATCHED, labels.MATCHED_WITHOUT_OUTCOMES)
    )
    rows = [r for r in results.stage.balance if r.outcome == results.primary and r.design == labels.NEIGHBOURS]
    if not (isinstance(with_, float) and isinstance(without, float) and rows):
        return _not_assessable("matching_assumptions", "The two matched comparisons could not both be made.")
    lower = rows[0].mean_treated < rows[0].mean_comparison_before
    sentence = (
        f"Matched on earlier outcomes the estimate is {careful(with_)} points; matched without them "
        f"{careful(without)}. They rest on "
        "different assumptions: the first that schools with the same noisy past scores would have moved alike, "
        "the second that "
        f"trends were parallel. The treated schools scored {'lower' if lower else 'higher'} than other schools "
        "before; schools "
        f"matched to them on noisy scores were partly {'low' if lower else 'high'} by chance and tend to move "
        "back, which pulls the "
        f"first estimate {'down' if lower else 'up'}; a passing {'dip' if lower else 'peak'} of the treated "
        "schools pushes the second "
        f"{'up' if lower else 'down'}."
    )
    apart = abs(with_ - without) >= LARGE_DIFFERENCE or with_ * without < 0
    return Finding("matching_assumptions", Verdict.CAUTION if apart else Verdict.REASSURING, with_ - without, sentence)


def balance(results: Results) -> Finding:
    """Say how alike the treated schools and their neighbours were before the programme."""
    rows = [r for r in results.stage.balance if r.outcome == results.primary and r.design == labels.NEIGHBOURS]
    sizes = {row.label: abs(row.smd_after) for row in rows if isinstance(row.smd_after, float)}
    if not sizes:
        return _not_assessable("balance", "No covariate could be compared before the programme.")
    worst = max(sizes, key=lambda label: sizes[label])
    verdict = (
        Verdict.REASSURING
        if sizes[worst] <= SATISFIED
        else Verdict.CAUTION
        if sizes[worst] <= ADJUSTABLE
        else Verdict.SERIOUS
    )
    sentence = (
        "The largest baseline difference between the treated schools and their neighbours is "
        f"{careful(sizes[worst])} standard "
        f"deviations ({worst}). The What Works Clearinghouse asks for at most 0.05, or 0.25 with adjustment; a "
        "comparison of "
        "changes tolerates a difference in level only if level and later change are unrelated."
    )
    return Finding("balance", verdict, sizes[worst], sentence)


def attrition(results: Results) -> Finding:
    """Say what share of the eligible schools was lost, by arm."""
    lost = {arm: _lost_share(results, arm) for arm in ("treated", "comparison")}
    apart = abs(lost["treated"] - lost["comparison"])
    sentence = (
        f"Of the mainstream schools listed, {careful(100 * lost['treated'], 1)}% of the treated and "
        f"{careful(100 * lost['comparison'], 1)}% of the comparison schools lack a published result in some "
        "year. Published results "
        "are missing for small cohorts, so that the loss is not at random."
    )
    return Finding("attrition", Verdict.REASSURING if apart <= 0.05 else Verdict.CAUTION, apart, sentence)


def _lost_share(results: Results, arm: str) -> float:
    rows = [r for r in results.flow.rows if (r.outcome, r.arm) == (results.primary, arm)]
    outside = sum(r.n for r in rows if r.stage == "excluded" and not r.reason[:4].isdigit())
    listed, analysed = (sum(r.n for r in rows if r.stage == stage) for stage in ("listed", "analysed"))
    return 1 - analysed / (listed - outside) if listed > outside else 0.0


def conversions(results: Results) -> Finding:
    """Say how many treated schools converted meanwhile, and what the estimate is without converters."""
    effect, main = results.effect(results.primary, labels.WITHOUT_CONVERSIONS), results.effect(results.primary)
    if effect is None or main is None or not isinstance(effect.estimate, float) or not isinstance(main.estimate, float):
        return _not_assessable("conversions", "No estimate without converting schools could be made.")
    n = main.n_treated - effect.n_treated
    sentence = (
        f"{n} of {main.n_treated} treated schools changed legal identity, as a rule by becoming an academy, "
        "between the last summer "
        "before and the last summer analysed: another change at the same time. Without all such schools, in "
        "both arms, the estimate is "
        f"{careful(effect.estimate)} instead of {careful(main.estimate)}."
    )
    return _moved("conversions", effect.estimate, main.estimate, sentence)


def contamination(results: Results) -> Finding:
    """Name other programmes in comparison areas, and the estimate without those areas."""
    effect, main = results.effect(results.primary, labels.WITHOUT_CONTAMINATED), results.estimate(results.primary)
    unknown = (
        "Schools helped by other grants of the same fund are not published by name, so that some comparison schools "
        "were helped too."
    )
    if effect is None or not isinstance(effect.estimate, float) or not isinstance(main, float):
        return _not_assessable("contamination", f"No comparison area is known to have had another programme. {unknown}")
    names = results.intake.neighbours[results.project.pool.neighbours].names
    known = "; ".join(
        f"{', '.join(names.get(code, str(code)) for code in entry.areas)}: {entry.programme.rstrip('.')}"
        for entry in results.project.contamination
    )
    sentence = (
        f"Known elsewhere: {known}. Without those areas among the neighbours the estimate is "
        f"{careful(effect.estimate)}. {unknown}"
    )
    return Finding("contamination", Verdict.CAUTION, effect.estimate, sentence)


def clustering_by_area(results: Results) -> Finding:
    """Say why no standard error clusters by local authority."""
    n = len(results.locked.outcomes[results.primary].treated_areas)
    if n != 1:
        return _not_assessable(
            "clustering_by_area", f"Standard errors clustered by area are not in this version ({n} treated areas)."
        )
    return _not_assessable(
        "clustering_by_area",
        "Clustering by local authority is unavailable: with one treated authority its residuals sum to zero, "
        "so that neither the "
        "usual cluster-robust nor the CR2 standard error sees the area's own shock. Areas are compared "
        "directly instead.",
    )


def score_cap(results: Results) -> Finding:
    """Bound what the 2018 cap on extreme progress scores could do to the difference between the arms."""
    limits = results.intake.limits.get(results.primary)
    crosses = any(b.after == 2018 for b in measure(results.primary).breaks_within(results.project.exposure.years))
    if not crosses or limits is None or len(limits.cap_shift) < 10:
        return _not_assessable(
            "score_cap", "The size of the 2018 cap on extreme scores cannot be seen in the tables at hand."
        )
    shifts = np.sort(limits.cap_shift)
    top = float(shifts[-max(len(shifts) // 10, 1) :].mean())
    main = results.estimate(results.primary)
    sentence = (
        f"The 2018 cap on extreme scores raised a school's score by {careful(float(shifts.mean()), 3)} points "
        "on average, and by "
        f"{careful(top)} in the tenth of schools it touched most ({limits.scope}). Had every treated school "
        "been like that tenth, and no "
        f"comparison school been touched, the difference would be {careful(top)} points too high: a bound, not "
        "an estimate."
    )
    small = isinstance(main, float) and top <= abs(main) / 4
    return Finding("score_cap", Verdict.REASSURING if small else Verdict.CAUTION, top, sentence)


def power(results: Results) -> Finding:
    """Say which effect the design could have detected."""
    entry = next((d for d in results.stage.detectable if d.outcome == results.primary), None)
    if entry is None or not isinstance(entry.at_design, float):
        return _not_assessable("power", "The least detectable effect could not be computed before outcomes.")
    sentence = (
        f"Before outcomes were read, changes of other areas before the programme suggested that an effect of "
        f"{careful(entry.at_design)} points could be detected. This is optimistic: it assumes that areas drift "
        "no more over longer spans."
    )
    return Finding("power", Verdict.CAUTION, entry.at_design, sentence)


def lists_postdate(results: Results) -> Finding:
    """Say that neither neighbour list was drawn up before the programme."""
    names = " and ".join(
        labels.LIST_LABEL[n] for n in (results.project.pool.neighbours, results.project.pool.alternative_neighbours)
    )
    end = results.project.programme.end.year
    sentence = (
        f"Both neighbour lists ({names}) were drawn up after the programme ended in {end}, from "
        "characteristics that could "
        "in principle have moved with it. None from before is at hand."
    )
    return Finding("lists_postdate", Verdict.CAUTION, Unavailable("This is a statement, not a statistic."), sentence)


def _moved(name: str, estimate: float, main: float, sentence: str) -> Finding:
    apart = estimate * main < 0 or abs(estimate - main) > abs(main) / 2 or abs(estimate - main) >= LARGE_DIFFERENCE
    return Finding(name, Verdict.CAUTION if apart else Verdict.REASSURING, estimate, sentence)


def _not_assessable(name: str, sentence: str, statistic: Quantity | None = None) -> Finding:
    return Finding(name, Verdict.NOT_ASSESSABLE, statistic or Unavailable(sentence), sentence)


CHECKS: Final[tuple[Callable[[Results], Finding], ...]] = (
    permutation,
    choices,
    pre_trend,
    placebo_outcome,
    triple_difference,
    matching_assumptions,
    balance,
    attrition,
    conversions,
    contamination,
    clustering_by_area,
    score_cap,
    power,
    lists_postdate,
)
"""Every check, in the order a reader should meet them."""

"""Checks of the sample and the measure: balance, losses, conversions, the score cap, power."""

from __future__ import annotations

import numpy as np

from evalkit.core.formats import careful
from evalkit.data.measures import measure
from evalkit.design import labels
from evalkit.design.stage import BalanceRow
from evalkit.diagnose.appraisal import eligible_share
from evalkit.diagnose.balance import ADJUSTABLE, SATISFIED
from evalkit.diagnose.finding import Finding, Verdict, has_moved, not_assessable
from evalkit.diagnose.results import Results


def balance(results: Results) -> Finding:
    """Say how alike the treated schools and their neighbours were before the programme."""
    rows = [r for r in results.stage.balance if r.design == labels.NEIGHBOURS and isinstance(r.smd_after, float)]
    worst = {code: max((r for r in rows if r.outcome == code), key=_size) for code in {r.outcome: None for r in rows}}
    if results.primary not in worst:
        return not_assessable("balance", "No covariate could be compared before the programme.")
    row = worst[results.primary]
    size = _size(row)
    verdict = Verdict.REASSURING if size <= SATISFIED else Verdict.CAUTION if size <= ADJUSTABLE else Verdict.SERIOUS
    others = ", ".join(
        f"{measure(code).label.lower()} {careful(_size(found))}"
        for code, found in worst.items()
        if code != results.primary
    )
    sentence = (
        f"For {measure(results.primary).label.lower()} the largest baseline difference between the treated schools "
        f"and their neighbours is {careful(size)} standard deviations ({row.label})"
        + (f"; for the other outcomes: {others}" if others else "")
        + ". The What Works Clearinghouse asks for at most 0.05, or 0.25 with adjustment; a comparison of "
        "changes tolerates a difference in level only if level and later change are unrelated, which is looked at "
        "separately."
    )
    return Finding("balance", verdict, size, sentence)


def _size(row: BalanceRow) -> float:
    return abs(row.smd_after) if isinstance(row.smd_after, float) else 0.0


def attrition(results: Results) -> Finding:
    """Say what share of the eligible schools was lost, by arm."""
    lost = {arm: 1 - eligible_share(results, arm) for arm in ("treated", "comparison")}
    apart = abs(lost["treated"] - lost["comparison"])
    sentence = (
        f"Of the mainstream schools listed, {careful(100 * lost['treated'], 1)}% of the treated and "
        f"{careful(100 * lost['comparison'], 1)}% of the comparison schools lack a published result in some year. "
        "Results of small cohorts are not published, so the loss is not at random."
    )
    return Finding("attrition", Verdict.REASSURING if apart <= 0.05 else Verdict.CAUTION, apart, sentence)


def conversions(results: Results) -> Finding:
    """Say how many treated schools converted meanwhile, and what the estimate is without converters."""
    effect, main = results.effect(results.primary, labels.WITHOUT_CONVERSIONS), results.effect(results.primary)
    if effect is None or main is None:
        return not_assessable("conversions", "No estimate without converting schools could be made.")
    if not isinstance(effect.estimate, float) or not isinstance(main.estimate, float):
        return not_assessable("conversions", "No estimate without converting schools could be made.")
    exposure = results.project.exposure
    sentence = (
        f"{main.n_treated - effect.n_treated} of {main.n_treated} treated schools changed legal identity, as a rule "
        f"by becoming an academy, between the tests of {max(exposure.pre)} and those of {max(exposure.post)}, by the "
        "dates of the school list and the links file: another change at the same time. Without all such schools, in "
        f"both arms, the estimate is {careful(effect.estimate)} instead of {careful(main.estimate)}."
    )
    return Finding(
        "conversions",
        Verdict.CAUTION if has_moved(effect.estimate, main.estimate) else Verdict.REASSURING,
        effect.estimate,
        sentence,
    )


def score_cap(results: Results) -> Finding:
    """Bound what the 2018 cap on extreme progress scores could do to the difference between the arms."""
    limits = results.intake.limits.get(results.primary)
    crosses = any(b.after == 2018 for b in measure(results.primary).breaks_within(results.project.exposure.years))
    if not crosses or limits is None or len(limits.cap_shift) < 10:
        return not_assessable("score_cap", "The size of the 2018 cap on extreme scores cannot be seen in these tables.")
    shifts = np.sort(limits.cap_shift)
    top = float(shifts[-max(len(shifts) // 10, 1) :].mean())
    main = results.estimate(results.primary)
    sentence = (
        f"The 2018 cap on extreme scores raised a school's score by {careful(float(shifts.mean()), 3)} points on "
        f"average, and by {careful(top)} in the tenth of schools it touched most ({limits.scope}). Had every treated "
        f"school been like that tenth, and no comparison school been touched, the difference would be {careful(top)} "
        "points too high: an extreme case by the schools of one table, not an estimate."
    )
    small = isinstance(main, float) and top <= abs(main) / 4
    return Finding("score_cap", Verdict.REASSURING if small else Verdict.CAUTION, top, sentence)


def power(results: Results) -> Finding:
    """Say which effect the design could have detected, as planned and as it turned out."""
    entry = next((d for d in results.detectable if d.outcome == results.primary), None)
    main = results.estimate(results.primary)
    if entry is None or not isinstance(entry.at_design, float):
        return not_assessable("power", "The least detectable effect could not be computed before outcomes.")
    sentence = (
        "Before outcomes were read, changes of other areas before the programme suggested that an effect of "
        f"{careful(entry.at_design)} points would be detected four times in five: optimistic, because areas drift "
        "further apart over longer spans."
    )
    if not isinstance(entry.realised, float):
        return Finding("power", Verdict.CAUTION, entry.at_design, sentence)
    small = isinstance(main, float) and abs(main) < entry.realised
    sentence += f" As it turned out, {careful(entry.realised)} points were needed" + (
        ", more than the estimate: a true effect of the size estimated would often have been missed." if small else "."
    )
    return Finding("power", Verdict.CAUTION if small else Verdict.REASSURING, entry.realised, sentence)

"""What could be wrong with a matched design itself: likeness, overlap, weights, units lost."""

from __future__ import annotations

from typing import Final

import numpy as np

from evalkit.core.arrays import Bools, Floats
from evalkit.core.formats import number, visible
from evalkit.core.quantities import Unavailable
from evalkit.core.sentence import Derived, Sentence, count
from evalkit.core.shown import Several
from evalkit.core.words import counted, listed
from evalkit.design.matching.features import balance_columns
from evalkit.design.matching.matched import MatchedDesign
from evalkit.diagnose.finding import Finding, FindingKind, Verdict, design_fact, not_assessable
from evalkit.diagnose.matched.balance import NO_SMD, CovariateBalance, MatchBalance, smd_size
from evalkit.diagnose.matched.balance_registry import ADJUSTABLE, BY_KEY, SATISFIED, WwcClass

OUTSIDE: Final = (0.01, 0.1)
"""Shares of the target group without anybody like them, from which overlap is a caution, and serious."""
_FEW: Final = (30.0, 10.0)
"""Effective comparison units below which there are few, and very few."""
_HEAVY: Final = (0.1, 0.25)
"""Shares of the weight in one unit from which a result leans on it, and hangs on it."""
_LOST: Final = 0.2
"""The share of the target group whose loss is serious: the answer is then to another question."""


def match_findings(design: MatchedDesign, balance: MatchBalance) -> tuple[Finding, ...]:
    """Return what a reader must know of a matched design before its effect, in the order they should meet it.

    >>> import evalkit
    >>> import pandas as pd
    >>> schools = pd.DataFrame(
    ...     {"school": range(40), "before": [i * 7 % 40 for i in range(40)], "helped": [i % 4 == 0 for i in range(40)]}
    ... )
    >>> later = schools["before"] + 2 * schools["helped"] + schools["school"] % 3 / 10
    >>> roles = evalkit.BaselineRoles(treated="helped", covariates=("before",), unit="school")
    >>> baseline = evalkit.Baseline.from_frame(schools, roles)
    >>> design = evalkit.match(baseline, evalkit.NearestNeighbour())
    >>> findings = evalkit.match_findings(design, evalkit.match_balance(design))
    >>> [(finding.name, str(finding.verdict)) for finding in findings[:2]]
    [('baseline_balance', 'caution'), ('variance_ratios', 'reassuring')]
    """
    found = (
        baseline_balance(balance),
        variance_ratios(balance),
        overlap(design),
        effective_number(design),
        heaviest_unit(design),
        units_lost(design),
    )
    return Several(found)


def baseline_balance(balance: MatchBalance) -> Finding:
    """Say how large the largest difference is that matching left, by the rule of the What Works Clearinghouse."""
    name, worst = "baseline_balance", balance.worst
    apart = [row.covariate for row in balance.covariates if _separates(row)]
    if apart:
        sentence = Sentence(
            "In {names} no treated and no comparison unit are alike: each arm has a value of its own.",
            names=listed(apart),
        )
        return design_fact(name, Verdict.SERIOUS, Unavailable(NO_SMD.reason), sentence)
    if isinstance(worst, Unavailable):
        return not_assessable(name, worst.reason, FindingKind.DESIGN_FACT)
    classes = [row.wwc for row in balance.covariates if isinstance(row.wwc, WwcClass)]
    failed, adjusted = (classes.count(kind) for kind in (WwcClass.NOT_SATISFIED, WwcClass.NEEDS_ADJUSTMENT))
    before = worst.before.smd if isinstance(worst.before.smd, float) else 0.0
    after = worst.after.smd if isinstance(worst.after.smd, float) else 0.0
    verdict = Verdict.SERIOUS if failed else Verdict.CAUTION if adjusted else Verdict.REASSURING
    sentence = Sentence(
        "The largest difference left is in {covariate}: {after} standard deviations ({before} before matching). Of "
        "{classes} the What Works Clearinghouse would call {alike} alike (g up to {satisfied}), {adjusted} alike if "
        "the estimate is adjusted for them (up to {adjustable}) and {failed} too far apart.",
        covariate=worst.covariate,
        after=visible(after),
        before=Derived(visible(before), count(_fewest_lost(balance)), "not shown"),
        classes=counted(len(classes), "covariate"),
        alike=str(classes.count(WwcClass.SATISFIED)),
        adjusted=str(adjusted),
        failed=str(failed),
        satisfied=str(SATISFIED),
        adjustable=str(ADJUSTABLE),
    )
    return design_fact(name, verdict, smd_size(worst), sentence)


def _fewest_lost(balance: MatchBalance) -> int:
    """Return how many units matching took from an arm, of the arm that lost fewer; 0 where none lost any.

    With what is known before and after, what is known of those lost can be worked out.
    """
    lost = [before.n - after.n for before, after in (balance.treated, balance.comparison)]
    return min((n for n in lost if n), default=0)


def _separates(row: CovariateBalance) -> bool:
    return isinstance(row.after.smd, Unavailable) and row.after.mean_treated != row.after.mean_comparison


def variance_ratios(balance: MatchBalance) -> Finding:
    """Say in how many covariates the spread of the arms differs by more than a factor of two."""
    name, statistic = "variance_ratios", BY_KEY["variance_ratio"]
    known = [(row.covariate, row.after.variance_ratio) for row in balance.covariates]
    ratios = {covariate: ratio for covariate, ratio in known if isinstance(ratio, float)}
    if not ratios:
        none = "No covariate has more than two values in both arms, so no spread is compared."
        return not_assessable(name, none, FindingKind.DESIGN_FACT)
    apart = [covariate for covariate, ratio in ratios.items() if not statistic.is_within(ratio)]
    furthest = max(ratios, key=lambda covariate: abs(np.log(max(ratios[covariate], 1e-300))))
    sentence = Sentence(
        "In {apart} of {ratios} the variance among the treated is less than half or more than twice that of the "
        "comparison units{names}. The furthest is {furthest} ({ratio}).",
        apart=counted(len(apart), "covariate"),
        ratios=str(len(ratios)),
        names=": " + listed(apart) if apart else "",
        furthest=furthest,
        ratio=visible(ratios[furthest]),
    )
    return design_fact(name, Verdict.CAUTION if apart else Verdict.REASSURING, ratios[furthest], sentence)


def overlap(design: MatchedDesign) -> Finding:
    """Say what share of the target group that was used lies outside the range of the other arm."""
    outside, where = _outside(design)
    share = float(outside.mean())
    verdict = Verdict.SERIOUS if share > OUTSIDE[1] else Verdict.CAUTION if share > OUTSIDE[0] else Verdict.REASSURING
    whom = {"ATT": "treated units", "ATC": "comparison units", "ATE": "units"}[design.target]
    sentence = Sentence(
        "{n} of the {all} {whom} used lie outside the range of {where}.{beyond}",
        n=count(int(outside.sum()), among=len(outside)),
        all=count(len(outside), among=_n_wanted(design)),
        whom=whom,
        where=where,
        beyond=" For them the estimate goes beyond the data." if outside.any() else "",
    )
    return design_fact("overlap", verdict, share, sentence)


def _outside(design: MatchedDesign) -> tuple[Bools, str]:
    """Return who of the target group lies outside the other arm's range, in the score or else in any covariate."""
    if design.score is not None:
        columns, where = design.score[:, None], "the other arm's scores"
    else:
        columns, where = balance_columns(design.baseline)[0], "the other arm in some covariate"
    is_treated, used = design.baseline.is_treated, design.is_used
    found = []
    if design.target != "ATC":
        found.append(_beyond(columns[used & is_treated], columns[~is_treated]))
    if design.target != "ATT":
        found.append(_beyond(columns[used & ~is_treated], columns[is_treated]))
    return np.concatenate(found), where


def _beyond(arm: Floats, other_arm: Floats) -> Bools:
    beyond: Bools = ((arm < other_arm.min(axis=0)) | (arm > other_arm.max(axis=0))).any(axis=1)
    return beyond


def effective_number(design: MatchedDesign) -> Finding:
    """Say how many equally weighted units the weighted arm is worth."""
    arm, n, worth = _weighted_arm(design)
    verdict = Verdict.SERIOUS if worth < _FEW[1] else Verdict.CAUTION if worth < _FEW[0] else Verdict.REASSURING
    units = count(n, "units", f"{arm} unit", among=_n_in_arm(design, arm))
    sentence = Sentence(
        "The {units} used {are} worth {worth} equally weighted ones; the fewer, the wider the interval{less}",
        units=units,
        are="is" if n == 1 else "are",
        worth=Derived(number(worth, 1), units),
        less=" and the less it can be relied on." if worth < _FEW[0] else ".",
    )
    return design_fact("effective_number", verdict, worth, sentence)


def _n_wanted(design: MatchedDesign) -> int:
    """Return the size of the target group before matching."""
    is_treated = design.baseline.is_treated
    return {"ATT": int(is_treated.sum()), "ATC": int((~is_treated).sum()), "ATE": len(is_treated)}[design.target]


def _n_in_arm(design: MatchedDesign, arm: str) -> int:
    is_treated = design.baseline.is_treated
    return int((is_treated if arm == "treated" else ~is_treated).sum())


def _weighted_arm(design: MatchedDesign) -> tuple[str, int, float]:
    if design.target == "ATC":
        return "treated", design.n_treated, design.effective_treated
    return "comparison", design.n_comparison, design.effective_comparison


def heaviest_unit(design: MatchedDesign) -> Finding:
    """Say how much of the weight one unit carries."""
    arm, n, _ = _weighted_arm(design)
    is_treated = design.baseline.is_treated
    arm_weights = np.where(is_treated if arm == "treated" else ~is_treated, design.weights, 0.0)
    share = float(arm_weights.max() / arm_weights.sum())
    verdict = Verdict.SERIOUS if share > _HEAVY[1] else Verdict.CAUTION if share > _HEAVY[0] else Verdict.REASSURING
    units = count(n, among=_n_in_arm(design, arm))
    sentence = Sentence(
        "The {arm} unit with the largest weight carries {share} of the arm's weight; with equal weights it would be "
        "{equal}.",
        arm=arm,
        share=Derived(f"{visible(100 * share, 1)}%", units, "a withheld share"),
        equal=Derived(f"{visible(100 / n, 1)}%", units, "the same for all"),
    )
    return design_fact("heaviest_unit", verdict, share, sentence)


def units_lost(design: MatchedDesign) -> Finding:
    """Say how many units of the target group were lost, and what the effect is then an effect on."""
    is_treated, used = design.baseline.is_treated, design.is_used
    is_target = {"ATT": is_treated, "ATC": ~is_treated, "ATE": np.ones(len(used), dtype=bool)}[design.target]
    n, lost = int(is_target.sum()), int((is_target & ~used).sum())
    whom = {"ATT": "treated units", "ATC": "comparison units", "ATE": "units"}[design.target]
    share = lost / n
    if not lost:
        sentence = Sentence("All {n} {whom} are used.", n=count(n), whom=whom)
        return design_fact("units_lost", Verdict.REASSURING, 0.0, sentence)
    sentence = Sentence(
        "{lost} of {n} {whom} could not be used, so that the effect is no longer that on all of them: it is the "
        "{label}.",
        lost=count(lost, among=n),
        n=count(n),
        whom=whom,
        label=design.estimand.label,
    )
    return design_fact("units_lost", Verdict.SERIOUS if share > _LOST else Verdict.CAUTION, share, sentence)

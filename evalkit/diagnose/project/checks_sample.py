"""Checks of the sample and the measure: balance, overlap, losses, conversions, concentration, the score cap, power."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from evalkit.core.formats import number, visible
from evalkit.core.quantities import Unavailable
from evalkit.core.words import counted
from evalkit.data.measures import measure_of
from evalkit.design.project import labels
from evalkit.design.project.plan import BalanceRow
from evalkit.design.weights_arrays import effective_n
from evalkit.diagnose.conversions import (
    CONVERSIONS,
    NOT_FOLLOWED,
    ArmConversions,
    conversions_finding,
    is_identity_followed,
)
from evalkit.diagnose.finding import (
    DIFFERENTIAL,
    Finding,
    FindingKind,
    Verdict,
    banded,
    design_fact,
    not_assessable,
    statement,
)
from evalkit.diagnose.matched.balance_registry import ADJUSTABLE, SATISFIED
from evalkit.diagnose.matched.findings import OUTSIDE
from evalkit.diagnose.project.appraisal import eligible_share
from evalkit.diagnose.project.evaluation import ConversionRow
from evalkit.diagnose.project.results import Results

FEW_AREAS = (6.0, 3.0)
"""Effective numbers of areas below which an arm rests on few, and very few: three equal areas are the line from which
errors clustered by area are used at all."""


def balance(results: Results) -> Finding:
    """Say how alike the treated schools and their neighbours were before the programme."""
    rows = [r for r in results.stage.balance if r.design == labels.NEIGHBOURS and isinstance(r.smd_after, float)]
    worst = {code: max((r for r in rows if r.outcome == code), key=_size) for code in {r.outcome: None for r in rows}}
    if results.primary not in worst:
        none = "No covariate could be compared before the programme."
        return not_assessable("balance", none, FindingKind.DESIGN_FACT)
    row = worst[results.primary]
    size = _size(row)
    others = ", ".join(
        f"{measure_of(results.project, code).said} {visible(_size(found))}"
        for code, found in worst.items()
        if code != results.primary
    )
    primary = measure_of(results.project, results.primary)
    sentence = (
        f"For {primary.said} the largest baseline difference between the treated schools "
        f"and their neighbours is {visible(size)} standard deviations ({row.label})"
        + (f"; for the other outcomes: {others}" if others else "")
        + f". The What Works Clearinghouse asks for at most {SATISFIED}, or {ADJUSTABLE} with adjustment; a comparison "
        "of changes tolerates a difference in level only if level and later change are unrelated, which is looked at "
        "separately."
    )
    return design_fact("balance", banded(size, SATISFIED, ADJUSTABLE), size, sentence)


def _size(row: BalanceRow) -> float:
    return abs(row.smd_after) if isinstance(row.smd_after, float) else 0.0


def overlap(results: Results) -> Finding:
    """Say what share of the treated schools stood, before the programme, where no compared school did."""
    design, pre = results.locked.outcomes[results.primary], results.project.exposure.pre
    scores = design.baseline.covariates[[f"{results.primary}_{year}" for year in pre]].mean(axis=1)
    group = design.baseline.units["group"]
    treated = scores[group == design.treated_group]
    near = scores[group.isin(design.comparisons[labels.NEIGHBOURS].of(design.treated_group))]
    if treated.empty or near.empty:
        return not_assessable("overlap", "An arm has no school with a score before.", FindingKind.DESIGN_FACT)
    outside = int(((treated < near.min()) | (treated > near.max())).sum())
    share = outside / len(treated)
    sentence = (
        f"{outside} of {counted(len(treated), 'treated school')} lay before the programme outside the range of the "
        f"{counted(len(near), 'school')} of neighbouring areas, by their mean score over {len(pre)} "
        f"year{'' if len(pre) == 1 else 's'}."
    )
    return design_fact("overlap", banded(share, *OUTSIDE), share, sentence)


def attrition(results: Results) -> Finding:
    """Say what share of the eligible schools was lost, by arm."""
    lost = {arm: 1 - eligible_share(results, arm) for arm in ("treated", "comparison")}
    apart = abs(lost["treated"] - lost["comparison"])
    sentence = (
        f"Of the mainstream schools listed, {visible(100 * lost['treated'], 1)}% of the treated and "
        f"{visible(100 * lost['comparison'], 1)}% of the comparison schools lack a published result in some year. "
        "Results of small cohorts are not published, so the loss is not at random."
    )
    return design_fact("attrition", banded(apart, *DIFFERENTIAL), apart, sentence)


def conversions(results: Results) -> Finding:
    """Say in which arm more schools converted meanwhile, and what the estimate is without converters."""
    rows = {row.arm: _arm(row) for row in conversion_rows(results)}
    treated, compared = rows["treated"], rows["comparison"]
    if treated is None or compared is None:
        return not_assessable(CONVERSIONS, NOT_FOLLOWED, FindingKind.DESIGN_FACT)
    exposure = results.project.exposure
    years = max(exposure.pre), max(exposure.post)
    return conversions_finding(treated, compared, years, _without_converters(results))


def _arm(row: ConversionRow) -> ArmConversions | None:
    if isinstance(row.n_converted, Unavailable):
        return None
    share = row.n_converted / row.n_schools if row.n_schools else 0.0
    return ArmConversions(n_schools=row.n_schools, n_converted=row.n_converted, share=share)


def _without_converters(results: Results) -> str:
    rest = results.estimate(results.primary, labels.WITHOUT_CONVERSIONS)
    main = results.estimate(results.primary)
    if isinstance(rest, Unavailable) or isinstance(main, Unavailable):
        return ""
    return f" Without all such schools, in both arms, the estimate is {visible(rest)} instead of {visible(main)}."


def conversion_rows(results: Results) -> Iterator[ConversionRow]:
    """Yield for each arm the schools analysed and those of them that changed legal identity, where that is known."""
    records, stage = results.intake.records, measure_of(results.project, results.primary).key_stage
    arms = _arms(results)
    is_known = all(is_identity_followed(records, stage, units.index) for units in arms.values())
    for arm, units in arms.items():
        converted = records[stage].schools.loc[units.index, "is_converted"]
        n_converted = int(converted.sum()) if is_known else Unavailable(NOT_FOLLOWED)
        yield ConversionRow(arm=arm, n_converted=n_converted, n_schools=len(converted))


def _arms(results: Results) -> dict[str, pd.Series]:
    """Return the group of every analysed school by arm."""
    design = results.locked.outcomes[results.primary]
    groups = results.outcomes[results.primary].panel.by_unit()["cluster"]
    near = design.comparisons[labels.NEIGHBOURS].of(design.treated_group)
    return {"treated": groups[groups == design.treated_group], "comparison": groups[groups.isin(near)]}


def concentration(results: Results) -> Finding:
    """Say on how many equal areas each arm rests: 1/Σh², h being the areas' shares of its analysed schools."""
    schools = results.intake.records[measure_of(results.project, results.primary).key_stage].schools
    worth, told = [], []
    for arm, units in _arms(results).items():
        share = schools.loc[units.index, "area"].value_counts(normalize=True)
        is_one = arm == "treated" and len(results.locked.outcomes[results.primary].treated_areas) == 1
        if share.empty or is_one:  # one treated area is what the permutation over areas is for
            continue
        worth.append(effective_n(share.to_numpy(dtype=float)))
        name = results.area_names.get(int(share.index[0]), str(share.index[0]))
        told.append(
            f"the {arm} schools lie in {counted(len(share), 'area')}, worth {number(worth[-1], 1)} equal ones (largest "
            f"share: {name}, {number(100 * float(share.iloc[0]), 0)}%)"
        )
    if not worth:
        return not_assessable("concentration", "No arm has schools in several areas.", FindingKind.DESIGN_FACT)
    text = "; ".join(told)
    sentence = f"{text[:1].upper()}{text[1:]}. What happens to one area weighs the more, the fewer there are."
    fewest = min(worth)
    verdict = Verdict.SERIOUS if fewest < FEW_AREAS[1] else Verdict.CAUTION if fewest < FEW_AREAS[0] else None
    return design_fact("concentration", verdict or Verdict.REASSURING, fewest, sentence)


def score_cap(results: Results) -> Finding:
    """Bound what the 2018 cap on extreme progress scores could do to the difference between the arms."""
    limits = results.intake.limits.get(results.primary)
    crosses = any(
        b.after == 2018
        for b in measure_of(results.project, results.primary).breaks_within(results.project.exposure.years)
    )
    if not crosses or limits is None or len(limits.cap_shift) < 10:
        return not_assessable("score_cap", "The size of the 2018 cap on extreme scores cannot be seen in these tables.")
    shifts = np.sort(limits.cap_shift)
    top = float(shifts[-max(len(shifts) // 10, 1) :].mean())
    sentence = (
        f"The 2018 cap on extreme scores raised a school's score by {visible(float(shifts.mean()), 3)} points on "
        f"average, and by {visible(top)} in the tenth of schools it touched most ({limits.scope}). Had every treated "
        f"school been like that tenth, and no comparison school been touched, the difference would be {visible(top)} "
        "points too high: an extreme case by the schools of one table, not an estimate."
    )
    return statement("score_cap", top, sentence)


def power(results: Results) -> Finding:
    """Say which effect the design could have detected, as planned and as it turned out."""
    entry = next((d for d in results.detectable if d.outcome == results.primary), None)
    if entry is None or not isinstance(entry.at_design, float):
        return not_assessable("power", "The least detectable effect could not be computed before outcomes.")
    sentence = (
        "Before outcomes were read, changes of other areas before the programme suggested that an effect of "
        f"{visible(entry.at_design)} points would be detected four times in five: optimistic, because areas drift "
        "further apart over longer spans."
    )
    if not isinstance(entry.realised, float):
        return statement("power", entry.at_design, sentence)
    sentence += f" As it turned out, {visible(entry.realised)} points were needed: smaller effects are often missed."
    return statement("power", entry.realised, sentence)

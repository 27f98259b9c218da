"""Tables of subgroups and of outcomes judged together: each effect, how they differ, and p-values adjusted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from evalkit.core.formats import as_sentence, interval_text, level_text, lower_first, p_equals, visible
from evalkit.core.project import Project
from evalkit.core.quantities import Unavailable
from evalkit.core.words import counted, listed
from evalkit.data.subgroups import by_words
from evalkit.design.analysis_plan import AnalysisPlan, ProjectDesign
from evalkit.diagnose.evaluation import (
    WHILE_IT_RAN,
    AnalysisResults,
    Evaluation,
    FamilyResults,
    Interaction,
    LastingResults,
    SubgroupResults,
)
from evalkit.estimate.areas.together import Over
from evalkit.estimate.effect import Effect
from evalkit.report.border.disclosure import ReleasedTable
from evalkit.report.border.parts import Heading, Part, Parts, Prose
from evalkit.report.border.table import Cell, Column, Table
from evalkit.report.tables.analyses import of_project
from evalkit.report.words.answers import in_order
from evalkit.report.words.names import ROLES, capital, measure_label, measure_unit, units_of

WHETHER_SOME: Final = "Did it do more for some than for others?"
WHETHER_IT_LASTS: Final = "Did it last after the programme ended?"
WHETHER_TOGETHER: Final = "What remains when several outcomes are judged together?"


def judged_together(evaluation: Evaluation) -> Parts:
    """Return effects in subgroups with how they differ, those after the end, then families; nothing where none are."""
    return Parts((*_subgroup_parts(evaluation), *_lasting_parts(evaluation), *_family_parts(evaluation)))


def _subgroup_parts(evaluation: Evaluation) -> Iterator[Part]:
    found = [(results, one) for results in in_order(evaluation) for one in results.subgroups]
    if not found:
        return
    yield Heading(2, WHETHER_SOME)
    yield Prose(_how_to_read(found), "list")
    for results, one in found:
        yield subgroup_effects(results, one)
        yield subgroup_differences(results, one)
        yield Prose(tuple(_told(results, one.interactions)), "list")


def _how_to_read(found: list[tuple[AnalysisResults, SubgroupResults]]) -> tuple[str, ...]:
    n = sum(len(one.interactions) for _, one in found)
    chance = (
        f"{counted(n, 'difference')} between subgroups are shown: of so many some would look unlikely by chance alone. "
        "Those on the primary outcome are the answer; the others suggest where to look."
    )
    return (
        "An effect that can be told from nothing in one subgroup and not in another does not make the two differ. "
        f"Whether they do is asked of the difference itself, which is found in {_in_what(found)} in the same way.",
        *((chance,) if n > 1 else ()),
    )


def _in_what(found: list[tuple[AnalysisResults, SubgroupResults]]) -> str:
    """Return in what differences were found beside the treated, in words."""
    over = {one.difference.over for _, by in found for one in by.interactions if one.difference.n_areas}
    dealt = "doses dealt out anew among the participants"
    if over == {"dealings"}:
        return dealt
    return f"every other area, or set of schools{f', or in {dealt}' if 'dealings' in over else ','}"


def _said_by(results: AnalysisResults, found: SubgroupResults) -> str:
    several = "" if results.analysis.primary else f" (“{results.analysis.name}”)"
    return f"{by_words(found.by, found.is_of_pupils)}{several}"


def subgroup_effects(results: AnalysisResults, found: SubgroupResults) -> ReleasedTable:
    """Return the effect in each subgroup, beside it that on the schools with results of every subgroup."""
    level = level_text(results.project.inference.level)
    units = "Areas" if found.are_areas else capital(units_of(results.project))
    columns = [
        Column("outcome", "Outcome"),
        Column("subgroup", "Subgroup"),
        Column("n_treated", f"{units} treated", "school_count"),
        Column("n_comparison", f"{units} compared", "school_count"),
        Column("estimate", "Estimate", "estimate"),
        Column("interval", f"{level} interval", "interval"),
        Column("p_value", "p, two-sided", "p"),
    ]
    if found.is_of_pupils:
        columns += [
            Column("n_common", f"{units} treated, all published", "school_count"),
            Column("estimate_common", "Estimate, all published", "estimate"),
            Column("interval_common", f"{level} interval, all published", "interval"),
        ]
    rows = []
    for one in found.effects:
        own = one.effect
        cells = _cells(own)
        if one.common is not None:
            common = one.common
            cells += _cells(common)[:1] + _cells(common)[2:4]
        rows.append((_outcome(results, one.outcome), capital(one.words), *cells))
    table = Table(
        caption=f"{_said_by(results, found)}: the effect in each",
        columns=tuple(columns),
        rows=tuple(rows),
        notes=tuple(_effect_notes(results, found)),
        panel_by="outcome",
    )
    return of_project(results.project, table)


def _outcome(results: AnalysisResults, code: str) -> str:
    """Return what names an outcome in these tables: its label, its unit and its role."""
    role = next(one.role for one in results.project.outcomes if one.code == code)
    unit = measure_unit(results.project, code)
    return f"{measure_label(results.project, code)} ({unit}): {ROLES[role].lower()}"


def _cells(effect: Effect | Unavailable) -> tuple[Cell, ...]:
    if isinstance(effect, Unavailable):
        return (effect,) * 5
    return effect.n_treated, effect.n_comparison, effect.estimate, effect.interval, effect.p_value


def _effect_notes(results: AnalysisResults, found: SubgroupResults) -> Iterator[str]:
    if found.is_of_pupils:
        yield (
            "“All published” are the schools with results of every subgroup in every year that is compared: there the "
            "subgroups are of the same schools, and only there are they set against each other."
        )
    elif any(one.difference.over == "dealings" for one in found.interactions):
        yield "The line is drawn among the participants of each subgroup alone."
    elif found.are_areas:
        yield "Each area's mean is that of its schools of the subgroup, and is compared with such means of other areas."
    else:
        yield "Each subgroup of schools is compared with schools of the same subgroup, in the same way as all of them."
    if found.by == "type":
        yield (
            "Types are those of the school lists. Schools that changed their identity since the last year before are "
            "in no subgroup, as the lists do not say what they were."
        )
    if found.left_out:
        labels = [lower_first(measure_label(results.project, code)) for code in found.left_out]
        why = "No such breakdown is published" if found.is_of_pupils else "Not every subgroup has treated schools"
        yield f"{why} of {listed(labels, 20)}." if found.is_of_pupils else f"{why} for {listed(labels, 20)}."


def subgroup_differences(results: AnalysisResults, found: SubgroupResults) -> ReleasedTable:
    """Return the effect in one subgroup less that in another, with its place among the same in areas or sets."""
    level = level_text(results.project.inference.level)
    has_several = any(one.p_adjusted is not None for one in found.interactions)
    columns = (
        Column("outcome", "Outcome"),
        Column("difference", "Effect in … less effect in …"),
        Column("estimate", "Difference", "estimate"),
        Column("interval", f"{level} interval", "interval"),
        Column("p_value", "p, two-sided", "p"),
        *((Column("p_adjusted", "p, adjusted", "p"),) if has_several else ()),
        Column("n_areas", "Areas", "count"),
    )
    rows = tuple(_difference_row(results, one, has_several) for one in found.interactions)
    table = Table(
        caption=f"{_said_by(results, found)}: do the effects differ?",
        columns=columns,
        rows=rows,
        notes=tuple(_difference_notes(found, has_several)),
        panel_by="outcome",
    )
    return of_project(results.project, table)


def _difference_row(results: AnalysisResults, one: Interaction, has_several: bool) -> tuple[Cell, ...]:
    found = one.difference
    none = found.p_value if isinstance(found.p_value, Unavailable) else None
    adjusted: tuple[Cell, ...] = (one.p_adjusted if one.p_adjusted is not None else found.p_value,) * has_several
    return (
        _outcome(results, one.outcome),
        f"{capital(one.first)} less {one.second}",
        found.estimate,
        found.interval,
        found.p_value,
        *adjusted,
        found.n_areas if none is None else none,
    )


def _among(differences: Sequence[Interaction]) -> Iterator[str]:
    """Yield among what the differences have their places."""
    known = [one.difference for one in differences if one.difference.n_areas]
    if known:
        most = max(known, key=lambda one: one.n_sets)
        yield _AMONG[most.over].format(n=f"{most.n_sets:,}")


def _difference_notes(found: SubgroupResults, has_several: bool) -> Iterator[str]:
    yield from _among(found.interactions)
    if has_several:
        yield "p is adjusted over all pairs of subgroups of an outcome (max-|t| step-down over the same draws)."


_AMONG: Final[dict[Over, str]] = {
    "sets": "The same difference was found for {n} sets of schools drawn in other areas; p is the place of the treated "
    "among them. Areas are those that could hold such sets, the treated counted.",
    "areas": "The same difference was found in every area that has both; p is the place of the treated among "
    "them. Areas are counted with the treated.",
    "draws of areas": "The same difference was found for {n} draws of as many areas as are treated; p is the place of "
    "the treated among them. Areas are those that could be drawn, the treated counted.",
    "dealings": "The same difference was found of {n} ways of dealing out the doses among the participants, within "
    "areas; p is the place of the doses as they were, each difference taken over its own error. Areas are those of the "
    "participants.",
}
"""Among what a difference has its place, in a sentence."""


def _told(results: AnalysisResults, differences: Sequence[Interaction]) -> Iterator[str]:
    """Yield what the differences say of the primary outcome, in a sentence each."""
    for one in differences:
        if one.outcome != results.project.primary.code:
            continue
        what = f"{measure_label(results.project, one.outcome)}, {one.first} less {one.second}"
        made, p = one.difference, one.difference.p_value
        if isinstance(made.estimate, Unavailable) or isinstance(p, Unavailable):
            why = next(one.reason for one in (made.estimate, p) if isinstance(one, Unavailable))
            yield f"{what}: whether they differ cannot be said. {as_sentence(why)}"
            continue
        alpha = 1 - results.project.inference.level
        adjusted = one.p_adjusted if isinstance(one.p_adjusted, float) else p
        verdict = (
            "so that chance alone would hardly make them differ so much"
            if adjusted <= alpha
            else f"{_SHOW_AS_WELL[made.over]}: these data do not tell the two effects apart"
        )
        said = "" if adjusted == p else f"; {p_equals(adjusted)} adjusted for all pairs"
        around = made.interval
        span = (
            "" if isinstance(around, Unavailable) else f"{level_text(around.level)} interval {interval_text(around)}, "
        )
        yield f"{what}: a difference of {visible(made.estimate)} ({span}{p_equals(p)}{said}), {verdict}."


_SHOW_AS_WELL: Final[dict[Over, str]] = {
    "sets": "which areas without a programme show as well",
    "areas": "which areas without a programme show as well",
    "draws of areas": "which areas without a programme show as well",
    "dealings": "which doses dealt out by chance show as well",
}


# After the programme's end.


def _lasting_parts(evaluation: Evaluation) -> Iterator[Part]:
    """Yield what became of the effects after the programme's end, or why that is not known."""
    told = [(one, one.lasting) for one in in_order(evaluation) if one.lasting is not None]
    if not told:
        return
    yield Heading(2, WHETHER_IT_LASTS)
    reasons = dict.fromkeys(found.reason for _, found in told if isinstance(found, Unavailable))
    if reasons:
        yield Prose(tuple(reasons), "list")
    for results, found in told:
        if isinstance(found, LastingResults):
            yield Prose((_later_cohorts(found),))
            yield lasting_effects(results, found)
            yield lasting_differences(results, found)
            yield Prose(tuple(_told(results, found.differences)), "list")


def _later_cohorts(found: LastingResults) -> str:
    after = listed([str(year) for year in found.after], 20)
    return (
        f"The programme ran until the summer of {max(found.during)} at the latest; {after} came after. The same design "
        "was made for each. The result of all these years together, as it was planned, remains the answer; these stand "
        "beside it. Results of each year are of other pupils, some of whom were in these schools while the programme "
        "ran, and of the schools with results in it."
    )


def _of_which(results: AnalysisResults) -> str:
    return "" if results.analysis.primary else f" (“{results.analysis.name}”)"


def lasting_effects(results: AnalysisResults, found: LastingResults) -> ReleasedTable:
    """Return the effect while the programme ran and in each year after its end."""
    level, units = level_text(results.project.inference.level), capital(units_of(results.project))
    columns = (
        Column("outcome", "Outcome"),
        Column("years", "Years"),
        Column("n_treated", f"{units} treated", "school_count"),
        Column("n_comparison", f"{units} compared", "school_count"),
        Column("estimate", "Estimate", "estimate"),
        Column("interval", f"{level} interval", "interval"),
        Column("p_value", "p, two-sided", "p"),
    )
    during = listed([str(year) for year in found.during], 20)
    rows = tuple(
        (
            _outcome(results, one.outcome),
            f"{during}, {one.words}" if one.words == WHILE_IT_RAN else one.words,
            *_cells(one.effect),
        )
        for one in found.effects
    )
    caption = f"While the programme ran and after its end{_of_which(results)}: the effect in each"
    return of_project(results.project, Table(caption=caption, columns=columns, rows=rows, panel_by="outcome"))


def lasting_differences(results: AnalysisResults, found: LastingResults) -> ReleasedTable:
    """Return the effect in each later year less that while the programme ran, with its place elsewhere."""
    columns = (
        Column("outcome", "Outcome"),
        Column("difference", "Effect in … less effect …"),
        Column("estimate", "Difference", "estimate"),
        Column("interval", f"{level_text(results.project.inference.level)} interval", "interval"),
        Column("p_value", "p, two-sided", "p"),
        Column("n_areas", "Areas", "count"),
    )
    table = Table(
        caption=f"After the programme's end{_of_which(results)}: does the effect differ from that while it ran?",
        columns=columns,
        rows=tuple(_difference_row(results, one, has_several=False) for one in found.differences),
        notes=tuple(_among(found.differences)),
        panel_by="outcome",
    )
    return of_project(results.project, table)


# Families.


def _family_parts(evaluation: Evaluation) -> Iterator[Part]:
    if not evaluation.families:
        return
    yield Heading(2, WHETHER_TOGETHER)
    yield families(evaluation)
    rest = [_unmarked(evaluation.project, code) for code in _exploratory(evaluation)]
    if rest:
        yield Prose(
            (
                f"In no family, and so exploratory: {listed(rest, 20)}. Their p-values are as they are; they suggest "
                "questions and answer none.",
            )
        )


def _exploratory(evaluation: Evaluation) -> list[str]:
    return [one.code for one in evaluation.project.outcomes if one.code in evaluation.project.exploratory]


def _unmarked(project: Project, code: str) -> str:
    return lower_first(measure_label(replace(project, families=(), analyses=()), code))


def families(evaluation: Evaluation) -> ReleasedTable:
    """Return every effect of each family with p by itself, by step-down over the same draws, and by Holm's method."""
    several = len(evaluation.analyses) > 1
    columns = (
        Column("family", "Family"),
        Column("outcome", "Outcome"),
        *((Column("analysis", "Analysis"),) if several else ()),
        Column("statistic", "t", "number"),
        Column("p_value", "p by itself", "p"),
        Column("p_adjusted", "p, adjusted", "p"),
        Column("holm", "p by Holm", "p"),
    )
    rows = tuple(
        (
            family.name,
            measure_label(evaluation.project, test.outcome),
            *((test.analysis,) if several else ()),
            test.statistic,
            test.p_value,
            test.p_adjusted,
            test.holm,
        )
        for family in evaluation.families
        for test in family.tests
    )
    table = Table(
        caption="Outcomes judged together",
        columns=columns,
        rows=rows,
        notes=tuple(_family_notes(evaluation)),
        panel_by="family",
    )
    return of_project(evaluation.project, table)


def _family_notes(evaluation: Evaluation) -> Iterator[str]:
    yield (
        "p by itself is that of the effect wherever it stands. It is adjusted by max-|t| step-down (Westfall and "
        "Young, 1993; Romano and Wolf, 2005) over the same areas, sets or dealings for all, which keeps the chance of "
        "any false alarm in a family at its level and uses how outcomes move together. As p by itself has draws of its "
        "own, the other could come out a little below it: the larger of the two is shown. t is the estimate, or the "
        "ratio of errors of a synthetic control, over its standard deviation among those draws."
    )
    alpha = 1 - evaluation.project.inference.level
    for family in evaluation.families:
        if family.n_areas:
            yield _of_holm(family, alpha)


def _of_holm(family: FamilyResults, alpha: float) -> str:
    """Return over what a family was judged, and what Holm's method cannot do on ranks among so few areas."""
    over = _FAMILY_OVER[family.over].format(n=f"{family.n_sets:,}", areas=counted(family.n_areas, "area"))
    m = sum(not isinstance(test.holm, Unavailable) for test in family.tests)
    most = int(alpha / family.least_p + 1e-9)
    holm = (
        f"Holm's method on such ranks can reject nothing in a family of more than {most:,}, as "
        f"its least p is the number of tests times {family.least_p:.4f} ({m * family.least_p:.4f} here): it stands "
        "beside only"
    )
    return f"{family.name}: {over}. {holm}."


_FAMILY_OVER: Final[dict[Over, str]] = {
    "sets": "{n} sets of schools in {areas}, the treated counted",
    "areas": "{areas}, the treated counted",
    "draws of areas": "{n} draws of as many areas as are treated from {areas}, the treated counted",
    "dealings": "{n} ways of dealing out the doses among participants in {areas}, as they were among them",
}
"""Over what a family was judged."""


# Before outcomes.


def subgroups_planned(design: ProjectDesign) -> Parts:
    """Return the subgroups and later years analyses will be made for, and which families will be judged together."""
    said = [
        f"“{plan.analysis.name}” is made again for subgroups, by {_parted(plan, by)}: "
        f"{listed([one.subgroup.words for one in plan.subgroups if one.subgroup.by == by], 9)}."
        for plan in design.plans
        for by in dict.fromkeys(one.subgroup.by for one in plan.subgroups)
    ]
    said += [sentence for plan in design.plans for sentence in _lasting_planned(plan)]
    project = design.project
    said += [
        f"Judged together as “{family.name}”: {_labels(design, family.outcomes)}."
        for family in (*project.families, *(one for analysis in project.analyses for one in analysis.families))
    ]
    if project.exploratory:
        rest = [_unmarked(project, one.code) for one in project.outcomes if one.code in project.exploratory]
        said.append(f"In no family, and so exploratory: {listed(rest, 20)}.")
    if not said:
        return Parts(())
    return Parts((Heading(2, "Which subgroups and which outcomes together were planned?"), Prose(tuple(said), "list")))


def _lasting_planned(plan: AnalysisPlan) -> Iterator[str]:
    """Yield in which years after the programme's end it is asked whether an effect lasts."""
    if not plan.analysis.uses_exposure or plan.analysis.describes:
        return
    during, after = (listed([str(year) for year in years], 20) for years in plan.project.parted_by_end(plan.analysis))
    if during and after:
        yield (
            f"“{plan.analysis.name}” is made again for the years while the programme ran ({during}) and for each after "
            f"its end ({after}): whether an effect lasts is asked of the difference."
        )


def _parted(plan: AnalysisPlan, by: str) -> str:
    has_common = any(one.common is not None for one in plan.subgroups if one.subgroup.by == by)
    return lower_first(by_words(by, has_common))


def _labels(design: ProjectDesign, codes: list[str] | tuple[str, ...]) -> str:
    return listed([lower_first(measure_label(design.project, code)) for code in codes], 20)


def evaluation_tables(evaluation: Evaluation) -> dict[str, ReleasedTable]:
    """Return the tables of subgroups and families by the names of their files; none where there are none."""
    found = {} if not evaluation.families else {"families": families(evaluation)}
    for results in evaluation.analyses:
        before = "" if results.analysis.primary else f"{results.analysis.name}/"
        for one in results.subgroups:
            name = one.by.replace(".", "_")
            found[f"{before}subgroups_{name}"] = subgroup_effects(results, one)
            found[f"{before}differences_{name}"] = subgroup_differences(results, one)
        if isinstance(results.lasting, LastingResults):
            found[f"{before}lasting"] = lasting_effects(results, results.lasting)
            found[f"{before}differences_lasting"] = lasting_differences(results, results.lasting)
    return found

"""From a locked design and the outcomes to everything a report draws on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from evalkit.core.draws import SERIAL, Executor
from evalkit.core.formats import mean_of, span_text
from evalkit.core.project import Claim, Project
from evalkit.core.quantities import Quantity, Unavailable
from evalkit.core.shown import Several
from evalkit.data.measures import measure_of
from evalkit.data.panel import Panel
from evalkit.data.published.project_data import ProjectData
from evalkit.design.power.mdes import MULTIPLIER
from evalkit.design.project import labels
from evalkit.design.project.areas import TREATED_GROUP
from evalkit.design.project.labels import NEIGHBOURS
from evalkit.design.project.plan import DesignStage, DetectableEffect, LockedDesign, OutcomeDesign
from evalkit.diagnose.power.report import TOO_FEW_AREAS, detectable_by_clusters
from evalkit.diagnose.project.appraisal import check_claims, limits, ratings, security
from evalkit.diagnose.project.checks import CHECKS
from evalkit.diagnose.project.checks_sample import conversion_rows
from evalkit.diagnose.project.costs import cost_summary
from evalkit.diagnose.project.evaluation import (
    AreaBaselines,
    AreaDistribution,
    AreasResults,
    Dilution,
    GivenBaseline,
    Headline,
    IntraclassCorrelation,
    SetDistribution,
    area_icc,
)
from evalkit.diagnose.project.flows import attrition_of, make_flow
from evalkit.diagnose.project.given_baseline import given_baseline
from evalkit.diagnose.project.influence import influences
from evalkit.diagnose.project.listed_tests import MAIN_COLUMN, ListedStatistics, listed_statistics
from evalkit.diagnose.project.outcome_summaries import outcome_summaries, trajectories
from evalkit.diagnose.project.results import Results, contrast_code
from evalkit.diagnose.project.violations import outcome_bounds, trends_seen
from evalkit.estimate.areas.area_effects import effects_by_area
from evalkit.estimate.areas.outcome_effects import (
    BandOptions,
    OutcomeEffects,
    YearBand,
    estimate_contrast,
    estimate_outcome,
    set_bands,
    year_bands,
)
from evalkit.estimate.areas.sample import changes_to, levels_before, make_panel
from evalkit.estimate.areas.sets import diluted
from evalkit.estimate.effect import MAIN, Effect


def area_baselines(results: Results, code: str) -> AreaBaselines:
    """Return level, gap and schools of every area that has an effect on an outcome in the main comparison.

    The schools and weights are those of the effects; `code` may be a contrast, whose levels are differences.
    """
    project, found = results.project, results.outcomes[code]
    design = results.locked.outcomes[code.split("-")[0]]
    areas = found.areas[MAIN]
    changes = found.weighed(changes_to(found.panel, project.exposure, project.exposure.post))
    before = found.weighed(levels_before(found.panel, project.exposure)).keep(changes.units)
    compared = effects_by_area(
        before, design.comparisons[NEIGHBOURS], design.treated_group, project.pool.minimum_area_schools
    )
    gaps = compared.without(set(compared.groups.tolist()) - set(areas.groups.tolist()))
    groups = [before.group == group for group in areas.groups]
    levels = [float(np.average(before.change[in_area], weights=before.weight[in_area])) for in_area in groups]
    return AreaBaselines(
        pre_means=tuple(levels),
        baseline_gaps=tuple(gaps.effects.tolist()),
        n_schools=tuple(areas.n.tolist()),
        pre=project.exposure.pre,
        post=project.exposure.post,
    )


# From a locked design and the outcomes to everything a report draws on.


def evaluate(
    project: Project,
    intake: ProjectData,
    locked: LockedDesign,
    stage: DesignStage,
    claims: tuple[Claim, ...] = (),
    executor: Executor = SERIAL,
) -> AreasResults:
    """Estimate every effect of a locked design and put it through every check.

    `intake` holds all the years the project names; `locked` and `stage` come from the baseline alone; `executor` works
    through the choices of comparison.
    """
    results = estimate_results(project, intake, locked, stage, executor)
    findings = Several(check(results) for check in CHECKS)
    rating = security(results, findings)
    return AreasResults(
        project=project,
        design=stage,
        headline=_headline(results),
        effects=tuple(effect for found in results.outcomes.values() for effect in found.effects),
        flow=results.flow,
        outcomes=tuple(outcome_summaries(results)),
        trajectories=tuple(trajectories(results)),
        distributions=tuple(_distributions(results)),
        detectable=results.detectable,
        findings=findings,
        judgements=ratings(results, rating),
        claims=check_claims(results, claims),
        conversions=tuple(conversion_rows(results)),
        cost=cost_summary(results),
        limits=limits(results),
        measure_labels=_labels(project),
        bands=tuple(_bands(results)),
        attrition=tuple(attrition_of(results.flow, outcome.code) for outcome in project.outcomes),
        intraclass=tuple(_intraclass(results)),
        rating=rating,
        given=tuple(_given(results)),
        dilution=tuple(_dilution(results)),
        placed=_placed(results),
        bounds=tuple(outcome_bounds(results)),
        pre_trends=trends_seen(results),
        influences=influences(results),
    )


def _given(results: Results) -> Iterator[GivenBaseline]:
    """Yield the effect on a whole area given its baseline, for every outcome that has one."""
    for outcome in results.project.outcomes:
        found = given_baseline(results, outcome.code)
        if not isinstance(found, Unavailable):
            yield found


def _dilution(results: Results) -> Iterator[Dilution]:
    """Yield what the whole areas' effect would be on the listed schools, for every outcome of such schools."""
    for outcome in results.project.outcomes:
        effect, sets = results.effect(outcome.code, labels.WHOLE_AREA), results.locked.outcomes[outcome.code].sets
        if sets is None or effect is None or not isinstance(effect.estimate, float):
            continue
        share = _share_of_pupils(results, outcome.code)
        if isinstance(share, float):
            parts = diluted(effect.estimate, effect.interval, share)
            yield Dilution(outcome=outcome.code, share=share, p_value=effect.p_value, parts=parts)


def _share_of_pupils(results: Results, code: str) -> Quantity:
    """Return the listed schools' share of the pupils of their areas before the programme, over analysed schools."""
    sets, found = results.locked.outcomes[code].sets, results.outcomes[code]
    pupils = results.intake.records[measure_of(results.project, code).key_stage].pupils
    each = pupils[[year for year in results.project.exposure.pre if year in pupils]].mean(axis=1)
    groups = found.panel.by_unit()["cluster"]
    listed = float(each.reindex(groups.index[groups == TREATED_GROUP]).sum())
    others = float(each.reindex(sets.others).sum()) if sets else 0.0
    return listed / (listed + others) if listed > 0 else Unavailable("Pupils are not known.")


def estimate_results(
    project: Project, intake: ProjectData, locked: LockedDesign, stage: DesignStage, executor: Executor = SERIAL
) -> Results:
    """Estimate every effect of a locked design, before any is judged; arguments as of `evaluate`."""
    outcomes: dict[str, OutcomeEffects] = {}
    for outcome in project.outcomes:
        design = locked.outcomes[outcome.code]
        outcomes[outcome.code] = estimate_outcome(project, intake, design, outcome.role, executor)
    for contrast in project.contrasts:
        first, second = (outcomes[code] for code in (contrast.measure, contrast.minus))
        if first.areas and second.areas:
            design = locked.outcomes[contrast.measure]
            panel = _difference(project, design, first.panel, second.panel)
            outcomes[contrast_code(contrast)] = estimate_contrast(
                project, design, contrast_code(contrast), panel, first, executor
            )
    flow = make_flow(project, intake, locked, project.exposure.years)
    results = Results(project, intake, locked, stage, outcomes, flow, listed=_listed(project, locked, outcomes))
    return replace(results, detectable=tuple(_realised(results)))


def _listed(project: Project, locked: LockedDesign, outcomes: dict[str, OutcomeEffects]) -> ListedStatistics | None:
    """Return the falsification tests of the primary outcome for listed schools and for sets in their place."""
    primary = project.primary.code
    placebo = next((outcomes[o.code] for o in project.outcomes if o.role == "placebo"), None)
    return listed_statistics(project, locked.outcomes[primary], outcomes[primary], placebo)


def _difference(project: Project, design: OutcomeDesign, first: Panel, second: Panel) -> Panel:
    """Return one outcome less the other, for schools and years that have both."""
    wide = first.wide()
    difference = wide - second.wide().reindex(wide.index)
    return make_panel(difference, design.groups, design.treated_group, project)


def _labels(project: Project) -> dict[str, str]:
    contrasts = {
        contrast_code(one): f"{measure_of(project, one.measure).label} less {measure_of(project, one.minus).said}"
        for one in project.contrasts
    }
    return {o.code: measure_of(project, o.code).label for o in project.outcomes} | contrasts


def _contrast_in_words(project: Project) -> str:
    """Return the first triple difference by its subjects: `reading minus maths`."""
    if not project.contrasts:
        return ""
    contrast = project.contrasts[0]
    return f"{_subject(project, contrast.measure).lower()} minus {_subject(project, contrast.minus).lower()}"


def _subject(project: Project, code: str) -> str:
    return measure_of(project, code).label.removesuffix(" progress")


def _headline(results: Results) -> Headline:
    project, primary = results.project, results.primary
    main, exposure = results.main_effect, project.exposure
    sure = results.surest(primary)
    contrast = results.effect(results.contrast())
    placebo = next((o.code for o in project.outcomes if o.role == "placebo"), "")
    lead = str(max(exposure.pre))
    none = Unavailable("No estimate was made.")
    reason = main.p_value if main and isinstance(main.p_value, Unavailable) else none
    detail, p = (main.permutation or main.sets, sure.p_value if sure else main.p_value) if main else (None, none)
    return Headline(
        measure_label=measure_of(project, primary).label,
        place=project.programme.place,
        n_schools=main.n_treated if main else 0,
        pre_label=mean_of(exposure.pre),
        post_label=mean_of(exposure.post),
        list_year=labels.LIST_YEAR[project.pool.neighbours],
        estimate=main.estimate if main else none,
        interval=sure.interval if sure else none,
        n_areas=float(detail.n_areas) if detail else reason,
        n_as_large=_n_as_large(main),
        p_value=p,
        placebo_label=_subject(project, placebo) if placebo else "",
        placebo_estimate=results.estimate(placebo),
        contrast_label=_contrast_in_words(project),
        contrast_estimate=contrast.estimate if contrast else results.why_not(results.contrast()),
        contrast_p=contrast.p_value if contrast else results.why_not(results.contrast()),
        lead=results.estimate(primary, labels.LEAD, lead),
        lead_label=span_text(exposure.pre),
        adjusted=results.estimate(primary, labels.TREND_ADJUSTED),
    )


def _n_as_large(main: Effect | None) -> Quantity:
    """Return how many areas changed as much, the treated one counted; of sets the sum of areas' shares is p alone."""
    if main is None or main.sets is not None:
        return Unavailable("Sets count by the share of each area's sets, which is no whole number of areas.")
    if main.permutation is None or isinstance(main.p_value, Unavailable):
        return main.p_value if isinstance(main.p_value, Unavailable) else Unavailable("Areas were not permuted.")
    return float(round(main.p_value * main.permutation.n_areas))


def _intraclass(results: Results) -> Iterator[IntraclassCorrelation]:
    """Yield how alike schools of one area changed, for every outcome that was estimated."""
    project = results.project
    for outcome in project.outcomes:
        if results.outcomes[outcome.code].areas:
            panel = results.outcomes[outcome.code].panel
            yield area_icc(outcome.code, panel, project.exposure, project.inference.level)


def _distributions(results: Results) -> Iterator[AreaDistribution]:
    names = results.intake.neighbours[results.project.pool.neighbours].names
    for code, found in results.outcomes.items():
        treated_group = results.locked.outcomes[code.split("-")[0]].treated_group
        for (design, period), areas in found.areas.items():
            if period == "post" and results.effect(code, design) and _permuted(results.effect(code, design)):
                yield AreaDistribution(
                    outcome=code,
                    design=design,
                    areas=tuple(areas.groups.tolist()),
                    names=tuple(names.get(area, str(area)) for area in areas.groups.tolist()),
                    effects=tuple(areas.effects.tolist()),
                    treated_area=treated_group,
                    before=area_baselines(results, code) if design == labels.NEIGHBOURS else None,
                )


_N_BINS = 60


def _placed(results: Results) -> SetDistribution | None:
    """Return how the sets' changes are spread on the primary outcome, where sets judge it."""
    if results.listed is None:
        return None
    entries = results.listed.sets.entries(results.listed.columns[MAIN_COLUMN])
    if entries.reason or len(entries.values) < 2:
        return None
    others, weights = entries.values[:-1], entries.weights[:-1]
    reach = float(np.abs(entries.values).max()) or 1.0
    shares, edges = np.histogram(others, bins=_N_BINS, range=(-reach, reach), weights=weights / weights.sum())
    return SetDistribution(
        outcome=results.primary,
        edges=tuple(edges.tolist()),
        shares=tuple(shares.tolist()),
        treated=float(entries.values[-1]),
        n_areas=entries.n_areas,
        n_sets=len(others),
    )


def _bands(results: Results) -> Iterator[YearBand]:
    """Yield the simultaneous band of every outcome that was estimated year by year."""
    inference = results.project.inference
    options = BandOptions(level=inference.level, statistic=inference.statistic)
    for code, found in results.outcomes.items():
        keys = {year: (labels.NEIGHBOURS, str(year)) for year in results.project.exposure.years}
        years = {year: found.areas[key] for year, key in keys.items() if key in found.areas}
        design = results.locked.outcomes[code.split("-")[0]]
        if design.sets is not None and not design.is_whole_area:
            yield from set_bands(found, design, results.project, list(years))
        else:
            yield from year_bands(code, years, design.treated_group, options)


def _permuted(effect: Effect | None) -> bool:
    return effect is not None and effect.permutation is not None


def _realised(results: Results) -> Iterator[DetectableEffect]:
    """Yield the least detectable effects with the realised one: 2.8 × the SD of the other areas' effects."""
    for entry in results.stage.detectable:
        areas = results.outcomes[entry.outcome].main_areas
        design = results.locked.outcomes[entry.outcome]
        treated_group = design.treated_group
        others = areas.effects[areas.groups != treated_group] if areas else np.array([])
        realised: Quantity = TOO_FEW_AREAS
        if design.too_few:
            realised = Unavailable(f"Not estimated: {design.too_few}.")
        elif treated_group == TREATED_GROUP:
            realised = _detectable_of_listed(results, entry.outcome)
        elif len(others) >= 20:
            realised = MULTIPLIER * float(np.std(others, ddof=1))
        yield DetectableEffect(
            outcome=entry.outcome, at_design=entry.at_design, realised=realised, n_areas=entry.n_areas
        )


def _detectable_of_listed(results: Results, outcome: str) -> Quantity:
    """Return 2.8 × the SD of the sets' effects, or by the clusters that lead where sets say nothing."""
    sure = results.surest(outcome)
    if sure is not None and sure.sets is not None and isinstance(sure.sets.spread, float):
        return MULTIPLIER * sure.sets.spread
    return detectable_by_clusters(results.clustered(outcome))

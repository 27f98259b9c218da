"""The design as a reader may see it, from baseline data alone, and how alike the arms were before the programme."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalkit.core.formats import as_sentence
from evalkit.core.manifest import MEASURES_FILE
from evalkit.core.project import Project
from evalkit.core.quantities import Quantity, Unavailable
from evalkit.data.flow import CountedCase
from evalkit.data.measures import MEASURES, Measure, measure_of
from evalkit.data.panel import Panel
from evalkit.data.published.project_data import ProjectData
from evalkit.data.published.school_lists import CONFLICTS
from evalkit.design.power.mdes import detectable_at_design
from evalkit.design.project.group_matching import GroupMatches
from evalkit.design.project.labels import ENGLAND, LIST_LABEL, NEIGHBOURS, neighbours_of
from evalkit.design.project.plan import (
    AreaComparison,
    BalanceRow,
    DesignStage,
    DetectableEffect,
    LockedDesign,
    MatchSummary,
    MeasureNote,
    OutcomeDesign,
)
from evalkit.design.project.set_rule import MOST_AREAS
from evalkit.design.weights_arrays import effective_n
from evalkit.diagnose.matched.balance_arrays import ratio, weighted_mean, weighted_variance
from evalkit.diagnose.project.flows import make_flow
from evalkit.estimate.areas.area_effects import effects_by_area
from evalkit.estimate.areas.changes_arrays import comparison_weights
from evalkit.estimate.areas.outcome_effects import placing_of
from evalkit.estimate.areas.sample import Changes, changes_before, make_panel
from evalkit.estimate.areas.set_draws import FEWER_SETS
from evalkit.estimate.areas.set_effects import sets_of_changes

# How alike the arms were before the programme.


def balance_of(design: OutcomeDesign) -> tuple[BalanceRow, ...]:
    """Return the balance of every covariate, for the neighbours and for each matching, before and after.

    Before is every other school of England with a baseline; the denominator is the standard
    deviation of the treated schools before matching, the same before and after.
    """
    return tuple(row for name, weights in comparison_by_design(design).items() for row in _rows(design, name, weights))


def comparison_by_design(design: OutcomeDesign) -> dict[str, pd.Series]:
    """Return each design's comparison weights over the baseline's units (zero where not used)."""
    units, treated_group = design.baseline.units, design.treated_group
    near = units["group"].isin(design.comparisons[NEIGHBOURS].of(treated_group)).astype(float)
    by_matching = {name: _partner_weights(matches, treated_group) for name, matches in design.matches.items()}
    return {NEIGHBOURS: near} | {name: w.reindex(units.index, fill_value=0.0) for name, w in by_matching.items()}


def match_summaries(design: OutcomeDesign) -> tuple[MatchSummary, ...]:
    """Return what each matching used."""
    return tuple(_summary(design, name, matches) for name, matches in design.matches.items())


def _partner_weights(matches: GroupMatches, treated_group: int) -> pd.Series:
    rows = np.flatnonzero((matches.groups == treated_group) & (matches.partners >= 0).any(axis=1))
    partners = matches.partners[rows]
    weights = comparison_weights(np.ones(len(rows)), partners, partners >= 0)
    return pd.Series(np.pad(weights, (0, len(matches.units) - len(weights))), index=matches.units)


def _summary(design: OutcomeDesign, name: str, matches: GroupMatches) -> MatchSummary:
    is_treated = matches.groups == design.treated_group
    weights = _partner_weights(matches, design.treated_group).to_numpy()
    served = np.bincount(matches.partners[is_treated][matches.partners[is_treated] >= 0])
    return MatchSummary(
        outcome=design.outcome,
        design=name,
        n_treated=int(is_treated.sum()),
        n_comparison=int((weights > 0).sum()),
        effective_n=effective_n(weights),
        most_used=int(served.max(initial=0)),
        lost=int((is_treated & (matches.partners < 0).all(axis=1)).sum()),
    )


def _rows(design: OutcomeDesign, name: str, after: pd.Series) -> Iterator[BalanceRow]:
    units = design.baseline.units
    treated = np.asarray(units["is_treated"], dtype=np.float64)
    others = design.comparisons[ENGLAND].of(design.treated_group)
    pool = np.asarray(units["group"].isin(others), dtype=np.float64)
    for covariate, values in design.baseline.covariates.items():
        x = values.to_numpy(dtype=np.float64)
        yield _row(design.outcome, name, str(covariate), x, [treated, pool, after.to_numpy(dtype=np.float64)])


def _row(
    outcome: str, design: str, covariate: str, x: NDArray[np.float64], arms: Sequence[NDArray[np.float64]]
) -> BalanceRow:
    treated, before, after = (weighted_mean(x[w > 0], w[w > 0]) for w in arms)
    variances = [weighted_variance(x[w > 0], w[w > 0]) for w in arms]
    spread = math.sqrt(variances[0]) if variances[0] > 0 else 0.0
    return BalanceRow(
        outcome=outcome,
        design=design,
        covariate=covariate,
        label=covariate_label(covariate),
        mean_treated=treated,
        mean_comparison_before=before,
        mean_comparison_after=after,
        denominator=spread,
        smd_before=_known(ratio(treated - before, spread)),
        smd_after=_known(ratio(treated - after, spread)),
        variance_ratio_before=_known(ratio(variances[0], variances[1])),
        variance_ratio_after=_known(ratio(variances[0], variances[2])),
        effective_n=effective_n(arms[2]),
    )


def _known(value: float) -> Quantity:
    if math.isfinite(value):
        return value
    return Unavailable("Fewer than two schools, or no spread, in one arm.")


def covariate_label(name: str) -> str:
    """Return the words for a matching covariate such as READPROG_2016."""
    stem, _, year = name.rpartition("_")
    if stem in MEASURES:
        return f"{MEASURES[stem].label} {year}"
    if stem == "cohort_size":
        return f"Pupils at the end of the key stage {year}"
    return "Free school meals, % (2022/23, a later proxy)"


# The design as a reader may see it, from baseline data alone.

_NO_PLACEBO = "The listed schools are part of their area, and no sets in other areas can stand in for them."
ONE_YEAR_BEFORE = "Only one year was observed before the programme, so no change before it can be seen."


def describe_design(project: Project, intake: ProjectData, locked: LockedDesign) -> DesignStage:
    """Describe a locked design: areas, flow, identity, matches, balance, least detectable effect, measures."""
    estimated = [design for design in locked.outcomes.values() if not design.too_few]
    return DesignStage(
        project=project,
        data_kind=intake.kind,
        areas=_areas(project, intake, locked.outcomes[project.primary.code]),
        flow=make_flow(project, intake, locked, project.exposure.pre),
        identity=tuple(_identity(intake)),
        participants=intake.treated.cases,
        matches=tuple(summary for design in estimated for summary in match_summaries(design)),
        balance=tuple(row for design in estimated for row in balance_of(design)),
        detectable=tuple(_detectable(project, intake, design) for design in estimated),
        measures=tuple(measure_note(project, measure_of(project, outcome.code)) for outcome in project.outcomes),
        area_names=intake.neighbours[project.pool.neighbours].names,
        boundaries=intake.boundaries,
    )


def _identity(intake: ProjectData) -> Iterator[CountedCase]:
    """Yield each case by key stage, and once what is counted over whole files."""
    whole: dict[str, CountedCase] = {}
    for stage, records in intake.records.items():
        for case in records.cases:
            if case.case == CONFLICTS:
                whole[case.case] = CountedCase(f"Both key stages: {case.case}", case.n)
            else:
                yield CountedCase(f"{stage}: {case.case}", case.n)
    yield from whole.values()


def _areas(project: Project, intake: ProjectData, design: OutcomeDesign) -> tuple[AreaComparison, ...]:
    pool = project.pool
    lists = {NEIGHBOURS: pool.neighbours, neighbours_of(pool.alternative_neighbours): pool.alternative_neighbours}
    return tuple(_area(design, name, used, intake.neighbours[used].names) for name, used in lists.items())


def _area(design: OutcomeDesign, name: str, used: str, names: dict[int, str]) -> AreaComparison:
    comparison = design.comparisons[name]
    return AreaComparison(
        list_name=used,
        list_label=LIST_LABEL[used],
        treated=tuple((code, names.get(code, str(code))) for code in design.treated_areas),
        comparison=tuple((code, names.get(code, str(code))) for code in comparison.of(design.treated_group)),
        absent=comparison.absent[design.treated_group],
    )


def baseline_panel(project: Project, intake: ProjectData, design: OutcomeDesign) -> Panel:
    """Return the schools of the baseline over the years before the programme."""
    values = intake.records[measure_of(project, design.outcome).key_stage].values[design.outcome]
    wide = values.loc[design.baseline.units.index, list(project.exposure.pre)]
    return make_panel(wide, design.groups, design.treated_group, project)


def _detectable(project: Project, intake: ProjectData, design: OutcomeDesign) -> DetectableEffect:
    at_design, n_areas = _from_placebos(project, intake, design)
    later = Unavailable("Outcomes have not been read.")
    return DetectableEffect(outcome=design.outcome, at_design=at_design, realised=later, n_areas=n_areas)


def _from_placebos(project: Project, intake: ProjectData, design: OutcomeDesign) -> tuple[Quantity, int]:
    exposure = project.exposure
    if not design.is_whole_area and not _is_placed(design):
        return Unavailable(_NO_PLACEBO), 0
    if len(exposure.pre) < 2:
        return Unavailable(ONE_YEAR_BEFORE), 0
    changes = changes_before(baseline_panel(project, intake, design), exposure)
    if not design.is_whole_area:
        return _from_sets(project, design, changes)
    treated_group, fewest = design.treated_group, project.pool.minimum_area_schools
    areas = effects_by_area(changes, design.comparisons[NEIGHBOURS], treated_group, fewest)
    placebos = areas.effects[areas.groups != treated_group]
    return detectable_at_design(np.asarray(placebos).tolist(), len(exposure.pre), len(exposure.post)), len(placebos)


def _is_placed(design: OutcomeDesign) -> bool:
    """Return whether listed schools are placed among sets."""
    sets = design.sets
    return sets is not None and len(sets.treated) <= MOST_AREAS and not sets.too_few and not design.too_few


def _from_sets(project: Project, design: OutcomeDesign, changes: Changes) -> tuple[Quantity, int]:
    """Return the least detectable effect of listed schools by what sets moved between two years before."""
    assert design.sets is not None
    placing = replace(placing_of(project), n_sets=FEWER_SETS)
    found = sets_of_changes(changes, design.sets, design.comparisons[NEIGHBOURS], placing)
    if found is None:
        return Unavailable(_NO_PLACEBO), 0
    drawn, values = found.inference(0), found.values[:, 0]
    at_design = detectable_at_design(
        values[np.isfinite(values)].tolist(), len(project.exposure.pre), len(project.exposure.post)
    )
    return at_design, drawn.n_areas - drawn.n_treated_areas


def measure_note(project: Project, found: Measure) -> MeasureNote:
    """Return what a reader must know of a measure before comparing the project's years, or those that it has.

    Of a measure that the project defines itself that is also who says so, and that the kit does not.
    """
    years = project.exposure.years or found.years
    breaks = [one.sentence for one in found.breaks_within(years)] if years else []
    own = [f"Defined in the project's own {MEASURES_FILE}. Source: {as_sentence(found.source)}"] if found.source else []
    sentences = tuple(dict.fromkeys((*breaks, *own)))
    return MeasureNote(measure=found.code, label=found.label, unit=found.unit, sentences=sentences)

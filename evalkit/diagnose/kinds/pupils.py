"""Results of an analysis of pupils in schools: the two-level model, schools' means and what judges them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

from evalkit.core.arrays import Bools, Floats, Ints
from evalkit.core.disclosure import FEWEST_PEOPLE, few, is_few
from evalkit.core.errors import DataError, DesignError
from evalkit.core.project import Project
from evalkit.core.quantities import Quantity, Unavailable
from evalkit.core.shown import Shown
from evalkit.data.flow import LeftOut
from evalkit.data.measures import measure_of
from evalkit.data.own_tables.people_table import PeopleRows
from evalkit.data.panel import CrossSections
from evalkit.data.published.project_data import ProjectData
from evalkit.data.roles import Roles
from evalkit.design.clusters import recommended_inference
from evalkit.design.kinds.pupils import PupilChoices, PupilOutcome, PupilPlan
from evalkit.design.project.areas import TREATED_GROUP
from evalkit.diagnose.evaluation import ByOutcome
from evalkit.diagnose.kinds.pupils_counts import ArmLoss, ArmYear, SmallSchools
from evalkit.estimate.areas.area_effects import AreaEffects
from evalkit.estimate.areas.clusters import change_panel
from evalkit.estimate.areas.sample import Changes
from evalkit.estimate.areas.set_effects import ListedChanges, Placing, listed_effect, sets_of_changes
from evalkit.estimate.areas.sets import SetsInference
from evalkit.estimate.areas.together import PlacedStatistic
from evalkit.estimate.effect import Inference
from evalkit.estimate.pupils.multilevel import CONSTANT, two_level_model
from evalkit.estimate.pupils.school_values_arrays import (
    AdjustedRows,
    SchoolValues,
    difference,
    pupils_difference,
    school_changes,
    school_levels,
)
from evalkit.estimate.pupils.sections import PERIOD, two_level_did
from evalkit.estimate.pupils.two_level import PupilColumns, TwoLevelModel, TwoLevelOptions
from evalkit.estimate.two_way.panel_rows import PanelRows
from evalkit.estimate.two_way.recommended import InferenceOptions, two_way_inference

PRIOR: Final = "earlier score"
"""What the score of the wave before is called among the model's covariates."""
NOTHING_LEFT: Final = "No pupil is left with everything that the model needs, so there is nothing to fit."


# The results.


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SchoolTest:
    """A difference in schools' values between the treated and those compared, and what judges it.

    `sets` is what sets of schools say where they judge, `inference` what areas as clusters say where these do; each is
    None where the other judges. `effects` has the treated's difference and how many schools are in it.
    """

    estimate: Quantity
    effects: AreaEffects
    sets: SetsInference | Unavailable | None
    inference: Inference | None

    @property
    def n_treated(self) -> int:
        """Return how many treated schools are in it."""
        return int(self.effects.n.sum())

    @property
    def n_comparison(self) -> int:
        """Return how many schools they are compared with."""
        return int(self.effects.n_comparison.sum())

    @property
    def spread(self) -> tuple[Quantity, float | None]:
        """Return the spread by which it would differ from nothing by chance, with the degrees of freedom it has."""
        if self.inference is not None:
            return self.inference.std_error, self.inference.df
        return (self.sets.spread if isinstance(self.sets, SetsInference) else Unavailable("No set was drawn.")), None


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class PupilOutcomeResults(Shown):
    """What was found for one outcome.

    Attributes
    ----------
    code, label, unit, role : the outcome, in words for readers
    model : the two-level model
    empty : the model of the outcome after with nothing but a constant, both arms together; years' means taken out
    means : the effect on schools' means, each school counting as the project's choices say
    as_weighted : the model's effect with areas as clusters, None where sets judge
    pupils : the difference of pupils' means, every pupil counting one, nothing adjusted for
    before : the same as `means` from the earlier years before to the last of them, where no programme ran
    gap : how far the treated pupils stood above those compared before, in standard deviations of pupils
    losses : pupils by arm, and those in the model
    years : means by arm and year
    small : schools of few pupils
    left_out : schools left out
    """

    code: str
    label: str
    unit: str
    role: str
    model: TwoLevelModel
    empty: TwoLevelModel
    means: SchoolTest
    as_weighted: SchoolTest | None
    pupils: Quantity
    before: SchoolTest | Unavailable
    gap: Quantity
    losses: tuple[ArmLoss, ...]
    years: tuple[ArmYear, ...]
    small: SmallSchools
    left_out: tuple[LeftOut, ...]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class PupilFindings(ByOutcome[PupilOutcomeResults]):
    """The results of an analysis of pupils, outcome by outcome, and the plan they follow."""

    plan: PupilPlan


def pupil_outcomes(project: Project, plan: PupilPlan, intake: ProjectData) -> PupilFindings:
    """Estimate every outcome of a plan and judge it as the plan says.

    Raises `DesignError` or `DataError` where the outcome in question cannot be modelled at all.
    """
    return PupilFindings(
        plan=plan, outcomes=tuple(_outcome(project, plan, intake, one) for one in plan.outcomes.values())
    )


# One outcome.


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class _Pupils:
    """The pupils of the schools that could be analysed: one row each, `school` a position among `outcome.everyone`."""

    project: Project
    plan: PupilPlan
    outcome: PupilOutcome
    school: Ints
    person: Ints
    period: Ints
    score: Floats
    covariates: dict[str, Floats]
    prior: Floats | None = None

    @classmethod
    def of(cls, project: Project, plan: PupilPlan, outcome: PupilOutcome, rows: PeopleRows) -> _Pupils:
        """Return the rows of the years that the analysis names."""
        place = outcome.everyone.get_indexer(rows.units)[rows.unit].astype(np.int64)
        kept = rows.chosen((place >= 0) & np.isin(rows.period, plan.exposure.years))
        prior = None if plan.pre_score is None else kept.values[plan.pre_score]
        return cls(
            project=project,
            plan=plan,
            outcome=outcome,
            school=outcome.everyone.get_indexer(rows.units)[kept.unit].astype(np.int64),
            person=kept.person,
            period=kept.period,
            score=kept.values[outcome.column],
            covariates={name: kept.values[name] for name in plan.covariates},
            prior=prior,
        )

    def chosen(self, keep: Bools) -> _Pupils:
        """Return some of the rows."""
        columns = {name: column[keep] for name, column in self.covariates.items()}
        parts = {name: getattr(self, name)[keep] for name in ("school", "person", "period", "score")}
        return replace(self, covariates=columns, prior=None if self.prior is None else self.prior[keep], **parts)

    @property
    def is_after(self) -> Bools:
        """Return which rows are of years after the programme."""
        return np.isin(self.period, self.plan.exposure.post)

    @property
    def is_complete(self) -> Bools:
        """Return which rows have all that the model needs."""
        known = np.isfinite(self.score)
        for column in (*self.covariates.values(), *(() if self.prior is None else (self.prior,))):
            known &= np.isfinite(column)
        return known

    @property
    def treated_schools(self) -> Bools:
        """Return which of all schools are treated."""
        return np.asarray(self.outcome.everyone.isin(self.outcome.treated))

    @property
    def modelled_schools(self) -> Bools:
        """Return which of all schools are in the model: the treated and those they are compared with."""
        return self.treated_schools | np.asarray(self.outcome.everyone.isin(self.outcome.pool))

    @property
    def is_treated(self) -> Bools:
        """Return which rows are of treated schools."""
        return self.treated_schools[self.school]

    @property
    def options(self) -> TwoLevelOptions:
        """Return how models are fitted."""
        return TwoLevelOptions(likelihood=self.plan.choices.likelihood, level=self.project.inference.level)


def placed_pupils(project: Project, plan: PupilPlan, code: str, intake: ProjectData) -> PlacedStatistic | Unavailable:
    """Return the effect on schools' means as what can be placed beside others; or why it is not placed."""
    outcome = plan.outcomes[code]
    if outcome.sets is None:
        return Unavailable("Errors by area judge this analysis, and no sets that differences could be of.")
    fitted = _fitted(_Pupils.of(project, plan, outcome, intake.people[outcome.table]))
    _require_enough(fitted.used)
    changes = _school_values(outcome, fitted.values.value, _weights(plan.choices, outcome))
    listed = ListedChanges.of(changes, changes.change[:, None], outcome.sets, outcome.comparison)
    if not listed.is_listed.any():
        return NOBODY_LEFT
    return PlacedStatistic(
        pool=listed.pool(outcome.sets, Placing()), statistic=listed.statistic, rule=outcome.sets.rule
    )


def _fitted(every: _Pupils) -> _Fitted:
    """Return the model; raise with the outcome's name where it cannot be fitted."""
    try:
        return _changes(every) if every.plan.choices.model == "cross-sections" else _waves(every)
    except (DataError, DesignError) as problem:
        raise type(problem)(f"{every.plan.labels[every.outcome.code]}: {problem}") from None


def _outcome(project: Project, plan: PupilPlan, intake: ProjectData, outcome: PupilOutcome) -> PupilOutcomeResults:
    every = _Pupils.of(project, plan, outcome, intake.people[outcome.table])
    known = measure_of(project, outcome.code)
    fitted = _fitted(every)
    values, used = fitted.values, fitted.used
    weight = _weights(plan.choices, outcome)
    in_model = every.modelled_schools & (values.weight > 0)
    _require_enough(used)
    return PupilOutcomeResults(
        code=outcome.code,
        label=plan.labels[outcome.code],
        unit=known.unit,
        role=next(one.role for one in project.outcomes if one.code == outcome.code),
        model=fitted.model,
        empty=_empty(every),
        means=school_test(project, outcome, values.value, weight),
        as_weighted=None if outcome.sets is not None else school_test(project, outcome, values.value, values.weight),
        pupils=_pupils_difference(every),
        before=before_test(project, plan, outcome, intake.people[outcome.table]),
        gap=_gap(every),
        losses=fitted.losses,
        years=tuple(_by_year(every)),
        small=_small(values, in_model, plan.choices.model == "waves"),
        left_out=(*outcome.left_out, *_without_values(outcome, values)),
    )


def _require_enough(used: _Pupils) -> None:
    """Raise `DesignError` where an arm has fewer than ten pupils, before or after: nothing of them may be told."""
    for arm, of_arm in (("treated", used.is_treated), ("comparison", ~used.is_treated)):
        for side in np.unique(used.is_after):
            if is_few(int((of_arm & (used.is_after == side)).sum())):
                raise DesignError(
                    f"{used.plan.labels[used.outcome.code]}: fewer than {FEWEST_PEOPLE} pupils of the {arm} schools "
                    "are left before or after, and nothing that rests on so few may be told. Add schools or years."
                )


def _weights(choices: PupilChoices, outcome: PupilOutcome) -> Floats:
    """Return what each school weighs among school means."""
    if choices.weights == "schools":
        return np.ones(len(outcome.everyone))
    return outcome.n_before.to_numpy(dtype=float)


def adjusted_rows(project: Project, plan: PupilPlan, outcome: PupilOutcome, rows: PeopleRows) -> AdjustedRows:
    """Return the pupils of an outcome as its model compares them; raises as `pupil_outcomes`."""
    every = _Pupils.of(project, plan, outcome, rows)
    return (_changes(every) if plan.choices.model == "cross-sections" else _waves(every)).rows


@dataclass(frozen=True, slots=True, eq=False)
class _Fitted:
    """The model, the value of every school that its effect is a difference of, the rows in it, and what was lost."""

    model: TwoLevelModel
    values: SchoolValues
    used: _Pupils
    losses: tuple[ArmLoss, ...]
    rows: AdjustedRows


# Other pupils in each year: the change from before to after.

_UNIT, _YEAR, _SCORE, _START = "(school)", "(year)", "(score)", "(start)"


def _changes(every: _Pupils) -> _Fitted:
    """Fit the model of changes; a school without pupils before and after is in it with no say in the effect."""
    plan = every.plan
    of_spans = every.chosen(np.isin(every.period, (*plan.exposure.pre, *plan.exposure.post)))
    complete = of_spans.chosen(of_spans.is_complete)
    used = complete.chosen(complete.modelled_schools[complete.school])
    if not len(used.school):
        raise DesignError(NOTHING_LEFT)
    start = float(min(plan.exposure.post))
    frame = pd.DataFrame({_UNIT: used.school, _YEAR: used.period, _SCORE: used.score, **used.covariates}, copy=False)
    frame[_START] = np.where(used.is_treated, start, np.nan)
    roles = Roles(
        unit=_UNIT, period=_YEAR, outcome=_SCORE, cohort=_START, cluster=_UNIT, covariates=tuple(used.covariates)
    )
    sections = CrossSections.from_frame(frame, roles)
    shock = plan.choices.shock or "span"
    model = two_level_did(sections, shock, every.options)
    complete = complete.chosen(np.isin(complete.period, sections.periods))
    years, part = np.unique(complete.period, return_inverse=True)
    effects = {one.name: one.estimate.value for one in model.coefficients}
    # the first period has no coefficient: the others are measured from it
    adjusted = complete.score - np.array([effects.get(f"{PERIOD}{year}", 0.0) for year in years])[part]
    for name, column in complete.covariates.items():
        adjusted = adjusted - effects[name] * column
    after = np.isin(years, plan.exposure.post)
    ratio = model.conditional.between / model.conditional.within
    by_span, offset = shock == "span", complete.score - adjusted
    rows = AdjustedRows(complete.school, complete.person, complete.period, adjusted, offset, None, ratio, by_span)
    if by_span:  # the model's groups are schools before and after, whatever the number of years
        part, after = after[part].astype(np.int64), np.array([False, True])
    values = school_changes(adjusted, complete.school, part, after, ratio)
    values = _padded(values, len(every.outcome.everyone))
    later = of_spans.chosen(of_spans.is_after)
    return _Fitted(model, values, used, tuple(_losses(later, later.is_complete)), rows)


def _padded(values: SchoolValues, n: int) -> SchoolValues:
    """Return values of all schools: those after the last that has pupils have none."""
    more = n - len(values.value)
    return SchoolValues(
        np.concatenate([values.value, np.full(more, np.nan)]),
        *(np.concatenate([column, np.zeros(more, column.dtype)]) for column in values[1:]),
    )


# The same pupils: their later score given the earlier.


def _waves(every: _Pupils) -> _Fitted:
    """Fit the model of later scores given the earlier ones."""
    linked, losses = _linked(every) if every.plan.is_linked else _with_prior(every)
    complete = linked.chosen(linked.is_complete)
    used = complete.chosen(complete.modelled_schools[complete.school])
    if not len(used.school):
        raise DesignError(NOTHING_LEFT)
    assert used.prior is not None
    name = every.plan.pre_score or PRIOR
    columns = {_UNIT: used.school, _SCORE: used.score, name: used.prior, **used.covariates}
    frame = pd.DataFrame(columns, copy=False)
    frame[_START] = used.is_treated.astype(float)
    parts = PupilColumns(outcome=_SCORE, school=_UNIT, treated=_START, covariates=(name, *used.covariates))
    model = two_level_model(frame, parts, every.options)
    effects = {one.name: one.estimate.value for one in model.coefficients}
    rows = _adjusted_wave(linked, effects, name, model.conditional.between / model.conditional.within)
    known = np.isfinite(rows.adjusted)
    values = school_levels(rows.adjusted[known], rows.school[known], rows.ratio, len(every.outcome.everyone))
    return _Fitted(model, values, used, losses, rows)


def _adjusted_wave(linked: _Pupils, effects: dict[str, float], name: str, ratio: float) -> AdjustedRows:
    """Return pupils with an earlier outcome and all covariates, whether or not they have a later one."""
    assert linked.prior is not None
    offset = effects[CONSTANT] + effects[name] * linked.prior
    for covariate, column in linked.covariates.items():
        offset = offset + effects[covariate] * column
    kept = linked.chosen(np.isfinite(offset))
    offset = offset[np.isfinite(offset)]
    return AdjustedRows(
        kept.school, kept.person, kept.period, kept.score - offset, offset, kept.prior, ratio, by_span=False
    )


def _linked(every: _Pupils) -> tuple[_Pupils, tuple[ArmLoss, ...]]:
    """Return the pupils of the wave before, each with the later score, in the school of the wave before."""
    first = every.chosen((every.period == max(every.plan.exposure.pre)) & np.isfinite(every.score))
    later = every.chosen(every.is_after)
    place = pd.Index(later.person).get_indexer(pd.Index(first.person))
    found = place >= 0
    score = np.where(found, later.score[place] if len(later.person) else np.nan, np.nan)
    columns = {
        name: np.where(found, column[place] if len(column) else np.nan, np.nan)
        for name, column in later.covariates.items()
    }
    pupils = replace(
        first,
        period=np.full(len(first.period), max(every.plan.exposure.post)),
        prior=first.score,
        score=score,
        covariates=columns,
    )
    return pupils, tuple(_losses(pupils, pupils.is_complete))


def _with_prior(every: _Pupils) -> tuple[_Pupils, tuple[ArmLoss, ...]]:
    """Return the pupils of the years after, and of those with an earlier score how many have all that is needed."""
    later = every.chosen(every.is_after)
    assert later.prior is not None
    known = later.chosen(np.isfinite(later.prior))
    return later, tuple(_losses(known, known.is_complete))


# What is said of the pupils beside the effect.


def _losses(pupils: _Pupils, kept: Bools) -> Iterator[ArmLoss]:
    in_model = pupils.modelled_schools[pupils.school]
    for arm, of_arm in (("treated", pupils.is_treated), ("comparison", ~pupils.is_treated)):
        yield ArmLoss(arm, int((in_model & of_arm).sum()), int((in_model & of_arm & kept).sum()))


def _empty(every: _Pupils) -> TwoLevelModel:
    """Return the model of the outcome after with a constant alone; means of several years are taken out first."""
    later = every.chosen(every.is_after & np.isfinite(every.score) & every.modelled_schools[every.school])
    _, year = np.unique(later.period, return_inverse=True)
    mean = np.bincount(year, later.score) / np.bincount(year)
    centred = later.score - mean[year] + later.score.mean()
    frame = pd.DataFrame({_UNIT: later.school, _SCORE: centred}, copy=False)
    return two_level_model(frame, PupilColumns(outcome=_SCORE, school=_UNIT), every.options)


def _pupils_difference(every: _Pupils) -> Quantity:
    """Return the difference of pupils' means; of waves that of the later scores."""
    if any(is_few(one.n_pupils) for one in _by_year(every)):
        return Unavailable(few(FEWEST_PEOPLE, "pupils"))
    used = every.chosen(
        np.isfinite(every.score)
        & every.modelled_schools[every.school]
        & np.isin(every.period, (*every.plan.exposure.pre, *every.plan.exposure.post))
    )
    if every.plan.choices.model == "waves":
        later = used.chosen(used.is_after)
        return float(later.score[later.is_treated].mean() - later.score[~later.is_treated].mean())
    return pupils_difference(used.score, used.is_treated, used.period, used.is_after)


def _gap(every: _Pupils) -> Quantity:
    """Return by how many standard deviations the treated pupils stood above the others before."""
    values = every.score if every.prior is None else every.prior
    before = np.isin(every.period, every.plan.exposure.pre) if every.prior is None else every.is_after
    rows = np.isfinite(values) & before & every.modelled_schools[every.school]
    arms = [values[rows & (every.is_treated == arm)] for arm in (True, False)]
    if min(map(len, arms)) < 2:
        return Unavailable("An arm has fewer than two pupils with a result before.")
    df = sum(map(len, arms)) - 2
    spread = float(np.sqrt(sum(((arm - arm.mean()) ** 2).sum() for arm in arms) / df))
    if spread == 0:
        return Unavailable("No pupil's result before differs from another's.")
    return float((arms[0].mean() - arms[1].mean()) / spread)


def _by_year(every: _Pupils) -> Iterator[ArmYear]:
    known = np.isfinite(every.score) & every.modelled_schools[every.school]
    for arm, of_arm in (("treated", every.is_treated), ("comparison", ~every.is_treated)):
        for year in np.unique(every.period[known]).tolist():
            scores = every.score[known & of_arm & (every.period == year)]
            if len(scores):
                yield ArmYear(arm, int(year), float(scores.mean()), len(scores))


def _small(values: SchoolValues, in_model: Bools, is_wave: bool) -> SmallSchools:
    fewest = values.after if is_wave else np.minimum(values.before, values.after)
    return SmallSchools(n=int(in_model.sum()), n_small=int((in_model & (fewest < FEWEST_PEOPLE)).sum()))


def _without_values(outcome: PupilOutcome, values: SchoolValues) -> Iterator[LeftOut]:
    """Yield schools that were planned and have no pupils with all that is needed, the treated and others apart."""
    none = outcome.everyone[~np.isfinite(values.value)]
    for schools, who in ((outcome.treated, "a treated school"), (outcome.pool, "a school to compare with")):
        lost = tuple(map(str, none[none.isin(schools)]))
        if lost:
            yield LeftOut(f"{who} without pupils with all that the model needs", lost, len(lost))


# Schools' values, judged as the plan says.


def school_test(project: Project, outcome: PupilOutcome, value: Floats, weight: Floats) -> SchoolTest:
    """Return the difference of schools' values between arms, judged by sets of schools or with areas as clusters.

    Parameters
    ----------
    value, weight : of every school of `outcome.everyone`; those without a value take no part
    """
    changes = _school_values(outcome, value, weight)
    if outcome.sets is not None:
        return _by_sets(project, outcome, changes)
    return _by_clusters(project, outcome, changes)


def _school_values(outcome: PupilOutcome, value: Floats, weight: Floats) -> Changes:
    """Return the values of the schools that have one, in the groups they are compared in."""
    known = np.isfinite(value) & (weight > 0)
    schools = outcome.everyone[known]
    return Changes(schools, outcome.group(schools).to_numpy(dtype=np.int64), value[known], weight[known])


NOBODY_LEFT: Final = Unavailable(
    "No treated school is left that has pupils before and after and schools to compare with."
)


def _by_sets(project: Project, outcome: PupilOutcome, changes: Changes) -> SchoolTest:
    assert outcome.sets is not None
    placing = Placing(level=project.inference.level, seed=project.seed, draws_more=True)
    found = sets_of_changes(changes, outcome.sets, outcome.comparison, placing)
    effects = listed_effect(changes, outcome.sets, outcome.comparison)
    return SchoolTest(
        estimate=NOBODY_LEFT if found is None else found.inference(0, project.inference.level).estimate,
        effects=effects,
        sets=NOBODY_LEFT if found is None else found.inference(0, project.inference.level),
        inference=None,
    )


def _by_clusters(project: Project, outcome: PupilOutcome, changes: Changes) -> SchoolTest:
    kept = changes.keep(outcome.treated.append(outcome.pool))
    is_treated = np.asarray(kept.units.isin(outcome.treated))
    area = outcome.area.reindex(kept.units).to_numpy()
    panel = change_panel(kept, is_treated, area)
    rows = PanelRows.of(panel)
    noun = "area" if len(rows.clusters) < len(panel.units) else "school"
    advice = recommended_inference(rows.counts(), noun, rows.concentration())
    options = InferenceOptions(level=project.inference.level, seed=project.seed)
    found = two_way_inference(panel, advice, options, rows.fit_of_treatment())
    estimate = difference(kept.change, kept.weight, is_treated)
    counts = (np.array([int(is_treated.sum())]), np.array([int((~is_treated).sum())]))
    effects = AreaEffects(np.array([TREATED_GROUP]), np.array([estimate]), np.array([np.nan]), *counts)
    inference = replace(found, note=f"{advice.reason} {found.note}".strip())
    return SchoolTest(estimate=estimate, effects=effects, sets=None, inference=inference)


ONE_YEAR: Final = Unavailable(
    "Only one year was observed before the programme, so that no change before it shows how schools move by themselves."
)


def before_test(project: Project, plan: PupilPlan, outcome: PupilOutcome, rows: PeopleRows) -> SchoolTest | Unavailable:
    """Return the change of schools' means from the earlier years before to the last of them, where no programme ran."""
    pre = sorted(plan.exposure.pre)
    if len(pre) < 2 or plan.choices.model != "cross-sections":
        return ONE_YEAR if plan.choices.model == "cross-sections" else Unavailable("Two waves have one year before.")
    means = _school_means(outcome, rows, pre)
    with np.errstate(invalid="ignore"):
        value = means[:, -1] - means[:, :-1].mean(axis=1)
    weight = _weights(plan.choices, outcome)
    arms = [np.isfinite(value) & np.asarray(outcome.everyone.isin(arm)) for arm in (outcome.treated, outcome.pool)]
    if not all(arm.any() for arm in arms):
        return Unavailable("An arm has no school with pupils in every year before the programme.")
    return school_test(project, outcome, value, weight)


def _school_means(outcome: PupilOutcome, rows: PeopleRows, years: Sequence[int]) -> Floats:
    """Return the mean outcome by school and year, NaN where there is none: shape (S, years)."""
    school = outcome.everyone.get_indexer(rows.units)[rows.unit]
    values = rows.values[outcome.column]
    keep = (school >= 0) & np.isin(rows.period, years) & np.isfinite(values)
    cell = school[keep] * len(years) + np.searchsorted(years, rows.period[keep])
    size = len(outcome.everyone) * len(years)
    with np.errstate(invalid="ignore"):
        means = np.bincount(cell, values[keep], size) / np.bincount(cell, minlength=size)
    return means.reshape(len(outcome.everyone), len(years))

"""What the kind `pupils` gives of missing outcomes: of schools, where pupils are others each year, else of pupils."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Final

import numpy as np
import pandas as pd

from evalkit.core.arrays import Bools, Floats, Ints
from evalkit.core.project import AIMED_AT, Project
from evalkit.core.quantities import Unavailable
from evalkit.data.published.project_data import ProjectData
from evalkit.design.kinds.pupils import PupilOutcome, PupilPlan
from evalkit.diagnose.kinds.pupils import SchoolTest, adjusted_rows, school_test
from evalkit.diagnose.missing.extremes import any_of
from evalkit.diagnose.missing.listed_bounds import DRAWS_OF_SEVERAL, People, bounds_of_listed
from evalkit.diagnose.missing.sample import Judged, MissingSample, Outcomes, common_years, outcomes_of, words_of
from evalkit.estimate.areas.sample import Changes
from evalkit.estimate.areas.set_effects import Placing
from evalkit.estimate.missing.area_bounds import JudgedBounds, bounds_by_jackknife
from evalkit.estimate.missing.lee_arrays import LeeBounds, lee_bounds
from evalkit.estimate.missing.predictive_arrays import ImputationOptions
from evalkit.estimate.pupils.school_values_arrays import (
    AdjustedRows,
    SchoolValues,
    changes_of_means,
    difference,
    school_levels,
)

NO_RESULT: Final = "no later result"
NOTE_SCHOOLS: Final = (
    "A gap is a school's: pupils are others each year, and what is imputed is a school's mean after the model's "
    "adjustment. Pupils without a result in a school that has some are counted among the pupils in the model."
)
NOTE_PUPILS: Final = (
    "A gap is a pupil's: of the wave before and not found later, or without a later result. The model's coefficients "
    "are those of the pupils found. The numbers at the end of a row are of schools. {lost}"
)
_LATER: Final = "later"


def pupils_samples(project: Project, plan: PupilPlan, intake: ProjectData) -> Iterator[MissingSample]:
    """Yield what can be said of missing results for every outcome that the programme aimed at."""
    roles = {one.code: one.role for one in project.outcomes}
    for outcome in plan.outcomes.values():
        if roles[outcome.code] not in AIMED_AT:
            continue
        rows = adjusted_rows(project, plan, outcome, intake.people[outcome.table])
        if rows.prior is None:
            yield _of_schools(_Schools(project=project, plan=plan, outcome=outcome, rows=rows), intake)
        else:
            yield _of_pupils(_Wave(project=project, plan=plan, outcome=outcome, rows=rows))


@dataclass(frozen=True, kw_only=True, eq=False)  # no slots: sums over pupils are made once
class _Work:
    """One outcome, and its pupils as the model compares them."""

    project: Project
    plan: PupilPlan
    outcome: PupilOutcome
    rows: AdjustedRows

    @property
    def is_treated(self) -> Bools:
        """Return which of all schools are treated."""
        return np.asarray(self.outcome.everyone.isin(self.outcome.treated))

    @property
    def is_compared(self) -> Bools:
        """Return which of all schools the treated are compared with."""
        return np.asarray(self.outcome.everyone.isin(self.outcome.pool))

    @property
    def area(self) -> Ints:
        """Return the code of each school's area."""
        return self.outcome.area.reindex(self.outcome.everyone).to_numpy(dtype=np.int64)

    @property
    def arm(self) -> np.ndarray:
        """Return the arm of each school."""
        return np.where(self.is_treated, "treated", np.where(self.is_compared, "comparison", "elsewhere"))

    def school_weight(self) -> Floats:
        """Return what each school weighs among school means, as the project chooses."""
        n_before = self.outcome.n_before.to_numpy(dtype=float)
        return np.ones(len(n_before)) if self.plan.choices.weights == "schools" else n_before

    def test(self, values: SchoolValues, is_number_alone: bool) -> Judged:
        """Return the effect by schools' values, as the analysis is quoted by it."""
        by_sets = self.outcome.sets is not None
        weight = self.school_weight() if by_sets else values.weight
        known = np.isfinite(values.value) & (weight > 0)
        arms = [known & of_arm for of_arm in (self.is_treated, self.is_compared)]
        if not all(arm.any() for arm in arms):
            return Judged.none("An arm has no school with pupils before and after.")
        if is_number_alone and not by_sets:
            one = difference(values.value, np.where(arms[0] | arms[1], weight, 0.0), self.is_treated)
            return replace(Judged.none("Only the number is asked for."), estimate=one)
        return _judged(school_test(self.project, self.outcome, values.value, weight))

    def placing(self) -> Placing:
        """Return how sets are drawn for bounds."""
        return Placing(level=self.project.inference.level, seed=self.project.seed, n_sets=DRAWS_OF_SEVERAL)

    def by_areas(self, value: Floats, weight: Floats, school: Ints, df: float | None) -> JudgedBounds:
        """Return bounds of a difference between arms whose error is from leaving out one area at a time.

        `value` (NaN where missing), `weight` and the school of each unit, shape (n,).
        """
        area, arm = self.area[school], self.arm[school]

        def bounds(keep: Bools) -> LeeBounds:
            own, others = keep & (arm == "treated"), keep & (arm == "comparison")
            arms = [(value[one][None, :], weight[one][None, :]) for one in (own, others)]
            return lee_bounds(*arms[0], *arms[1])

        everyone = arm != "elsewhere"
        without = np.vstack([bounds(everyone & (area != code)).ends for code in np.unique(area[everyone])])
        return bounds_by_jackknife(bounds(everyone), without, self.project.inference.level, df)


def _judged(found: SchoolTest) -> Judged:
    """Return a difference in schools' values by its numbers: less what sets like the list gain, where they do."""
    counts = {"n_treated": found.n_treated, "n_comparison": found.n_comparison}
    if found.inference is not None:
        one = found.inference
        return Judged(
            estimate=found.estimate,
            interval=one.interval,
            p_value=one.p_value,
            std_error=one.std_error,
            df=one.df,
            **counts,
        )
    if found.sets is None or isinstance(found.sets, Unavailable):
        return Judged.none("No treated school is left that has pupils before and after.")
    adjusted = found.sets.adjusted
    return Judged(
        estimate=found.estimate if isinstance(adjusted, Unavailable) else adjusted,
        interval=found.sets.interval,
        p_value=found.sets.p_value,
        std_error=Unavailable("Sets are ranked, without an error."),
        df=None,
        **counts,
    )


# Other pupils each year: a gap is a school's.


class _Schools(_Work):
    """Schools by year, as means of what the model compares."""

    @cached_property
    def years(self) -> tuple[int, ...]:
        """Return the years before and after."""
        return (*sorted(self.plan.exposure.pre), *sorted(self.plan.exposure.post))

    @cached_property
    def sizes(self) -> Floats:
        """Return the pupils of each school in each year, shape (S, T)."""
        return self._sums(np.ones(len(self.rows.school)))

    def _sums(self, what: Floats) -> Floats:
        n_schools, n_years = len(self.outcome.everyone), len(self.years)
        at = np.searchsorted(np.array(self.years), self.rows.period)
        cell = self.rows.school * n_years + at
        return np.bincount(cell, what, n_schools * n_years).reshape(n_schools, n_years).astype(np.float64)

    @cached_property
    def means(self) -> pd.DataFrame:
        """Return the mean of each school in each year, NaN where it has no pupils."""
        with np.errstate(invalid="ignore"):
            found = self._sums(self.rows.adjusted) / self.sizes
        return pd.DataFrame(found, self.outcome.everyone, list(self.years))

    def changes(self, table: pd.DataFrame) -> SchoolValues:
        """Return the change of each school by a table of means; a school-year that was filled in has its usual size."""
        mean = table.reindex(index=self.outcome.everyone, columns=list(self.years)).to_numpy(dtype=float)
        seen, size = np.isfinite(mean), self.sizes
        n = (size > 0).sum(axis=1, keepdims=True)
        usual = np.divide(size.sum(axis=1, keepdims=True), n, out=np.zeros((len(size), 1)), where=n > 0)
        size = np.where(seen, np.where(size > 0, size, usual), 0.0)
        is_after = np.isin(self.years, self.plan.exposure.post)
        mean = np.where(seen, mean, 0.0)
        if self.rows.by_span:
            sides = [is_after == side for side in (False, True)]
            total = np.column_stack([(size * mean)[:, side].sum(axis=1) for side in sides])
            size = np.column_stack([size[:, side].sum(axis=1) for side in sides])
            mean, is_after = np.divide(total, size, out=np.zeros(size.shape), where=size > 0), np.array([False, True])
        return changes_of_means(mean, size, is_after, self.rows.ratio)

    def judged(self, values: pd.DataFrame, is_number_alone: bool = False) -> Judged:
        """Return the effect by a table of schools' means."""
        return self.test(self.changes(values), is_number_alone)

    def bounds(self) -> JudgedBounds:
        """Return Lee's bounds of the change of schools that have pupils before."""
        made, has_before = self.changes(self.means), self.sizes[:, : len(self.plan.exposure.pre)].sum(axis=1) > 0
        everyone = self.outcome.everyone[has_before]
        if self.outcome.sets is not None:
            group = self.outcome.group(everyone).to_numpy(dtype=np.int64)
            changes = Changes(everyone, group, made.value[has_before], self.school_weight()[has_before])
            return bounds_of_listed(changes, self.outcome.sets, self.outcome.comparison, self.placing())
        # a school without pupils afterwards weighs as if it had as many as before
        filled = self.changes(self.means.ffill(axis=1))
        weight = np.where(np.isfinite(made.value), made.weight, filled.weight)[has_before]
        df = self.judged(self.means).df
        return self.by_areas(made.value[has_before], weight, np.flatnonzero(has_before), df)


def _of_schools(work: _Schools, intake: ProjectData) -> MissingSample:
    exposure, everyone = work.plan.exposure, work.outcome.everyone
    outcomes = outcomes_of(
        intake.records[work.outcome.table],
        work.means,
        work.outcome.code,
        pd.Series(work.arm, everyone, dtype=object),
        common_years(exposure.pre, (), exposure.post, len(everyone)),
        unmatched=intake.treated.without_outcome.get(work.outcome.table),
    )
    return MissingSample(
        outcome=work.outcome.code,
        outcomes=outcomes,
        judge=work.judged,
        bounds=work.bounds,
        extremes=any_of("school", "schools"),
        words=words_of(work.project, work.outcome.code),
        note=NOTE_SCHOOLS,
    )


# The same pupils: a gap is a pupil's.


class _Wave(_Work):
    """Pupils of the wave before, with the later outcome of those that have one."""

    @cached_property
    def order(self) -> Ints:
        """Return rows in the order of persons, who stand for themselves whatever the order of the file."""
        return np.lexsort((self.rows.period, self.rows.person)).astype(np.int64)

    @cached_property
    def school(self) -> Ints:
        """Return the school of each pupil."""
        return self.rows.school[self.order]

    @cached_property
    def score(self) -> pd.DataFrame:
        """Return the earlier and the later outcome of each pupil."""
        assert self.rows.prior is not None
        later = (self.rows.adjusted + self.rows.offset)[self.order]
        return pd.DataFrame({"before": self.rows.prior[self.order], _LATER: later})

    def adjusted(self, table: pd.DataFrame) -> Floats:
        """Return what is compared of each pupil, NaN where the later outcome is missing."""
        return table[_LATER].to_numpy(dtype=float) - self.rows.offset[self.order]

    def judged(self, values: pd.DataFrame, is_number_alone: bool = False) -> Judged:
        """Return the effect by a table of pupils' outcomes."""
        adjusted = self.adjusted(values)
        known = np.isfinite(adjusted)
        n = len(self.outcome.everyone)
        return self.test(school_levels(adjusted[known], self.school[known], self.rows.ratio, n), is_number_alone)

    def bounds(self) -> JudgedBounds:
        """Return Lee's bounds of the later outcome given the earlier, pupils weighing as their schools do."""
        adjusted, n = self.adjusted(self.score), np.bincount(self.school, minlength=len(self.outcome.everyone))
        by_model = n / (1 + n * self.rows.ratio)
        with np.errstate(invalid="ignore", divide="ignore"):
            weight = ((by_model if self.outcome.sets is None else self.school_weight()) / n)[self.school]
        if self.outcome.sets is None:
            return self.by_areas(adjusted, weight, self.school, self.judged(self.score).df)
        everyone, has_any = self.outcome.everyone, n > 0
        group = self.outcome.group(everyone[has_any]).to_numpy(dtype=np.int64)
        changes = Changes(everyone[has_any], group, np.zeros(int(has_any.sum())), self.school_weight()[has_any])
        place = np.cumsum(has_any) - 1
        people = People(values=adjusted, weight=weight, unit=place[self.school])
        return bounds_of_listed(changes, self.outcome.sets, self.outcome.comparison, self.placing(), people)

    @property
    def lost_schools(self) -> str:
        """Return how many schools of each arm have no pupil left, in a sentence; empty where none is lost."""
        known = np.isfinite(self.rows.adjusted)
        size = len(self.outcome.everyone)
        n, kept = (np.bincount(self.rows.school[rows], minlength=size) for rows in (known | ~known, known))
        lost = (n > 0) & (kept == 0)
        own, others = int((lost & self.is_treated).sum()), int((lost & self.is_compared).sum())
        if not own + others:
            return "No school has lost all of its pupils."
        return f"Schools that have lost all of their pupils: {own} treated, {others} compared."


def _of_pupils(work: _Wave) -> MissingSample:
    score, n = work.score, len(work.score)
    is_lost = score.isna()
    arm = pd.Series(work.arm[work.school], score.index, dtype=object)
    codes = np.unique(work.area[work.school], return_inverse=True)[1].astype(np.int64)
    prior = score["before"].to_numpy(dtype=float)
    outcomes = Outcomes(
        values=score,
        reasons=pd.DataFrame(np.where(is_lost, NO_RESULT, ""), score.index, score.columns, dtype=object),
        pupils=pd.DataFrame(np.nan, score.index, score.columns),
        before=np.tile([True, False], (n, 1)),
        after=np.tile([False, True], (n, 1)),
        arm=arm,
        area=pd.Series(codes, score.index),
        covariates=pd.DataFrame({"school": _others(prior, work.school)}, score.index),
    )
    return MissingSample(
        outcome=work.outcome.code,
        outcomes=outcomes,
        judge=work.judged,
        bounds=partial(work.bounds),
        extremes=any_of("pupil", "pupils"),
        imputation=ImputationOptions(n_rounds=1),
        words=replace(words_of(work.project, work.outcome.code), one="pupil", many="pupils", is_people=True),
        note=NOTE_PUPILS.format(lost=work.lost_schools),
    )


def _others(values: Floats, school: Ints) -> Floats:
    """Return the mean of the other pupils of each pupil's school, of all where there is no other."""
    total, n = np.bincount(school, values)[school], np.bincount(school)[school]
    return np.where(n > 1, (total - values) / np.maximum(n - 1, 1), values.mean())

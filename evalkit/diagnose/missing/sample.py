"""What a kind of analysis gives of one outcome so that missing results can be looked at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol

import numpy as np
import pandas as pd

from evalkit.core.arrays import Bools
from evalkit.core.project import Project
from evalkit.core.quantities import IntervalOrReason, Quantity, Unavailable
from evalkit.data.measures import LOWER, measure_of
from evalkit.data.published.records import SchoolRecords
from evalkit.diagnose.missing.extremes import SMALL_SCHOOLS, Extremes
from evalkit.estimate.effect import Effect
from evalkit.estimate.missing.area_bounds import JudgedBounds
from evalkit.estimate.missing.predictive_arrays import ImputationOptions

Arm = Literal["treated", "comparison", "elsewhere"]
"""In the programme; compared with its schools; or in neither, but analysed in the place of the treated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What an analysis says of one completed table of outcomes, by the inference that it is quoted by.

    `df` are the degrees of freedom of `std_error`, where there is one.
    """

    estimate: Quantity
    interval: IntervalOrReason
    p_value: Quantity
    std_error: Quantity
    df: float | None
    n_treated: int
    n_comparison: int

    @classmethod
    def of(cls, effect: Effect, df: float | None = None) -> Judged:
        """Return an effect by its numbers."""
        return cls(
            estimate=effect.estimate,
            interval=effect.interval,
            p_value=effect.p_value,
            std_error=effect.std_error,
            df=df,
            n_treated=effect.n_treated,
            n_comparison=effect.n_comparison,
        )

    @classmethod
    def none(cls, reason: str) -> Judged:
        """Return that there is no estimate, and why."""
        none = Unavailable(reason)
        return cls(estimate=none, interval=none, p_value=none, std_error=none, df=None, n_treated=0, n_comparison=0)


class Judge(Protocol):
    """Analyses outcomes by unit and year, as the analysis itself does."""

    def __call__(self, values: pd.DataFrame, is_number_alone: bool = False) -> Judged:
        """Return what the analysis says of them; with `is_number_alone` the estimate as it is, and nothing inferred.

        The estimate must be a straight line in each outcome: a weighted difference, or least squares.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outcomes:
    """The outcome of every unit that could be analysed, by year, and what is known of a unit beside it.

    Attributes
    ----------
    values, reasons : units × years, in order of units and years; a value is missing exactly where there is a reason
    pupils : the pupils that each value rests on, of the same shape; missing where they are not known
    before, after : shape (n, T), which cells come before the programme and which the effect is measured in
    arm : `Arm` of each unit
    area : position of each unit's area, −1 where it is not known
    covariates : units × k, numbers without gaps
    unmatched : participants without any record, by reason
    """

    values: pd.DataFrame
    reasons: pd.DataFrame
    pupils: pd.DataFrame
    before: Bools
    after: Bools
    arm: pd.Series
    area: pd.Series
    covariates: pd.DataFrame
    unmatched: Mapping[str, int] = field(default_factory=dict)

    @property
    def missing(self) -> Bools:
        """Return which cells have no value, shape (n, T)."""
        return self.values.isna().to_numpy()

    @property
    def is_in_arm(self) -> Bools:
        """Return which units are in an arm, shape (n,)."""
        return np.asarray(self.arm.isin(["treated", "comparison"]))

    @property
    def has_some_before(self) -> Bools:
        """Return which units have a result in some year before, shape (n,)."""
        return np.asarray((self.before & ~self.missing).any(axis=1))

    @property
    def has_all_before(self) -> Bools:
        """Return which units have a result in every year before, shape (n,)."""
        return np.asarray((~self.missing | ~self.before).all(axis=1) & self.before.any(axis=1))

    @property
    def has_all_after(self) -> Bools:
        """Return which units have a result in every year that the effect is measured in, shape (n,)."""
        return np.asarray((~self.missing | ~self.after).all(axis=1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Who can lack a result, in words for readers: `one` and `many` of them, and what those of each arm are called.

    `treated` and `comparison` stand before what they are said of: "the treated schools". `everyone` is of whom gaps are
    filled where that is more than those of the arms. `unit` is what the estimate is
    in and `result_unit` what a result is in, where these are not the outcome's own unit. `end` and `end_note` are those
    of `Extremes`. `is_people` says that units are people, whose small counts are told nowhere; `is_lower_better` that a
    low result is a good one.
    """

    one: str = "school"
    many: str = "schools"
    treated: str = "treated"
    comparison: str = "comparison"
    everyone: str = ""
    unit: str = ""
    result_unit: str = ""
    end: str = ""
    end_note: str = ""
    is_people: bool = False
    is_lower_better: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MissingSample:
    """One outcome of an analysis: who has which results, how a table of them is judged, and bounds that trim.

    Attributes
    ----------
    outcome, outcomes : the outcome by its code, and who has which results
    judge : analyses a table of outcomes, or of what `measured` makes of one
    measured : the estimate must be a straight line in what is judged: where it is none in outcomes, such as categories,
        what is averaged over completed tables and shifted is this of each; None where outcomes are judged themselves
    bounds : bounds that trim; None where the kind can give none, and `no_bounds` then says why
    extremes : what stands for missing results at worst and at best, or why nothing does
    no_imputation : why no results are imputed; an empty text where they are
    imputation : rounds and donors
    counts : units of each arm in the analysis, where its effect counts them together
    limits : the least and the most that what is judged can be; None where it has no ends
    is_rigid : whether an interval without an error moves with the estimate, its length that of placebos; where what is
        shifted changes the placebos too, the tipping point is searched for
    words : who can lack a result
    note : what a reader must know of how the kind judges
    """

    outcome: str
    outcomes: Outcomes
    judge: Judge
    measured: Callable[[pd.DataFrame], pd.DataFrame] | None = None
    bounds: Callable[[], JudgedBounds] | None = None
    no_bounds: str = "This kind of analysis has no one change of a school that could be trimmed."
    extremes: Extremes | Unavailable = SMALL_SCHOOLS
    no_imputation: str = ""
    imputation: ImputationOptions = field(default_factory=ImputationOptions)
    counts: tuple[int, int] | None = None
    limits: tuple[float, float] | None = None
    is_rigid: bool = True
    words: Words = field(default_factory=Words)
    note: str = ""

    def of_table(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return what is judged of a table of outcomes."""
        return table if self.measured is None else self.measured(table)


# The parts of such a sample that published records give.


def words_of(project: Project, outcome: str) -> Words:
    """Return the words of schools for an outcome of a project, of which a low result may be a good one."""
    return Words(is_lower_better=measure_of(project, outcome).direction == LOWER)


_NOT_KNOWN: Final = "not known"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class YearsOf:
    """Which years come before for every unit, and which the effect is measured in: by unit where starts differ."""

    years: tuple[int, ...]
    before: Bools
    after: Bools


def common_years(pre: tuple[int, ...], partial: tuple[int, ...], post: tuple[int, ...], n: int) -> YearsOf:
    """Return the years of an analysis in which all start together, for `n` units."""
    years = tuple(sorted((*pre, *partial, *post)))
    before, after = (np.tile(np.isin(years, part), (n, 1)) for part in (pre, post))
    return YearsOf(years=years, before=before, after=after)


def outcomes_of(
    records: SchoolRecords,
    values: pd.DataFrame,
    code: str,
    arm: pd.Series,
    years: YearsOf,
    *,
    fsm: pd.Series | None = None,
    unmatched: Mapping[str, int] | None = None,
) -> Outcomes:
    """Return the outcomes of the units of `arm`, sorted by id, from published records.

    `years` has its rows in the order of `arm`. Covariates are the log of the mean cohort before, the group of the
    school, and the share of pupils eligible for free meals where it was read.
    """
    order = np.argsort(arm.index.astype(str), kind="stable")
    units, columns = arm.index[order], list(years.years)
    area = records.schools["area"].reindex(units).astype("float64")
    codes = pd.Categorical(area).codes.astype(np.int64)
    before = [year for at, year in enumerate(columns) if years.before[:, at].any()]
    reasons = records.reasons.get(code, records.reasons.get(code.partition(".")[2]))
    wide = values.reindex(index=units, columns=columns).astype(float)
    told = pd.DataFrame(_NOT_KNOWN, units, columns) if reasons is None else reasons.reindex(units, columns=columns)
    return Outcomes(
        values=wide,
        reasons=told.fillna(_NOT_KNOWN).where(wide.isna(), ""),
        pupils=records.pupils.reindex(index=units, columns=columns),
        before=years.before[order],
        after=years.after[order],
        arm=arm.loc[units],
        area=pd.Series(codes, units),
        covariates=_covariates(records, units, before, fsm),
        unmatched=dict(unmatched or {}),
    )


def _covariates(records: SchoolRecords, units: pd.Index, before: list[int], fsm: pd.Series | None) -> pd.DataFrame:
    """Return numbers without gaps; a gap is the mean, and a column of its own says that it was one."""
    cohort = records.pupils.reindex(index=units, columns=before).mean(axis=1)
    found = {"log_cohort": np.log(cohort.where(cohort > 0))}
    if fsm is not None:
        found["fsm"] = fsm.reindex(units).astype(float)
    frame = pd.DataFrame(found, units)
    gaps = frame.isna()
    frame = frame.fillna(frame.mean()).fillna(0.0)
    for name in gaps.columns[gaps.any()]:
        frame[f"{name}_missing"] = gaps[name].astype(float)
    kinds = records.schools["minor_group"].reindex(units).fillna("").astype(str)
    for kind in sorted(kinds.unique())[1:]:
        frame[f"type_{kind}"] = (kinds == kind).astype(float)
    return frame.loc[:, frame.nunique() > 1]

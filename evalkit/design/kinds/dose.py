"""The plan of an analysis by dose: how much each participant had, which line is drawn, and at what threshold."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, Final, Literal

import numpy as np
import pandas as pd

from evalkit.core.arrays import Floats, Ints
from evalkit.core.errors import DesignError
from evalkit.core.project import Estimation, Exposure, Pool, Project
from evalkit.core.project_parts import CONFIG
from evalkit.core.quantities import Quantity, Unavailable
from evalkit.core.shown import Shown
from evalkit.core.words import counted, listed
from evalkit.data.flow import LeftOut
from evalkit.data.measures import measure_of
from evalkit.data.published.project_data import ProjectData
from evalkit.data.published.records import SchoolRecords, exclusion_reasons
from evalkit.design.project.areas import AreaComparisons
from evalkit.design.project.listed import Against, SetAgainst, set_against
from evalkit.design.project.plan import listed_groups
from evalkit.design.project.set_rule import MOST_AREAS, SetDesign

# What a project file may say of an analysis by dose.


@dataclass(frozen=True, slots=True, kw_only=True)
class DoseOptions:
    """What an analysis of the kind `dose` may say for itself; what it does not say is the project's."""

    __pydantic_config__: ClassVar = CONFIG
    column: str | None = None
    """Where the doses stand: a column of an own table with one row a school (table.column); by default the column
    `dose` of the file of participants."""
    per: str = "unit"
    """What one unit of the dose is, in the singular, as a sentence needs it: `adviser day`."""
    plural: str = ""
    """The same in the plural, where that is not `per` with an s at its end: `hours of coaching`."""
    threshold: float | None = None
    """Dose from which on a participant counts as having taken part in full; named before outcomes are read."""
    comparison_take_up: Literal["none", "unknown", "observed"] = "unknown"
    """Whether schools outside the programme had what the threshold means: `none` did, as the evaluator declares; it is
    not known; or it is `observed`, each of them having a value in `column`."""
    covariates: tuple[str, ...] = ("pre_mean",)
    """What the line among participants holds: `pre_mean` (the mean outcome before), `cohort_size`, or a column of an
    own table with one row a school (table.column)."""
    area_effects: bool = True
    """Whether participants are compared, and doses dealt out anew, within their areas alone."""
    against: Literal["neighbours", "others", "none"] = "neighbours"
    """Whom participants are set against beside the line among them: statistical neighbours of their areas, all other
    areas, or nobody."""
    unknown_dose: Literal["refuse", "leave_out"] = "refuse"
    """What becomes of participants whose dose is not known."""
    exposure: Exposure | None = None
    """Which years are before, partial and after."""
    pool: Pool | None = None
    """Which schools may be compared."""
    estimation: Estimation | None = None
    """How the effect on all listed schools is weighted."""

    @property
    def held(self) -> tuple[str, ...]:
        """Return what the line among participants holds, in words."""
        words = {"pre_mean": "where each stood before", "cohort_size": "the size of its year group"}
        return (*(("areas",) if self.area_effects else ()), *(words.get(one, one) for one in self.covariates))

    def amount(self, dose: float) -> str:
        """Return so much of the dose in words.

        >>> DoseOptions(per="adviser day").amount(12.5), DoseOptions(per="adviser day").amount(1)
        ('12.5 adviser days', '1 adviser day')
        """
        return f"{dose:,.6g} {self.per if dose == 1 else self.plural or self.per + 's'}"


COVARIATES: Final = ("pre_mean", "cohort_size")
"""What the line among participants may hold, beside columns of own tables."""
THIRDS: Final = ("least", "middle", "most")
"""Participants by how much they had."""


# The plan.


@dataclass(frozen=True, slots=True, kw_only=True)
class DoseGroup:
    """Participants of one third of the dose: `low` to `high`, how many, and their mean outcome before."""

    name: str
    low: float
    high: float
    n: int
    mean_before: float


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class DoseOutcome:
    """How much each participant had, and whom they are set against, for one outcome.

    Attributes
    ----------
    code, stage : the outcome, and the records that hold it
    dose : of the participants that can be analysed, by unit, in the order of their ids
    every_dose : of every participant, missing where it is not known
    area : code of each one's area
    level : its mean outcome before
    covariates : of each, as numbers; no columns where there are none
    groups : units that may be treated or compared, by area, 0 where listed
    comparison, sets : whom each area is set against, and how listed units are judged; None where against nobody
    take_up : whether each unit took part, where that is observed outside the programme too; None elsewhere
    thirds : participants by dose
    need : differences of level between the third with the most and that with the least, in within-area SDs
    left_out : participants that are not on the line, with the reason
    unknown : participants of whom no dose is known: not on the line, and in the effect on all listed
    too_few : why the outcome is not estimated, or an empty text
    """

    code: str
    stage: str
    dose: pd.Series
    every_dose: pd.Series
    area: pd.Series
    level: pd.Series
    covariates: pd.DataFrame
    groups: pd.Series
    comparison: AreaComparisons | None
    sets: SetDesign | None
    take_up: pd.Series | None
    thirds: tuple[DoseGroup, ...]
    need: Quantity
    left_out: tuple[LeftOut, ...]
    unknown: pd.Index
    too_few: str

    @property
    def n_areas(self) -> int:
        """Return in how many areas the participants lie."""
        return int(self.area.nunique())

    @property
    def has_many_areas(self) -> bool:
        """Return whether participants lie in areas enough for errors by area."""
        return self.sets is not None and len(self.sets.treated) > MOST_AREAS

    def record(self) -> dict[str, object]:
        """Return what is locked, as plain data."""
        held = self.covariates.round(9).sort_index().to_csv() if len(self.covariates.columns) else ""
        return {
            "participants": len(self.dose),
            "areas": self.n_areas,
            "doses_sha256": _digest(self.dose.round(9).to_csv()),
            "thirds": [[one.name, round(one.low, 9), round(one.high, 9), one.n] for one in self.thirds],
            "need": round(self.need, 9) if isinstance(self.need, float) else self.need.reason,
            "covariates": list(map(str, self.covariates)),
            "covariates_sha256": _digest(held),
            "compared": {} if self.comparison is None else {str(a): list(c) for a, c in self.comparison.own.items()},
            "sets": {} if self.sets is None else {"rule": self.sets.rule, "areas": self.sets.n_areas},
            "left_out": {one.reason: len(one.units) for one in self.left_out},
            "unknown_dose": len(self.unknown),
            "not_estimated": self.too_few,
        }


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class DosePlan(Shown):
    """The plan of every outcome, and the choices behind it."""

    project: Project
    options: DoseOptions
    outcomes: Mapping[str, DoseOutcome]
    labels: Mapping[str, str]

    @property
    def primary(self) -> DoseOutcome:
        """Return the plan of the primary outcome."""
        return self.outcomes[self.project.primary.code]

    def record(self) -> dict[str, object]:
        """Return what is locked, as plain data."""
        return {
            "threshold": self.options.threshold,
            "comparison_take_up": self.options.comparison_take_up,
            "outcomes": {code: outcome.record() for code, outcome in self.outcomes.items()},
        }


def dose_plan(project: Project, options: DoseOptions, intake: ProjectData) -> DosePlan:
    """Decide which line is drawn through whom, from what was known before the programme and the doses.

    Raises
    ------
    DesignError
        Where no participant is left for the primary outcome, a dose is not known, or nobody can be compared.
    """
    outcomes = {one.code: _outcome(project, options, intake, one.code) for one in project.outcomes}
    labels = {one.code: measure_of(project, one.code).label for one in project.outcomes}
    return DosePlan(project=project, options=options, outcomes=outcomes, labels=labels)


def _outcome(project: Project, options: DoseOptions, intake: ProjectData, code: str) -> DoseOutcome:
    known = measure_of(project, code)
    records = intake.records[known.key_stage]
    reasons = exclusion_reasons(records, code, project.exposure.pre, project.pool.minor_groups)
    participants = pd.Index(sorted(intake.treated.schools.get(known.key_stage, ())), dtype=object)
    dose = _doses(options, intake, participants)
    unknown = participants[dose.isna().to_numpy()]
    _refuse_unknown(options, unknown, len(participants))
    is_usable = reasons.reindex(participants).eq("").to_numpy()
    area, level = _areas(records, options), _mean_before(project, records, code)
    usable = participants[is_usable & area.reindex(participants).notna().to_numpy() & dose.notna().to_numpy()]
    covariates = _covariates(project, options, intake, records, level).reindex(usable)
    complete = covariates.notna().all(axis=1)
    kept = usable[complete.to_numpy()]
    if not len(kept) and code == project.primary.code:
        raise DesignError(
            f"{known.label}: no participant is left that could be analysed. Run `evalkit check {project.slug}` to see "
            "why each was left out."
        )
    against = None if options.against == "none" else _against(project, options.against, intake, records, code, reasons)
    groups = listed_groups(project, intake, records) if against is None else against.groups
    few = len(kept) < project.pool.minimum_treated
    why = reasons.mask(reasons.eq("") & area.isna(), "no local authority is given for it")
    lost = _left_out(why.reindex(participants), usable[~complete.to_numpy()], unknown)
    return DoseOutcome(
        code=code,
        stage=known.key_stage,
        dose=dose.loc[kept],
        every_dose=dose,
        area=area.loc[kept].astype("int64"),
        level=level.loc[kept],
        covariates=covariates.loc[kept],
        groups=groups,
        comparison=None if against is None else against.comparison,
        sets=None if against is None else against.sets,
        take_up=_take_up(options, intake, groups),
        thirds=dose_thirds(dose.loc[kept], level.loc[kept]),
        need=_need(dose.loc[kept], level.loc[kept], area.loc[kept]),
        left_out=tuple(lost),
        unknown=unknown,
        too_few=_too_few(len(kept), project) if few else "",
    )


# How much each participant had.


def _doses(options: DoseOptions, intake: ProjectData, units: pd.Index) -> pd.Series:
    if options.column is None:
        if "dose" not in intake.treated.told:
            raise DesignError(
                "The kind `dose` needs to know how much each participant had, and the file of participants has no "
                "column `dose`. Add one, or name a column of an own table as `column: table.column`."
            )
        return intake.treated.facts["dose"].reindex(units)
    return _numbers(intake, options.column).reindex(units)


def _numbers(intake: ProjectData, name: str) -> pd.Series:
    if name not in intake.columns:
        raise DesignError(f"There is no column '{name}'. Name it as table.column, the table under `data.tables`.")
    numbers = pd.to_numeric(intake.columns[name], errors="coerce")
    if numbers.isna().sum() > intake.columns[name].isna().sum():
        raise DesignError(f"The column '{name}' holds texts where numbers are needed. Correct it, or name another.")
    return numbers.astype(float)


def _refuse_unknown(options: DoseOptions, unknown: pd.Index, n: int) -> None:
    if len(unknown) and options.unknown_dose == "refuse":
        raise DesignError(
            f"The dose is not known of {counted(len(unknown), 'participant')} of {n:,} ({listed(list(unknown), 5)}). "
            "Fill it in, 0 where a school had nothing; or say `unknown_dose: leave_out`, and the line is drawn through "
            "the others."
        )


def _take_up(options: DoseOptions, intake: ProjectData, groups: pd.Series) -> pd.Series | None:
    """Return who reached the threshold, inside the programme and outside, where that is observed."""
    if options.threshold is None or options.comparison_take_up != "observed":
        return None
    known = _numbers(intake, str(options.column)).reindex(groups.index)
    lacking = known.index[known.isna().to_numpy() & groups.ne(0).to_numpy()]
    if len(lacking):
        raise DesignError(
            f"Take-up is to be observed outside the programme, and {counted(len(lacking), 'school')} that may be "
            f"compared have no value in '{options.column}' ({listed(list(map(str, lacking)), 3)}). Write 0 for those "
            "that had nothing, or say `comparison_take_up: unknown`."
        )
    return (known >= options.threshold).astype(float).where(known.notna())


def dose_thirds(dose: pd.Series, level: pd.Series) -> tuple[DoseGroup, ...]:
    """Return participants by dose in three groups as equal as ties allow: units of one dose stand in one group.

    >>> [one.n for one in dose_thirds(pd.Series([1.0, 2, 3, 4, 4, 6]), pd.Series([0.0] * 6))]
    [2, 1, 3]
    """
    if dose.nunique() < 2:
        return ()
    at = third_of(dose)
    found = []
    for which, name in enumerate(THIRDS):
        own = dose[at == which]
        if len(own):
            before = float(level.loc[own.index].mean())
            found.append(
                DoseGroup(name=name, low=float(own.min()), high=float(own.max()), n=len(own), mean_before=before)
            )
    return tuple(found)


def third_of(dose: pd.Series) -> Ints:
    """Return the third of each unit, 0 to 2: by its place in the middle of those with the same dose."""
    middle = dose.rank(method="average").to_numpy() - 0.5
    return np.minimum((3 * middle / len(dose)).astype(np.int64), 2)


def _need(dose: pd.Series, level: pd.Series, area: pd.Series) -> Quantity:
    """Return the level of the third with the most less that with the least, in SDs of level within areas."""
    if dose.nunique() < 2 or len(dose) < 3:
        return Unavailable("All participants had the same dose.")
    own, code = level.to_numpy(dtype=float), area.to_numpy()
    values, at = np.unique(code, return_inverse=True)
    within = own - (np.bincount(at, own) / np.bincount(at))[at]
    df = len(own) - len(values)
    spread = float(np.sqrt((within**2).sum() / df)) if df > 0 else 0.0
    third = third_of(dose)
    if spread <= 0 or not (third == 0).any() or not (third == 2).any():
        return Unavailable("Participants do not differ in what they had, or in where they stood before.")
    return float(own[third == 2].mean() - own[third == 0].mean()) / spread


# Who can be analysed, and whom they are set against.


def _areas(records: SchoolRecords, options: DoseOptions) -> pd.Series:
    """Return the code of each unit's area: one and the same where areas have no effects, or none is known."""
    area = pd.to_numeric(records.schools["area"], errors="coerce").astype(float)
    if not options.area_effects or area.isna().all():
        return pd.Series(0.0, area.index)
    return area


def _mean_before(project: Project, records: SchoolRecords, code: str) -> pd.Series:
    return records.values[code][list(project.exposure.pre)].mean(axis=1)


def _covariates(
    project: Project, options: DoseOptions, intake: ProjectData, records: SchoolRecords, level: pd.Series
) -> pd.DataFrame:
    found: dict[str, pd.Series] = {}
    for name in options.covariates:
        if name == "pre_mean":
            found[name] = level
        elif name == "cohort_size":
            found[name] = records.pupils[list(project.exposure.pre)].mean(axis=1)
        else:
            found[name] = _numbers(intake, name)
    return pd.DataFrame(found, index=records.schools.index)


def _against(
    project: Project, against: Against, intake: ProjectData, records: SchoolRecords, code: str, reasons: pd.Series
) -> SetAgainst:
    try:
        return set_against(project, against, intake, records, code, reasons)
    except DesignError as problem:
        raise DesignError(f"{problem} Or say `against: none`, for the line alone.") from None


def _left_out(reasons: pd.Series, incomplete: pd.Index, unknown: pd.Index) -> Iterator[LeftOut]:
    own = reasons.fillna("it is not among the units of the outcome's records")
    for reason in sorted(set(own) - {""}):
        units = tuple(map(str, own.index[own == reason]))
        yield LeftOut(reason, units, len(units))
    if len(unknown):
        yield LeftOut("its dose is not known", tuple(map(str, unknown)), len(unknown))
    if len(incomplete):
        yield LeftOut("a covariate is not known of it", tuple(map(str, incomplete)), len(incomplete))


def _too_few(n: int, project: Project) -> str:
    return (
        f"{counted(n, 'participant')} with a dose: too few for an estimate (the project asks for at least "
        f"{project.pool.minimum_treated})"
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def arrays_of(outcome: DoseOutcome, units: pd.Index) -> tuple[Floats, Ints, Floats]:
    """Return dose, area and covariates of units, in their order."""
    covariates = outcome.covariates.reindex(units)
    return (
        outcome.dose.reindex(units).to_numpy(dtype=float),
        outcome.area.reindex(units).to_numpy(dtype=np.int64),
        covariates.to_numpy(dtype=float).reshape(len(units), len(covariates.columns)),
    )

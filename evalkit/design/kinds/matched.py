"""The plan of a matched comparison: what schools are matched on, with whom, and by which sets it will be judged."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar, Final, Literal

import pandas as pd

from evalkit.core.errors import DesignError
from evalkit.core.project import Exposure, Project, first_summer
from evalkit.core.words import counted, did_you_mean, listed
from evalkit.data.baseline import Baseline, BaselineRoles
from evalkit.data.measures import Measure, contrast_code, marked, measure_of
from evalkit.data.published.list_rule import picked_of
from evalkit.data.published.neighbours import NeighbourTable
from evalkit.data.published.project_data import ProjectData
from evalkit.data.published.records import SchoolRecords, exclusion_reasons
from evalkit.design.matching.match import match
from evalkit.design.matching.matched import MatchedDesign
from evalkit.design.matching.options import (
    AfterName,
    CovariateCaliper,
    MatchingOption,
    Target,
    WeightingOption,
    named_option,
)
from evalkit.design.project.set_rule import MOST_AREAS, SetDesign, set_design

# What a project file may say of a matched comparison: the options of `evalkit match` under the same names.

PRE_OUTCOMES, COHORT_SIZE = "pre_outcomes", "cohort_size"
LABELS: Final = {"region": "region", "type": "minor_group", "area": "area_name"}
"""What is known of every school, and the column of the records that holds it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchedPool:
    """Who may be matched with the treated, beyond lying outside their areas."""

    __pydantic_config__: ClassVar = {"extra": "forbid", "use_attribute_docstrings": True}
    minor_groups: tuple[str, ...] | None = None
    """School groups that may be compared; those of the project's `pool` where none are named."""
    exclude_areas: tuple[int, ...] | None = None
    """Areas never used for comparison, by DfE code; those of the project's `pool` where none are named."""
    neighbours: Literal["april_2021", "may_2025"] | None = None
    """List of statistical neighbours whose areas alone may be compared with; every area where none is named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchedOptions:
    """What an analysis of the kind `matched` may say: the options of `evalkit match`, and the estimate."""

    __pydantic_config__: ClassVar = {"extra": "forbid", "use_attribute_docstrings": True}
    method: Literal["nearest", "optimal", "full", "exact", "cem", "subclass", "profile", "entropy", "ipw", "cbps"] = (
        "nearest"
    )
    """How comparison schools are chosen or weighted."""
    covariates: tuple[str, ...] = ()
    """What is compared on, known before: `pre_outcomes`, `cohort_size`, `region`, `type`, `area`, a measure's code
    (its mean before the programme), a code with a year, or a column of an own table. By default the first two."""
    estimate: AfterName | None = None
    """`change` (the default where the outcome was observed before), `ancova` or `difference`."""
    estimand: Target = "ATT"
    """Whose average effect is estimated."""
    exact: tuple[str, ...] = ()
    """What partners must share, such as region."""
    anti_exact: tuple[str, ...] = ()
    """What partners must not share."""
    categories: tuple[str, ...] = ()
    """Covariates of numbers that are categories all the same."""
    missing: Literal["leave-out", "refuse", "category"] = "leave-out"
    """What becomes of schools without a covariate: left out and counted, refused, or a category of their own."""
    distance: Literal["logit", "linear-logit", "probit", "mahalanobis", "robust-mahalanobis", "euclidean"] | None = None
    """Distance between schools; the propensity score by a logit where nothing is said."""
    ratio: int | None = None
    """Partners for each treated school; 1 where nothing is said."""
    replace: bool | None = None
    """Whether a comparison school may serve more than once."""
    caliper: float | None = None
    """Most distance, in SDs of the propensity score."""
    caliper_on: dict[str, float | str] | None = None
    """Most difference in a covariate, in its SDs (0.2) or its own units (5units)."""
    order: Literal["largest", "smallest", "closest", "id"] | None = None
    """Nearest: whose turn it is."""
    reuse: int | None = None
    """Nearest: most times a comparison school serves."""
    fewest: float | None = None
    """Nearest, full: fewest comparison schools for a treated one."""
    most: float | None = None
    """Nearest, full: most comparison schools for a treated one."""
    within_first: str | None = None
    """Nearest: partners that share this before any other."""
    mahalanobis_on: tuple[str, ...] | None = None
    """Mahalanobis distance on these inside a caliper."""
    common_support: Literal["treated", "comparison", "both"] | None = None
    """Leave out schools outside the range of the others' scores."""
    cutpoints: dict[str, int | tuple[float, ...]] | None = None
    """Coarsened exact: number of bins of a covariate, or its cutpoints."""
    one_to_one: bool | None = None
    """Coarsened exact: as many of each arm in a stratum."""
    subclasses: int | None = None
    """Subclassification: number of subclasses; 6 where nothing is said."""
    tolerance: float | None = None
    """Profile: most difference in means, in SDs."""
    moments: Literal[1, 2, 3] | None = None
    """Entropy balancing: powers of covariates that are balanced."""
    trim: float | None = None
    """Inverse probability: leave out scores outside P to 1 − P."""
    pool: MatchedPool = field(default_factory=MatchedPool)
    """Who may be compared with."""
    exposure: Exposure | None = None
    """Which years are before, partial and after; the project's where nothing is said."""

    @property
    def chosen(self) -> dict[str, Any]:
        """Return the options of the method that were given, under their names."""
        of_method = [one.name for one in fields(self) if one.name not in _COMMON]
        return {name: value for name in of_method if (value := getattr(self, name)) is not None}

    @property
    def codes(self) -> tuple[str, ...]:
        """Return the names among what is matched on that may be measures of the registry."""
        words = (PRE_OUTCOMES, COHORT_SIZE, *LABELS)
        return tuple(name for name in (*self.covariates, *self.exact, *self.anti_exact) if name not in words)


_COMMON: Final = (
    "method",
    "covariates",
    "estimate",
    "estimand",
    "exact",
    "anti_exact",
    "categories",
    "missing",
    "pool",
    "exposure",
)


def caliper_width(name: str, said: float | str) -> CovariateCaliper:
    """Return the caliper of `0.2` (SDs) or `5units`; raise `DesignError` for what is neither."""
    text = str(said)
    in_units = text.endswith("units")
    try:
        width = float(text.removesuffix("units"))
    except ValueError:
        width = -1.0
    if not 0 < width < float("inf"):
        raise DesignError(f"`caliper_on` gives '{name}' the width '{said}': a positive number, or one such as 5units.")
    return CovariateCaliper(width=width, in_units=in_units)


# The columns that schools are matched on, each known before the programme.


@dataclass(frozen=True, slots=True, eq=False)
class KnownBefore:
    """Where the columns of one outcome's matching come from; nothing of it is a result of a year after the start.

    `pre` are the years before in which the outcome was observed; `minuend` is the outcome that a triple difference
    takes another from, on which schools are matched for it too.
    """

    project: Project
    intake: ProjectData
    measure: Measure
    records: SchoolRecords
    pre: tuple[int, ...]
    minuend: KnownBefore | None = None

    @classmethod
    def of(cls, project: Project, intake: ProjectData, code: str) -> KnownBefore:
        """Return what was known before the programme began beside one outcome."""
        first = next((one.measure for one in project.contrasts if contrast_code(one) == code), None)
        known = measure_of(project, code)
        records = intake.records[known.key_stage]
        values = records.values[code]
        pre = [year for year in project.exposure.pre if year in values and values[year].notna().any()]
        on = None if first is None else cls.of(project, intake, first)
        return cls(project, intake, known, records, tuple(pre), on)

    @property
    def matched_on(self) -> KnownBefore:
        """Return what is matched on: of a triple difference what its first outcome is, so that matches are alike."""
        return self.minuend or self

    def columns(self, name: str) -> dict[str, pd.Series]:
        """Return the columns that a name among `covariates` or `exact` stands for, by school.

        Raises
        ------
        DesignError
            Where nothing of that name is known, or it is a result of a year after the programme began.
        """
        if name == PRE_OUTCOMES:
            return self._pre_outcomes()
        if name == COHORT_SIZE:
            return self._cohort_sizes()
        if name in LABELS:
            texts = self.records.schools[LABELS[name]].astype("string")
            return {name: texts.astype(object)}
        found = self._measured(name)
        if found is None:
            raise DesignError(self._unknown(name))
        return {name: found}

    def _pre_outcomes(self) -> dict[str, pd.Series]:
        code = self.measure.code
        if not self.pre:
            raise DesignError(
                f"{self.measure.label} was not observed before the programme, so that schools cannot be matched on it. "
                f"Leave `{PRE_OUTCOMES}` out of `covariates`."
            )
        return {f"{code}_{year}": self.records.values[code][year] for year in self.pre}

    def _cohort_sizes(self) -> dict[str, pd.Series]:
        pupils = self.records.pupils
        years = [year for year in self.project.exposure.pre if year in pupils and pupils[year].notna().any()]
        if not years:
            raise DesignError(
                f"No year before the programme gives the pupils that {self.measure.label.lower()} rests on. Leave "
                f"`{COHORT_SIZE}` out of `covariates`."
            )
        return {f"{COHORT_SIZE}_{year}": pupils[year] for year in years}

    def _measured(self, name: str) -> pd.Series | None:
        """Return a column of an own table, a measure's mean before the programme, or its value in one year."""
        schools = self.records.schools.index
        if name in self.intake.columns:
            return self.intake.columns[name].reindex(schools)
        values = _values(self.intake, name)
        if values is not None:
            return self._mean_before(name, values).reindex(schools)
        code, _, year = name.rpartition("_")
        values = _values(self.intake, code) if year.isdigit() else None
        if values is None:
            return None
        self._refuse_after(name, int(year))
        return values[int(year)].reindex(schools) if int(year) in values else None

    def _mean_before(self, name: str, values: pd.DataFrame) -> pd.Series:
        years = [year for year in values if year in self.project.exposure.pre]
        if not years:
            raise DesignError(f"'{name}' has no value of a year before the programme, so nothing is matched on it.")
        return values[years].mean(axis=1, skipna=False)

    def _refuse_after(self, name: str, year: int) -> None:
        if year >= first_summer(self.project.programme.start):
            raise DesignError(
                f"`covariates` names '{name}', a result of a year after the programme began: schools are matched on "
                "what was known before."
            )

    def _unknown(self, name: str) -> str:
        codes = [code for records in self.intake.records.values() for code in records.values]
        known = [PRE_OUTCOMES, COHORT_SIZE, *LABELS, *codes, *map(str, self.intake.columns)]
        near = did_you_mean(name, known)
        return f"Nothing is known of '{name}', to be matched on.{near} There are: {listed(known, 20)}."


def _values(intake: ProjectData, code: str) -> pd.DataFrame | None:
    """Return the values of a measure or of a column of an own table, school by period; None where there are none."""
    return next((records.values[code] for records in intake.records.values() if code in records.values), None)


# The plan of one outcome.


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class OutcomeMatch:
    """Who is matched with whom for one outcome.

    Attributes
    ----------
    outcome, label, unit : its code and words
    pre : years before in which it was observed
    everyone : all schools that could be treated or compared, those of treated areas that take no part among them
    area : area of each of them, missing where none is given
    names : the columns each name of the options stands for
    design : the comparison group; None where `too_few` says why there is none (too few treated, or no match)
    sets : how the treated will be judged by sets, None where they lie in no area
    n_left_out : schools without a covariate, by arm
    """

    outcome: str
    label: str
    unit: str
    pre: tuple[int, ...]
    everyone: Baseline
    area: pd.Series
    names: Mapping[str, tuple[str, ...]]
    option: MatchingOption | WeightingOption
    design: MatchedDesign | None
    sets: SetDesign | None
    n_left_out: tuple[int, int] = (0, 0)
    too_few: str = ""

    @property
    def is_by_sets(self) -> bool:
        """Return whether the estimate is placed among sets drawn in other areas, rather than clustered by area."""
        return self.sets is not None and len(self.sets.treated) <= MOST_AREAS


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class MatchedPlan:
    """The matched comparisons of an analysis, by outcome, and who may be compared with whom.

    `neighbours` is the list whose areas alone are compared with, None where every area is; `never` are areas that are
    nobody's comparison: treated and excluded ones.
    """

    project: Project
    options: MatchedOptions
    outcomes: tuple[OutcomeMatch, ...]
    never: tuple[int, ...]
    neighbours: NeighbourTable | None = None

    def record(self) -> dict[str, Any]:
        """Return what is locked as plain data."""
        return {"outcomes": {one.outcome: match_record(one) for one in self.outcomes}}


def plan_matched(project: Project, options: MatchedOptions, intake: ProjectData) -> MatchedPlan:
    """Match the treated schools of every outcome, using no year after the programme began.

    Raises
    ------
    DesignError
        Where a covariate is not known or no treated school, or nobody to compare with, is left.
    """
    excluded = project.pool.exclude_areas if options.pool.exclude_areas is None else options.pool.exclude_areas
    never = tuple(sorted({*_treated_areas(intake), *excluded}))
    neighbours = None if options.pool.neighbours is None else intake.neighbours[options.pool.neighbours]
    plan = MatchedPlan(project=project, options=options, outcomes=(), never=never, neighbours=neighbours)
    outcomes = tuple(_outcome(plan, intake, one.code) for one in project.outcomes)
    return MatchedPlan(project=project, options=options, outcomes=outcomes, never=never, neighbours=neighbours)


def _treated_areas(intake: ProjectData) -> tuple[int, ...]:
    """Return the areas that participants lie in, whichever their key stage."""
    areas = {
        area
        for stage, records in intake.records.items()
        for area in records.schools.loc[list(intake.treated.schools[stage]), "area"].tolist()
    }
    return tuple(sorted({*intake.treated.areas, *(int(area) for area in areas if pd.notna(area))}))


def _outcome(plan: MatchedPlan, intake: ProjectData, code: str) -> OutcomeMatch:
    project, options = plan.project, plan.options
    known = KnownBefore.of(project, intake, code)
    on = known.matched_on
    names = {name: tuple(on.columns(name)) for name in dict.fromkeys(_named(options, on))}
    option = _option(options, names)
    frame, n_left_out = _frame(plan, known, intake, names)
    everyone = _baseline(plan, frame, known, names)
    area = frame.set_index("unit")["place"].reindex(everyone.units.index)
    n_treated = int(everyone.is_treated.sum())
    if n_treated == 0 and code == project.primary.code:
        raise DesignError(
            f"No treated school is left: none of the participants has {known.measure.label.lower()} and all that is "
            f"matched on. Run `evalkit check {project.slug}` to see why each was left out."
        )
    too_few, design = _too_few(n_treated, project), None
    if not too_few:
        design, too_few = _matched(plan, known.measure, everyone, area, option)
    return OutcomeMatch(
        outcome=code,
        label=marked(plan.project, code, known.measure.label),
        unit=known.measure.unit,
        pre=known.pre,
        everyone=everyone,
        area=area,
        names=names,
        option=option,
        design=design,
        sets=None if design is None else _sets(plan, known, everyone, area),
        n_left_out=n_left_out,
        too_few=too_few,
    )


def _matched(
    plan: MatchedPlan, measure: Measure, everyone: Baseline, area: pd.Series, option: MatchingOption | WeightingOption
) -> tuple[MatchedDesign | None, str]:
    """Return the comparison group, or why there is none, which of the primary outcome is raised."""
    try:
        in_play = _in_play(plan, everyone, area)
        if everyone.is_treated.any() and not (in_play & ~everyone.is_treated).any():
            raise DesignError(_nobody(measure.label, everyone, area))
        return match(_some(everyone, in_play), option, plan.options.estimand), ""
    except DesignError as problem:
        if measure.code == plan.project.primary.code:
            raise
        return None, str(problem).rstrip(".")


HOW: Final = frozenset(one.name for one in fields(MatchedOptions)) - {*_COMMON, "within_first"} | {"method"}
"""Options that say how schools are matched, and nothing of which schools there are or what is known of them."""


def matched_otherwise(plan: MatchedPlan, options: MatchedOptions) -> MatchedPlan:
    """Return what `plan_matched` would by options that differ in `HOW` alone; `plan` has a design of every outcome."""
    changed, made = replace(plan, options=options), []
    for one in plan.outcomes:
        option, measure = _option(options, one.names), measure_of(plan.project, one.outcome)
        design, too_few = _matched(changed, measure, one.everyone, one.area, option)
        made.append(replace(one, option=option, design=design, sets=one.sets if design else None, too_few=too_few))
    return replace(changed, outcomes=tuple(made))


def _named(options: MatchedOptions, known: KnownBefore) -> Iterator[str]:
    """Yield every name that a column is asked for by."""
    yield from covariates_of(options, known)
    yield from (*options.exact, *options.anti_exact)
    if options.within_first is not None:
        yield options.within_first


def covariates_of(options: MatchedOptions, known: KnownBefore) -> tuple[str, ...]:
    """Return what is matched on: as named, or the outcome and the size of the cohort before, as far as known."""
    if options.covariates:
        return options.covariates
    pupils = known.records.pupils
    has_pupils = any(year in pupils and pupils[year].notna().any() for year in known.project.exposure.pre)
    found = ((PRE_OUTCOMES,) if known.pre else ()) + ((COHORT_SIZE,) if has_pupils else ())
    if not found:
        raise DesignError(
            f"Of {known.measure.label.lower()} nothing is known before the programme. Name what schools are matched on "
            "with `covariates`."
        )
    return found


def _option(options: MatchedOptions, names: Mapping[str, tuple[str, ...]]) -> MatchingOption | WeightingOption:
    """Return the option object of the method, each name in the place of the columns it stands for."""
    chosen = options.chosen
    if "mahalanobis_on" in chosen:
        chosen["mahalanobis_on"] = _spread(names, chosen["mahalanobis_on"])
    for key, read in (("caliper_on", caliper_width), ("cutpoints", lambda _, value: value)):
        if key in chosen:
            chosen[key] = {
                column: read(name, value) for name, value in chosen[key].items() for column in _spread(names, (name,))
            }
    return named_option(options.method, chosen, _spread(names, options.exact), _spread(names, options.anti_exact))


def _spread(names: Mapping[str, tuple[str, ...]], chosen: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(column for name in chosen for column in names.get(name, (name,)))


def _frame(
    plan: MatchedPlan, known: KnownBefore, intake: ProjectData, names: Mapping[str, tuple[str, ...]]
) -> tuple[pd.DataFrame, tuple[int, int]]:
    """Return every school that could be treated or compared, and how many of each arm lack what is matched on.

    Columns: unit, treated (0 and 1), place (code of the area) and what is matched on.
    """
    options, pool = plan.options, plan.project.pool
    groups = pool.minor_groups if options.pool.minor_groups is None else options.pool.minor_groups
    schools = known.records.schools
    reasons = exclusion_reasons(known.records, known.measure.code, known.pre, groups)
    usable = schools.index[reasons.reindex(schools.index) == ""]
    treated = set(intake.treated.schools[known.records.key_stage])
    columns: dict[str, Any] = {"unit": schools.index, "treated": schools.index.isin(list(treated)).astype(int)}
    columns["place"] = schools["area"].astype("Int64").array
    for name in names:
        columns |= {column: values.array for column, values in known.matched_on.columns(name).items()}
    frame = pd.DataFrame(columns).loc[schools.index.isin(usable)]
    frame = frame[(frame["treated"] == 1) | frame["place"].notna()]
    if options.missing == "refuse":
        return frame, (0, 0)
    needed = [column for name in names for column in names[name]]
    if options.missing == "category":
        needed = list(_spread(names, (*options.exact, *options.anti_exact)))
    lacking = frame[needed].isna().any(axis=1)
    n_lacking = tuple(int((lacking & (frame["treated"] == arm)).sum()) for arm in (1, 0))
    return frame[~lacking], (n_lacking[0], n_lacking[1])


def _baseline(
    plan: MatchedPlan, frame: pd.DataFrame, known: KnownBefore, names: Mapping[str, tuple[str, ...]]
) -> Baseline:
    options = plan.options
    covariates = _spread(names, covariates_of(options, known.matched_on))
    categories = set(_spread(names, options.categories))
    texts = {column: frame[column].astype("str") for column in categories}
    labels = [column for name in names for column in names[name] if column not in covariates]
    roles = BaselineRoles(
        treated="treated",
        covariates=covariates,
        unit="unit",
        labels=tuple(dict.fromkeys(labels)),
        years=known.pre,
        first_treated=first_summer(plan.project.programme.start),
    )
    return Baseline.from_frame(frame.assign(**texts), roles, "category" if options.missing == "category" else "refuse")


_WORDS: Final = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def _too_few(n: int, project: Project) -> str:
    if n >= project.pool.minimum_treated:
        return ""
    n_schools = f"{_WORDS[n]} school{'' if n == 1 else 's'}" if n < len(_WORDS) else counted(n, "school")
    return f"{n_schools}: too few for an estimate (the project asks for at least {project.pool.minimum_treated})"


def _in_play(plan: MatchedPlan, everyone: Baseline, area: pd.Series) -> Any:
    """Return the treated and who may be compared with them, shape (n_units,)."""
    allowed = ~area.isin(list(plan.never)).to_numpy() & ~everyone.is_treated
    if plan.neighbours is None:
        return allowed | everyone.is_treated
    treated = area[everyone.is_treated].dropna().unique().tolist()
    near = {code for one in treated for code in plan.neighbours.of(int(one))}
    return (allowed & area.isin(list(near)).to_numpy()) | everyone.is_treated


def _nobody(label: str, everyone: Baseline, area: pd.Series) -> str:
    """Return why nobody is left to compare with, and what to do."""
    n_areas = area[everyone.is_treated].nunique()
    return (
        f"{label}: nobody is left to compare with. Units of an area in which anybody takes part are never compared "
        f"({counted(n_areas, 'such area')} here), and no other area has a unit with all that is matched on. Give units "
        "of other areas as well, or widen `pool`."
    )


def _some(everyone: Baseline, kept: Any) -> Baseline:
    """Return some of the units of a baseline."""
    rows = everyone.units.index[kept]
    return Baseline(everyone.units.loc[rows], everyone.covariates.loc[rows], everyone.years, everyone.first_treated)


def _sets(plan: MatchedPlan, known: KnownBefore, everyone: Baseline, area: pd.Series) -> SetDesign | None:
    """Return how the treated are judged by sets, None where one of them lies in no known area."""
    units = everyone.units.index
    treated = units[everyone.is_treated]
    if area.reindex(treated).isna().any():
        return None
    level = pd.Series(float("nan"), units)
    if known.pre:
        level = known.records.values[known.measure.code][list(known.pre)].mean(axis=1, skipna=False).reindex(units)
    placed, picked = area.dropna().astype("int64"), picked_of(known.records.schools)
    return set_design(level, placed, units, treated, stand_ins(plan, area), picked=picked)


def stand_ins(plan: MatchedPlan, area: pd.Series) -> tuple[int, ...]:
    """Return the areas whose schools may stand in for the treated: not treated, not excluded, with a comparison."""
    present = {int(one) for one in area.dropna().unique()} - set(plan.never)
    if plan.neighbours is None:
        return tuple(sorted(present))
    table = plan.neighbours
    return tuple(sorted(one for one in present if {*table.of(one)} & (present - {one})))


# What is locked.


def match_record(found: OutcomeMatch) -> dict[str, Any]:
    """Return what is locked of one outcome's matching, as plain data."""
    design = found.design
    record: dict[str, Any] = {
        "not_estimated": found.too_few,
        "covariates": [str(name) for name in found.everyone.covariates],
        "table_sha256": _digest(found.everyone.units, found.everyone.covariates),
    }
    if design is None:
        return record
    sets = found.sets
    return record | {
        "estimand": str(design.estimand),
        "n_treated": design.n_treated,
        "n_comparison": design.n_comparison,
        "pairs": _pairs(design),
        "weights_sha256": _digest(pd.Series(design.weights.round(9), design.baseline.units.index)),
        "judged_by": "sets" if found.is_by_sets else "areas" if sets is not None else "units",
        "set_rule": sets.rule if sets is not None else "",
    }


def _pairs(design: MatchedDesign) -> list[list[object]]:
    pairs = design.pair_table()
    return [
        [str(a), str(b), round(float(d), 9)]
        for a, b, d in zip(pairs["treated"], pairs["comparison"], pairs["distance"], strict=True)
    ]


def _digest(*tables: pd.DataFrame | pd.Series) -> str:
    """Return a hash of what tables hold, ids among it."""
    texts = [json.dumps(table.reset_index().to_numpy().tolist(), default=str) for table in tables]
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()

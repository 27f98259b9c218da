"""Results of an analysis by synthetic control: the effect of every outcome, who takes the treated areas' place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from evalkit.core.draws import N_DRAWS as N_CONNECTED
from evalkit.core.draws import SERIAL, Executor, stream
from evalkit.core.errors import DesignError
from evalkit.core.project import Project
from evalkit.core.quantities import IntervalOrReason, Quantity, Unavailable
from evalkit.core.shown import Shown
from evalkit.core.words import counted, listed
from evalkit.data.measures import Break
from evalkit.data.published.area_records import AreaSource
from evalkit.data.published.project_data import ProjectData
from evalkit.design.kinds.area_series import AreaOutcome, area_outcome
from evalkit.design.kinds.synthetic import (
    SyntheticChoices,
    SyntheticOutcome,
    SyntheticPlan,
    design_before,
    design_of,
    starts_of,
    used_years,
)
from evalkit.design.panel.area_design import AreaDesign
from evalkit.design.project.set_rule import no_interval_of_sets
from evalkit.estimate.synthetic.conformal import Conformal
from evalkit.estimate.synthetic.connected_arrays import ConnectedSets, connected_sets
from evalkit.estimate.synthetic.placebos import LeaveOneDonorOut, PlaceboOptions, placebo_in_space
from evalkit.estimate.synthetic.pooled import (
    PooledControl,
    PooledPlacebos,
    pooled_control,
    pooled_placebos,
    pooled_without_areas,
    pooled_without_donors,
)
from evalkit.estimate.synthetic.result import FEWEST_PRE
from evalkit.estimate.synthetic.study import AREA_METHODS, AmongGaps, AreaStudy, among_gaps, area_study
from evalkit.estimate.synthetic.weights_arrays import fit_augmented, fit_synthetic_control, fit_with_features

FEWEST_MOVED: Final = 20
"""Conformal inference is shown from so many periods on: no p-value of it is below one over their number."""
_MOST_NAMED: Final = 3
N_DRAWS: Final = 999
"""Sets of donors drawn where several areas are treated and the project names no number."""

BY_PLACEBOS: Final = {
    "one": "Every donor in turn is taken as if the programme had been there, and followed by the others as the "
    "treated area is.",
    "together": "Sets of as many donors are taken as if the programme had been there, and followed by the others as "
    "the treated areas are.",
    "pooled": "Sets of as many donors are given the treated areas' starts in random order, and followed by the others "
    "as these are.",
}
"""Who takes the treated areas' place, in a sentence, by how these are followed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class YearMeans:
    """One year: the mean of the treated areas, and that of the donors, each counting as one."""

    year: int
    treated: float
    donors: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Quoted:
    """The effect that is quoted, and what judges it."""

    estimate: Quantity
    std_error: Quantity
    interval: IntervalOrReason
    p_value: Quantity
    p_value_one_sided: Quantity
    n_ranked: int


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class PooledStudy:
    """What weights of their own give for several areas, and all that judges it."""

    control: PooledControl
    placebos: PooledPlacebos
    left_out: LeaveOneDonorOut | Unavailable
    without_area: Mapping[object, float]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class SyntheticOutcomeResults(Shown):
    """What was found for one outcome.

    Attributes
    ----------
    code, label, unit, role : the outcome, in words for readers
    plan : who was followed and who could be a donor, by the plan
    means : what was measured of the treated areas and of the donors, year by year
    quoted : the effect that is quoted
    study : of one area, or of several as one; why there is none where weights are refused, or areas have their own
    pooled : of several areas with weights of their own, None elsewhere
    among : where the mean gap stands among those of placebos
    beside : the effect by the other methods, by their names
    breaks : changes in how the outcome is made among the years used
    is_own : whether it is a column of an own table, of which only the project file knows changes
    source : where a measure that is published of authorities was read; None of other outcomes
    """

    code: str
    label: str
    unit: str
    role: str
    plan: SyntheticOutcome
    means: tuple[YearMeans, ...]
    quoted: Quoted
    study: AreaStudy | Unavailable
    pooled: PooledStudy | None
    among: AmongGaps | Unavailable
    beside: Mapping[str, Quantity]
    breaks: tuple[Break, ...] = ()
    is_own: bool = False
    source: AreaSource | None = None

    @property
    def conformal(self) -> Conformal | Unavailable:
        """Return conformal inference where there are periods enough for it."""
        if isinstance(self.study, Unavailable):
            return self.study
        n_periods = self.study.conformal.n_periods
        if n_periods < FEWEST_MOVED:
            return Unavailable(
                f"Conformal inference over {n_periods} periods has no p-value below 1/{n_periods}; it is shown from "
                f"{FEWEST_MOVED} periods on."
            )
        return self.study.conformal

    @property
    def n_donors(self) -> int:
        """Return how many donors the estimate is made from, those of the plan where there is none."""
        if self.pooled is not None:
            return len(self.pooled.control.design.donors)
        return len(self.plan.donors if isinstance(self.study, Unavailable) else self.study.synthetic.design.donors)

    @property
    def least_p(self) -> float:
        """Return the least p-value that could have come out."""
        if self.pooled is not None:
            return 1 / (len(self.plan.starts) + self.n_donors)
        if isinstance(self.study, AreaStudy) and self.study.space.n_disjoint is not None:
            return 1 / (1 + self.study.space.n_disjoint)
        return 1 / self.quoted.n_ranked

    @property
    def ranked_among(self) -> str:
        """Return among what the treated areas are ranked, in words."""
        n = self.quoted.n_ranked - 1
        if isinstance(self.study, AreaStudy) and self.study.space.n_disjoint is not None:
            return f"{counted(n, 'set')} of {len(self.plan.starts)} donors that border each other"
        if self.plan.how == "one":
            return counted(n, "donor, as if treated", "donors, each as if treated")
        return f"{counted(n, 'set')} of {len(self.plan.starts)} donors as if treated"

    @property
    def lost_later(self) -> tuple[str, ...]:
        """Return the donors of the plan that lack a year after the start."""
        if isinstance(self.study, Unavailable) and self.pooled is None:
            return ()
        design = self.pooled.control.design if self.pooled is not None else self._study.synthetic.design
        names = [self.plan.before.series.name(one) for one in self.plan.donors]
        return tuple(one for one in names if one not in design.donors)

    @property
    def _study(self) -> AreaStudy:
        assert isinstance(self.study, AreaStudy)
        return self.study


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class SyntheticFindings(Shown):
    """The results of an analysis by synthetic control, outcome by outcome, and the plan they follow."""

    plan: SyntheticPlan
    outcomes: tuple[SyntheticOutcomeResults, ...]

    @property
    def primary(self) -> SyntheticOutcomeResults:
        """Return the results of the primary outcome, the first where an analysis takes others only."""
        return next((one for one in self.outcomes if one.role == "primary"), self.outcomes[0])


def weights_before(choices: SyntheticChoices, plan: SyntheticOutcome) -> dict[str, float] | None:
    """Return the weight of each donor by the years before the start alone; None where it takes more than these.

    Synthetic difference-in-differences takes the number of years after the start, and areas with weights of their own
    take the years between the first start and their own.
    """
    if plan.refused or plan.how == "pooled" or choices.method == "sdid":
        return None
    design = design_before(plan)
    n_features = len(design.features)
    if choices.method == "augmented":
        fit = fit_augmented(*design.rows, design.n_pre)
    elif n_features:
        fit = fit_with_features(*design.rows, design.n_pre, n_features)
    else:
        fit = fit_synthetic_control(*design.rows, design.n_pre)
    return dict(zip(plan.donors, fit.weights.tolist(), strict=True))


def synthetic_outcomes(
    project: Project, plan: SyntheticPlan, intake: ProjectData, executor: Executor = SERIAL
) -> SyntheticFindings:
    """Estimate every outcome of a plan and judge it as the plan says; raise `DesignError` where the first cannot be."""
    made = [_outcome(project, plan.choices, one, intake, executor) for one in plan.outcomes.values()]
    return SyntheticFindings(plan=plan, outcomes=tuple(made))


def _outcome(
    project: Project, choices: SyntheticChoices, plan: SyntheticOutcome, intake: ProjectData, executor: Executor
) -> SyntheticOutcomeResults:
    whole = area_outcome(project, intake, plan.code)
    role = next(one.role for one in project.outcomes if one.code == plan.code)
    options = PlaceboOptions(
        n_draws=choices.draws or N_DRAWS, seed=project.seed, level=project.inference.level, executor=executor
    )
    none = replace(_nothing(plan, whole, role), **_made_how(project, choices, plan, whole))
    if plan.refused:
        return none
    try:
        if plan.how == "pooled":
            return _pooled(none, choices, whole, options)
        return _studied(none, choices, whole, options)
    except DesignError as problem:
        if role == "primary":
            raise
        return _refused(none, Unavailable(str(problem)))


def _made_how(
    project: Project, choices: SyntheticChoices, plan: SyntheticOutcome, whole: AreaOutcome
) -> dict[str, Any]:
    """Return how an outcome is made, as far as it is known: its changes among the years used, and where it was read."""
    declared = next(one for one in project.outcomes if one.code == plan.code)
    years = used_years(choices, whole.series.periods)
    within = tuple(one for one in whole.series.breaks if years[0] <= one.before and one.after <= years[-1])
    return {"breaks": within, "is_own": declared.is_own, "source": whole.source}


def _nothing(plan: SyntheticOutcome, whole: AreaOutcome, role: str) -> SyntheticOutcomeResults:
    """Return the outcome with what was measured alone."""
    areas = np.array(whole.areas, dtype=object)
    treated, donors = (whole.series.values[np.isin(areas, list(one))] for one in (plan.before.treated, plan.donors))
    complete = donors[np.isfinite(donors).all(axis=1)]
    means = tuple(
        YearMeans(year=year, treated=float(treated[:, at].mean()), donors=float(complete[:, at].mean()))
        for at, year in enumerate(whole.series.periods)
        if np.isfinite(treated[:, at]).all() and len(complete)
    )
    reason = Unavailable(plan.refused or "Nothing was estimated.")
    return SyntheticOutcomeResults(
        code=plan.code,
        label=whole.label,
        unit=whole.unit,
        role=role,
        plan=plan,
        means=means,
        quoted=_no_effect(reason),
        study=reason,
        pooled=None,
        among=reason,
        beside={},
    )


def _no_effect(reason: Unavailable) -> Quoted:
    return Quoted(
        estimate=reason, std_error=reason, interval=reason, p_value=reason, p_value_one_sided=reason, n_ranked=0
    )


def _refused(none: SyntheticOutcomeResults, reason: Unavailable) -> SyntheticOutcomeResults:
    return replace(none, quoted=_no_effect(reason), study=reason, among=reason)


def placebo_spread(
    project: Project, choices: SyntheticChoices, plan: SyntheticOutcome, executor: Executor = SERIAL
) -> Quantity:
    """Return how far placebos' gaps spread in the last year before the start, by weights from the years before it."""
    if plan.refused:
        return Unavailable(plan.refused)
    if plan.how == "pooled":
        return Unavailable("Areas with starts of their own have no year before that all of them share.")
    if plan.n_before <= FEWEST_PRE:
        return Unavailable(
            f"The last year before stands in for one after the start, and {FEWEST_PRE} more are needed before it; "
            f"there are {plan.n_before} in all."
        )
    design = design_before(plan)
    design = design.before(design.periods[-1])
    connected = _connected(plan, design_names(plan, design), choices, project.seed)
    options = PlaceboOptions(seed=project.seed, level=project.inference.level, executor=executor)
    return placebo_in_space(AREA_METHODS[choices.method](design), options, connected).std_error


def design_names(plan: SyntheticOutcome, design: AreaDesign) -> AreaDesign:
    """Return a design with the names of its donors in the place of their ids."""
    return replace(design, donors=tuple(map(plan.before.series.name, design.donors)))


# One area, or several as one.


def _studied(
    none: SyntheticOutcomeResults, choices: SyntheticChoices, whole: AreaOutcome, options: PlaceboOptions
) -> SyntheticOutcomeResults:
    design = design_of(none.plan, choices, whole)
    study = area_study(design, choices.method, options, _connected(none.plan, design, choices, options.seed))
    among = _among(study, options.level)
    return replace(
        none,
        quoted=_quoted(study, among, choices.method),
        study=study,
        among=among,
        beside=dict(_beside(study, choices.method)),
    )


def _connected(
    plan: SyntheticOutcome, design: AreaDesign, choices: SyntheticChoices, seed: int
) -> ConnectedSets | None:
    """Return sets of donors that border each other, of those that have every year; None where none are asked for."""
    if plan.borders is None:
        return None
    names = [plan.before.series.name(one) for one in plan.donors]
    kept = [names.index(str(one)) for one in design.donors]
    n_draws = choices.draws or N_CONNECTED
    random = stream(seed, "connected areas")
    return connected_sets(plan.borders[np.ix_(kept, kept)], len(design.treated), n_draws, random)


def _among(study: AreaStudy, level: float) -> AmongGaps | Unavailable:
    """Return where the mean gap stands among the placebos', None said where no inference is made."""
    design = study.synthetic.design
    if isinstance(study.space.p_value, Unavailable):
        return study.space.p_value
    if study.space.n_disjoint is not None:
        return Unavailable(no_interval_of_sets(study.space.n_disjoint))
    gaps = study.space.gaps[:, design.n_pre :].mean(axis=1)
    return among_gaps(float(study.synthetic.fit.estimate), gaps, level)


def _quoted(study: AreaStudy, among: AmongGaps | Unavailable, method: str) -> Quoted:
    """Return the effect with the p-value of the ratio of errors, and the interval of its method."""
    space = study.space
    interval: IntervalOrReason = among if isinstance(among, Unavailable) else among.interval
    no_error = space.n_disjoint is not None and isinstance(among, Unavailable)
    return Quoted(
        estimate=study.synthetic.estimate,
        std_error=among if no_error and isinstance(among, Unavailable) else space.std_error,
        interval=space.interval if method == "sdid" and not no_error else interval,
        p_value=space.p_value,
        p_value_one_sided=among if isinstance(among, Unavailable) else among.p_value_one_sided,
        n_ranked=len(space.ratios) + 1,
    )


def _beside(study: AreaStudy, method: str) -> Iterator[tuple[str, Quantity]]:
    """Yield the effect by each other method for the same areas, or why it gives none."""
    for name, verb in AREA_METHODS.items():
        if name == method:
            continue
        try:
            yield name, verb(study.synthetic.design).estimate
        except DesignError as problem:
            yield name, Unavailable(str(problem))


# Several areas with weights of their own.


def _pooled(
    none: SyntheticOutcomeResults, choices: SyntheticChoices, whole: AreaOutcome, options: PlaceboOptions
) -> SyntheticOutcomeResults:
    design = starts_of(none.plan, choices, whole)
    control = pooled_control(design, choices.nu)
    placebos = pooled_placebos(control, options, choices.nu)
    found = PooledStudy(
        control=control,
        placebos=placebos,
        left_out=pooled_without_donors(control, choices.nu),
        without_area={} if isinstance(control.estimate, Unavailable) else pooled_without_areas(control, choices.nu),
    )
    no_error = Unavailable("Sets of donors are compared directly; no standard error is made of them.")
    beside = {} if choices.nu == 0.0 else {"each by itself (ν = 0)": pooled_control(design, 0.0).estimate}
    return replace(
        none,
        quoted=Quoted(
            estimate=control.estimate,
            std_error=control.estimate if isinstance(control.estimate, Unavailable) else no_error,
            interval=placebos.among.interval,
            p_value=placebos.p_value,
            p_value_one_sided=placebos.among.p_value_one_sided,
            n_ranked=len(placebos.ratios) + 1,
        ),
        study=Unavailable("Each treated area has weights of its own."),
        pooled=found,
        among=placebos.among,
        beside=beside,
    )


def treated_names(found: SyntheticOutcomeResults) -> str:
    """Return the names of the treated areas, or of more than three how many they are."""
    names = [found.plan.before.series.name(one) for one in found.plan.before.treated]
    return listed(names) if len(names) <= _MOST_NAMED else f"the {len(names)} treated areas"

"""What a project could detect, outcome by outcome: before outcomes, by its two-level plan, and as it turned out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pandas as pd

from evalkit.core.draws import LEVEL, SERIAL, Executor
from evalkit.core.errors import DesignError
from evalkit.core.manifest import DataKind
from evalkit.core.project import Outcome, Project
from evalkit.core.quantities import Quantity, Unavailable
from evalkit.core.scipy_parts import special
from evalkit.core.shown import Shown
from evalkit.data.measures import measure_of
from evalkit.data.published.project_data import ProjectData
from evalkit.design.power.mdes import FEWEST_PLACEBOS, POWER, TwoLevelPlan, multiplier, require_shares
from evalkit.design.power.simulation import SimulatedPower
from evalkit.design.project.labels import NEIGHBOURS
from evalkit.design.project.plan import OutcomeDesign
from evalkit.estimate.effect import Effect

# What a project could detect, outcome by outcome: the nouns of `evalkit power`.


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerOptions:
    """Level of the test's interval, power asked for, the most placebo sets used in simulation, and who tries them."""

    level: float = LEVEL
    power: float = POWER
    n_simulations: int = 1000
    executor: Executor = field(default=SERIAL, compare=False, repr=False)

    def __post_init__(self) -> None:
        require_shares(self.level, self.power)
        if self.n_simulations < FEWEST_PLACEBOS:
            raise DesignError(
                f"Simulated power needs at least {FEWEST_PLACEBOS} placebo sets, not {self.n_simulations}."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomePower:
    """What one outcome's design could detect.

    Attributes
    ----------
    panel : least detectable effect of the difference-in-differences, in points; `panel_method` how it was found
    pupil_sd : spread between all pupils, known before outcomes, in points, and its name; `panel_g` is `panel` over it
    sd_given_prior : spread of pupils given their prior attainment, in points: the noise behind schools' progress scores
    two_level : least detectable effect of single schools chosen, no area shocks, in spreads between all pupils
    simulated : power by `simulated_test` on placebo sets, in points
    leads, why : the inference that a run makes ("none" where it makes none), and why in a sentence
    """

    outcome: Outcome
    label: str
    unit: str
    n_treated: int
    n_comparison: int
    n_comparison_areas: int
    panel: Quantity
    panel_method: str
    pupil_sd: Quantity
    pupil_sd_name: str
    sd_given_prior: Quantity
    two_level: Quantity
    two_level_after_loss: Quantity
    two_level_plan: PlanFromRecords | Unavailable
    two_level_note: str
    simulated: SimulatedPower | Unavailable
    simulated_sets: str
    simulated_test: str
    leads: str
    why: str

    @property
    def panel_g(self) -> Quantity:
        """Return the panel's least detectable effect in pupil standard deviations, or why there is none."""
        return in_pupil_sd(self.panel, self.pupil_sd)

    @property
    def two_level_points(self) -> Quantity:
        """Return the two-level least detectable effect in points, or why there is none."""
        if isinstance(self.two_level, Unavailable) or isinstance(self.pupil_sd, Unavailable):
            return self.two_level if isinstance(self.two_level, Unavailable) else self.pupil_sd
        return self.two_level * self.pupil_sd


def in_pupil_sd(points: Quantity, sd: Quantity) -> Quantity:
    """Return points over a standard deviation, or the reason why either is not known."""
    if isinstance(points, Unavailable) or isinstance(sd, Unavailable):
        return points if isinstance(points, Unavailable) else sd
    return points / sd


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisPower:
    """What one analysis could detect on one outcome.

    `least` is the least detectable effect in the outcome's unit, or why there is none; `leads` the inference that a run
    makes, `why` the reason for it; `method` says what `least` is from.
    """

    analysis: str
    kind: str
    outcome: str
    label: str
    unit: str
    least: Quantity
    leads: str
    why: str
    method: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class PowerReport(Shown):
    """What a project could detect, outcome by outcome; nothing in it comes from a year after the programme began.

    `outcomes` are those of the first analysis of the kind `areas`, `analyses` one row for each analysis and outcome.
    """

    project: Project
    data_kind: DataKind
    options: PowerOptions
    years: tuple[int, ...]
    outcomes: tuple[OutcomePower, ...]
    analyses: tuple[AnalysisPower, ...] = ()


# The two-level plan of a project from its own years before the programme.

_MOST: Final = 0.99
_FEWEST: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFromRecords:
    """A two-level plan and where its numbers came from, in words."""

    plan: TwoLevelPlan
    source: str


def plan_from_records(
    project: Project, intake: ProjectData, design: OutcomeDesign, sd: Quantity
) -> PlanFromRecords | Unavailable:
    """Return the plan of as many schools of as many pupils, its variances from schools' scores before the programme.

    With σ the spread of all pupils, V the variance of schools' scores and n their harmonic mean of pupils:
    τ² = (V − σ²/n)/(1 − 1/n), icc = τ²/σ²; r2_school = (cov(two last years)/τ²)², what last year's score says of the
    schools' own part of this year's; r2_pupil = 0, because progress already allows for prior attainment.
    """
    if design.too_few:
        return Unavailable(f"Not estimated: {design.too_few}.")
    if isinstance(sd, Unavailable):
        return Unavailable(f"An intraclass correlation needs the spread of pupils. {sd.reason}")
    scores, pupils = _scores(project, intake, design)
    if len(scores) < _FEWEST:
        return Unavailable(f"Only {len(scores)} schools have both a score and a number of pupils before the programme.")
    size = 1 / float((1 / pupils).mean())
    between = (float(scores.iloc[:, -1].var()) - sd**2 / size) / (1 - 1 / size)
    if between <= 0:
        return Unavailable("Schools' scores before the programme vary no more than chance among their pupils would.")
    icc = min(between / sd**2, _MOST)
    r2 = _kept(scores, between)
    groups = design.baseline.units["group"].to_numpy()
    areas = design.comparisons[NEIGHBOURS].of(design.treated_group)
    plan = TwoLevelPlan(
        n_treated=int((groups == design.treated_group).sum()),
        n_comparison=int(np.isin(groups, areas).sum()),
        pupils=size,
        icc=icc,
        r2_school=r2 if r2 is not None else 0.0,
        n_school_covariates=0 if r2 is None else 1,
    )
    last = max(project.exposure.pre)
    return PlanFromRecords(plan=plan, source=f"scores of {len(scores):,} schools in {last} and their published limits")


def _scores(project: Project, intake: ProjectData, design: OutcomeDesign) -> tuple[pd.DataFrame, pd.Series]:
    """Return scores of the years before (latest last) and pupils of the latest, of schools that have all."""
    records = intake.records[measure_of(project, design.outcome).key_stage]
    years = sorted(project.exposure.pre)[-2:]
    scores = records.values[design.outcome].loc[design.baseline.units.index, years]
    pupils = records.pupils[years[-1]].reindex(scores.index)
    known = scores.notna().all(axis=1) & (pupils > 1)
    return scores[known], pupils[known]


def _kept(scores: pd.DataFrame, between: float) -> float | None:
    """Return the share of schools' own variance that the year before explains; None where one year is known."""
    if scores.shape[1] < 2:
        return None
    shared = float(scores.iloc[:, 0].cov(scores.iloc[:, 1]))
    return min(max(shared / between, 0.0) ** 2, _MOST)


TOO_FEW_AREAS = Unavailable("Too few other areas could be analysed the same way.")
PART_OF_ONE_AREA = Unavailable(
    "The listed schools are part of one area, and no error can allow for what happens to an area."
)
_NO_ERROR = Unavailable("The areas moved exactly alike, so that there is no error to reckon with.")


def detectable_by_clusters(effect: Effect | None) -> Quantity:
    """Return M × SE with the degrees of freedom that the effect's interval used, for a power of 80%.

    The degrees of freedom follow from half the interval over the standard error; normal quantiles from 100 on.
    """
    if effect is None:
        return PART_OF_ONE_AREA
    if isinstance(effect.interval, Unavailable):
        return effect.interval
    if isinstance(effect.std_error, Unavailable):
        return effect.std_error
    level, reach = effect.interval.level, (effect.interval.upper - effect.interval.lower) / 2
    if effect.std_error <= 0 or reach <= effect.std_error * special.ndtri(0.5 + level / 2):
        return _NO_ERROR if effect.std_error <= 0 else multiplier(None, level) * effect.std_error
    df = float(special.stdtridf(0.5 + level / 2, reach / effect.std_error))
    return multiplier(df, level) * effect.std_error

"""What a project could detect, outcome by outcome: the nouns of `evalkit power`."""

from __future__ import annotations

from dataclasses import dataclass, field

from evalkit.core.errors import DesignError
from evalkit.core.executor import SERIAL, Executor
from evalkit.core.manifest import DataKind
from evalkit.core.project import Outcome, Project
from evalkit.core.quantities import Quantity, Unavailable
from evalkit.core.shown import Shown
from evalkit.design.power import require_shares
from evalkit.design.power_simulation import SimulatedPower
from evalkit.diagnose.power_plan import PlanFromRecords


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerOptions:
    """Level of the test's interval, power asked for, the most placebo sets used in simulation, and who tries them."""

    level: float = 0.95
    power: float = 0.8
    n_simulations: int = 1000
    executor: Executor = field(default=SERIAL, compare=False, repr=False)

    def __post_init__(self) -> None:
        require_shares(self.level, self.power)
        if self.n_simulations < 20:
            raise DesignError(f"Simulated power needs at least 20 placebo sets, not {self.n_simulations}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomePower:
    """What one outcome's design could detect.

    Attributes
    ----------
    panel : least detectable effect of the difference-in-differences, in points; `panel_method` how it was found
    pupil_sd : spread of pupils, known before outcomes, in points; `panel_g` is `panel` over it
    two_level : least detectable effect of single schools chosen, no area shocks, in total standard deviations
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


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class PowerReport(Shown):
    """What a project could detect, outcome by outcome; nothing in it comes from a year after the programme began."""

    project: Project
    data_kind: DataKind
    options: PowerOptions
    years: tuple[int, ...]
    outcomes: tuple[OutcomePower, ...]

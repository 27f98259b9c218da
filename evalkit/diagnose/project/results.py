"""What checks look at: the effects of one project, found by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from evalkit.core.project import Project, TripleDifference
from evalkit.core.quantities import Quantity, Unavailable
from evalkit.data.flow import Flow
from evalkit.data.published.project_data import ProjectData
from evalkit.design.project.plan import DesignStage, DetectableEffect, LockedDesign
from evalkit.diagnose.project.listed_tests import ListedStatistics
from evalkit.estimate.areas.outcome_effects import OutcomeEffects
from evalkit.estimate.effect import MAIN, Effect, find_effect, surest_effect

NOT_ASKED = Unavailable("The project does not ask for this.")
FEWEST_KNOWN: Final = 0.9
"""Share of schools whose pupils must be known for the others to count as their mean."""
ONE_YEAR = Unavailable("Only one year was observed before the programme.")


@dataclass(frozen=True, slots=True, eq=False)
class Results:
    """One project's design, data, effects and flow, before they are judged.

    `listed` are the falsification tests of listed schools and of sets drawn in their place.
    """

    project: Project
    intake: ProjectData
    locked: LockedDesign
    stage: DesignStage
    outcomes: dict[str, OutcomeEffects]
    flow: Flow
    detectable: tuple[DetectableEffect, ...] = ()
    listed: ListedStatistics | None = None

    @property
    def primary(self) -> str:
        """Return the code of the primary outcome."""
        return self.project.primary.code

    @property
    def area_names(self) -> dict[int, str]:
        """Return the names of areas by DfE code."""
        return self.intake.neighbours[self.project.pool.neighbours].names

    def effect(self, outcome: str, design: str = MAIN[0], period: str = MAIN[1]) -> Effect | None:
        """Return the permutation record of an effect, if it was estimated."""
        return find_effect(self._effects(outcome), outcome, (design, period))

    @property
    def main_effect(self) -> Effect | None:
        """Return the main comparison's effect on the primary outcome, if it was estimated."""
        return self.effect(self.primary)

    def _effects(self, outcome: str) -> tuple[Effect, ...]:
        return self.outcomes[outcome].effects if outcome in self.outcomes else ()

    def clustered(self, outcome: str) -> Effect | None:
        """Return the main effect with errors clustered by local authority, if several were treated."""
        by_area = (one for one in self._effects(outcome) if one.cluster_level == "local_authority")
        return next((one for one in by_area if one.inference == "cluster"), None)

    def surest(self, outcome: str) -> Effect | None:
        """Return the main effect with the inference that allows for shocks to areas; see `surest_effect`."""
        return surest_effect(self._effects(outcome), outcome)

    def estimate(self, outcome: str, design: str = MAIN[0], period: str = MAIN[1]) -> Quantity:
        """Return an estimate, or the reason why there is none."""
        effect = self.effect(outcome, design, period)
        return effect.estimate if effect else self.why_not(outcome)

    def why_not(self, outcome: str) -> Unavailable:
        """Return why there is no such estimate: the outcome's own reason, or that one year cannot show a trend."""
        first = self.effect(outcome.split("-")[0])
        if first is None:
            return NOT_ASKED
        return first.estimate if isinstance(first.estimate, Unavailable) else ONE_YEAR

    def contrast(self) -> str:
        """Return the code of the first triple difference, or an empty text."""
        return contrast_code(self.project.contrasts[0]) if self.project.contrasts else ""


def contrast_code(contrast: TripleDifference) -> str:
    """Return the code results.json uses for a triple difference: READPROG-MATPROG."""
    return f"{contrast.measure}-{contrast.minus}"

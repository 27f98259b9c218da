"""A design rehearsed where nothing happened: what it finds there, how often it is wrong, and what it could find."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from evalkit.core.arrays import Floats, Ints
from evalkit.core.draws import LEVEL
from evalkit.core.manifest import DataKind
from evalkit.core.project import Project
from evalkit.core.quantities import ROUNDING, Quantity, Unavailable
from evalkit.diagnose.power.rehearsal_arrays import over_areas, rank_p_values

PLANTED: Final = (0.5, 1.0, 2.0)
"""Effects planted, as multiples of the least that is found four times in five."""
TO_LEAST: Final = 2.8
"""Standard deviations over areas of an effect that is found four times in five at 5%, two-sided: 1.96 + 0.84."""
FEWEST_AREAS: Final = 20
"""Areas below which no rank can be unlikely, so that a share of rejections says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PseudoProgrammes:
    """What was found of each pseudo-programme, shape (D,), and its area; each area weighs the same."""

    statistic: Floats
    area: Ints

    @property
    def n_areas(self) -> int:
        """Return in how many areas there is one."""
        return len(np.unique(self.area))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rejections:
    """How often a judgement rejects where nothing happened: the share, and its Monte Carlo error."""

    judged_by: str
    share: Quantity
    error: Quantity
    is_leading: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlantedEffect:
    """How often an effect planted in every pseudo-programme is found at the level."""

    effect: float
    share: Quantity


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OwnChange:
    """How pseudo-programmes' schools changed by themselves, and the other schools of their areas: means over areas."""

    listed: Quantity
    others: Quantity


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OutcomeRehearsal:
    """What the design finds of one outcome where nothing happened.

    Attributes
    ----------
    outcome, unit : the outcome in words, and its unit
    n_areas : areas in which there is a pseudo-programme
    own : change of the schools themselves, without a comparison
    bias, bias_error : mean estimate over areas before anything is taken off, and its standard error
    left : mean of what is left after what such sets gain is taken off: 0 where it is, `bias` where nothing is
    spread : standard deviation of the estimate over areas
    rejections : how often each judgement rejects, the leading one first
    coverage : share of pseudo-programmes whose interval by the leading judgement contains zero
    planted : how often effects of several sizes are found
    reason : why the analysis cannot be rehearsed, or empty
    """

    outcome: str
    unit: str
    n_areas: int
    own: OwnChange
    bias: Quantity
    bias_error: Quantity
    left: Quantity
    spread: Quantity
    rejections: tuple[Rejections, ...]
    coverage: Quantity
    planted: tuple[PlantedEffect, ...]
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rehearsal:
    """A project's primary analysis rehearsed in areas without the programme.

    Attributes
    ----------
    project, data_kind, analysis : of which project, data and analysis
    how_listed : how pseudo-programmes were listed, in words
    pre, post : the years taken as before and after
    is_locked : whether the plan was locked, so that the real years of other areas were read
    outcomes : by outcome
    """

    project: Project
    data_kind: DataKind
    analysis: str
    how_listed: str
    pre: tuple[int, ...]
    post: tuple[int, ...]
    is_locked: bool
    outcomes: tuple[OutcomeRehearsal, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Judgement:
    """By which sets pseudo-programmes are judged, in words; `is_centred` where what these gain is taken off."""

    judged_by: str
    among: PseudoProgrammes
    is_centred: bool


def rehearse_outcome(
    label: tuple[str, str],
    pseudo: PseudoProgrammes,
    judgements: tuple[Judgement, ...],
    own: OwnChange,
    level: float = LEVEL,
) -> OutcomeRehearsal:
    """Return what a design finds of one outcome where nothing happened, judged in one or several ways.

    Parameters
    ----------
    label : the outcome in words, and its unit
    pseudo : what was found of every pseudo-programme
    judgements : the leading one first
    own : change of the schools themselves
    level : of the interval
    """
    alpha, first = 1 - level, judgements[0]
    mean, error = over_areas(pseudo.statistic, pseudo.area)
    centre = _centre(first)
    spread = _spread(pseudo)
    few = Unavailable(f"Fewer than {FEWEST_AREAS} areas could hold such a programme.") if _is_few(pseudo) else None
    least = TO_LEAST * spread
    leading = _rejections(pseudo, first, alpha, True)
    return OutcomeRehearsal(
        outcome=label[0],
        unit=label[1],
        n_areas=pseudo.n_areas,
        own=own,
        bias=mean,
        bias_error=error,
        left=mean - centre,
        spread=spread,
        rejections=(leading, *(_rejections(pseudo, one, alpha, False) for one in judgements[1:])),
        coverage=few or (1 - leading.share if isinstance(leading.share, float) else leading.share),
        planted=tuple(
            PlantedEffect(effect=size * least, share=few or _share(pseudo, first, alpha, size * least))
            for size in PLANTED
        ),
    )


def not_rehearsed(label: tuple[str, str], reason: str) -> OutcomeRehearsal:
    """Return an outcome that cannot be rehearsed, with the reason in every place."""
    none = Unavailable(reason)
    return OutcomeRehearsal(
        outcome=label[0],
        unit=label[1],
        n_areas=0,
        own=OwnChange(listed=none, others=none),
        bias=none,
        bias_error=none,
        left=none,
        spread=none,
        rejections=(),
        coverage=none,
        planted=(),
        reason=reason,
    )


def _is_few(pseudo: PseudoProgrammes) -> bool:
    return pseudo.n_areas < FEWEST_AREAS


def _centre(judgement: Judgement) -> float:
    return over_areas(judgement.among.statistic, judgement.among.area)[0] if judgement.is_centred else 0.0


def _spread(pseudo: PseudoProgrammes) -> float:
    """Return the standard deviation of the statistic, each area weighing the same."""
    _, at, n = np.unique(pseudo.area, return_inverse=True, return_counts=True)
    weight = 1.0 / (n[at] * len(n))
    mean = weight @ pseudo.statistic
    return float(np.sqrt(weight @ (pseudo.statistic - mean) ** 2))


def _share(pseudo: PseudoProgrammes, judgement: Judgement, alpha: float, effect: float = 0.0) -> float:
    """Return how often pseudo-programmes with an effect of that size are rejected, each area weighing the same."""
    among = judgement.among
    moved = pseudo.statistic + effect
    p = rank_p_values(moved, pseudo.area, among.statistic, among.area, _centre(judgement))
    return over_areas((p <= alpha + ROUNDING).astype(float), pseudo.area)[0]


def _rejections(pseudo: PseudoProgrammes, judgement: Judgement, alpha: float, is_leading: bool) -> Rejections:
    if _is_few(pseudo) or _is_few(judgement.among):
        few = Unavailable(f"Fewer than {FEWEST_AREAS} areas could hold such a programme.")
        return Rejections(judged_by=judgement.judged_by, share=few, error=few, is_leading=is_leading)
    share = _share(pseudo, judgement, alpha)
    # areas are what is drawn: sets of one area share its shock
    error = float(np.sqrt(max(share * (1 - share), alpha * (1 - alpha)) / pseudo.n_areas))
    return Rejections(judged_by=judgement.judged_by, share=share, error=error, is_leading=is_leading)

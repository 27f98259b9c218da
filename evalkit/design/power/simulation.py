"""Power by simulation: placebo treated sets from before the programme, an effect added, the design's own test."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evalkit.core.arrays import Floats, Ints
from evalkit.core.draws import stream
from evalkit.core.errors import DesignError
from evalkit.core.quantities import Interval, IntervalOrReason, Quantity, Unavailable
from evalkit.design.power.mdes import FEWEST_PLACEBOS


@dataclass(frozen=True, slots=True)
class PowerPoint:
    """The share of placebo sets in which the test finds an effect of that size, with its Monte Carlo error."""

    effect: float
    power: float
    monte_carlo_error: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedPower:
    """Power at a grid of effects, and the effect with the power asked for.

    Attributes
    ----------
    curve : power at each effect, the first at 0: the share of false alarms
    effect : effect found with the power asked for, in points, or why there is none
    effect_interval : its Monte Carlo interval at 95%, from the order statistics of the draws
    power : the power asked for
    n_draws : placebo treated sets
    is_every_set : whether every possible set was used, so that nothing was drawn
    """

    curve: tuple[PowerPoint, ...]
    effect: Quantity
    effect_interval: IntervalOrReason
    power: float
    n_draws: int
    is_every_set: bool


def simulated_power(
    placebo: Floats, critical: Floats, effects: Sequence[float], power: float = 0.8, is_every_set: bool = False
) -> SimulatedPower:
    """Return the power of a test with known critical values on placebo treated sets.

    Parameters
    ----------
    placebo : shape (D,)
        Effect of each placebo set on changes before the programme, where there is none.
    critical : shape (D,)
        |effect| that the design's own test needs with that set treated; infinite where it can never reject.
    effects : sequence of float
        Effects added, in points.
    power : float
        Power asked for.

    Returns
    -------
    SimulatedPower
        power(δ) = share of |placebo + δ| > critical. Its Monte Carlo error is √(p(1 − p)/(D + 4)) with two sets more of
        either kind in p (Agresti and Coull, 1998), so that all of few sets are no certainty. The effect with a power q
        is the q-quantile of critical − placebo, so that findings of the wrong sign do not count as power.
    """
    if not 0 < power < 1:
        raise DesignError(f"The power asked for lies between 0 and 1, not at {power}.")
    n = len(placebo)
    if n == 0 or placebo.shape != critical.shape or not np.isfinite(placebo).all():
        raise DesignError("Simulated power needs placebo sets, each with an effect and a critical value.")
    curve = tuple(_point(placebo, critical, float(effect)) for effect in effects)
    few = Unavailable(f"Only {n} placebo sets could be formed before the programme; {FEWEST_PLACEBOS} are needed.")
    effect, interval = (few, few) if n < FEWEST_PLACEBOS else _quantile(critical - placebo, power)
    return SimulatedPower(
        curve=curve, effect=effect, effect_interval=interval, power=power, n_draws=n, is_every_set=is_every_set
    )


def _point(placebo: Floats, critical: Floats, effect: float) -> PowerPoint:
    n_found, n = int((np.abs(placebo + effect) > critical).sum()), len(placebo)
    adjusted = (n_found + 2) / (n + 4)
    return PowerPoint(effect, n_found / n, math.sqrt(adjusted * (1 - adjusted) / (n + 4)))


def _quantile(needed: Floats, power: float) -> tuple[Quantity, IntervalOrReason]:
    """Return the least effect found in that share of sets, with the interval between order statistics around it."""
    ordered, n = np.sort(needed), len(needed)
    at = math.ceil(power * n) - 1
    if not math.isfinite(ordered[at]):
        never = Unavailable("With so few sets to compare with, the test cannot reject at this level.")
        return never, never
    reach = 1.96 * math.sqrt(n * power * (1 - power))
    low, high = max(math.floor(power * n - reach) - 1, 0), math.ceil(power * n + reach) - 1
    if high >= n or not math.isfinite(ordered[high]):
        return float(ordered[at]), Unavailable("Too few placebo sets for a Monte Carlo interval.")
    return float(ordered[at]), Interval(float(ordered[low]), float(ordered[high]), 0.95)


def placebo_sets(group: Ints, treated: Sequence[int], usable: Sequence[int], n_sets: int, seed: int) -> list[Ints]:
    """Draw placebo treated sets under the design's constraints: as many areas, and of each as many schools.

    Parameters
    ----------
    group : shape (n,)
        Area of each untreated school.
    treated : sequence of int
        Number of treated schools in each treated area.
    usable : sequence of int
        Areas that may be drawn.
    n_sets, seed : int

    Returns
    -------
    list of arrays of positions in `group`; the areas of a set are all different, larger counts going to areas that
    have room for them. Raises `DesignError` where no such set exists.
    """
    members = {area: np.flatnonzero(group == area) for area in sorted(set(usable))}
    counts_by_group = sorted(treated, reverse=True)
    if not counts_by_group or any(
        sum(len(rows) >= n for rows in members.values()) < at + 1 for at, n in enumerate(counts_by_group)
    ):
        raise DesignError("No untreated area has as many schools as a treated one, so no placebo set can be drawn.")
    rng = stream(seed, "power: placebo sets")
    return [_one_set(members, counts_by_group, rng) for _ in range(n_sets)]


def _one_set(members: dict[int, Ints], wanted: Sequence[int], rng: np.random.Generator) -> Ints:
    """Return one set: areas at random for the largest count first, then schools at random within each."""
    left, chosen = sorted(members), []
    for n in wanted:
        roomy = [area for area in left if len(members[area]) >= n]
        area = roomy[int(rng.integers(len(roomy)))]
        left.remove(area)
        chosen.append(rng.choice(members[area], size=n, replace=False))
    return np.sort(np.concatenate(chosen))

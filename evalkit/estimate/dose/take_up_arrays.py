"""Anderson–Rubin sets: the effects of taking part that a test does not reject, whatever shape they have."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from evalkit.core.arrays import Bools, Floats
from evalkit.estimate.areas.changes_arrays import TIE

Shape = Literal["interval", "two rays", "whole line", "ray", "pieces", "empty"]


@dataclass(frozen=True, slots=True)
class AndersonRubinSet:
    """The values of an effect that are not rejected at 1 − level: `parts` in order, their ends possibly infinite."""

    parts: tuple[tuple[float, float], ...]
    level: float

    @property
    def shape(self) -> Shape:
        """Return what the set looks like."""
        if not self.parts:
            return "empty"
        low, high = math.isfinite(self.parts[0][0]), math.isfinite(self.parts[-1][1])
        if len(self.parts) == 1:
            return "interval" if low and high else "ray" if low or high else "whole line"
        return "two rays" if len(self.parts) == 2 and not low and not high else "pieces"

    def __contains__(self, value: float) -> bool:
        return any(low <= value <= high for low, high in self.parts)


def quadratic_set(
    effect: tuple[float, float], variance: tuple[float, float, float], critical: float, level: float
) -> AndersonRubinSet:
    """Return {τ : (g − τπ)² ≤ critical · V(g − τπ)}, from errors of a joint regression (Anderson and Rubin, 1949).

    Parameters
    ----------
    effect : g, the effect on the outcome, and π, that on taking part
    variance : of g, of g with π, and of π
    critical : quantile of F(1, df) or χ²(1)
    level : of the set

    With A = π² − critical V_ππ, B = −2(gπ − critical V_gπ), C = g² − critical V_gg the set is {Aτ² + Bτ + C ≤ 0}: an
    interval where A > 0, else two rays or the whole line. A grid would find finite ends where there are none.
    """
    g, p = effect
    v_g, v_gp, v_p = variance
    a, b, c = p**2 - critical * v_p, -2 * (g * p - critical * v_gp), g**2 - critical * v_g
    inner = b**2 - 4 * a * c
    if a == 0:
        return AndersonRubinSet(_half_line(b, c), level)
    if inner <= 0:
        return AndersonRubinSet(((-math.inf, math.inf),) if a < 0 else ((-b / (2 * a),) * 2,), level)
    low, high = sorted((-b + sign * math.sqrt(inner)) / (2 * a) for sign in (-1.0, 1.0))
    return AndersonRubinSet(((low, high),) if a > 0 else ((-math.inf, low), (high, math.inf)), level)


def _half_line(b: float, c: float) -> tuple[tuple[float, float], ...]:
    if b == 0:
        return ((-math.inf, math.inf),) if c <= 0 else ()
    return ((-math.inf, -c / b),) if b > 0 else ((-c / b, math.inf),)


def placed_p(value: float, own: tuple[float, float], others: tuple[Floats, Floats], weights: Floats) -> float:
    """Return p(τ) = [1 + Σ w 1(|T_j − τπ_j| ≥ |T − τπ|)] / [1 + Σ w], each set with its own difference of taking part.

    Parameters
    ----------
    value : τ
    own : T and π of the listed
    others : T_j and π_j of sets in their place, each of shape (d,)
    weights : shape (d,)
    """
    reach = abs(own[0] - value * own[1])
    size = np.abs(others[0] - value * others[1])
    return float((1.0 + weights[size >= reach - TIE].sum()) / (1.0 + weights.sum()))


def placed_set(
    own: tuple[float, float], others: tuple[Floats, Floats], weights: Floats, level: float
) -> AndersonRubinSet:
    """Return {τ : p(τ) > 1 − level}, p as in `placed_p` (de Chaisemartin and D'Haultfœuille, 2018, for T_j − τπ_j).

    Set j counts where (T_j − τπ_j)² ≥ (T − τπ)², whose roots are (T − T_j)/(π − π_j) and (T + T_j)/(π + π_j): between
    them where |π_j| < |π|, outside them where it is larger. So p is a step function whose steps are known, and its set
    follows exactly, also where it is not connected. Arguments as of `placed_p`.
    """
    places, steps, always = _events(own, others, weights)
    total, alpha = 1.0 + float(weights.sum()), 1 - level
    order = np.argsort(places, kind="stable")
    ends, running = places[order], 1.0 + always + np.concatenate([[0.0], np.cumsum(steps[order])])
    kept = running > alpha * total + 1e-9
    bounds = np.concatenate([[-math.inf], ends, [math.inf]])
    return AndersonRubinSet(_joined(bounds, kept), level)


def _events(own: tuple[float, float], others: tuple[Floats, Floats], weights: Floats) -> tuple[Floats, Floats, float]:
    """Return where sets begin (+w) and cease (−w) to count on the way from −∞ to ∞, and the weight that does at −∞."""
    (t, p), (t_j, p_j) = own, others
    bend = p_j**2 - p**2
    is_flat = np.abs(bend) <= TIE * max(p**2, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        first, second = (t - t_j) / (p - p_j), (t + t_j) / (p + p_j)
        lean, level = 2 * (t * p - t_j * p_j), t_j**2 - t**2
        turn = -level / lean
    low, high = np.minimum(first, second), np.maximum(first, second)
    sign = np.where(bend < 0, weights, -weights)
    curved, tilted = ~is_flat, is_flat & (np.abs(lean) > TIE)
    places = np.concatenate([low[curved], high[curved], turn[tilted]])
    steps = np.concatenate([sign[curved], -sign[curved], np.sign(lean[tilted]) * weights[tilted]])
    is_on = np.where(is_flat, np.where(tilted, lean < 0, level >= -TIE), bend > 0)
    return places, steps, float(weights[is_on].sum())


def _joined(bounds: Floats, kept: Bools) -> tuple[tuple[float, float], ...]:
    """Return the stretches between bounds that are kept, joined where they meet; those of no width are left out."""
    finite = bounds[np.isfinite(bounds)]
    grain = 1e-12 * float(np.abs(finite).max(initial=1.0))
    found: list[tuple[float, float]] = []
    for at in np.flatnonzero(kept).tolist():
        low, high = float(bounds[at]), float(bounds[at + 1])
        if high - low <= grain:
            continue
        if found and low - found[-1][1] <= grain:
            found[-1] = (found[-1][0], high)
        else:
            found.append((low, high))
    return tuple(found)

"""Numerical kernels of a regression's sensitivity to what was left out: arrays in, numbers out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evalkit.core.arrays import Floats
from evalkit.core.errors import DesignError
from evalkit.estimate.least_squares_arrays import orthonormal

_NOTHING = 1e-10
"""A share of variance below this is rounding."""


@dataclass(frozen=True, slots=True, eq=False)
class Residuals:
    """Outcome and treatment, less their projections on the constant and covariates, as weighted rows.

    Attributes
    ----------
    outcome, treated : shape (n,), times √weight
    total_outcome, total_treated : sums of squares around the weighted means
    df : rows less the rank of covariates, constant and treatment
    """

    outcome: Floats
    treated: Floats
    total_outcome: float
    total_treated: float
    df: int

    @property
    def slope(self) -> float:
        """Return the coefficient of the treatment."""
        return float(self.treated @ self.outcome / (self.treated @ self.treated))

    @property
    def unexplained(self) -> float:
        """Return the sum of squares left of the outcome when treatment and covariates are taken out."""
        return float(((self.outcome - self.slope * self.treated) ** 2).sum())

    @property
    def std_error(self) -> float:
        """Return the classical standard error of the slope."""
        return float(np.sqrt(self.unexplained / self.df / (self.treated @ self.treated)))


def residuals(outcome: Floats, is_treated: Floats, columns: Floats, weight: Floats) -> Residuals:
    """Return what covariates (n, k) leave of outcome (n,) and treatment (n,); collinear columns count once.

    Raise `DesignError` where too few rows are left, or covariates say who was treated.
    """
    root = np.sqrt(weight)
    constant = root / np.sqrt(weight.sum())
    rows = np.column_stack([outcome, is_treated, columns]) * root[:, None]
    length = np.sqrt((rows**2).sum(axis=0))
    centred = rows - np.outer(constant, constant @ rows)
    basis = orthonormal(centred[:, 2:], length[2:])
    uncorrelated = centred[:, :2]
    for _ in range(2):  # twice, so that rounding leaves nothing of the covariates
        uncorrelated = uncorrelated - basis @ (basis.T @ uncorrelated)
    df = len(outcome) - basis.shape[1] - 2
    total = (centred[:, :2] ** 2).sum(axis=0)
    if df < 2:
        raise DesignError(f"{len(outcome)} units are too few for a regression on {basis.shape[1]} covariates.")
    if (uncorrelated[:, 1] ** 2).sum() <= _NOTHING * max(total[1], length[1] ** 2):
        raise DesignError("The covariates say exactly who took part, so a regression cannot tell the two apart.")
    if (uncorrelated[:, 0] ** 2).sum() <= _NOTHING * max(total[0], 1e-12 * length[0] ** 2):
        raise DesignError("The covariates explain the outcome entirely, so nothing is left for a regression.")
    left = Residuals(uncorrelated[:, 0], uncorrelated[:, 1], float(total[0]), float(total[1]), df)
    if left.unexplained <= _NOTHING * (uncorrelated[:, 0] ** 2).sum():
        raise DesignError("Who took part and the covariates explain the outcome entirely, so that no error exists.")
    return left


def correlations(columns: Floats, weight: Floats) -> Floats:
    """Return the weighted correlations of columns (n, k), shape (k, k); 0 with a column that does not vary."""
    share = weight / weight.sum()
    centred = (columns - share @ columns) * np.sqrt(share)[:, None]
    length = np.sqrt((centred**2).sum(axis=0))
    flat = length <= _NOTHING * np.sqrt(share @ columns**2)
    scaled = centred / np.where(flat, 1.0, length)
    scaled[:, flat] = 0.0
    return np.asarray(scaled.T @ scaled)


def partial_r2(among: Floats, target: int, block: Sequence[int], rest: Sequence[int]) -> float:
    """Return the share of what `rest` leaves of a target that `block` explains; positions in correlations `among`."""
    without = _unexplained(among, target, rest)
    if without <= _NOTHING:
        return 0.0
    return max(1 - _unexplained(among, target, [*rest, *block]) / without, 0.0)


def _unexplained(among: Floats, target: int, known: Sequence[int]) -> float:
    """Return the share of a target that columns leave; collinear ones count once."""
    if not len(known):
        return 1.0
    values, vectors = np.linalg.eigh(among[np.ix_(known, known)])
    kept = values > 1e-10 * values[-1]
    along = among[target, known] @ vectors[:, kept]
    return float(max(1 - (along**2 / values[kept]).sum(), 0.0))


def robustness(f: float, f_needed: float) -> float:
    """Return the robustness value for a partial f of the effect and the f that significance needs (0: none).

    ½(√(g⁴ + 4g²) − g²) with g = f − f_needed, or (f² − f_needed²)/(1 + f²) where the bound on the outcome's
    side binds (Cinelli and Hazlett, 2020, section 4.2).
    """
    if f <= f_needed:
        return 0.0
    if f_needed > 0 and f > 1 / f_needed:
        return float((f**2 - f_needed**2) / (1 + f**2))
    g2 = (f - f_needed) ** 2
    return float((np.sqrt(g2**2 + 4 * g2) - g2) / 2)


def benchmark_strength(times: float, r2_treated: float, r2_outcome: float) -> tuple[float, float]:
    """Return the partial R² with treatment and with outcome of something `times` as strong as a covariate.

    `r2_treated` is the covariate's partial R² with the treatment given the other covariates, `r2_outcome` that
    with the outcome given treatment and the others (Cinelli and Hazlett, 2020, section 4.4). Either share
    may come out at 1 or more: nothing can be so strong.
    """
    with_treated = times * r2_treated / (1 - r2_treated)
    room = (1 - times * r2_treated) * (1 - r2_treated)
    if with_treated >= 1 or room <= 0:
        return with_treated, 1.0
    shared = times * r2_treated**2 / room
    if shared >= 1:
        return with_treated, 1.0
    eta = (np.sqrt(times) + np.sqrt(shared)) / np.sqrt(1 - shared)
    return with_treated, float(eta**2 * r2_outcome / (1 - r2_outcome))


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """How covariates move a slope, with the variances that Oster's formulas need.

    Attributes
    ----------
    plain, adjusted : slopes without and with covariates
    r2_plain, r2_adjusted : R² of the two regressions
    outcome, treated : variances of outcome and treatment
    left : variance of what covariates leave of the treatment
    """

    plain: float
    adjusted: float
    r2_plain: float
    r2_adjusted: float
    outcome: float
    treated: float
    left: float


def delta_for(movement: Movement, target: float, r2_most: float) -> float | None:
    """Return the relative strength of selection at which the slope is `target`; None where none gives it.

    With v = adjusted − target, D = plain − adjusted, s² and t² the variance of the treatment and what covariates
    leave of it, a = (R² − R₀²)σ² and b = (R²most − R²)σ² (Oster, 2019, proposition 3):
    δ = v t²[a + (D + v)²s² − v²t²] / {(b + v²t²)[(D + v)s² − v t²]}.
    """
    v, moved = movement.adjusted - target, movement.plain - movement.adjusted
    gain = (movement.r2_adjusted - movement.r2_plain) * movement.outcome
    room = (r2_most - movement.r2_adjusted) * movement.outcome
    hidden = room + v**2 * movement.left
    seen = (moved + v) * movement.treated - v * movement.left
    if hidden <= 0 or abs(seen) <= 1e-12 * (abs(moved) + abs(v)) * movement.treated:
        return None
    return float(
        v * movement.left * (gain + (moved + v) ** 2 * movement.treated - v**2 * movement.left) / hidden / seen
    )


def slopes_for(movement: Movement, delta: float, r2_most: float) -> list[float]:
    """Return every slope that selection of relative strength `delta` allows, nearest to the adjusted one first.

    Roots of the cubic that `delta_for` turns into when solved for v (Oster, 2019, proposition 2), those left out
    under which covariates' true index would go with treatment in the other direction than its estimate does.
    """
    moved, s2, t2 = movement.plain - movement.adjusted, movement.treated, movement.left
    gain = (movement.r2_adjusted - movement.r2_plain) * movement.outcome
    room = (r2_most - movement.r2_adjusted) * movement.outcome
    scale = math.sqrt(movement.outcome / s2)  # so that coefficients are of one size
    d, a, b, t = moved / scale, gain / movement.outcome, room / movement.outcome, t2 / s2
    cubic = [
        (1 - delta) * (t - t**2),
        (2 - delta) * t * d,
        t * (a + d**2) - delta * b * (1 - t),
        -delta * b * d,
    ]
    roots = np.roots(np.trim_zeros(np.where(np.abs(cubic) > 1e-14, cubic, 0.0), "f"))
    real = [float(root.real) for root in roots if abs(root.imag) <= 1e-9 * max(1.0, abs(root))]
    kept = [v for v in real if d == 0 or (d + v * (1 - t)) * d > 0]
    return [float(movement.adjusted - v * scale) for v in sorted(kept, key=abs)]

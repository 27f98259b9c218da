"""How strong a hidden bias in who took part would have to be to explain a difference between matched pairs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from scipy import special

from evalkit.core.arrays import Floats
from evalkit.core.draws import LEVEL, require_level
from evalkit.core.errors import DesignError
from evalkit.core.formats import level_text, number, p_equals, visible
from evalkit.core.quantities import Quantity, Unavailable
from evalkit.core.sentence import Count, Sentence, count
from evalkit.design.matching.matched import MatchedDesign
from evalkit.diagnose.finding import Finding, Verdict, statement

Tail = Literal["exact", "normal"]
GAMMAS: Final = (1.0, 1.1, 1.2, 1.3, 1.5, 2.0, 3.0)
_LARGEST: Final = 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class GammaBounds:
    """What holds if hidden bias changes the odds of taking part within a pair by up to `gamma` times.

    `p_lower` and `p_upper` bound the one-sided p-value in the direction of the difference; `effect_lower` and
    `effect_upper` bound the Hodges–Lehmann estimate, in units of the outcome.
    """

    gamma: float
    p_lower: float
    p_upper: float
    effect_lower: float
    effect_upper: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RosenbaumBounds:
    """Bounds by the strength of a hidden bias, and the strength at which significance is lost.

    Attributes
    ----------
    n_pairs, n_ties : pairs, and those of them that do not differ (left out of the test, kept in the estimate)
    is_higher : whether the treated are higher, the direction that is tested
    tail : how p-values were found: the exact distribution, or its normal approximation
    rows : bounds for each gamma asked for
    gamma_lost : the gamma at which the upper p-value reaches (1 − level)/2, or why there is none
    """

    n_pairs: int
    n_ties: int
    is_higher: bool
    tail: Tail
    level: float
    rows: tuple[GammaBounds, ...]
    gamma_lost: Quantity

    @property
    def sentence(self) -> str:
        """Return what a reader needs to know."""
        if isinstance(self.gamma_lost, Unavailable):
            return self.gamma_lost.reason
        return (
            "Two units that look alike would have to differ in their odds of taking part by a factor of "
            f"{number(self.gamma_lost)}, because of something not measured that also decides which of them does "
            f"better, before the difference could be put down to that (at the {level_text(self.level)} level); a "
            "weaker hidden bias could not explain it."
        )

    @property
    def finding(self) -> Finding:
        """Return the measure as a statement: how much bias an effect withstands grows with the effect."""
        if isinstance(self.gamma_lost, Unavailable):
            return Finding("hidden_bias", Verdict.NOT_ASSESSABLE, self.gamma_lost, self.sentence)
        return statement("hidden_bias", self.gamma_lost, self.sentence)


def rosenbaum_bounds(
    differences: Floats,
    gammas: Sequence[float] = GAMMAS,
    level: float = LEVEL,
    tail: Tail | None = None,
) -> RosenbaumBounds:
    """Return how far a difference between matched pairs withstands hidden bias (Rosenbaum, 2002, chapter 4).

    Wilcoxon's signed-rank test and the Hodges–Lehmann estimate, each at the worst that a bias of gamma can do.

    Parameters
    ----------
    differences : shape (n_pairs,)
        Treated minus comparison, in units of the outcome.
    gammas : numbers from 1 on
    level : significance is lost where the one-sided p-value exceeds (1 − level)/2
    tail : "exact" or "normal"; by default exact up to 100 pairs that differ

    Raises
    ------
    DesignError
        Without pairs that differ, for a gamma below 1, or for the exact distribution of more than 100 pairs.
    """
    differences = np.asarray(differences, dtype=float)
    _require(differences, gammas, level)
    is_higher = shift_at(differences, 0.5) >= 0
    towards = differences if is_higher else -differences
    total, ranks = signed_ranks(towards)
    tail = tail or ("exact" if len(ranks) <= MOST_EXACT else "normal")
    if tail == "exact" and len(ranks) > MOST_EXACT:
        raise DesignError(f"The exact distribution is for up to {MOST_EXACT} pairs. Use the normal approximation.")
    shape = upper_tail_exact if tail == "exact" else upper_tail_normal

    def p_at(chance: float) -> float:
        return shape(total, ranks, chance)

    return RosenbaumBounds(
        n_pairs=len(differences),
        n_ties=len(differences) - len(ranks),
        is_higher=is_higher,
        tail=tail,
        level=level,
        rows=tuple(_row(differences, gamma, p_at) for gamma in gammas),
        gamma_lost=_gamma_lost(p_at, (1 - level) / 2),
    )


def pair_differences(design: MatchedDesign, outcome: Floats) -> tuple[Floats, int]:
    """Return treated minus comparison for each pair, and how many pairs lack an outcome.

    `outcome` has shape (n_units,) in the baseline's order, NaN where missing. Raise `DesignError` where the
    design is not one of pairs in which each unit stands once.
    """
    pairs = design.pairs
    if pairs is None:
        raise DesignError("Bounds on hidden bias within pairs need matched pairs; this method makes none.")
    for units in (pairs.treated, pairs.comparison):
        if len(np.unique(units)) < len(units):
            raise DesignError(
                "Bounds on hidden bias within pairs need pairs in which each unit stands once: one comparison unit for "
                "each treated unit, without replacement."
            )
    differences = outcome[pairs.treated] - outcome[pairs.comparison]
    known = np.isfinite(differences)
    return differences[known], int((~known).sum())


def _require(differences: Floats, gammas: Sequence[float], level: float) -> None:
    if not np.isfinite(differences).all():
        raise DesignError("A difference between partners is missing. Leave pairs without an outcome out.")
    if not (differences != 0).any():
        raise DesignError("There is no pair whose partners differ in the outcome, so there is nothing to bound.")
    for gamma in gammas:
        if not 1 <= gamma < _LARGEST:
            raise DesignError(f"Gamma is a ratio of odds from 1 (no hidden bias) on, not {gamma:g}.")
    require_level(level)


def _row(differences: Floats, gamma: float, p_at: Callable[[float], float]) -> GammaBounds:
    least, most = 1 / (1 + gamma), gamma / (1 + gamma)
    return GammaBounds(
        gamma=float(gamma),
        p_lower=p_at(least),
        p_upper=p_at(most),
        effect_lower=shift_at(differences, most),
        effect_upper=shift_at(differences, least),
    )


def _gamma_lost(p_at: Callable[[float], float], limit: float) -> Quantity:
    """Return the gamma at which the worst p-value equals `limit`: it grows with gamma without a break."""
    from scipy import optimize

    def beyond(log_gamma: float) -> float:
        return p_at(1 / (1 + math.exp(-log_gamma))) - limit

    at_one = p_at(0.5)
    if at_one >= limit:
        return Unavailable(
            "Without any hidden bias chance alone could explain the difference between partners (signed-rank test, "
            f"two-sided {p_equals(min(2 * at_one, 1.0))}), so there is no finding for a hidden bias to overturn."
        )
    if beyond(math.log(_LARGEST)) < 0:
        return Unavailable(f"No hidden bias with a ratio of odds under {_LARGEST:,.0f} could explain the difference.")
    # In log gamma, where the worst p-value rises evenly enough for the bracket to be wide.
    return float(math.exp(optimize.brentq(beyond, 0.0, math.log(_LARGEST), xtol=1e-12)))


def bounds_note(bounds: RosenbaumBounds, n_lost: int = 0) -> Sentence:
    """Return how the bounds were made, for the foot of a table."""
    how = "exactly" if bounds.tail == "exact" else "by the normal approximation"
    some = Sentence(" {n} without a difference are left out of the test.", n=_pairs(bounds.n_ties, bounds.n_pairs))
    lacking = Sentence(" {n} lack an outcome.", n=_pairs(n_lost))
    first = bounds.rows[0] if bounds.rows else None
    best = f" Estimate at gamma {visible(first.gamma, 1)}: {visible(first.effect_lower)}." if first else ""
    direction = "higher" if bounds.is_higher else "lower"
    tested = f"one-sided p-values that the treated are {direction}, {how}"
    return Sentence(
        "{pairs}; {tested}.{ties}{lost}{best}",
        pairs=_pairs(bounds.n_pairs),
        tested=tested,
        ties=some if bounds.n_ties else "",
        lost=lacking if n_lost else "",
        best=best,
    )


def _pairs(n: int, among: int | None = None) -> Count:
    return count(n, "units", "pair", among=among)


# Numerical kernels of sensitivity to hidden bias in matched pairs: arrays in, numbers out.


MOST_EXACT = 100
"""With more pairs than this the exact distribution differs from the normal by less than anyone reads."""


def signed_ranks(differences: Floats) -> tuple[float, Floats]:
    """Return Wilcoxon's sum of the ranks of positive differences and all ranks, shape (n_not_zero,).

    Zeros are left out; equal sizes share their mean rank.
    """
    moved = differences[differences != 0]
    # scipy.stats ranks alike, and takes half a second to load.
    _, place, n_equal = np.unique(np.abs(moved), return_inverse=True, return_counts=True)
    ranks = (np.cumsum(n_equal) - (n_equal - 1) / 2)[place]
    return float(ranks[moved > 0].sum()), ranks


def upper_tail_normal(total: float, ranks: Floats, chance: float) -> float:
    """Return P(T ≥ total) for T a sum of ranks, each in it with `chance`, by the normal approximation.

    Mean and variance are chance·Σr and chance(1 − chance)·Σr² (Rosenbaum, 2002, section 4.3), which hold with ties.
    """
    spread = np.sqrt(chance * (1 - chance) * (ranks**2).sum())
    return float(special.ndtr(-(total - chance * ranks.sum()) / spread))


def upper_tail_exact(total: float, ranks: Floats, chance: float) -> float:
    """Return P(T ≥ total) for T a sum of ranks, each in it with `chance`, exactly; up to `MOST_EXACT` ranks.

    Mean ranks are halves at finest, so that sums of twice the ranks are whole numbers.
    """
    steps = np.rint(2 * ranks).astype(int)
    mass = np.zeros(int(steps.sum()) + 1)
    mass[0], reached = 1.0, 0
    for step in steps:
        # One convolution a rank, over the sums reached so far.
        with_it = mass[: reached + 1] * chance
        mass[: reached + 1] *= 1 - chance
        reached += int(step)
        mass[step : reached + 1] += with_it
    return float(min(mass[round(2 * total) :].sum(), 1.0))


def shift_at(differences: Floats, chance: float) -> float:
    """Return the shift of all differences at which the signed-rank sum equals its mean under `chance`.

    That sum, ranks taken after the shift, is the number of averages of two differences (a difference with itself
    among them) above the shift. The answer is the middle of the shifts that fit (Hodges and Lehmann, 1963;
    Rosenbaum, 1993). Averages are never stored: O(n log n) for each of some 60 halvings.
    """
    ordered = np.sort(differences)
    n_above = chance * len(ordered) * (len(ordered) + 1) / 2
    whole = round(n_above)
    if abs(n_above - whole) > 1e-9 * max(n_above, 1.0):
        return _average_above(ordered, int(np.floor(n_above)))
    return (_average_above(ordered, whole) + _average_above(ordered, whole - 1)) / 2


def _average_above(ordered: Floats, n_above: int) -> float:
    """Return the smallest shift with at most `n_above` averages of two differences above it."""
    low, high = float(ordered[0]), float(ordered[-1])
    if _n_averages_above(ordered, low) <= n_above:
        return low
    span = high - low
    while high - low > 1e-13 * span and low < (middle := (low + high) / 2) < high:
        if _n_averages_above(ordered, middle) <= n_above:
            high = middle
        else:
            low = middle
    return high


def _n_averages_above(ordered: Floats, shift: float) -> int:
    pairs = int((len(ordered) - np.searchsorted(ordered, 2 * shift - ordered, side="right")).sum())
    return (pairs + int((ordered > shift).sum())) // 2

"""How reliable a scale is, and how far raters agree: alpha, omega, intraclass correlations, weighted kappa."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from evalkit.core.arrays import Bools, Floats, Ints
from evalkit.core.draws import LEVEL, require_level
from evalkit.core.quantities import Interval, IntervalOrReason, Quantity, Unavailable
from evalkit.core.scipy_parts import special

FEWEST_ANSWERS: Final = 10
"""Fewest complete answers of which a reliability is estimated."""
FEWEST_FOR_OMEGA: Final = 3
"""Items from which one factor can be told."""
FEWEST_SCHOOLS: Final = 6
"""Fewest schools of an interval by schools."""
_LOST: Final = 0.05
"""Share of draws that may give no number; beyond it the draws give no interval."""
_FLOOR: Final = 0.005
"""Smallest share of an item's variance that is its own: the bound of the fit."""
_STEPS: Final = 5_000
_CLOSE: Final = 1e-11
_CLOSE_IN_DRAWS: Final = 1e-6
_SAME: Final = Unavailable("All answers are the same, so that nothing varies together.")
_FEW: Final = Unavailable(f"Fewer than {FEWEST_ANSWERS} complete answers.")
_ONE_ITEM: Final = Unavailable("A scale of one item has no internal consistency.")
_TWO_ITEMS: Final = Unavailable("One factor cannot be told from two items; alpha is given.")
_NO_FIT: Final = Unavailable("The one-factor model did not settle.")


# Internal consistency.


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reliability:
    """What a scale's items have in common, from complete answers.

    Attributes
    ----------
    n : complete answers
    alpha : Cronbach's alpha, of raw items
    feldt : Feldt's (1965) interval of alpha, each respondent taken as independent
    omega : McDonald's omega total of one factor
    at_bound : whether an item's own variance stands at the bound of the fit (a Heywood case)
    item_rest : correlation of each item with the sum of the others, shape (k,); NaN where an item does not vary
    alpha_without : alpha without each item, shape (k,)
    """

    n: int
    alpha: Quantity
    feldt: IntervalOrReason
    omega: Quantity
    at_bound: bool
    item_rest: Floats
    alpha_without: Floats


def reliability(answers: Floats, level: float = LEVEL) -> Reliability:
    """Return alpha, omega and what each item does to the scale, from complete answers, shape (n, k).

    Alpha is k/(k − 1)·(1 − Σ variances / variance of the sum) (Cronbach, 1951), its interval
    1 − (1 − alpha)·F with n − 1 and (n − 1)(k − 1) degrees of freedom (Feldt, 1965). Omega total (McDonald, 1999) is
    (Σλ)²/((Σλ)² + Σψ) with loadings λ and own variances ψ of one factor fitted to the covariance matrix of the raw
    items by maximum likelihood.
    """
    n, k = answers.shape
    nothing = np.full(k, np.nan)
    reason = _ONE_ITEM if k < 2 else _FEW if n < FEWEST_ANSWERS else None
    cov = np.atleast_2d(np.cov(answers, rowvar=False)) if reason is None else np.zeros((k, k))
    if reason is None and not cov.sum() > 0:
        reason = _SAME
    if reason is not None:
        return Reliability(
            n=n, alpha=reason, feldt=reason, omega=reason, at_bound=False, item_rest=nothing, alpha_without=nothing
        )
    alpha = float(alpha_of(cov[None])[0])
    omega, at_bound = omega_of(cov[None], _CLOSE)
    two = k < FEWEST_FOR_OMEGA
    return Reliability(
        n=n,
        alpha=alpha,
        feldt=feldt_interval(alpha, n, k, level),
        omega=_TWO_ITEMS if two else float(omega[0]) if np.isfinite(omega[0]) else _NO_FIT,
        at_bound=bool(at_bound[0]) and not two,
        item_rest=_item_rest(cov),
        alpha_without=nothing if two else _alpha_without(cov),
    )


def alpha_of(cov: Floats) -> Floats:
    """Return Cronbach's alpha of covariance matrices, shape (m, k, k): (m,), NaN where the sum does not vary.

    >>> round(float(alpha_of(np.array([[[1.0, 0.5], [0.5, 1.0]]]))[0]), 4)
    0.6667
    """
    k = cov.shape[-1]
    total = cov.sum(axis=(-2, -1))
    own = np.trace(cov, axis1=-2, axis2=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = k / (k - 1) * (1 - own / total)
    return np.where(total > 0, found, np.nan)


def feldt_interval(alpha: float, n: int, k: int, level: float = LEVEL) -> Interval:
    """Return Feldt's (1965) interval of alpha of `n` respondents to `k` items."""
    require_level(level)
    tail, df = (1 - level) / 2, (n - 1, (n - 1) * (k - 1))
    low, high = (1 - (1 - alpha) * float(special.fdtri(*df, q)) for q in (1 - tail, tail))
    return Interval(low, high, level)


def _alpha_without(cov: Floats) -> Floats:
    k = len(cov)
    keep = [np.delete(np.arange(k), item) for item in range(k)]
    return alpha_of(np.stack([cov[np.ix_(rest, rest)] for rest in keep]))


def _item_rest(cov: Floats) -> Floats:
    """Return the correlation of each item with the sum of the others, from cov(x_i, sum − x_i)."""
    own = np.diag(cov)
    with_rest = cov.sum(axis=1) - own
    rest = cov.sum() - 2 * cov.sum(axis=1) + own
    with np.errstate(divide="ignore", invalid="ignore"):
        found = with_rest / np.sqrt(own * rest)
    return np.where((own > 0) & (rest > 0), found, np.nan)


def omega_of(cov: Floats, close: float = _CLOSE_IN_DRAWS) -> tuple[Floats, Bools]:
    """Return omega total of one factor for covariances, shape (m, k, k): (m,), and whether a fit is at its bound.

    Maximum likelihood: given own variances ψ the loadings are ψ^½·e·√(θ − 1) with the largest eigenvalue θ and its
    vector e of ψ^−½ S ψ^−½ (Lawley and Maxwell, 1971), and given the loadings ψ is what they leave of each variance,
    never less than `_FLOOR` of it; the two are repeated until ψ settles to within `close`. NaN where an item does not
    vary, or where it does not settle.
    """
    own = np.einsum("mii->mi", cov)
    fit = (own > 0).all(axis=1) & (cov.shape[-1] >= FEWEST_FOR_OMEGA)
    omega, at_bound = np.full(len(cov), np.nan), np.zeros(len(cov), dtype=bool)
    rows = np.flatnonzero(fit)
    if not len(rows):
        return omega, at_bound
    spread = np.sqrt(own[rows])
    cor = cov[rows] / (spread[:, :, None] * spread[:, None, :])
    unique = np.clip(1 / np.maximum(np.einsum("mii->mi", np.linalg.pinv(cor)), 1.0), _FLOOR, 1.0)
    loading = np.zeros_like(unique)
    open_rows = np.arange(len(rows))
    for _ in range(_STEPS):
        load = _loadings(cor[open_rows], unique[open_rows])
        new = np.clip(1 - load**2, _FLOOR, 1.0)
        moved = np.abs(new - unique[open_rows]).max(axis=1)
        unique[open_rows], loading[open_rows] = new, load
        open_rows = open_rows[moved > close]
        if not len(open_rows):
            break
    load, left = loading * spread, unique * own[rows]
    common = load.sum(axis=1) ** 2
    omega[rows] = common / (common + left.sum(axis=1))
    omega[rows[open_rows]] = np.nan
    at_bound[rows] = (unique <= _FLOOR).any(axis=1)
    return omega, at_bound


def _loadings(cor: Floats, unique: Floats) -> Floats:
    root = np.sqrt(unique)
    values, vectors = np.linalg.eigh(cor / (root[:, :, None] * root[:, None, :]))
    found: Floats = root * vectors[:, :, -1] * np.sqrt(np.maximum(values[:, -1:] - 1, 0.0))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class OverSchools:
    """Percentile intervals of alpha and omega from drawing whole schools again."""

    alpha: IntervalOrReason
    omega: IntervalOrReason
    n_schools: int
    n_draws: int


def over_schools(
    answers: Floats, school: Ints, rng: np.random.Generator, n_draws: int, level: float = LEVEL
) -> OverSchools:
    """Return intervals of alpha and omega that allow for respondents of one school answering alike.

    Parameters
    ----------
    answers : complete answers, shape (n, k)
    school : each respondent's school, 0 … S − 1, shape (n,)
    rng, n_draws : S schools are drawn with replacement, so often
    """
    n_schools = int(school.max()) + 1 if len(school) else 0
    if n_schools < FEWEST_SCHOOLS:
        few = Unavailable(f"No interval: fewer than {FEWEST_SCHOOLS} schools.")
        return OverSchools(alpha=few, omega=few, n_schools=n_schools, n_draws=0)
    k = answers.shape[1]
    centred = answers - answers.mean(axis=0)
    size = np.bincount(school, minlength=n_schools).astype(float)
    sums, squares = np.zeros((n_schools, k)), np.zeros((n_schools, k, k))
    np.add.at(sums, school, centred)
    np.add.at(squares, school, centred[:, :, None] * centred[:, None, :])
    times = rng.multinomial(n_schools, np.full(n_schools, 1 / n_schools), size=n_draws).astype(float)
    n = (times @ size)[:, None]
    mean = times @ sums / n
    cov = np.einsum("ds,sij->dij", times, squares) - n[:, :, None] * mean[:, :, None] * mean[:, None, :]
    cov /= n[:, :, None] - 1
    alpha = _percentiles(alpha_of(cov), level) if k > 1 else _ONE_ITEM
    omega = _percentiles(omega_of(cov)[0], level) if k >= FEWEST_FOR_OMEGA else _TWO_ITEMS
    return OverSchools(alpha=alpha, omega=omega, n_schools=n_schools, n_draws=n_draws)


def _percentiles(draws: Floats, level: float) -> IntervalOrReason:
    held = draws[np.isfinite(draws)]
    if len(held) < (1 - _LOST) * len(draws):
        return Unavailable("No interval: in more than 5% of the draws of schools there is no such number.")
    low, high = np.quantile(held, ((1 - level) / 2, (1 + level) / 2))
    return Interval(float(low), float(high), level)


# How much of what differs lies between schools.


@dataclass(frozen=True, slots=True, kw_only=True)
class OneWay:
    """The intraclass correlation of one-way groups, ICC(1,1): the share of variance that lies between groups."""

    icc: Quantity
    interval: IntervalOrReason
    n_groups: int
    n: int


def one_way_icc(values: Floats, group: Ints, level: float = LEVEL) -> OneWay:
    """Return (MSB − MSW)/(MSB + (n₀ − 1)·MSW), n₀ = (N − Σn²/N)/(S − 1), of values in groups, shape (n,) each.

    It may be negative, where groups differ less than chance would have it. The interval turns that of the ratio of
    mean squares, F with S − 1 and N − S degrees of freedom, exact where groups are equally large (Shrout and Fleiss,
    1979) and close to it where they are not (n₀ stands for their size).

    >>> round(one_way_icc(np.array([1.0, 2, 5, 6]), np.array([0, 0, 1, 1])).icc, 4)
    0.9394
    """
    size = np.bincount(group).astype(float)
    size, n = size[size > 0], float(len(values))
    n_groups = len(size)
    reason = (
        Unavailable("Fewer than two schools.")
        if n_groups < 2
        else Unavailable("No school has two answers.")
        if n <= n_groups
        else None
    )
    if reason is not None:
        return OneWay(icc=reason, interval=reason, n_groups=n_groups, n=int(n))
    means = np.bincount(group, values)[np.bincount(group) > 0] / size
    between = float((size * (means - values.mean()) ** 2).sum()) / (n_groups - 1)
    full = np.bincount(group, values) / np.maximum(np.bincount(group), 1)
    within = float(((values - full[group]) ** 2).sum()) / (n - n_groups)
    n0 = (n - float((size**2).sum()) / n) / (n_groups - 1)
    if not between + within > 0:
        return OneWay(icc=_SAME, interval=_SAME, n_groups=n_groups, n=int(n))
    icc = (between - within) / (between + (n0 - 1) * within)
    interval = _from_ratio(between, within, (n_groups - 1, n - n_groups), n0, level)
    return OneWay(icc=icc, interval=interval, n_groups=n_groups, n=int(n))


def _from_ratio(above: float, below: float, df: tuple[float, float], k: float, level: float) -> IntervalOrReason:
    """Return the interval of (F − 1)/(F + k − 1) from that of a ratio of mean squares."""
    if not below > 0:
        return Unavailable("No interval: answers of one school do not differ.")
    tail, ratio = (1 - level) / 2, above / below
    ends = ratio / float(special.fdtri(*df, 1 - tail)), ratio * float(special.fdtri(*df[::-1], 1 - tail))
    low, high = ((end - 1) / (end + k - 1) for end in ends)
    return Interval(low, high, level)


# Agreement between raters.


@dataclass(frozen=True, slots=True, kw_only=True)
class RaterIccs:
    """Intraclass correlations of raters who all rated all targets.

    `agreement` is ICC(2,1), of raters drawn from many, whose level counts as disagreement; `consistency` ICC(3,1), of
    these raters, whose level does not.
    """

    agreement: Quantity
    agreement_interval: IntervalOrReason
    consistency: Quantity
    consistency_interval: IntervalOrReason
    n_targets: int
    n_raters: int


def rater_iccs(ratings: Floats, level: float = LEVEL) -> RaterIccs:
    """Return ICC(2,1) and ICC(3,1) of ratings, shape (targets, raters), with intervals (Shrout and Fleiss, 1979).

    The interval of ICC(2,1) is that of McGraw and Wong (1996), with Satterthwaite's degrees of freedom.
    """
    n, k = ratings.shape
    few = Unavailable("Fewer than two targets or raters.") if n < 2 or k < 2 else None
    mean = ratings.mean() if few is None else 0.0
    rows = k * float(((ratings.mean(axis=1) - mean) ** 2).sum()) / (n - 1) if few is None else 0.0
    columns = n * float(((ratings.mean(axis=0) - mean) ** 2).sum()) / (k - 1) if few is None else 0.0
    rest = float(((ratings - mean) ** 2).sum()) - (n - 1) * rows - (k - 1) * columns
    error = max(rest, 0.0) / ((n - 1) * (k - 1)) if few is None else 0.0
    none = few or (None if rows + columns + error > 0 else _SAME)
    if none is not None:
        return RaterIccs(
            agreement=none, agreement_interval=none, consistency=none, consistency_interval=none,
            n_targets=n, n_raters=k,
        )  # fmt: skip
    agreement = (rows - error) / (rows + (k - 1) * error + k * (columns - error) / n)
    return RaterIccs(
        agreement=agreement,
        agreement_interval=_agreement_interval(rows, columns, error, agreement, (n, k), level),
        consistency=(rows - error) / (rows + (k - 1) * error),
        consistency_interval=_from_ratio(rows, error, (n - 1, (n - 1) * (k - 1)), k, level),
        n_targets=n,
        n_raters=k,
    )


def _agreement_interval(
    rows: float, columns: float, error: float, icc: float, shape: tuple[int, int], level: float
) -> IntervalOrReason:
    n, k = shape
    if not error > 0:
        return Unavailable("No interval: nothing is left once targets and raters are allowed for.")
    judges = columns / error
    part = n * (1 + (k - 1) * icc) - k * icc
    below = (n - 1) * k**2 * icc**2 * judges**2 + part**2
    df = (k - 1) * (n - 1) * (k * icc * judges + part) ** 2 / below
    tail = (1 - level) / 2
    up, down = float(special.fdtri(n - 1, df, 1 - tail)), float(special.fdtri(df, n - 1, 1 - tail))
    rest = k * columns + (k * n - k - n) * error
    low = n * (rows - up * error) / (up * rest + n * rows)
    high = n * (down * rows - error) / (rest + n * down * rows)
    return Interval(low, high, level)


Weights = Literal["unweighted", "linear", "quadratic"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kappa:
    """Agreement of two raters beyond chance; `agreement` is the (weighted) share of agreement itself."""

    kappa: Quantity
    std_error: Quantity
    interval: IntervalOrReason
    agreement: Quantity
    by_chance: Quantity
    n: int


def weighted_kappa(first: Ints, second: Ints, n_points: int, weights: Weights, level: float = LEVEL) -> Kappa:
    """Return Cohen's kappa of two raters' points 0 … K − 1, shape (n,) each, with its error.

    Disagreement by d points counts 1 (unweighted), d/(K − 1) (linear; Cohen, 1968) or its square (quadratic); the
    error is that of Fleiss, Cohen and Everitt (1969), the interval normal.
    """
    n = len(first)
    if n < 2:
        few = Unavailable("Fewer than two targets were rated by both.")
        return Kappa(kappa=few, std_error=few, interval=few, agreement=few, by_chance=few, n=n)
    shares = np.bincount(first * n_points + second, minlength=n_points**2).reshape(n_points, n_points) / n
    apart = np.abs(np.subtract.outer(np.arange(n_points), np.arange(n_points))) / max(n_points - 1, 1)
    weight = {"unweighted": 1.0 * (apart == 0), "linear": 1 - apart, "quadratic": 1 - apart**2}[weights]
    row, column = shares.sum(axis=1), shares.sum(axis=0)
    agreement, chance = float((weight * shares).sum()), float(row @ weight @ column)
    if not chance < 1 - 1e-12:
        same = Unavailable("Both raters gave one and the same point throughout, so that chance cannot be told apart.")
        return Kappa(kappa=same, std_error=same, interval=same, agreement=agreement, by_chance=chance, n=n)
    kappa = (agreement - chance) / (1 - chance)
    both = np.add.outer(weight @ column, row @ weight)
    spread = float((shares * (weight - both * (1 - kappa)) ** 2).sum()) - (kappa - chance * (1 - kappa)) ** 2
    error = float(np.sqrt(max(spread, 0.0) / (n * (1 - chance) ** 2)))
    reach = float(special.ndtri(0.5 + level / 2)) * error
    interval = Interval(max(kappa - reach, -1.0), min(kappa + reach, 1.0), level)
    return Kappa(kappa=kappa, std_error=error, interval=interval, agreement=agreement, by_chance=chance, n=n)

"""What passing a test before the start is worth: the trends it would find, and what those it misses do to the effect.

Roth (2022) for tests with a covariance; for one treated area the rank of its earlier movement among other areas'.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from evalkit.core.arrays import Floats
from evalkit.core.draws import LEVEL, require_level
from evalkit.core.errors import InputError
from evalkit.core.quantities import Quantity, Unavailable, critical_value
from evalkit.core.shown import Shown
from evalkit.diagnose.power import pre_trends_arrays as kernel
from evalkit.diagnose.power.pre_trends_arrays import AmongOthers, LeadTest
from evalkit.estimate.areas.sets_arrays import reach

TIMES: Final = (0.5, 1.0, 2.0)
"""Multiples of the bias asked about of which the power is told."""
POWERS: Final = (0.5, 0.8)
"""Probabilities for which the slope found is told."""
ONE_PERIOD: Final = (
    "Only one period lies before the start, and it is what effects are measured from: no test before the start exists, "
    "and nothing here speaks for parallel trends."
)
NO_TREND: Final = "The test rejects this often even where trends are parallel."
NO_EFFECT: Final = "No effect after the start was given."
BY_RANK: Final = "A rank has no likelihood."
TOGETHER: Final = Unavailable("Leads are tested together, or each has a critical value of its own.")
NOT_ASKED: Final = Unavailable("None was asked about.")
NO_RANKS: Final = Unavailable("No areas are ranked.")
_LEAST_ROOT: Final = 1e-10

TestName = Literal["joint", "any lead", "rank"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SlopePower:
    """A straight line away from parallel trends, and what a test makes of it.

    Attributes
    ----------
    slope : units of the outcome a period, from the reference period on
    power : how often the test finds it
    bias : of the effect, under that line
    bias_if_passed : of the effect among the data that pass the test, so that results are looked at only then
    bayes_factor : probability of passing with the line over that without
    likelihood_ratio : likelihood of the leads seen with the line over that without
    """

    slope: float
    power: float
    bias: Quantity
    bias_if_passed: Quantity
    bayes_factor: Quantity
    likelihood_ratio: Quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class TestPower:
    """One test before the start: how often it rejects without any trend, and the trends it finds.

    Attributes
    ----------
    test : all leads jointly, any lead by itself, or the rank of one area's
    n_leads : leads tested
    size : probability of rejecting where trends are parallel
    found : the slopes found at 50 and 80% power, or why there are none
    at_violation : the line that would bias the effect by the violation asked about, or why there is none
    powers_at : power against lines that would bias the effect by half of it, by it, and by twice of it
    critical : of a single lead, in its standard errors; of a rank in units of the outcome a period; else why none
    """

    __test__ = False  # no test of pytest's

    test: TestName
    n_leads: int
    size: float
    found: tuple[SlopePower | Unavailable, ...]
    at_violation: SlopePower | Unavailable = NOT_ASKED
    powers_at: tuple[float, ...] = ()
    critical: Quantity = TOGETHER


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class PreTrendPower(Shown):
    """What passing tests before the start is worth; `tests` are the joint one and that of any lead, where they differ.

    `reference` is the period that leads are measured from, `powers` those of the slopes found, `level` one less the
    tests' level, `violation` the bias asked about, `n_areas` J where a rank is the test.
    """

    tests: tuple[TestPower, ...]
    reference: int
    powers: tuple[float, ...] = POWERS
    level: float = LEVEL
    violation: Quantity = NOT_ASKED
    n_areas: int | Unavailable = NO_RANKS


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Leads:
    """Leads with their covariance, and how they go together with the effect.

    Attributes
    ----------
    values, times : shape (q,), leads and their periods less the reference's, negative
    covariance : shape (q, q)
    with_effect : shape (q,), covariance of each lead with the effect, None where it is not known
    effect_time : mean period of the effect less the reference's: by how much a slope of 1 biases it; None without one
    """

    values: Floats
    times: Floats
    covariance: Floats
    with_effect: Floats | None = None
    effect_time: float | None = None

    def at(self, test: LeadTest, slope: float) -> SlopePower:
        """Return what a test of these leads makes of a slope."""
        away = slope * self.times
        passed, bias = test.passed(away), self._bias(slope)
        return SlopePower(
            slope=slope,
            power=1 - passed,
            bias=bias,
            bias_if_passed=self._bias_if_passed(test, away, bias),
            bayes_factor=passed / test.passed(np.zeros(len(away))),
            likelihood_ratio=self._likelihood_ratio(away),
        )

    def _bias(self, slope: float) -> Quantity:
        return Unavailable(NO_EFFECT) if self.effect_time is None else slope * self.effect_time

    def _bias_if_passed(self, test: LeadTest, away: Floats, bias: Quantity) -> Quantity:
        if isinstance(bias, Unavailable):
            return bias
        if self.with_effect is None:
            return Unavailable("The covariance of the leads with the effect is not known.")
        drift = test.mean_passed(away) - away
        return bias + float(self.with_effect @ np.linalg.solve(self.covariance, drift))

    def _likelihood_ratio(self, away: Floats) -> float:
        solved = np.linalg.solve(self.covariance, np.column_stack([self.values, self.values - away]))
        return float(np.exp((self.values @ solved[:, 0] - (self.values - away) @ solved[:, 1]) / 2))

    def joint(self, level: float, df: float | None) -> LeadTest:
        """Return Wald's test of all leads, or with `df` the approximate Hotelling test.

        With V estimated by η = df + q − 1 degrees of freedom t'V⁻¹t is too large: true over estimated is χ²_df / η. The
        distance of a slope is therefore taken with V · η/df, so that the power told is not overstated by that.
        """
        if df is None:
            return kernel.joint_test(self.covariance, 1 - level)
        inflated = (df + len(self.times) - 1) / df
        return kernel.joint_test(self.covariance * inflated, 1 - level, df)

    def tested(self, name: TestName, test: LeadTest, powers: Sequence[float], violation: Quantity) -> TestPower:
        """Return size and slopes of a test of these leads; `violation` is a bias of the effect, if one is known."""
        found: list[SlopePower | Unavailable] = []
        for power in powers:
            slope = kernel.slope_found(test, self.times, power)
            found.append(Unavailable(NO_TREND) if np.isnan(slope) else self.at(test, slope))
        at_violation: SlopePower | Unavailable = NOT_ASKED
        powers_at: tuple[float, ...] = ()
        if isinstance(violation, float) and self.effect_time:
            slope = violation / self.effect_time
            at_violation = self.at(test, slope)
            powers_at = tuple(1 - test.passed(times * slope * self.times) for times in TIMES)
        ratio = test.reach / np.sqrt(np.diagonal(self.covariance)) if not test.is_joint else np.empty(0)
        is_one = len(ratio) > 0 and float(np.ptp(ratio)) < 1e-12
        return TestPower(
            test=name,
            n_leads=len(self.times),
            size=1 - test.passed(np.zeros(len(self.times))),
            found=tuple(found),
            at_violation=at_violation,
            powers_at=powers_at,
            critical=float(ratio[0]) if is_one else TOGETHER,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PreTrendOptions:
    """How leads are tested.

    Attributes
    ----------
    level : one less the level of the tests
    powers : for which the slope found is told
    critical : standard errors beyond which a single lead is significant; None for the quantile of the level
    df : denominator degrees of freedom of the joint test where it is F (approximate Hotelling), None for χ²
    violation : a bias of the effect to ask about, such as the least that the design was to detect
    reference : the period that effects are measured from
    """

    level: float = LEVEL
    powers: tuple[float, ...] = POWERS
    critical: float | None = None
    df: float | None = None
    violation: float | None = None
    reference: int = -1

    def __post_init__(self) -> None:
        require_level(self.level)
        if not self.powers or not all(0 < one < 1 for one in self.powers):
            raise InputError("Powers are probabilities between 0 and 1, such as 0.5 and 0.8.")
        if (self.critical is not None and self.critical <= 0) or (self.df is not None and self.df <= 0):
            raise InputError("A critical value and degrees of freedom are positive numbers.")


PLAIN: Final = PreTrendOptions()


def pre_trend_power(
    estimates: Sequence[float] | Floats,
    covariance: Sequence[Sequence[float]] | Floats,
    event_times: Sequence[int],
    options: PreTrendOptions = PLAIN,
) -> PreTrendPower | Unavailable:
    """Return which linear trends tests before the start find, and what those that are missed do to the effect.

    The leads are normal around a line δ_t = slope · (t − reference) with the covariance given. "Any lead" rejects where
    one exceeds its critical value (P of a box, by deterministic quadrature after Genz, 1992; E of the leads in it by
    Tallis, 1961), the joint test where d'V⁻¹d does. The effect is the mean of all later ones. Sources: Roth (2022);
    Tipton and Pustejovsky (2015) for the joint test with few clusters.

    Parameters
    ----------
    estimates, covariance : shapes (k,) and (k, k), effects by event time in units of the outcome, all measured from the
        reference, which is left out; leads without later effects will do
    event_times : shape (k,)
    options : level, powers, critical value, degrees of freedom, a bias to ask about, the reference

    Returns
    -------
    PreTrendPower, or why there is none: with the reference alone before the start nothing is tested.

    Raises
    ------
    InputError
        If the shapes do not fit, an event time comes twice or is the reference, or the matrix is no covariance.

    Examples
    --------
    >>> import evalkit
    >>> found = evalkit.pre_trend_power([0.1, 0.4], [[0.04, 0.0], [0.0, 0.04]], [-2, 0])
    >>> round(found.tests[0].found[0].slope, 3)
    0.392
    """
    values, matrix, times = _checked(estimates, covariance, event_times, options.reference)
    before, after = np.flatnonzero(times < 0), np.flatnonzero(times > 0)
    if not len(before):
        return Unavailable(ONE_PERIOD)
    leads = Leads(
        values=values[before],
        times=times[before],
        covariance=matrix[np.ix_(before, before)],
        with_effect=matrix[np.ix_(before, after)].mean(axis=1) if len(after) else None,
        effect_time=float(times[after].mean()) if len(after) else None,
    )
    point = options.critical or critical_value(options.level)
    each = kernel.single_test(leads.covariance, np.full(len(before), point))
    violation = NOT_ASKED if options.violation is None else options.violation
    tests = [leads.tested("any lead", each, options.powers, violation)]
    if len(before) > 1 or options.df is not None:
        tests.insert(0, leads.tested("joint", leads.joint(options.level, options.df), options.powers, violation))
    return PreTrendPower(
        tests=tuple(tests),
        reference=options.reference,
        powers=options.powers,
        level=options.level,
        violation=violation,
    )


def _checked(
    estimates: Sequence[float] | Floats,
    covariance: Sequence[Sequence[float]] | Floats,
    event_times: Sequence[int],
    reference: int,
) -> tuple[Floats, Floats, Floats]:
    """Return estimates, covariance and event times less the reference, each in order of time."""
    values, matrix = np.asarray(estimates, dtype=float), np.asarray(covariance, dtype=float)
    times = np.asarray(event_times, dtype=float) - reference
    k = len(times)
    if values.shape != (k,) or matrix.shape != (k, k):
        raise InputError(f"{k} event times need as many estimates, and a covariance of {k} rows and columns.")
    if len(np.unique(times)) < k or (times == 0).any():
        raise InputError(f"Each event time stands once, and the reference {reference} not at all.")
    if not (np.isfinite(values).all() and np.isfinite(matrix).all()) or not np.allclose(matrix, matrix.T, atol=1e-12):
        raise InputError("Estimates and covariance are finite numbers, and the covariance is symmetric.")
    size = np.sqrt(np.maximum(np.diagonal(matrix), 0.0))
    if (size == 0).any() or np.linalg.eigvalsh(matrix / np.outer(size, size))[0] < _LEAST_ROOT:
        raise InputError("The matrix is no covariance of estimates that can be told apart: it has no inverse.")
    order = np.argsort(times)
    return values[order], matrix[np.ix_(order, order)], times[order]


# One treated area, or a list of schools among sets.


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StandIns:
    """What was seen of areas, or sets, that stand in for what was treated: where ranks are the test before the start.

    Attributes
    ----------
    moved, effects, weights : shapes (D, q), (D,), (D,): leads, effects, and weights, one each where they are areas
    rise, effect_rise : shape (q,), what a slope of 1 a period would add to each lead; and to the effect
    n_areas : J, the treated counted
    """

    moved: Floats
    effects: Floats
    weights: Floats
    rise: Floats
    effect_rise: float
    n_areas: int


def rank_trend_power(
    others: StandIns, violation: Quantity, reference: int, level: float = LEVEL
) -> PreTrendPower | Unavailable:
    """Return which trends of what was treated a rank of its leads would find, upwards and then downwards.

    It is taken to be like each stand-in in turn but for the trend: found where its largest lead (of several in their
    standard deviations over stand-ins) exceeds the critical value, the largest size not in the tail of the others'.
    What passing does to the effect is the mean over those that pass. `violation` is a bias of the effect to ask about.
    """
    scale = np.ones(1) if others.moved.shape[1] == 1 else others.moved.std(axis=0)
    if not len(others.moved) or (scale == 0).any() or not others.rise.any():
        return Unavailable("There is no lead whose rank could find a trend.")
    critical = reach(np.abs(others.moved / scale).max(axis=1), others.weights, 1 - level)
    if not np.isfinite(critical):
        return Unavailable(f"Among {others.n_areas} areas no rank is small enough to find any trend.")
    ranked = AmongOthers(others.moved, others.effects, others.weights, others.rise, scale, critical)
    return PreTrendPower(
        tests=tuple(_ranked(ranked, sign, others.effect_rise, violation) for sign in (1.0, -1.0)),
        reference=reference,
        level=level,
        violation=violation,
        n_areas=others.n_areas,
    )


def _ranked(ranked: AmongOthers, sign: float, effect_rise: float, violation: Quantity) -> TestPower:
    slopes = [ranked.slope_found(power, sign) for power in POWERS]
    asked = violation if isinstance(violation, Unavailable) else sign * violation / effect_rise
    return TestPower(
        test="rank",
        n_leads=ranked.moved.shape[1],
        size=ranked.power(0.0),
        found=tuple(Unavailable(NO_TREND) if np.isnan(one) else _of_rank(ranked, one, effect_rise) for one in slopes),
        at_violation=asked if isinstance(asked, Unavailable) else _of_rank(ranked, asked, effect_rise),
        powers_at=() if isinstance(asked, Unavailable) else tuple(ranked.power(times * asked) for times in TIMES),
        critical=ranked.critical,
    )


def _of_rank(ranked: AmongOthers, slope: float, effect_rise: float) -> SlopePower:
    power, drift, bias = ranked.power(slope), ranked.drift_if_passed(slope), slope * effect_rise
    return SlopePower(
        slope=slope,
        power=power,
        bias=bias,
        bias_if_passed=Unavailable("Nothing that stands in would pass.") if np.isnan(drift) else bias + drift,
        bayes_factor=(1 - power) / (1 - ranked.power(0.0)),
        likelihood_ratio=Unavailable(BY_RANK),
    )

"""How strong something not measured must be to explain a regression's effect, set against what was measured."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from evalkit.core.arrays import Floats
from evalkit.core.draws import LEVEL
from evalkit.core.formats import interval_text, level_text, number, visible
from evalkit.core.quantities import Interval, IntervalOrReason, Quantity, Unavailable, critical_value
from evalkit.diagnose.finding import Finding, Verdict, statement
from evalkit.diagnose.matched.regression_arrays import (
    Residuals,
    benchmark_strength,
    correlations,
    partial_r2,
    residuals,
    robustness,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """The effect that something not measured would leave, were it `times` as strong as a covariate.

    Attributes
    ----------
    treated_r2, outcome_r2 : its partial R² with taking part, and with the outcome
    estimate, std_error, t, interval : what the regression would then give
    is_explained : whether nothing significant in the effect's direction is left; None where no test is given
    """

    covariate: str
    times: float
    treated_r2: float
    outcome_r2: float
    estimate: float
    std_error: Quantity
    t: Quantity
    interval: IntervalOrReason
    is_explained: bool | None

    @property
    def strength(self) -> float:
        """Return what benchmarks of one regression are ordered by: t, or the estimate where no test is given."""
        return self.estimate if isinstance(self.t, Unavailable) else self.t

    @property
    def sentence(self) -> str:
        """Return what a reader needs to know."""
        kept = f"An unmeasured characteristic {_times(self.times)} {self.covariate} would leave an effect of "
        if isinstance(self.interval, Unavailable):
            return f"{kept}{visible(self.estimate)}."
        if 0 in self.interval:
            left = "contains zero"
        else:
            left = "is of the other sign" if self.is_explained else "does not contain zero"
        interval = f"{level_text(self.interval.level)} interval {interval_text(self.interval)}"
        return f"{kept}{visible(self.estimate)} ({interval}), which {left}."


@dataclass(frozen=True, slots=True, kw_only=True)
class NoBenchmark:
    """A comparison with a covariate that cannot be made, with the reason."""

    covariate: str
    times: float
    reason: Unavailable

    @property
    def sentence(self) -> str:
        """Return the reason."""
        return self.reason.reason


@dataclass(frozen=True, slots=True, kw_only=True)
class RobustnessValue:
    """The strength that something not measured needs, in shares of what the covariates leave unexplained.

    Attributes
    ----------
    estimate, std_error, df : the regression's effect with its classical error
    partial_r2 : the share of what covariates leave of the outcome that taking part explains
    value : the share of both taking part and the outcome that would bring the effect down by the share `q` (1: to 0)
    value_significance : the share that would make it not significant at the level
    benchmarks : effects that would be left, by covariate and multiple of its strength
    """

    estimate: float
    std_error: Quantity
    df: int
    level: float
    q: float
    partial_r2: float
    value: float
    value_significance: Quantity
    benchmarks: tuple[Benchmark | NoBenchmark, ...]

    @property
    def sentence(self) -> str:
        """Return what a reader needs to know."""
        aim = "to nothing" if self.q == 1 else f"by {number(100 * self.q, 0)}%"
        text = (
            f"Something not measured that explains {number(100 * self.value, 1)}% of what is left unexplained both of "
            f"who took part and of the outcome would bring the effect of {visible(self.estimate)} down {aim}"
        )
        if isinstance(self.value_significance, Unavailable):
            return f"{text}."
        if self.value_significance == 0:
            return text + f"; it is not significant at the {level_text(self.level)} level as it stands."
        return (
            text + f"; {number(100 * self.value_significance, 1)}% would be enough for it not to be significant at the "
            f"{level_text(self.level)} level."
        )

    @property
    def benchmark_sentence(self) -> str:
        """Return the sentence of the covariate that as strong a thing leaves least of the effect; empty without any.

        Of the multiples of its strength the least is taken.
        """
        found = [one for one in self.benchmarks if isinstance(one, Benchmark)]
        direction = math.copysign(1.0, self.estimate)
        return min(found, key=lambda one: (one.times, direction * one.strength)).sentence if found else ""

    @property
    def finding(self) -> Finding:
        """Return the measure as a statement: how strong a thing it takes grows with the effect."""
        if self.value_significance == 0:
            return Finding("robustness_value", Verdict.NOT_ASSESSABLE, self.value, self.sentence)
        return statement("robustness_value", self.value, f"{self.sentence} {self.benchmark_sentence}".strip())


@dataclass(frozen=True, slots=True, eq=False)
class RegressionRows:
    """The rows of a regression: outcome, treatment, covariates as blocks of columns, weights.

    Attributes
    ----------
    outcome, is_treated, weight : shape (n,)
    blocks : by covariate, shape (n, j): one column for a number, the levels but one for a category
    """

    outcome: Floats
    is_treated: Floats
    blocks: Mapping[str, Floats]
    weight: Floats

    def columns(self) -> Floats:
        """Return the columns of all covariates, shape (n, k)."""
        return np.column_stack([*self.blocks.values()]) if self.blocks else np.zeros((len(self.outcome), 0))

    def residuals(self) -> Residuals:
        """Return what the covariates leave of outcome and treatment."""
        return residuals(self.outcome, self.is_treated, self.columns(), self.weight)


def robustness_value(
    rows: RegressionRows,
    benchmarks: Sequence[str] = (),
    times: Sequence[float] = (1.0, 2.0, 3.0),
    level: float = LEVEL,
    q: float = 1.0,
) -> RobustnessValue:
    """Return the robustness value of a regression and the effects left by benchmarks (Cinelli and Hazlett, 2020).

    Something not measured with equal partial R² of `value` with taking part and with the outcome brings the effect
    down by the share `q`. Standard errors are the classical ones, for which the formulas are exact. Benchmarks are
    names of covariates in `rows`; a category is taken as one block.
    """
    left = rows.residuals()
    f = abs(left.slope / left.std_error) / math.sqrt(left.df)
    strengths = _strengths(rows, benchmarks)
    # One degree of freedom less: what was not measured would be a covariate too (Cinelli and Hazlett, 2020).
    needed = critical_value(level, left.df - 1) / math.sqrt(left.df - 1)
    return RobustnessValue(
        estimate=left.slope,
        std_error=left.std_error,
        df=left.df,
        level=level,
        q=q,
        partial_r2=f**2 / (1 + f**2),
        value=robustness(q * f, 0.0),
        value_significance=robustness(q * f, needed),
        benchmarks=tuple(_benchmark(left, name, strengths[name], k, level) for name in benchmarks for k in times),
    )


def without_tests(found: RobustnessValue, reason: Unavailable) -> RobustnessValue:
    """Return a robustness value as it is of the estimate alone: `reason` says why its errors and tests do not hold."""
    benchmarks = tuple(
        replace(one, std_error=reason, t=reason, interval=reason, is_explained=None)
        if isinstance(one, Benchmark)
        else one
        for one in found.benchmarks
    )
    return replace(found, std_error=reason, value_significance=reason, benchmarks=benchmarks)


def _strengths(rows: RegressionRows, names: Sequence[str]) -> dict[str, tuple[float, float]]:
    """Return each covariate's partial R² with the treatment and with the outcome, given all the others."""
    among = correlations(np.column_stack([rows.outcome, rows.is_treated, rows.columns()]), rows.weight)
    ends = np.cumsum([2, *(block.shape[1] for block in rows.blocks.values())])
    places = {name: range(ends[at], ends[at + 1]) for at, name in enumerate(rows.blocks)}
    found = {}
    for name in names:
        block, rest = list(places[name]), [at for other, spot in places.items() if other != name for at in spot]
        found[name] = (partial_r2(among, 1, block, rest), partial_r2(among, 0, block, [1, *rest]))
    return found


def _benchmark(
    left: Residuals, name: str, strength: tuple[float, float], times: float, level: float
) -> Benchmark | NoBenchmark:
    treated_r2, outcome_r2 = benchmark_strength(times, *strength)
    if treated_r2 >= 1 or outcome_r2 >= 1:
        reason = f"Nothing can be {_times(times)} {name}: that would explain more than all that is left unexplained."
        return NoBenchmark(covariate=name, times=times, reason=Unavailable(reason))
    bias = left.std_error * math.sqrt(left.df * outcome_r2 * treated_r2 / (1 - treated_r2))
    estimate = math.copysign(1.0, left.slope) * (abs(left.slope) - bias)
    std_error = left.std_error * math.sqrt((1 - outcome_r2) / (1 - treated_r2) * left.df / (left.df - 1))
    reach = critical_value(level, left.df - 1) * std_error
    return Benchmark(
        covariate=name,
        times=times,
        treated_r2=treated_r2,
        outcome_r2=outcome_r2,
        estimate=estimate,
        std_error=std_error,
        t=estimate / std_error,
        interval=Interval(estimate - reach, estimate + reach, level),
        is_explained=math.copysign(1.0, left.slope) * estimate <= reach,
    )


def _times(times: float) -> str:
    words = {1.0: "as strong as", 2.0: "twice as strong as", 3.0: "three times as strong as"}
    return words.get(times, f"{times:g} times as strong as")

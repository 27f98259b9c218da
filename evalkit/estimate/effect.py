"""An effect never travels alone: estimand, sample, method and what each kind of inference says go with it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from evalkit.core.errors import DesignError
from evalkit.core.quantities import ROUNDING, Estimand, Estimate, IntervalOrReason, Quantity, Unavailable
from evalkit.core.shown import Shown
from evalkit.core.words import counted
from evalkit.design.clusters import (
    CR2,
    LEAST_DF,
    ClusterCounts,
    InferenceMethod,
    one_treated_cluster_reason,
    too_concentrated,
)
from evalkit.design.project.labels import NEIGHBOURS
from evalkit.estimate.least_squares_arrays import ClusterKind, LeastSquaresFit, cluster_error
from evalkit.estimate.matched.task import EffectTask

InferenceName = Literal["permutation", "sets", "cluster", "units", "dealt"]
"""Ranked among areas, or among sets drawn in other areas; errors clustered by `ClusterLevel`; or by unit; ranked among
doses dealt out anew."""
PLACED: Final = ("permutation", "sets")
"""The inferences that place the treated among others without a programme: each effect has one of them."""
ClusterLevel = Literal["school", "local_authority", "group"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Months:
    """Months of progress at an estimate and at both ends of its interval; illustrative.

    `lower` and `upper` are the months at the interval's ends; `table` names the conversion used.
    """

    estimate: int
    lower: int | None
    upper: int | None
    table: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectSize:
    """An effect in standard deviations, with the standard deviation named.

    `hedges_g` divides by `sd_used` (between all pupils, known: J = 1), and months come from it;
    `hedges_g_conditional` by `sd_conditional`, between pupils of the same prior attainment, which is smaller;
    `hedges_g_school` by the school-level standard deviation `school_sd`. They are not comparable with each other.
    """

    hedges_g: Quantity
    hedges_g_interval: IntervalOrReason
    sd_used: Quantity
    sd_name: str
    hedges_g_conditional: Quantity
    hedges_g_conditional_interval: IntervalOrReason
    sd_conditional: Quantity
    sd_conditional_name: str
    hedges_g_school: Quantity
    school_sd: Quantity
    months: Months | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PermutationDetail:
    """Where the treated area stands among all areas analysed the same way.

    `rank` is that of |t|, 1 the largest; `smallest_p` is 1/J. `studentised_…` compare effects over their
    school-sampling standard errors, `plain_…` the effects themselves, whichever of them the project asks for.
    """

    rank: int
    n_areas: int
    smallest_p: float
    studentised_p: Quantity
    studentised_interval: IntervalOrReason
    plain_p: Quantity
    plain_interval: IntervalOrReason


@dataclass(frozen=True, slots=True, kw_only=True)
class SetsDetail:
    """Where listed units stand among sets of units drawn in other areas.

    Attributes
    ----------
    rule : how sets were drawn: `simple`, `like` the list before the programme, or by a declared `rule`
    unadjusted : the estimate T as it is; the effect's own is T − `expected` where sets are like the list or by a rule
    expected : m, the mean of the sets: what such a list gains where nothing happened
    spread : standard deviation of the sets' statistics
    n_areas : areas that could hold such a set, the treated counted; `n_treated_areas` the treated among them
    n_sets : sets drawn; `monte_carlo_error` the error of the p-value from their number
    is_whole : whether whole areas were drawn
    """

    rule: str
    unadjusted: float
    expected: Quantity
    spread: Quantity
    n_areas: int
    n_treated_areas: int
    n_sets: int
    monte_carlo_error: Quantity
    is_whole: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One estimated effect of one outcome, design, period and kind of inference.

    `is_main` is true of the one by which an analysis is quoted for its outcome. `family` names the declared family that
    its outcome is judged in, `p_adjusted` is its p-value there; `is_exploratory` where families are declared and the
    outcome is in none, and not primary. `unit` is its own where it
    has another than its outcome, as `points per adviser day`.
    """

    outcome: str
    role: str
    design: str
    estimand: Estimand
    period: str
    estimate: Quantity
    std_error: Quantity
    interval: IntervalOrReason
    p_value: Quantity
    p_value_one_sided: Quantity
    inference: InferenceName
    cluster_level: ClusterLevel
    n_treated: int
    n_comparison: int
    n_treated_clusters: int
    method: str
    permutation: PermutationDetail | None = None
    effect_size: EffectSize | None = None
    is_main: bool = False
    sets: SetsDetail | None = None
    unit: str = ""
    family: str = ""
    p_adjusted: Quantity | None = None
    is_exploratory: bool = False


MAIN: Final = (NEIGHBOURS, "post")
"""The main comparison of a project: the design, and the years after taken together."""


def surest_effect(effects: Iterable[Effect], outcome: str) -> Effect | None:
    """Return the main comparison's effect on an outcome with the inference that allows for shocks to areas.

    That is the one placed among areas, or among sets drawn in them; where it has neither interval nor p-value, the one
    with errors clustered by area that has.
    """
    own = [one for one in effects if one.outcome == outcome and (one.design, one.period) == MAIN]
    placed = next((one for one in own if one.inference in PLACED), None)
    by_area = next((one for one in own if (one.inference, one.cluster_level) == ("cluster", "local_authority")), None)
    if by_area is None or (placed is not None and _says_anything(placed)):
        return placed
    return by_area if placed is None or _says_anything(by_area) else placed


def _says_anything(effect: Effect) -> bool:
    return not isinstance(effect.p_value, Unavailable) or not isinstance(effect.interval, Unavailable)


def find_effect(
    effects: Iterable[Effect],
    outcome: str,
    comparison: tuple[str, str] = MAIN,
    inference: InferenceName | None = None,
) -> Effect | None:
    """Return the effect on an outcome by a design in a period, the main comparison by default; None where not asked.

    Without an inference it is the record that places the treated among areas, or among sets drawn in them.
    """
    wanted = PLACED if inference is None else (inference,)
    key = (outcome, *comparison)
    of_key = (one for one in effects if (one.outcome, one.design, one.period) == key)
    return next((one for one in of_key if one.inference in wanted), None)


# What one kind of inference says about an estimate: error, interval and p-value, or the reason why there is none.


EXACT = (
    "The model fits every observation exactly, so that there is no variation from which an error could be estimated."
)
ALIKE = (
    "All treated clusters moved exactly alike, and so did all others, so that there is no variation from which an "
    "error could be estimated."
)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Inference(Shown):
    """Error, interval and two-sided p-value of one estimate by one method.

    `note` says how they were made, `assumes` what they take as independent, `n_ranked` among how many results the
    estimate was ranked (None where it was not).
    """

    method: InferenceMethod
    std_error: Quantity
    df: float | None
    interval: IntervalOrReason
    p_value: Quantity
    note: str
    assumes: str = ""
    n_ranked: int | None = None

    @classmethod
    def unavailable(cls, method: InferenceMethod, reason: str) -> Inference:
        """Return the inference that cannot be given, with its reason in every place."""
        none = Unavailable(reason)
        return cls(method=method, std_error=none, df=None, interval=none, p_value=none, note=reason)


def clustered_estimate(fit: LeastSquaresFit, at: int, kind: ClusterKind, counts: ClusterCounts) -> Estimate:
    """Return coefficient `at` with its cluster-robust error, or the reason why clusters give none.

    Degrees of freedom are the clusters less one; Satterthwaite's for CR2.
    """
    value = float(fit.coefficients[at])
    reason = one_treated_cluster_reason(counts) or exact_reason(fit)
    if reason:
        return Estimate(value, Unavailable(reason))
    error = cluster_error(fit, at, kind)
    df = error.df if kind == "CR2" else fit.n_clusters - 1.0
    if error.std_error <= ROUNDING * fit.size:
        return Estimate(value, Unavailable(ALIKE))
    if df < LEAST_DF:
        return Estimate(value, Unavailable(too_concentrated(df)))
    return Estimate(value, error.std_error, df)


def clustered_inference(
    fit: LeastSquaresFit, at: int, kind: ClusterKind, counts: ClusterCounts, level: float
) -> Inference:
    """Return the inference from the cluster-robust error of coefficient `at`."""
    method: InferenceMethod = CR2 if kind == "CR2" else "cluster-robust"
    estimate = clustered_estimate(fit, at, kind, counts)
    if isinstance(estimate.std_error, Unavailable):
        return Inference.unavailable(method, estimate.std_error.reason)
    return Inference(
        method=method,
        std_error=estimate.std_error,
        df=estimate.df,
        interval=estimate.interval(level),
        p_value=estimate.p_value,
        note=f"Errors over {fit.n_clusters:,} clusters ({kind}), Student's t, {estimate.df:.1f} degrees of freedom.",
    )


def exact_reason(fit: LeastSquaresFit) -> str | None:
    """Return why there is no error where a fit leaves no residual but rounding, else None."""
    return EXACT if np.abs(fit.residuals).max() <= ROUNDING * fit.size else None


def holm_adjusted(p_values: Sequence[float]) -> tuple[float, ...]:
    """Return each p-value adjusted so that the chance of any false rejection among them keeps its level.

    The k-th smallest of m becomes max over j ≤ k of min(1, (m − j + 1) p_j), whatever the dependence (Holm, 1979).
    Raises `DesignError` for a p-value outside 0 to 1.
    """
    if not all(0 <= p <= 1 for p in p_values):
        raise DesignError("A p-value lies between 0 and 1, so these cannot be adjusted.")
    order = sorted(range(len(p_values)), key=lambda at: p_values[at])
    adjusted, largest = [0.0] * len(p_values), 0.0
    for rank, at in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[at]))
        adjusted[at] = largest
    return tuple(adjusted)


# An estimate with the words that say how it and its error were made.


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedEstimate:
    """What one way of estimating found: `inference` names the error, `n_clusters` what it is clustered by."""

    estimate: Estimate
    inference: str
    n_clusters: int | None = None
    notes: tuple[str, ...] = ()


def why_no_error(task: EffectTask) -> str | None:
    """Return why no error can be given whatever the formula: an arm of one unit, or of one cluster; else None."""
    design = task.design
    for n, arm, other in (
        (design.n_treated, "treated", "comparison"),
        (design.n_comparison, "comparison", "treated"),
    ):
        if n == 1:
            return (
                f"Only one {arm} unit is matched: how much such a unit varies by itself cannot be seen from one. "
                f"Place it among the {other} units instead (a placebo for each of them)."
            )
    return task.few_clusters_reason


def guarded_estimate(task: EffectTask, value: float, std_error: float, df: float | None) -> Estimate:
    """Return an estimate with its error, or with the reason why there is none."""
    reason = why_no_error(task)
    if reason is None and std_error <= ROUNDING * max(abs(task.outcome[task.design.is_used]).max(), 1e-300):
        reason = "Outcomes do not vary beyond what is fitted, so that there is nothing to estimate an error from."
    if reason is None and task.cluster is not None and df is not None and df < LEAST_DF:
        reason = too_concentrated(df)
    if reason is None and df is not None and df < 0.5:
        reason = "The degrees of freedom left are less than a half, so that no error can be relied on."
    return Estimate(value, std_error if reason is None else Unavailable(reason), df)


def freedom(df: float) -> str:
    """Return the quantile used, in words."""
    whole = int(df) if df == int(df) else round(df, 1)
    return f"Student's t with {whole:,} degree{'' if whole == 1 else 's'} of freedom"


def few_clusters_note(task: EffectTask) -> tuple[str, ...]:
    """Return a note where given clusters are few for errors that are not bias-reduced."""
    counts = task.cluster_counts
    if counts is None or min(counts.n_treated, counts.n_comparison) >= 29:
        return ()
    return (
        f"Treated units lie in {counted(counts.n_treated, 'cluster')} and comparison units in "
        f"{counts.n_comparison:,}: with so few, bias-reduced errors (CR2) hold their level better.",
    )

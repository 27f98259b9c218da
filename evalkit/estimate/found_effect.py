"""An estimate with the words that say how it and its error were made."""

from __future__ import annotations

from dataclasses import dataclass

from evalkit.core.quantities import Estimate, Unavailable
from evalkit.core.words import counted
from evalkit.design.clusters import LEAST_DF, too_concentrated
from evalkit.estimate.effect_task import EffectTask
from evalkit.estimate.inference import ROUNDING


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundEffect:
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

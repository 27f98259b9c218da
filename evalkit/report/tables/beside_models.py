"""Results as coefficients: what a table of models, of this kit and of other packages, sets side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from evalkit.core import words
from evalkit.core.disclosure import FEWEST_PEOPLE
from evalkit.core.draws import LEVEL
from evalkit.core.quantities import Estimate, Interval, IntervalOrReason, Quantity, Unavailable
from evalkit.diagnose.cross_checks import CrossChecks
from evalkit.estimate.areas.random_effects import RandomEffects
from evalkit.estimate.matched.abadie_imbens import MatchingEstimate
from evalkit.estimate.matched.matched_effect import MatchedEffect
from evalkit.estimate.pupils.two_level import TwoLevelModel
from evalkit.estimate.staggered.results import Reported, StaggeredResults
from evalkit.estimate.two_way.two_way import TwoWayEffect, TwoWayEventStudy
from evalkit.report.border.told_effects import told_effects

if TYPE_CHECKING:
    import pandas as pd

EFFECT: Final = "effect"
"""The name of every noun's main coefficient, so that they stand in one row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CoefficientRow:
    """One coefficient: its name for a program, its words for a reader, and its numbers or why they are not given."""

    name: str
    label: str
    estimate: Quantity
    std_error: Quantity
    interval: IntervalOrReason
    p_value: Quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class CoefficientTable:
    """Coefficients at one level, with what a reader needs under them.

    `counted` is how many observations, units or projects there are, by the key of that number; empty where it may not
    be told. `errors` says how the errors were made.
    """

    rows: tuple[CoefficientRow, ...]
    level: float
    errors: str
    counted: Mapping[str, int] = field(default_factory=dict)

    @property
    def coefficients(self) -> pd.DataFrame:
        """Return one row a coefficient: `b`, `se`, `t`, `p`, and the interval's ends (`ci95l`, `ci95u` at 95%)."""
        import pandas as pd

        percent = f"{self.level * 100:g}"
        cells = {
            "b": [row.estimate for row in self.rows],
            "se": [row.std_error for row in self.rows],
            "t": [_ratio(row) for row in self.rows],
            "p": [row.p_value for row in self.rows],
            f"ci{percent}l": [_end(row.interval, "lower") for row in self.rows],
            f"ci{percent}u": [_end(row.interval, "upper") for row in self.rows],
        }
        names = pd.Index([row.name for row in self.rows], name="Coefficient")
        known = {
            key: [None if isinstance(one, Unavailable) else one for one in column] for key, column in cells.items()
        }
        return pd.DataFrame(known, index=names, dtype="float64")

    @property
    def labels(self) -> dict[str, str]:
        """Return each coefficient's words."""
        return {row.name: row.label for row in self.rows}

    @property
    def statistics(self) -> dict[str, int | str]:
        """Return how many there are, how errors were made, and why a number is not given."""
        reasons = dict.fromkeys(
            value.reason
            for row in self.rows
            for value in (row.estimate, row.std_error, row.p_value)
            if isinstance(value, Unavailable)
        )
        missing = {"Not given": " ".join(reasons)} if reasons else {}
        return {**self.counted, "se_type": self.errors, **missing}


def _ratio(row: CoefficientRow) -> Quantity:
    if isinstance(row.estimate, Unavailable) or isinstance(row.std_error, Unavailable):
        return row.estimate if isinstance(row.estimate, Unavailable) else row.std_error
    return row.estimate / row.std_error if row.std_error > 0 else Unavailable("The standard error is zero.")


def _end(interval: IntervalOrReason, end: str) -> Quantity:
    return float(getattr(interval, end)) if isinstance(interval, Interval) else interval


def _of_estimate(name: str, label: str, estimate: Estimate | Unavailable, level: float) -> CoefficientRow:
    if isinstance(estimate, Unavailable):
        return CoefficientRow(
            name=name, label=label, estimate=estimate, std_error=estimate, interval=estimate, p_value=estimate
        )
    return CoefficientRow(
        name=name,
        label=label,
        estimate=estimate.value,
        std_error=estimate.std_error,
        interval=estimate.interval(level),
        p_value=estimate.p_value,
    )


def _told(key: str, n: int, *arms: int) -> dict[str, int]:
    """Return a number under its key where it and that of each arm may be told, whatever they are of."""
    return {key: n} if all(each >= FEWEST_PEOPLE for each in (n, *arms)) else {}


def staggered(results: StaggeredResults) -> CoefficientTable:
    """Return the overall effect and that of each time since the start; no number that rests on too few people."""
    told = told_effects(results)
    times = (
        _reported(event_name(part.label or 0), event_label(part.label or 0), part) for part in told.event_study.parts
    )
    rows = (_reported(EFFECT, "Effect of the programme", told.simple), *times)
    shown = (part for part in (told.simple, *told.event_study.parts) if isinstance(part.interval, Interval))
    methods = dict.fromkeys(part.method for part in shown)
    n = _told("Units", results.n_units, results.n_treated) if told is results else {}
    return CoefficientTable(rows=rows, level=told.level, errors=", ".join(methods) or "none", counted=n)


def event_name(time: int) -> str:
    """Return a coefficient's name for the periods since the start: `event_time -2`."""
    return f"event_time {time}"


def event_label(time: int) -> str:
    """Return the words for the periods since the start."""
    return f"{words.counted(abs(time), 'period')} {'before' if time < 0 else 'after'} the start" if time else "Start"


def _reported(name: str, label: str, part: Reported) -> CoefficientRow:
    return CoefficientRow(
        name=name,
        label=label,
        estimate=part.estimate,
        std_error=part.std_error,
        interval=part.interval,
        p_value=part.p_value,
    )


def two_way(effect: TwoWayEffect) -> CoefficientTable:
    """Return the two-way effect by the inference its design supports, and the covariates."""
    inference = effect.inference
    level = inference.interval.level if isinstance(inference.interval, Interval) else LEVEL
    main = CoefficientRow(
        name=EFFECT,
        label="Effect of the programme",
        estimate=effect.estimate.value,
        std_error=inference.std_error,
        interval=inference.interval,
        p_value=inference.p_value,
    )
    others = (_of_estimate(name, name, estimate, level) for name, estimate in effect.covariates)
    n = _told("N", effect.n_rows, effect.n_treated_units, effect.n_units - effect.n_treated_units)
    return CoefficientTable(rows=(main, *others), level=level, errors=inference.method, counted=n)


def two_way_event_study(study: TwoWayEventStudy) -> CoefficientTable:
    """Return the two-way coefficients by time since the start."""
    rows = (_of_estimate(event_name(t.event_time), event_label(t.event_time), t.estimate, LEVEL) for t in study.times)
    return CoefficientTable(
        rows=tuple(rows), level=LEVEL, errors="cluster-robust", counted=_told("N", study.n_rows, study.n_units)
    )


def matched(effect: MatchedEffect | MatchingEstimate) -> CoefficientTable:
    """Return the effect after matching or weighting.

    How many units were used is told by the table of balance alone: beside its counts the number here could let be
    worked out how few were left without a partner.
    """
    row = _of_estimate(EFFECT, "Effect of the programme", effect.estimate, effect.level)
    return CoefficientTable(rows=(row,), level=effect.level, errors=effect.inference)


def two_level(fitted: TwoLevelModel) -> CoefficientTable:
    """Return the effect and every other coefficient of a two-level model."""
    others = (
        _of_estimate(one.name, one.name, one.estimate, fitted.level)
        for one in fitted.coefficients
        if one.estimate is not fitted.effect
    )
    effect = _of_estimate(EFFECT, "Effect of the programme", fitted.effect, fitted.level)
    errors = f"{fitted.likelihood}, by {fitted.grouping}"
    return CoefficientTable(
        rows=(effect, *others), level=fitted.level, errors=errors, counted=_told("N", fitted.n_pupils)
    )


def pooled(effects: RandomEffects) -> CoefficientTable:
    """Return the mean effect over projects."""
    row = CoefficientRow(
        name=EFFECT,
        label="Effect of the programme",
        estimate=effects.estimate,
        std_error=effects.std_error,
        interval=effects.interval,
        p_value=effects.p_value,
    )
    return CoefficientTable(
        rows=(row,), level=effects.level, errors=effects.error_kind, counted={"Projects": effects.n}
    )


def estimators(checks: CrossChecks) -> CoefficientTable:
    """Return the overall effect by each estimator as a coefficient of its own."""
    none = Unavailable("Estimators are compared by their intervals, and no p-value is given.")
    rows = (
        CoefficientRow(
            name=one.estimator,
            label=one.estimator,
            estimate=one.estimate,
            std_error=one.std_error,
            interval=one.interval,
            p_value=none,
        )
        for one in checks.rows
    )
    return CoefficientTable(rows=tuple(rows), level=checks.level, errors="those each estimator supports")

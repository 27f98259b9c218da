"""What became of treated areas beside what their donors say would have been: the result of every area method."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from evalkit.core.arrays import Floats
from evalkit.core.errors import DesignError
from evalkit.core.formats import number
from evalkit.core.quantities import Quantity, Unavailable
from evalkit.core.shown import Shown
from evalkit.design.panel.area_design import AreaDesign
from evalkit.estimate.synthetic.weights_arrays import AreaFit, FitAreas, root_mean_square, rounding

FEWEST_DONORS: Final = 2
"""With one donor there is nothing to weight."""
FEWEST_PRE: Final = 5
"""With fewer periods before the start the fit there says nothing, and no inference is made."""
POOR_FIT: Final = 0.5
"""A fit is poor where its error before the start exceeds this share of the donors' standard deviation: the synthetic
area then misses more than a quarter of the variance between areas, and the bias of the estimate is about as large as
the error (docs/methods/synthetic-control.md)."""
ONE_DONOR: Final = 0.9
"""With more weight than this on one donor, that is said."""
EXACT: Final = 1e-7
"""A fit whose error is below this share of the donors' standard deviation follows the area exactly."""
MOVES_ALIKE: Final = (
    "The outcome does not change, or changes alike in every area, so that there is nothing to judge an effect by."
)

Residuals = Callable[[Floats, Floats], Floats]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AreaMethod:
    """A way to weight donors: `fit` before a start, and the `residuals` of a fit to all periods."""

    name: str
    fit: FitAreas
    residuals: Residuals


@dataclass(frozen=True, slots=True, kw_only=True)
class PreFit:
    """How closely the synthetic area follows the treated one before the start.

    `error` is the root mean square of the gap there, `spread` the standard deviation of the donors' outcomes (root
    mean square over periods), `ratio` the one over the other.
    """

    error: float
    spread: float
    ratio: Quantity
    is_poor: bool
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodGap:
    """One period: the treated areas' mean, the synthetic one, and the difference."""

    period: int
    treated: float
    synthetic: Quantity
    gap: Quantity


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class SyntheticControl(Shown):
    """The effect on one or few treated areas, by a weighted average of donors.

    Attributes
    ----------
    method : AreaMethod
    design : AreaDesign
    estimate : Quantity
        Mean gap over the periods from the start on; unavailable where the fit before the start is poor.
    weights : shape (n_donors,), in the order of `design.donors`; they sum to one
    pre_rmse : float, root mean square of the gap before the start
    gaps : tuple of PeriodGap, every period
    pre_fit : PreFit
    fit : AreaFit, the numbers behind it
    notes : what a reader must know of the result
    """

    method: AreaMethod
    design: AreaDesign
    estimate: Quantity
    weights: Floats
    pre_rmse: float
    gaps: tuple[PeriodGap, ...]
    pre_fit: PreFit
    fit: AreaFit
    notes: tuple[str, ...]

    @property
    def weight_of(self) -> dict[object, float]:
        """Return the weight of each donor."""
        return dict(zip(self.design.donors, self.weights.tolist(), strict=True))


def area_result(design: AreaDesign, method: AreaMethod) -> SyntheticControl:
    """Return the result of a method; raise `DesignError` where there are too few donors to weight."""
    if len(design.donors) < FEWEST_DONORS:
        raise DesignError(
            f"There is one donor, '{design.donors[0]}': a synthetic control weights at least {FEWEST_DONORS}, "
            "and placebos need more. Add areas without the programme."
        )
    fit = method.fit(*design.rows, design.n_pre)
    pre_fit = _pre_fit(design, fit)
    estimate = Unavailable(pre_fit.sentence) if pre_fit.is_poor else fit.estimate
    return SyntheticControl(
        method=method,
        design=design,
        estimate=estimate,
        weights=fit.weights,
        pre_rmse=fit.pre_rmse,
        gaps=_gaps(design, fit, estimate),
        pre_fit=pre_fit,
        fit=fit,
        notes=(*design.notes, *_notes(design, fit, pre_fit)),
    )


def too_few_before(n_pre: int) -> Unavailable | None:
    """Return why no inference is made with so few periods before the start, None where there are enough."""
    if n_pre >= FEWEST_PRE:
        return None
    periods = f"{n_pre} period lies" if n_pre == 1 else f"{n_pre} periods lie"
    return Unavailable(
        f"Only {periods} before the start. Two fit almost any area exactly, and few hardly less: the fit there says "
        f"nothing of what comes after, and {FEWEST_PRE} are needed for inference."
    )


def without_inference(found: SyntheticControl) -> Unavailable | None:
    """Return why nothing is inferred from a result by any method, None where something may be."""
    if isinstance(found.estimate, Unavailable):
        return found.estimate
    if reason := too_few_before(found.design.n_pre):
        return reason
    series = np.vstack([found.design.treated_values, found.design.donor_values])
    centred = series - series[:, :1]
    apart = centred - centred.mean(axis=0)
    return Unavailable(MOVES_ALIKE) if np.abs(apart).max() <= rounding_of(found.design) else None


def rounding_of(design: AreaDesign) -> float:
    """Return the size up to which a difference of outcomes is a rounding error."""
    return rounding(design.treated_values, design.donor_values)


def _pre_fit(design: AreaDesign, fit: AreaFit) -> PreFit:
    """Return the fit before the start against the donors' spread there."""
    spread = root_mean_square(design.donor_values[:, : design.n_pre].std(axis=0, ddof=1))
    error = fit.pre_rmse
    if spread <= rounding_of(design):
        tiny = 1e-9 * float(np.abs(design.series).max())
        is_poor = error > tiny
        sentence = "Every donor has the same outcome before the start, and the treated series "
        sentence += "differs from it, so that no weights can follow it." if is_poor else "has it too."
        return PreFit(
            error=error, spread=0.0, ratio=Unavailable("Donors do not differ."), is_poor=is_poor, sentence=sentence
        )
    ratio = error / spread
    return PreFit(error=error, spread=spread, ratio=ratio, is_poor=ratio > POOR_FIT, sentence=_said(ratio, fit))


def _said(ratio: float, fit: AreaFit) -> str:
    what = "The shape of the synthetic series" if fit.is_centred else "The synthetic series"
    share = f"{number(ratio)} standard deviations of the donors' outcomes"
    if ratio > POOR_FIT:
        hint = "" if fit.is_centred else ", or match the shape alone (synthetic difference-in-differences)"
        return (
            f"{what} misses the treated one before the start by {share} (root mean square), more than the "
            f"{POOR_FIT:g} up to which an estimate is shown: no average of these donors is like it. "
            f"Add donors that are nearer{hint}."
        )
    if fit.n_pre < FEWEST_PRE:
        return (
            f"{what} misses the treated one before the start by {share}; with so few periods there, "
            "that is no evidence that it would have followed it later."
        )
    return f"{what} misses the treated one before the start by {share} (root mean square)."


def _gaps(design: AreaDesign, fit: AreaFit, estimate: Quantity) -> tuple[PeriodGap, ...]:
    rows = zip(design.periods, design.series.tolist(), fit.gap.tolist(), strict=True)
    hidden = Unavailable("No estimate is shown, as the fit before the start is poor.")
    return tuple(
        PeriodGap(period=period, treated=treated, synthetic=hidden, gap=hidden)
        if isinstance(estimate, Unavailable) and at >= design.n_pre
        else PeriodGap(period=period, treated=treated, synthetic=treated - gap, gap=gap)
        for at, (period, treated, gap) in enumerate(rows)
    )


def _notes(design: AreaDesign, fit: AreaFit, pre_fit: PreFit) -> tuple[str, ...]:
    notes = []
    if not fit.is_unique:
        exactly = "exactly" if fit.pre_rmse <= EXACT * pre_fit.spread else "equally well"
        notes.append(
            f"Several sets of weights follow the treated series before the start {exactly}; the most even one is taken "
            "(least sum of squares)."
        )
    if fit.weights.min() < -1e-12:
        n = int((fit.weights < -1e-12).sum())
        notes.append(f"{n} of {len(fit.weights)} weights are negative: the result extrapolates beyond the donors.")
    heaviest = int(np.argmax(fit.weights))
    if fit.weights[heaviest] > ONE_DONOR:
        notes.append(
            f"Nearly all weight ({number(100 * fit.weights[heaviest], 0)}%) lies on one donor, "
            f"{design.donors[heaviest]}: this is a comparison with that area alone."
        )
    if len(design.treated) > 1:
        notes.append(f"The {len(design.treated)} treated areas are taken as one, the plain mean of their outcomes.")
    return tuple(notes)

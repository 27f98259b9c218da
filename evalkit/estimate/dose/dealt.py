"""Several slopes on the dose, each found of the same doses dealt out anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from evalkit.core.arrays import Floats, Ints
from evalkit.core.draws import N_DRAWS, stream
from evalkit.core.quantities import ROUNDING, Unavailable
from evalkit.estimate.dose.slope_arrays import Slope, contributions, dealings, slope
from evalkit.estimate.dose.within import ALIKE, PLAIN

OTHER_DOSES: Final = Unavailable(
    "Doses, or the areas within which they are dealt out, are not the same in all of them, so that there are no "
    "dealings of every one."
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DealtSlope:
    """What a slope on the dose is found of, as arguments of `dose_slope`.

    Attributes
    ----------
    ids : of the participants, in order; shape (n,), as of the others
    change, dose, area : of each
    covariates : shape (n, q)
    part : of what records the participants are: doses are never dealt out between parts
    """

    ids: tuple[str, ...]
    change: Floats
    dose: Floats
    area: Ints
    covariates: Floats
    part: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DealtRows:
    """Slopes of doses as they were, the first row, and dealt out anew.

    Attributes
    ----------
    judged : shape (D + 1, K), what each slope by itself is judged by: at the precision of the doses as they were
    slopes : shape (D + 1, K), of each dealing as least squares gives them
    products : shape (D + 1, K, K), variances and covariances of these by White's formula
    n_areas : areas within which doses were dealt out
    """

    judged: Floats
    slopes: Floats
    products: Floats
    n_areas: int

    def compared(self, first: int, second: int) -> Floats:
        """Return one slope less another over the error of that, times the error as it was; shape (D + 1,).

        The difference as it was comes first, as it is. Dealings spread a slope that both have over the residuals: where
        differences were compared as they are, slopes that are alike and large would seem to differ by chance more than
        they do. Over its own error each is compared at its own precision (DiCiccio and Romano, 2017).
        """
        apart = self.slopes[:, first] - self.slopes[:, second]
        variance = self.products[:, first, first] + self.products[:, second, second]
        variance = variance - 2 * self.products[:, first, second]
        error = np.sqrt(np.maximum(variance, 0.0))
        is_exact = error <= ROUNDING * np.abs(self.slopes).max()
        scale = 0.0 if is_exact[0] else error[0]
        found = apart * scale / np.where(is_exact, 1.0, error)
        far = np.where(
            np.abs(apart) > ROUNDING * np.abs(self.slopes).max(), np.inf * np.sign(apart + (apart == 0)), 0.0
        )
        found = np.where(is_exact, far, found)
        found[0] = apart[0]
        return np.asarray(found)


_PIECE: Final = 500
"""Dealings whose contributions are held at a time."""


def deal_together(slopes: Sequence[DealtSlope], seed: int, n_draws: int = N_DRAWS) -> DealtRows | Unavailable:
    """Return slopes of the same dealings of doses, or why there are none.

    The doses of all participants are dealt out once, within areas, and each slope is found of those of its own. So a
    participant without one of the outcomes is dealt a dose as the others are.
    """
    doses, areas, parts = _participants(slopes)
    if doses is None:
        return OTHER_DOSES
    ids = sorted(doses)
    dose = np.array([doses[one] for one in ids])
    strata = [(areas[one], *sorted(parts[one])) for one in ids]
    order = {each: rank for rank, each in enumerate(sorted(set(strata)))}
    stratum = np.array([order[each] for each in strata], dtype=np.int64)
    dealt = dealings(stratum, dose, n_draws, stream(seed, PLAIN.name)).doses
    at = {one: place for place, one in enumerate(ids)}
    places = [np.array([at[one] for one in each.ids], dtype=np.int64) for each in slopes]
    found: list[Slope] = []
    for each, own in zip(slopes, places, strict=True):
        made = slope(each.change, dealt[:, own], each.area, each.covariates)
        if made is None:
            return ALIKE
        found.append(made)
    pieces = [_piece(slopes, places, dealt[first : first + _PIECE]) for first in range(0, len(dealt), _PIECE)]
    return DealtRows(
        judged=np.column_stack([one.reference.first for one in found]),
        slopes=np.concatenate([piece[0] for piece in pieces]),
        products=np.concatenate([piece[1] for piece in pieces]),
        n_areas=len(set(areas.values())),
    )


def _piece(slopes: Sequence[DealtSlope], places: Sequence[Ints], dealt: Floats) -> tuple[Floats, Floats]:
    """Return slopes (k, K) and their variances and covariances (k, K, K) of some dealings."""
    values, psi = np.empty((len(dealt), len(slopes))), np.zeros((len(slopes), *dealt.shape))
    for which, (each, own) in enumerate(zip(slopes, places, strict=True)):
        values[:, which], psi[which][:, own] = contributions(each.change, dealt[:, own], each.area, each.covariates)
    return values, np.einsum("gdn,hdn->dgh", psi, psi)


def _participants(
    slopes: Sequence[DealtSlope],
) -> tuple[dict[str, float] | None, dict[str, int], dict[str, set[str]]]:
    """Return dose, area and parts of every participant; None for the doses where two slopes differ in them."""
    doses: dict[str, float] = {}
    areas: dict[str, int] = {}
    parts: dict[str, set[str]] = {}
    for each in slopes:
        for one, dose, area in zip(each.ids, each.dose.tolist(), each.area.tolist(), strict=True):
            if doses.setdefault(one, dose) != dose or areas.setdefault(one, area) != area:
                return None, areas, parts
            parts.setdefault(one, set()).add(each.part)
    return doses, areas, parts

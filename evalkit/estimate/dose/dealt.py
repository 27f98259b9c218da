"""Several slopes on the dose, each found of the same doses dealt out anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from evalkit.core.arrays import Floats, Ints
from evalkit.core.draws import N_DRAWS, stream
from evalkit.core.quantities import Unavailable
from evalkit.estimate.dose.slope_arrays import Slope, dealings, slope
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
    """Slopes of the doses as they were, `observed` (K,), and dealt out anew, `values` (D, K).

    `leans` (D, K) is how much of each dealing's slope a unit of true slope would be; `precision` (K,) the length that
    is left of each one's doses, squared; `n_areas` the areas within which doses were dealt out.
    """

    observed: Floats
    values: Floats
    leans: Floats
    precision: Floats
    n_areas: int


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
    found: list[Slope] = []
    for each in slopes:
        made = slope(each.change, dealt[:, [at[one] for one in each.ids]], each.area, each.covariates)
        if made is None:
            return ALIKE
        found.append(made)
    first = np.column_stack([one.reference.first for one in found])
    leans = np.column_stack([one.reference.slope for one in found])
    return DealtRows(
        observed=first[0],
        values=first[1:],
        leans=leans[1:],
        precision=np.array([1 / one.reference.scale**2 for one in found]),
        n_areas=len(set(areas.values())),
    )


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

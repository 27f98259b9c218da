"""How far the result rests on one donor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evalkit.core.quantities import Unavailable
from evalkit.core.shown import Shown
from evalkit.estimate.area_result import FEWEST_DONORS, SyntheticControl


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class LeaveOneDonorOut(Shown):
    """The estimate without each donor that carries weight: its range, and the donor without which it moves most."""

    lowest: float
    highest: float
    influential: object
    without_influential: float
    estimates: dict[object, float]


def leave_one_donor_out(found: SyntheticControl) -> LeaveOneDonorOut | Unavailable:
    """Return the estimate without each donor in turn.

    Donors without weight in a synthetic control are passed over: leaving one out changes nothing.
    """
    if isinstance(found.estimate, Unavailable):
        return found.estimate
    design, donors = found.design, found.design.donor_values.T
    if len(design.donors) <= FEWEST_DONORS:
        return Unavailable(f"With {len(design.donors)} donors none can be left out.")
    estimates = {
        design.donors[at]: found.method.fit(design.series, np.delete(donors, at, axis=1), design.n_pre).estimate
        for at in np.flatnonzero(np.abs(found.weights) > 1e-9)
    }
    influential = max(estimates, key=lambda donor: abs(estimates[donor] - float(found.fit.estimate)))
    return LeaveOneDonorOut(
        lowest=min(estimates.values()),
        highest=max(estimates.values()),
        influential=influential,
        without_influential=estimates[influential],
        estimates=estimates,
    )

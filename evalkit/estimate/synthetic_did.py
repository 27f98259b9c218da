"""Synthetic difference-in-differences: donors and periods weighted so that trends before the start are alike."""

from __future__ import annotations

from functools import partial

from evalkit.core.errors import DesignError
from evalkit.design.area_design import AreaDesign
from evalkit.estimate.area_result import AreaMethod, Floats, SyntheticControl, area_result
from evalkit.estimate.arrays.area_fit import fit_centred, fit_synthetic_did, noise_level


def synthetic_did(design: AreaDesign) -> SyntheticControl:
    """Return the effect by synthetic difference-in-differences (Arkhangelsky et al., 2021).

    Donors need only be parallel to the treated area, not on its level. Raise `DesignError` with fewer than two periods
    before the start: the weights are regularised by the size of the donors' changes there.
    """
    if design.n_pre < 2:
        raise DesignError(
            f"Synthetic difference-in-differences measures the donors' changes before the start {design.start}, "
            "and there is one period. Add an earlier one, or use the plain synthetic control."
        )
    n_treated = len(design.treated)
    zeta = (n_treated * design.n_post) ** 0.25 * noise_level(design.donor_values[:, : design.n_pre].T)

    def residuals(treated: Floats, donors: Floats) -> Floats:
        return fit_centred(treated, donors, zeta)

    name = "synthetic difference-in-differences"
    return area_result(
        design, AreaMethod(name=name, fit=partial(fit_synthetic_did, n_treated=n_treated), residuals=residuals)
    )

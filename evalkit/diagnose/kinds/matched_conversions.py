"""Schools that changed legal identity in a matched comparison, and what the estimate is without and given them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd

from evalkit.core.arrays import Bools
from evalkit.core.errors import DesignError
from evalkit.core.formats import visible
from evalkit.core.project import Exposure
from evalkit.core.quantities import Quantity, Unavailable
from evalkit.data.published.records import SchoolRecords
from evalkit.design.matching.matched import MatchedDesign, without_units
from evalkit.diagnose.conversions import (
    CONVERSIONS,
    NOT_FOLLOWED,
    ArmConversions,
    conversions_finding,
    is_identity_followed,
)
from evalkit.diagnose.finding import Finding, FindingKind, not_assessable
from evalkit.estimate.matched.after_matching import AfterMatching, adjustment_columns, after_matching
from evalkit.estimate.matched.after_matching_arrays import covariance_adjusted

_NO_WINDOW: Final = "Without a year before and one after there is no time between them in which schools could change."


def matched_conversions(
    records: Mapping[str, SchoolRecords],
    stage: str,
    exposure: Exposure,
    design: MatchedDesign,
    estimates: AfterMatching,
    values: tuple[pd.DataFrame, pd.Series],
) -> Finding:
    """Return which matched schools converted meanwhile, and the estimate without them and within those alike in it.

    Parameters
    ----------
    records, stage : the schools of every stage, with `is_converted`, and the stage whose schools are compared
    exposure : the years before and after
    design, estimates : who is compared, and what was found of them
    values : the outcome before (unit × year) and after, by the units of `design`

    Notes
    -----
    Without converters, pairs and strata lose them; nothing is matched again. Given conversion, a school is compared
    with those that, like it, converted or did not. Both condition on what happened after the start: where the
    programme itself made schools convert they take part of its effect away.
    """
    units = design.baseline.units.index
    if not is_identity_followed(records, stage, units[design.is_used]):
        return not_assessable(CONVERSIONS, NOT_FOLLOWED, FindingKind.DESIGN_FACT)
    if not exposure.pre or not exposure.post:
        return not_assessable(CONVERSIONS, _NO_WINDOW, FindingKind.DESIGN_FACT)
    converted = records[stage].schools["is_converted"].reindex(units).to_numpy(dtype=bool)
    arms = [ArmConversions.of(converted, design.weights * arm) for arm in _arms(design)]
    then = _then(design, estimates, converted, values) if any(arm.n_converted for arm in arms) else ""
    return conversions_finding(arms[0], arms[1], (max(exposure.pre), max(exposure.post)), then)


def _arms(design: MatchedDesign) -> tuple[Bools, Bools]:
    return design.baseline.is_treated, ~design.baseline.is_treated


def _then(
    design: MatchedDesign, estimates: AfterMatching, converted: Bools, values: tuple[pd.DataFrame, pd.Series]
) -> str:
    """Return the estimate without converters and given conversion, beside the one that both are to be held against."""
    main = estimates.main
    if isinstance(main, Unavailable):
        return ""
    rest = without_converters(design, estimates, converted, values)
    given = given_conversion(design, estimates, converted, values)
    told = (
        f"without schools that converted it cannot be given ({_reason(rest)})"
        if isinstance(rest, Unavailable)
        else f"without schools that converted, in both arms, it is {visible(rest)}"
    )
    held = (
        f"within schools alike in conversion it cannot be given ({_reason(given)})"
        if isinstance(given, Unavailable)
        else f"compared within schools alike in conversion it is {visible(given)}"
    )
    return (
        f" The matched estimate, before any set stands beside it, is {visible(float(main.estimate.value))}; {told}; "
        f"{held}. Schools that converted are followed and not lost: this is something else that happened, and neither "
        "number replaces the effect, as conversion came after the start."
    )


def _reason(none: Unavailable) -> str:
    return none.reason[:1].lower() + none.reason[1:].rstrip(".")


def without_converters(
    design: MatchedDesign, estimates: AfterMatching, converted: Bools, values: tuple[pd.DataFrame, pd.Series]
) -> Quantity:
    """Return the estimate asked for without schools that converted; `converted` has shape (n_units,)."""
    before, after = values
    try:
        kept = without_units(design, converted)
        found = after_matching(kept, before, after, estimates.asked).main
    except DesignError as problem:
        return Unavailable(str(problem))
    return found if isinstance(found, Unavailable) else float(found.estimate.value)


def given_conversion(
    design: MatchedDesign, estimates: AfterMatching, converted: Bools, values: tuple[pd.DataFrame, pd.Series]
) -> Quantity:
    """Return the estimate asked for, each school compared with those alike in conversion; shape (n_units,).

    Of change and difference the mean over the treated of Σ_c share_c (ȳ₁c − ȳ₀c), c being converted or not.
    """
    if design.target != "ATT":
        return Unavailable("It is given for effects on the treated alone.")
    is_compared = design.is_used & ~design.baseline.is_treated
    if len(np.unique(converted[is_compared])) < 2:
        return Unavailable("The compared schools all converted, or none did.")
    before, after = values
    pre, post = before.to_numpy(dtype=float), after.to_numpy(dtype=float)
    if estimates.asked == "change":
        post = post - pre.mean(axis=1)
    columns = converted[:, None].astype(float)
    if estimates.asked == "ancova":
        columns = np.column_stack([adjustment_columns(design, pre)[0], columns])
    outcome = np.where(design.is_used, post, 0.0)
    found = covariance_adjusted(outcome, columns, design.baseline.is_treated, design.weights)
    return found if np.isfinite(found) else Unavailable("There are too few compared schools.")

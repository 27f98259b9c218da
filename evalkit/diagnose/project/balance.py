"""How alike the arms were before the programme."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalkit.core.quantities import Quantity, Unavailable
from evalkit.data.measures import MEASURES
from evalkit.design.project.group_matching import GroupMatches
from evalkit.design.project.labels import ENGLAND, NEIGHBOURS
from evalkit.design.project.plan import BalanceRow, MatchSummary, OutcomeDesign
from evalkit.design.weights_arrays import effective_n
from evalkit.diagnose.matched.balance_arrays import ratio, weighted_mean, weighted_variance
from evalkit.estimate.areas.changes_arrays import comparison_weights


def balance_of(design: OutcomeDesign) -> tuple[BalanceRow, ...]:
    """Return the balance of every covariate, for the neighbours and for each matching, before and after.

    Before is every other school of England with a baseline; the denominator is the standard
    deviation of the treated schools before matching, the same before and after.
    """
    return tuple(row for name, weights in comparison_by_design(design).items() for row in _rows(design, name, weights))


def comparison_by_design(design: OutcomeDesign) -> dict[str, pd.Series]:
    """Return each design's comparison weights over the baseline's units (zero where not used)."""
    units, treated_group = design.baseline.units, design.treated_group
    near = units["group"].isin(design.comparisons[NEIGHBOURS].of(treated_group)).astype(float)
    by_matching = {name: _partner_weights(matches, treated_group) for name, matches in design.matches.items()}
    return {NEIGHBOURS: near} | {name: w.reindex(units.index, fill_value=0.0) for name, w in by_matching.items()}


def match_summaries(design: OutcomeDesign) -> tuple[MatchSummary, ...]:
    """Return what each matching used."""
    return tuple(_summary(design, name, matches) for name, matches in design.matches.items())


def _partner_weights(matches: GroupMatches, treated_group: int) -> pd.Series:
    rows = np.flatnonzero((matches.groups == treated_group) & (matches.partners >= 0).any(axis=1))
    partners = matches.partners[rows]
    weights = comparison_weights(np.ones(len(rows)), partners, partners >= 0)
    return pd.Series(np.pad(weights, (0, len(matches.units) - len(weights))), index=matches.units)


def _summary(design: OutcomeDesign, name: str, matches: GroupMatches) -> MatchSummary:
    is_treated = matches.groups == design.treated_group
    weights = _partner_weights(matches, design.treated_group).to_numpy()
    served = np.bincount(matches.partners[is_treated][matches.partners[is_treated] >= 0])
    return MatchSummary(
        outcome=design.outcome,
        design=name,
        n_treated=int(is_treated.sum()),
        n_comparison=int((weights > 0).sum()),
        effective_n=effective_n(weights),
        most_used=int(served.max(initial=0)),
        lost=int((is_treated & (matches.partners < 0).all(axis=1)).sum()),
    )


def _rows(design: OutcomeDesign, name: str, after: pd.Series) -> Iterator[BalanceRow]:
    units = design.baseline.units
    treated = np.asarray(units["is_treated"], dtype=np.float64)
    others = design.comparisons[ENGLAND].of(design.treated_group)
    pool = np.asarray(units["group"].isin(others), dtype=np.float64)
    for covariate, values in design.baseline.covariates.items():
        x = values.to_numpy(dtype=np.float64)
        yield _row(design.outcome, name, str(covariate), x, [treated, pool, after.to_numpy(dtype=np.float64)])


def _row(
    outcome: str, design: str, covariate: str, x: NDArray[np.float64], arms: Sequence[NDArray[np.float64]]
) -> BalanceRow:
    treated, before, after = (weighted_mean(x[w > 0], w[w > 0]) for w in arms)
    variances = [weighted_variance(x[w > 0], w[w > 0]) for w in arms]
    spread = math.sqrt(variances[0]) if variances[0] > 0 else 0.0
    return BalanceRow(
        outcome=outcome,
        design=design,
        covariate=covariate,
        label=covariate_label(covariate),
        mean_treated=treated,
        mean_comparison_before=before,
        mean_comparison_after=after,
        denominator=spread,
        smd_before=_known(ratio(treated - before, spread)),
        smd_after=_known(ratio(treated - after, spread)),
        variance_ratio_before=_known(ratio(variances[0], variances[1])),
        variance_ratio_after=_known(ratio(variances[0], variances[2])),
        effective_n=effective_n(arms[2]),
    )


def _known(value: float) -> Quantity:
    if math.isfinite(value):
        return value
    return Unavailable("Fewer than two schools, or no spread, in one arm.")


def covariate_label(name: str) -> str:
    """Return the words for a matching covariate such as READPROG_2016."""
    stem, _, year = name.rpartition("_")
    if stem in MEASURES:
        return f"{MEASURES[stem].label} {year}"
    if stem == "cohort_size":
        return f"Pupils at the end of the key stage {year}"
    return "Free school meals, % (2022/23, a later proxy)"

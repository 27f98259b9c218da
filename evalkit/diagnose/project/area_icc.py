"""How alike the schools of one area change: the intraclass correlation that makes areas, not schools, the sample."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from evalkit.core.draws import LEVEL
from evalkit.core.errors import EvalkitError
from evalkit.core.project import Exposure
from evalkit.core.quantities import IntervalOrReason, Quantity, Unavailable
from evalkit.data.panel import Panel
from evalkit.estimate.pupils.multilevel import two_level_model
from evalkit.estimate.pupils.two_level import PupilColumns, TwoLevelOptions, VarianceParts

_FEWEST_AREAS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class IntraclassCorrelation:
    """Share of the variance of schools' changes that lies between areas, over schools outside the programme.

    `icc` is that of the changes as they are, `conditional` that given each school's level before; the intervals are
    by profile likelihood.
    """

    outcome: str
    icc: Quantity
    interval: IntervalOrReason
    conditional: Quantity
    conditional_interval: IntervalOrReason
    n_schools: int
    n_areas: int


def area_icc(outcome: str, panel: Panel, exposure: Exposure, level: float = LEVEL) -> IntraclassCorrelation:
    """Return how far schools of one area change together, from the schools of a panel that were never treated."""
    changes = _changes(panel, exposure)
    n_areas = int(changes["area"].nunique())
    if n_areas < _FEWEST_AREAS:
        reason = Unavailable(f"Schools in only {n_areas} areas outside the programme; {_FEWEST_AREAS} are needed.")
        return _made(outcome, changes, (reason, reason))
    return _made(outcome, changes, (_parts(changes, (), level), _parts(changes, ("before",), level)))


def _changes(panel: Panel, exposure: Exposure) -> pd.DataFrame:
    """Return area, level before and change of each untreated school with results before and after."""
    wide, units = panel.wide(), panel.by_unit()
    before = wide[list(exposure.pre)].mean(axis=1)
    change = wide[list(exposure.post)].mean(axis=1) - before
    table = pd.DataFrame({"area": units["cluster"], "before": before, "change": change})
    return table[units["cohort"].isna()].dropna()


def _parts(changes: pd.DataFrame, given: tuple[str, ...], level: float) -> VarianceParts | Unavailable:
    columns = PupilColumns(outcome="change", school="area", covariates=given)
    try:
        model = two_level_model(changes, columns, TwoLevelOptions(level=level))
    except EvalkitError:
        return Unavailable("The changes of these schools do not let the variance between areas be told apart.")
    return model.conditional if given else model.unconditional


def _made(
    outcome: str, changes: pd.DataFrame, parts: tuple[VarianceParts | Unavailable, VarianceParts | Unavailable]
) -> IntraclassCorrelation:
    icc, conditional = ((p, p) if isinstance(p, Unavailable) else (p.icc, p.icc_interval) for p in parts)
    return IntraclassCorrelation(
        outcome=outcome,
        icc=icc[0],
        interval=icc[1],
        conditional=conditional[0],
        conditional_interval=conditional[1],
        n_schools=len(changes),
        n_areas=int(changes["area"].nunique()),
    )

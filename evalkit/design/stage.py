"""Everything decided before a follow-up outcome is read."""

from __future__ import annotations

from dataclasses import dataclass, field

from evalkit.core.manifest import DataKind
from evalkit.core.project import Project
from evalkit.core.quantities import Quantity
from evalkit.core.shown import Shown
from evalkit.data.boundaries import Boundaries
from evalkit.data.flow import CountedCase, Flow


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchSummary:
    """What a matching used: schools matched, comparison schools used, and their effective number.

    `effective_n` is (Σw)²/Σw² of the comparison weights; `most_used` how often the most used
    comparison school serves; `lost` the treated schools without a match.
    """

    outcome: str
    design: str
    n_treated: int
    n_comparison: int
    effective_n: float
    most_used: int
    lost: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceRow:
    """Balance of one covariate before and after a design.

    `smd_…` are differences in means over `denominator`, the standard deviation of the treated
    schools before matching; `variance_ratio_…` is treated over comparison; `effective_n` the effective
    number of comparison schools after.
    """

    outcome: str
    design: str
    covariate: str
    label: str
    mean_treated: float
    mean_comparison_before: float
    mean_comparison_after: float
    denominator: float
    smd_before: Quantity
    smd_after: Quantity
    variance_ratio_before: Quantity
    variance_ratio_after: Quantity
    effective_n: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectableEffect:
    """Least effect the design could detect, before outcomes; `realised` is filled in afterwards."""

    outcome: str
    at_design: Quantity
    realised: Quantity
    n_areas: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureNote:
    """What a reader must know of a measure before comparing its years."""

    measure: str
    label: str
    unit: str
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaComparison:
    """The treated area, its comparison areas, and those of the list that could not be used.

    Areas are given as (code, name); `absent` are codes on the list without schools in the data.
    """

    list_name: str
    list_label: str
    treated: tuple[tuple[int, str], ...]
    comparison: tuple[tuple[int, str], ...]
    absent: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class DesignStage(Shown):
    """The design as a reader may see it before outcomes: who is compared with whom, and how well."""

    project: Project
    data_kind: DataKind
    areas: tuple[AreaComparison, ...]
    flow: Flow
    identity: tuple[CountedCase, ...]
    participants: tuple[CountedCase, ...]
    matches: tuple[MatchSummary, ...]
    balance: tuple[BalanceRow, ...]
    detectable: tuple[DetectableEffect, ...]
    measures: tuple[MeasureNote, ...]
    area_names: dict[int, str] = field(default_factory=dict)
    boundaries: Boundaries | None = None

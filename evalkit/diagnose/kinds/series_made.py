"""The series of one outcome as a comparative interrupted time series is fitted to it: areas and years that are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from evalkit.core.errors import DesignError
from evalkit.core.project import Project
from evalkit.core.words import listed
from evalkit.data.flow import LeftOut
from evalkit.data.published.project_data import ProjectData
from evalkit.design.kinds.area_series import AreaOutcome, area_outcome
from evalkit.design.kinds.series import AFTER_FOR_SLOPES, BEFORE_FOR_SLOPES, SeriesChoices, SeriesOutcome
from evalkit.design.kinds.staggered import usable_years
from evalkit.estimate.areas.gap_series import GapSeries

_MOST: Final = 0.5
"""Share of the areas of a plan that must have a value in a year for it to be compared."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class MadeSeries:
    """The series of one outcome: the areas kept and those lost, the years compared and those left out."""

    kept: AreaOutcome
    lost: tuple[LeftOut, ...]
    years: tuple[int, ...]
    years_left_out: tuple[tuple[str, tuple[int, ...]], ...]
    series: GapSeries

    @classmethod
    def of(cls, project: Project, choices: SeriesChoices, intake: ProjectData, plan: SeriesOutcome) -> MadeSeries:
        """Return the series of an outcome in every year compared."""
        return cls.of_areas(choices, plan, area_outcome(project, intake, plan.code))

    @classmethod
    def of_areas(cls, choices: SeriesChoices, plan: SeriesOutcome, made: AreaOutcome) -> MadeSeries:
        """Return the series of any areas by year; raise `DesignError` where there are none to compare."""
        years, left_out = _years(choices, plan, made)
        kept, lost = _complete(plan, made, years)
        series = _series(plan, kept, years, has_slope=False)
        _require_after(plan, series)
        series = replace(series, has_slope=_has_slope(choices, plan, series))
        return cls(kept=kept, lost=lost, years=years, years_left_out=left_out, series=series)


def _years(
    choices: SeriesChoices, plan: SeriesOutcome, made: AreaOutcome
) -> tuple[tuple[int, ...], tuple[tuple[str, tuple[int, ...]], ...]]:
    """Return the years compared, and those that are not by the reason."""
    every = made.series.periods
    asked = tuple(year for year in every if year not in choices.without_years)
    unbroken = usable_years(asked, plan.breaks, plan.first_start)
    at = [made.areas.index(area) for area in plan.starts]
    planned = np.isin(np.array(made.areas, dtype=object), list(plan.compared))
    known = np.isfinite(made.series.values)
    of_treated = {year for n, year in enumerate(every) if known[at, n].all()}
    of_most = {year for n, year in enumerate(every) if known[planned, n].mean() >= _MOST}
    kept = tuple(year for year in unbroken if year in of_treated and year in of_most)
    reasons = (
        ("the project leaves them out", set(every) - set(asked)),
        ("how it is measured changed between them and the last year before the start", set(asked) - set(unbroken)),
        ("a treated area has no value", set(unbroken) - of_treated),
        ("fewer than half of the areas have a value", (set(unbroken) & of_treated) - of_most),
    )
    return kept, tuple((reason, tuple(sorted(years))) for reason, years in reasons if years)


def _complete(plan: SeriesOutcome, made: AreaOutcome, years: Sequence[int]) -> tuple[AreaOutcome, tuple[LeftOut, ...]]:
    """Return the areas of the plan that have every year compared, and those that lack one after the first start."""
    complete = made.is_complete(years)
    planned = np.isin(np.array(made.areas, dtype=object), list(plan.compared))
    lost = tuple(np.array(made.areas, dtype=object)[planned & ~complete].tolist())
    reason = "lacks a value in some of the years from the first start on"
    return made.of_years(years).of_areas(planned & complete), ((LeftOut(reason, lost, len(lost)),) if lost else ())


def _series(plan: SeriesOutcome, kept: AreaOutcome, years: Sequence[int], *, has_slope: bool) -> GapSeries:
    ids = kept.areas
    compared = np.array([np.isin(ids, plan.compared[area]) for area in ids], dtype=bool).reshape(len(ids), len(ids))
    alone = [plan.name(area) for area in plan.starts if not compared[ids.index(area)].any()]
    if alone and not plan.is_single:
        raise DesignError(
            f"{plan.label}: no area that {listed(alone, 5)} is compared with has a value in every year. Take years "
            "that few areas have off by `without_years`, or say `comparison: all`."
        )
    stands_in = np.isin(ids, plan.stand_ins) & compared.any(axis=1)
    weight = np.ones(len(ids))
    if kept.n_schools is not None:
        before = [n for n, year in enumerate(kept.series.periods) if year < plan.first_start]
        weight = kept.n_schools[:, before].mean(axis=1)
    return GapSeries(
        values=kept.series.values,
        years=np.array(years, dtype=np.int64),
        compared=compared,
        treated=np.array([ids.index(area) for area in plan.starts], dtype=np.int64),
        starts=np.array(list(plan.starts.values()), dtype=np.int64),
        stands_in=stands_in,
        weight=weight,
        has_slope=has_slope,
        is_partial=plan.partial,
        is_alone=plan.is_single,
        why_unranked=plan.why_never_ranked,
    )


def _require_after(plan: SeriesOutcome, series: GapSeries) -> None:
    """Raise where a treated area has no year compared from its start on, or none before it."""
    for area, start in plan.starts.items():
        used = series.years[series.used(start)]
        for is_there, side in (((used < start).any(), "before"), ((used >= start).any(), "from")):
            if not is_there:
                held = [str(year) for year in series.years]
                broken = [one.sentence for one in plan.breaks if one.kind == "level"]
                raise DesignError(
                    f"{plan.label}: {plan.name(area)} has no year {side} its start, {start}, that can be compared: "
                    f"{listed(held, 20) or 'none'} can.{' ' + ' '.join(broken) if broken else ''} Supply more years, "
                    "or take another outcome."
                )


def _has_slope(choices: SeriesChoices, plan: SeriesOutcome, series: GapSeries) -> bool:
    """Return whether lines are fitted; raise where they are asked for and years are too few."""
    counts = []
    for start in series.starts:
        used = series.years[series.used(int(start))]
        counts.append((int((used < start).sum()), int((used >= start).sum())))
    enough = all(n >= BEFORE_FOR_SLOPES and m >= AFTER_FOR_SLOPES for n, m in counts)
    if choices.slope == "yes" and not enough:
        n, m = min(counts)
        raise DesignError(
            f"{plan.label}: `slope: yes` needs {BEFORE_FOR_SLOPES} years before and {AFTER_FOR_SLOPES} from the start "
            f"on, and there are {n} and {m}. Say `slope: auto`, or supply more years."
        )
    return enough and choices.slope != "no"

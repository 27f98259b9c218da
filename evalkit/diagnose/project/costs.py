"""What a programme cost: for each school, for each pupil, and for each unit of effect where the interval allows it."""

from __future__ import annotations

from datetime import date
from typing import Final

from evalkit.core.project import Project
from evalkit.core.quantities import Interval, IntervalOrReason, Quantity, Unavailable
from evalkit.data.published.project_data import ProjectData
from evalkit.diagnose.project.evaluation import CostSummary
from evalkit.diagnose.project.results import FEWEST_KNOWN, Results

_BANDS: Final = ((80, "very low"), (200, "low"), (720, "moderate"), (1200, "high"))
_HIGHEST: Final = "very high"
_UNDER: Final = 80
_NO_ROLL: Final = "These files give no number of pupils on roll, so no cost for each pupil can be given."
_ZERO: Final = "The interval contains zero, or there is none, so a cost for each unit of effect would mean nothing."
_INVENTED: Final = "The pupils of these data are invented, so no cost for each pupil is given."
_NO_RATIO: Final = "The results of these data are invented, so no cost for a gain is given."
_AREA: Final = (
    "The effect is that on every school of the area, and which of them the money was spent on is not known here, so "
    "the ratio of the two would mean nothing."
)
_NO_SD: Final = "There is no positive effect in pupil-level standard deviations to divide the cost by."


def cost_summary(results: Results) -> CostSummary | None:
    """Return the cost by school and pupil, and a cost-effectiveness ratio only where the interval excludes zero."""
    cost = results.project.cost
    if cost is None:
        return None
    n_pupils, n_schools = pupils_on_roll(results.project, results.intake)
    if results.intake.kind != "real":
        n_pupils = Unavailable(_INVENTED)
    each: Quantity = n_pupils
    if not isinstance(n_pupils, Unavailable):
        # a list may be longer or shorter than the schools that the cost was for: then their mean roll stands for it
        share = 1.0 if results.intake.treated.is_whole_area else cost.schools / n_schools
        each = cost.total_gbp / (n_pupils * share)
    years = length_in_years(results.project.programme.start, results.project.programme.end)
    yearly: Quantity = each if isinstance(each, Unavailable) else each / years
    ratio, ends = _ratio(results, cost.total_gbp / cost.schools)
    return CostSummary(
        total_gbp=cost.total_gbp,
        schools=cost.schools,
        per_school_gbp=cost.total_gbp / cost.schools,
        source=cost.source,
        n_pupils=n_pupils,
        n_pupil_schools=n_schools,
        per_pupil_gbp=each,
        years=years,
        per_pupil_year_gbp=yearly,
        band=_band(results, yearly, n_schools),
        per_tenth_sd_gbp=ratio,
        per_tenth_sd_interval=ends,
    )


def _band(results: Results, yearly: Quantity, n_schools: int) -> str | Unavailable:
    """Return the band, or the reason where the money went to other schools than those whose pupils are counted."""
    cost = results.project.cost
    if isinstance(yearly, Unavailable):
        return yearly
    if cost and results.intake.treated.is_whole_area and cost.schools != n_schools:
        return Unavailable(
            f"The cost a pupil is not rated on the EEF Toolkit's scale, as the money went to {cost.schools} schools "
            "and "
            f"the pupils are those of {n_schools}."
        )
    return cost_band(yearly)


def cost_band(per_pupil_year: float) -> str:
    """Return the band of the EEF Toolkit's cost scale for pounds a pupil and year.

    Under £80 is very low; up to £200 low, £720 moderate, £1,200 high; more is very high.
    """
    if per_pupil_year < _UNDER:
        return _BANDS[0][1]
    return next((name for most, name in _BANDS[1:] if per_pupil_year <= most), _HIGHEST)


def length_in_years(start: date, end: date) -> float:
    """Return the years from the first day to the last, both counted."""
    return ((end - start).days + 1) / 365.25


def pupils_on_roll(project: Project, intake: ProjectData) -> tuple[int | Unavailable, int]:
    """Return the pupils on roll in the treated mainstream schools of every phase, and how many schools these are.

    Where at most a tenth of the schools have no roll, they count with the mean of their phase; otherwise a reason.
    """
    stages = {stage: _treated_schools(project, intake, stage) for stage in intake.records}
    n_schools = len({school for schools in stages.values() for school in schools})
    roll = intake.roll
    if roll is None or not n_schools:
        return Unavailable(_NO_ROLL), n_schools
    total, lacking, counted = 0.0, 0, set[str]()
    for schools in stages.values():
        found = roll.reindex([school for school in schools if school not in counted])
        counted |= set(schools)
        lacking += int(found.isna().sum())
        total += float(found.fillna(found.mean()).sum())
    if lacking > (1 - FEWEST_KNOWN) * n_schools:
        return Unavailable(f"No cost for each pupil: {lacking} of the {n_schools} schools have no roll."), n_schools
    if total < project.disclosure.threshold:
        return Unavailable(_NO_ROLL), n_schools
    return int(total + 0.5), n_schools


def _treated_schools(project: Project, intake: ProjectData, stage: str) -> list[str]:
    """Return the treated schools of a key stage that are mainstream and state-funded."""
    schools = intake.records[stage].schools.loc[list(intake.treated.schools[stage])]
    return [str(name) for name in schools.index[schools["minor_group"].isin(project.pool.minor_groups)]]


def _ratio(results: Results, per_school: float) -> tuple[Quantity, IntervalOrReason]:
    """Return the cost of a tenth of a standard deviation at the estimate and at both ends of its interval."""
    effect = results.main_effect
    size = effect.effect_size if effect else None
    if results.intake.kind != "real":
        return Unavailable(_NO_RATIO), Unavailable(_NO_RATIO)
    if effect is None or not isinstance(effect.interval, Interval) or 0.0 in effect.interval:
        return Unavailable(_ZERO), Unavailable(_ZERO)
    if results.intake.treated.is_whole_area:
        return Unavailable(_AREA), Unavailable(_AREA)
    if size is None or not isinstance(size.hedges_g, float) or size.hedges_g <= 0:
        return Unavailable(_NO_SD), Unavailable(_NO_SD)
    ends = size.hedges_g_interval
    if not isinstance(ends, Interval):
        return per_school / (10 * size.hedges_g), ends
    return per_school / (10 * size.hedges_g), Interval(
        per_school / (10 * ends.upper), per_school / (10 * ends.lower), ends.level
    )

"""One or few treated areas and the donors from which their series without the programme is made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalkit.core.arrays import Floats
from evalkit.core.errors import DesignError
from evalkit.core.shown import Shown
from evalkit.core.words import counted, listed
from evalkit.data.areas.series import AreaSeries
from evalkit.data.flow import LeftOut


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class AreaDesign(Shown):
    """Treated areas, the period their programme starts in, and donors, each with every period; made by `area_design`.

    Attributes
    ----------
    outcome : what was measured, in words
    treated, donors : ids, in the order of ids
    periods : tuple of int, sorted
    start : int, the first treated period
    n_pre : number of periods before the start, at least one
    treated_values : shape (n_treated, n_periods)
    donor_values : shape (n_donors, n_periods)
    dropped : areas that serve as donor nowhere, with the reason
    notes : what a reader must know of the series
    features : names of what was known before the start and is followed beside the outcome; none by default
    treated_features, donor_features : shape (n_treated, n_features) and (n_donors, n_features), None without any
    """

    outcome: str
    treated: tuple[object, ...]
    donors: tuple[object, ...]
    periods: tuple[int, ...]
    start: int
    n_pre: int
    treated_values: Floats
    donor_values: Floats
    dropped: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    treated_features: Floats | None = None
    donor_features: Floats | None = None

    @property
    def series(self) -> Floats:
        """Return the treated areas' mean in each period, shape (n_periods,)."""
        mean: Floats = self.treated_values.mean(axis=0)
        return mean

    @property
    def n_post(self) -> int:
        """Return the number of periods from the start on."""
        return len(self.periods) - self.n_pre

    @property
    def rows(self) -> tuple[Floats, Floats]:
        """Return what weights are fitted to: a row for each feature, then one for each period, treated and donors.

        Shape (n_features + n_periods,) and (n_features + n_periods, n_donors). A feature is divided by its standard
        deviation over donors and multiplied by that of their outcomes before the start (root mean square), so that it
        counts as much as one period.
        """
        series, donors = self.series, self.donor_values.T
        if self.treated_features is None or self.donor_features is None:
            return series, donors
        spread = float(np.sqrt((self.donor_values[:, : self.n_pre].std(axis=0, ddof=1) ** 2).mean()))
        scale = spread / self.donor_features.std(axis=0, ddof=1)
        known = (self.treated_features.mean(axis=0) * scale, (self.donor_features * scale).T)
        return np.concatenate([known[0], series]), np.vstack([known[1], donors])

    def each(self) -> Iterator[AreaDesign]:
        """Yield the design of each treated area on its own; the others serve as donor in none."""
        for at, area in enumerate(self.treated):
            own = None if self.treated_features is None else self.treated_features[at : at + 1]
            yield replace(self, treated=(area,), treated_values=self.treated_values[at : at + 1], treated_features=own)

    def with_features(self, known: pd.DataFrame) -> AreaDesign:
        """Return the design with what was known of each area before the start, a column for each feature.

        Raises
        ------
        DesignError
            Where a feature is not known of an area, or is the same for every donor.
        """
        areas = [*self.treated, *self.donors]
        values = known.reindex(areas).to_numpy(dtype=float)
        for at, name in enumerate(map(str, known.columns)):
            lacking = [str(area) for area, value in zip(areas, values[:, at], strict=True) if np.isnan(value)]
            if lacking:
                raise DesignError(
                    f"The covariate '{name}' is not known before the start of {counted(len(lacking), 'area')} "
                    f"({listed(lacking, 5)}). Leave these areas out, fill it in, or leave the covariate out."
                )
            if np.ptp(values[len(self.treated) :, at]) <= 1e-12 * np.abs(values[:, at]).max():
                raise DesignError(f"The covariate '{name}' is the same for every donor. Leave it out.")
        return replace(
            self,
            features=tuple(map(str, known.columns)),
            treated_features=values[: len(self.treated)],
            donor_features=values[len(self.treated) :],
        )

    def before(self, start: int) -> AreaDesign:
        """Return the periods before the true start as if the programme had begun in `start`, for a placebo in time."""
        n_pre = sum(period < start for period in self.periods)
        if not 0 < n_pre < self.n_pre:
            raise DesignError(f"A placebo start lies after {self.periods[0]} and before {self.start}, not at {start}.")
        return replace(
            self,
            periods=self.periods[: self.n_pre],
            start=start,
            n_pre=n_pre,
            treated_values=self.treated_values[:, : self.n_pre],
            donor_values=self.donor_values[:, : self.n_pre],
        )


def area_design(
    series: AreaSeries, treated: Sequence[object], start: int, excluded: Sequence[object] = ()
) -> AreaDesign:
    """Return the comparison of treated areas with all others; raise `DesignError` where none is possible.

    Areas that lack a period of the series are left out and counted, as are those in `excluded`, such as neighbours
    that the programme may have reached. A treated area that lacks a period is refused: narrow the series with
    `AreaSeries.within`. So is a series that crosses a break of its measure. Start may lie between two periods.

    Examples
    --------
    >>> import pandas as pd
    >>> from evalkit import AreaRoles, AreaSeries, area_design
    >>> frame = pd.DataFrame({"area": list("KKKLLLMMM"), "year": [2016, 2017, 2018] * 3, "rate": range(9)})
    >>> series = AreaSeries.from_frame(frame, AreaRoles(unit="area", period="year", outcome="rate"))
    >>> design = area_design(series, ["K"], start=2018)
    >>> design.donors, design.n_pre, design.n_post
    (('L', 'M'), 2, 1)
    """
    treated_at = _positions(series, treated, "treated")
    excluded_at = _positions(series, excluded, "excluded") if excluded else []
    both = sorted(set(treated_at) & set(excluded_at))
    if both:
        raise DesignError(f"'{series.areas[both[0]]}' is named as treated and as excluded. Take it off one list.")
    n_pre = _require_periods(series, start)
    _require_no_break(series)
    _require_whole(series, treated_at)
    has_gap = np.isnan(series.values).any(axis=1)
    is_out = np.isin(np.arange(len(series.areas)), [*treated_at, *excluded_at])
    donors_at = np.flatnonzero(~has_gap & ~is_out)
    gaps_at = np.flatnonzero(has_gap & ~is_out)
    dropped = (
        *_dropped(series, excluded_at, "excluded by name"),
        *_dropped(series, gaps_at.tolist(), f"lacks some of the {len(series.periods)} periods"),
    )
    if not len(donors_at):
        raise _no_donor(series, gaps_at, dropped, n_pre)
    return AreaDesign(
        outcome=series.outcome,
        treated=tuple(series.areas[treated_at].tolist()),
        donors=tuple(series.areas[donors_at].tolist()),
        periods=series.periods,
        start=start,
        n_pre=n_pre,
        treated_values=series.values[treated_at],
        donor_values=series.values[donors_at],
        dropped=dropped,
        notes=(*series.notes, *_calendar(series)),
    )


def _no_donor(series: AreaSeries, gaps_at: NDArray[np.intp], dropped: Sequence[LeftOut], n_pre: int) -> DesignError:
    """Return what is said where no area can be a donor, with the fewest periods whose loss would leave some."""
    reasons = [
        left_out.reason if left_out.reason.startswith("lacks") else f"is {left_out.reason}" for left_out in dropped
    ]
    nobody_left = f"No donor is left: every other area {' or '.join(reasons) or 'is treated'}."
    add = "Add areas without the programme"
    if not len(gaps_at):
        return DesignError(f"{nobody_left} {add}.")
    lacks = np.isnan(series.values[gaps_at])
    least = lacks[int(lacks.sum(axis=1).argmin())]
    if least[:n_pre].all() or least[n_pre:].all():
        return DesignError(f"{nobody_left} {add}, or fill in values.")
    out = listed([str(period) for period, is_out in zip(series.periods, least, strict=True) if is_out])
    n = int((~lacks[:, ~least].any(axis=1)).sum())
    then = f"then {counted(n, 'other area has', 'other areas have')} every period"
    return DesignError(f"{nobody_left} Leave {out} out for every area: {then}. Or add areas without the programme.")


def _positions(series: AreaSeries, named: Sequence[object], part: str) -> list[int]:
    if isinstance(named, str):
        named = (named,)
    if not len(named):
        raise DesignError(f"No {part} area is named, so there is nothing to estimate. Name at least one.")
    positions = [series.position(area) for area in named]
    twice = next((area for area, at in zip(named, positions, strict=True) if positions.count(at) > 1), None)
    if twice is not None:
        raise DesignError(f"The area '{twice}' is named twice as {part}. Name it once.")
    return sorted(positions)


def _require_periods(series: AreaSeries, start: int) -> int:
    """Return how many periods lie before the start."""
    n_pre = sum(period < start for period in series.periods)
    first, last = series.periods[0], series.periods[-1]
    if n_pre == 0 or n_pre == len(series.periods):
        side = "after" if n_pre else "before"
        lacking = "no period from the start on" if n_pre else "no period before the start"
        raise DesignError(
            f"The start {start} leaves {lacking}: the series runs from {first} to {last}, "
            f"and the programme would begin {side} it or with it. Choose a start after {first} and up to {last}."
        )
    return n_pre


def _require_no_break(series: AreaSeries) -> None:
    first, last = series.periods[0], series.periods[-1]
    for measure_break in series.breaks:
        if measure_break.kind == "level" and first <= measure_break.before and measure_break.after <= last:
            raise DesignError(
                f"The series '{series.outcome}' cannot be followed from {first} to {last}: {measure_break.sentence}\n"
                f"Take periods up to {measure_break.before}, or from {measure_break.after} on."
            )


def _require_whole(series: AreaSeries, treated_at: Sequence[int]) -> None:
    for at in treated_at:
        lacking = [str(t) for t, value in zip(series.periods, series.values[at], strict=True) if np.isnan(value)]
        if lacking:
            raise DesignError(
                f"The treated area '{series.name(series.areas[at])}' has no value in {listed(lacking)}. "
                "Leave these periods out for every area, or the area."
            )


def _dropped(series: AreaSeries, at: Sequence[int], reason: str) -> tuple[LeftOut, ...]:
    if not len(at):
        return ()
    n_rows = int((~np.isnan(series.values[list(at)])).sum())
    return (LeftOut(reason, tuple(str(area) for area in series.areas[list(at)]), n_rows),)


def _calendar(series: AreaSeries) -> Iterator[str]:
    """Yield notes on holes in the calendar and on changes of the measure that every area shares."""
    steps = list(zip(series.periods, series.periods[1:], strict=False))
    usual = min((after - before for before, after in steps), default=1)
    holes = [str(after) for before, after in steps if after - before > usual]
    if holes:
        yield f"Periods are not consecutive: there is a gap before {listed(holes)}."
    for measure_break in series.breaks:
        if (
            measure_break.kind == "year-common"
            and series.periods[0] <= measure_break.before
            and measure_break.after <= series.periods[-1]
        ):
            yield measure_break.sentence

"""What was read, counted: units by arm, cohort or reason; never a row, an id of a person or a small count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from evalkit.core.disclosure import FEWEST_PEOPLE
from evalkit.core.quantities import Unavailable
from evalkit.core.words import counted, listed
from evalkit.data.baseline import is_category
from evalkit.report.border.disclosure import ReleasedTable, release
from evalkit.report.border.parts import Prose, sentences
from evalkit.report.border.table import Cell, Column, Table

if TYPE_CHECKING:
    from evalkit.data.areas.series import AreaSeries
    from evalkit.data.baseline import Baseline
    from evalkit.data.own_tables.long_table import LongTable
    from evalkit.data.own_tables.unit_table import UnitTable
    from evalkit.data.panel import CrossSections, Panel
    from evalkit.data.profiles import Profiles
    from evalkit.data.published.neighbours import NeighbourTable


# How many units there are, by arm, cohort or reason: the table does not know whether they are people.

UNKNOWN: Final = (
    f"Nothing says whether these units are people, so counts below {FEWEST_PEOPLE}, and what would tell them, are "
    "withheld."
)


def counts(caption: str, names: tuple[str, ...], rows: Sequence[tuple[str, *tuple[int, ...]]]) -> ReleasedTable:
    """Return counts under the headers `names` (the first names the rows), the last row their sum.

    A row of nothing but zeros is left out: that nobody is there is not told as a small count.
    """
    columns = (
        Column("row", names[0]),
        *(Column(f"n_{at}", name, "pupil_count") for at, name in enumerate(names[1:], start=1)),
    )
    cells: tuple[tuple[Cell, ...], ...] = tuple((name, *map(int, values)) for name, *values in rows if any(values))
    table = Table(caption=caption, columns=columns, rows=cells, has_total_row=True)
    released = release(table, FEWEST_PEOPLE)
    return released if released.table.rows == cells else noted(released, UNKNOWN)


def noted(table: ReleasedTable, note: str) -> ReleasedTable:
    """Return a table with a note more."""
    return ReleasedTable(replace(table.table, notes=(*table.table.notes, note)), table.threshold)


def without_note(table: ReleasedTable, note: str) -> ReleasedTable:
    """Return a table without a note that is said elsewhere."""
    notes = tuple(one for one in table.table.notes if one != note)
    return ReleasedTable(replace(table.table, notes=notes), table.threshold)


def plain(
    caption: str, columns: tuple[Column, ...], rows: Sequence[tuple[Cell, ...]], notes: Sequence[str] = ()
) -> ReleasedTable:
    """Return a table that holds no count of people; one row says so where there is none."""
    none = Unavailable("There is nothing to show.")
    filled = tuple(rows) or (("None", *(none,) * (len(columns) - 1)),)
    unrepeated = tuple(dict.fromkeys(note for note in notes if note))
    return release(Table(caption=caption, columns=columns, rows=filled, notes=unrepeated), FEWEST_PEOPLE)


def named(label: str, names: Sequence[object], most: int = 12) -> str:
    """Return `label: a, b and c.`, or an empty text where there are none."""
    return f"{label}: {listed([str(name) for name in names], most)}." if len(names) else ""


# What was read, counted: never a row, an id of a person or a small count.

NEVER: Final = "Never treated"
_MOST_AREAS: Final = 25


def panel_units(panel: Panel) -> ReleasedTable:
    """Return units and rows by first treated period."""
    cohort = panel.frame["cohort"].to_numpy(dtype=float, na_value=np.nan)
    of_units = cohort[panel.first_rows]
    rows = [(f"Treated from {int(g)}", int((of_units == g).sum()), int((cohort == g).sum())) for g in _cohorts(cohort)]
    rows.append((NEVER, int(np.isnan(of_units).sum()), int(np.isnan(cohort).sum())))
    rows.append(("All", len(of_units), len(cohort)))
    return counts("Units over periods", ("Cohort", "Units", "Rows"), rows)


def panel_words(panel: Panel) -> Prose:
    """Return the periods, whether every unit has each, and the covariates."""
    whole = "Every unit has every period" if panel.is_balanced else "Some units lack periods"
    return sentences(f"{_periods(panel.periods)}. {whole}.", named("Covariates", panel.covariates))


def observations(observed: CrossSections) -> ReleasedTable:
    """Return observations by first treated period of their group."""
    cohort = observed.frame["cohort"].to_numpy(dtype=float, na_value=np.nan)
    rows = [(f"Treated from {int(g)}", int((cohort == g).sum())) for g in _cohorts(cohort)]
    rows += [(NEVER, int(np.isnan(cohort).sum())), ("All", len(cohort))]
    return counts("Observations, other people in each period", ("Cohort", "Observations"), rows)


def observations_words(observed: CrossSections) -> Prose:
    """Return the periods, what errors are clustered by, and the covariates."""
    clustered = f"Errors are clustered by {observed.clustered_by}."
    return sentences(f"{_periods(observed.periods)}. {clustered}", named("Covariates", observed.covariates))


def _cohorts(cohort: np.ndarray[tuple[int], np.dtype[np.float64]]) -> list[float]:
    return sorted(set(cohort[~np.isnan(cohort)].tolist()))


def _periods(periods: tuple[int, ...]) -> str:
    return f"{counted(len(periods), 'period')}, {periods[0]} to {periods[-1]}"


def baseline_units(baseline: Baseline) -> ReleasedTable:
    """Return units by arm."""
    treated, every = int(baseline.is_treated.sum()), len(baseline.units)
    rows = [("Treated", treated), ("Comparison", every - treated), ("All", every)]
    return counts("Units before the programme", ("Arm", "Units"), rows)


def baseline_columns(baseline: Baseline) -> ReleasedTable:
    """Return what units may be compared on, and what may restrict partners."""
    columns = (Column("name", "Column"), Column("kind", "Kind"), Column("part", "Part"))
    covariates = baseline.covariates
    rows: list[tuple[Cell, ...]] = [
        (str(name), "category" if is_category(covariates[name]) else "number", "compared on") for name in covariates
    ]
    labels = baseline.units.columns.drop("is_treated")
    rows += [(str(name), "category", "restricts partners") for name in labels if name not in covariates]
    return plain("What is known of them", columns, rows, (named("Years", baseline.years),))


def table_rows(table: LongTable) -> ReleasedTable:
    """Return the rows of a file, used and left out by reason."""
    rows = [("Used", len(table.frame)), *((f"Left out: {lost.reason}", lost.n_rows) for lost in table.left_out)]
    return counts("Rows of the file", ("Rows", "Number"), [*rows, ("All", table.n_rows)])


def table_words(table: LongTable) -> Prose:
    """Return the columns that play a part."""
    return sentences(named("Columns", list(table.frame.columns)), "Rows are in .frame.")


def unit_table_rows(table: UnitTable) -> ReleasedTable:
    """Return units by arm."""
    return baseline_units(table.baseline)


def unit_table_columns(table: UnitTable) -> ReleasedTable:
    """Return what units may be compared on."""
    return baseline_columns(table.baseline)


def unit_table_words(table: UnitTable) -> Prose:
    """Return what is kept from matching."""
    return sentences(named("Kept from matching, in .later", list(table.later.columns)))


def area_periods(series: AreaSeries) -> ReleasedTable:
    """Return period by period how many areas have a value, and the lowest and highest."""
    columns = (
        Column("period", "Period"),
        Column("n_areas", "Areas with a value", "count"),
        *(Column(key, key.capitalize(), "estimate") for key in ("lowest", "highest")),
    )
    rows = [_area_row(period, series.values[:, at]) for at, period in enumerate(series.periods)]
    notes = (f"{counted(len(series.areas), 'area')}.", *(jump.sentence for jump in series.breaks), *series.notes)
    return plain(series.outcome, columns, rows, notes)


def _area_row(period: int, values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> tuple[Cell, ...]:
    known = values[~np.isnan(values)]
    none = Unavailable("No area has a value.")
    if not len(known):
        return str(period), 0, none, none
    return str(period), len(known), float(known.min()), float(known.max())


def profile_columns(profiles: Profiles) -> ReleasedTable:
    """Return what units can be compared on."""
    columns = (Column("name", "Characteristic"), Column("kind", "Kind"))
    characteristics = profiles.characteristics
    rows = [(str(name), "category" if is_category(characteristics[name]) else "number") for name in characteristics]
    return plain("What units are compared on", columns, rows, (named("Labels", list(profiles.labels)),))


def profile_units(profiles: Profiles) -> ReleasedTable:
    """Return units with all characteristics known, and those left out."""
    known, lost = len(profiles.characteristics), len(profiles.left_out)
    rows = [("Everything known", known), ("Left out, as something is not known", lost), ("All", known + lost)]
    return counts("Units", ("Units", "Number"), rows)


def neighbour_lists(table: NeighbourTable) -> ReleasedTable:
    """Return the nearest three neighbours of the first areas."""
    columns = (Column("area", "Area"), Column("region", "Region"), Column("nearest", "Nearest three"))
    codes = list(table.neighbours)
    rows = [
        (
            table.names.get(code, str(code)),
            table.regions.get(code, "not given"),
            ", ".join(table.names.get(other, str(other)) for other in table.neighbours[code][:3]) or "none",
        )
        for code in codes[:_MOST_AREAS]
    ]
    more = len(codes) - _MOST_AREAS
    notes = (f"And {counted(more, 'area')} more; .ranked(code) gives the list of one.",) if more > 0 else ()
    return plain("Statistical neighbours", columns, rows, notes)

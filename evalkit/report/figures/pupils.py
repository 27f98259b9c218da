"""Mean outcome of pupils by arm and year; what rests on fewer than ten pupils is neither drawn nor told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from evalkit.core.disclosure import FEWEST_PEOPLE, is_few
from evalkit.core.formats import Precision, decimals_for
from evalkit.core.manifest import DataKind
from evalkit.core.quantities import Unavailable
from evalkit.diagnose.kinds.pupils_counts import ArmYear
from evalkit.report.border.disclosure import ReleasedTable, release, rests_on_few
from evalkit.report.border.parts import Figure
from evalkit.report.border.table import Cell, Column, Table, measured
from evalkit.report.figures.style import ARM_COLOURS, canvas, drawn, say_empty

ARMS: Final = {"treated": "Treated schools' pupils", "comparison": "Pupils compared"}
_COLOURS: Final = {"treated": ARM_COLOURS["treated"], "comparison": ARM_COLOURS["neighbours"]}
_MARKS: Final = {"treated": "o", "comparison": "s"}


def pupil_means_table(years: Sequence[ArmYear], label: str, spread: float) -> ReleasedTable:
    """Return the mean outcome by arm and year; `spread` is that of pupils, by which it is rounded."""
    made = Precision(decimals_for(spread / 10))
    columns = (Column("year", "Summer"), *(measured(arm, ARMS[arm], "number", made) for arm in ARMS))
    at = {(one.arm, one.year): one for one in years}
    none = Unavailable("No pupil has a result.")
    rows = []
    for year in sorted({one.year for one in years}):
        found = [at.get((arm, year)) for arm in ARMS]
        cells: list[Cell] = [none if one is None else _mean(one) for one in found]
        rows.append((str(year), *cells))
    return release(Table(caption=f"{label}: mean of pupils", columns=columns, rows=tuple(rows)), FEWEST_PEOPLE)


def _mean(one: ArmYear) -> Cell:
    return rests_on_few(FEWEST_PEOPLE) if is_few(one.n_pupils) else one.mean


def pupil_means_plot(years: Sequence[ArmYear], label: str, unit: str, spread: float, data_kind: DataKind) -> Figure:
    """Return the mean outcome of the pupils of both arms in each year."""
    told = [one for one in years if not is_few(one.n_pupils)]
    with canvas() as (figure, axes):
        if told:
            _draw(axes[0], told)
            axes[0].set_ylabel(f"{label} ({unit})")
        else:
            say_empty(axes, "No mean can be given; the table gives the reasons.")
        png, svg = drawn(figure, data_kind)
    made = Precision(decimals_for(spread / 10))
    words = "; ".join(f"{ARMS[one.arm].lower()} {one.year}: {made.number(one.mean)}" for one in told)
    return Figure(
        name="pupil_means",
        png=png,
        svg=svg,
        alt=f"Line chart of the mean of pupils by summer. {words}.",
        caption=f"{label}: mean of pupils in each summer, every pupil counting one, nothing adjusted for",
        data=pupil_means_table(years, label, spread),
    )


def _draw(ax: Axes, told: Sequence[ArmYear]) -> None:
    for arm, name in ARMS.items():
        of_arm = [one for one in told if one.arm == arm]
        at, means = [one.year for one in of_arm], [one.mean for one in of_arm]
        ax.plot(at, means, color=_COLOURS[arm], marker=_MARKS[arm], markersize=6, label=name)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlabel("Summer of the tests")
    ax.legend(frameon=False)
    ax.margins(x=0.05, y=0.12)

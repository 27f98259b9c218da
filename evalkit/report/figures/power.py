"""Figure of what a project's design could detect: the least effects of every kind on one scale."""

from __future__ import annotations

from typing import Final

from evalkit.core.formats import level_text, number
from evalkit.core.quantities import Quantity, Unavailable
from evalkit.diagnose.power.report import OutcomePower, PowerReport, in_pupil_sd
from evalkit.report.border.disclosure import release
from evalkit.report.border.parts import Figure
from evalkit.report.border.table import Column, Table
from evalkit.report.figures.style import BLACK, BLUE, PALE, SMALL, VERMILION, canvas, drawn, say_empty

_MARKS: Final = {
    "panel": ("panel", "o", VERMILION),
    "simulated": ("by simulation", "s", BLUE),
    "two_level": ("single schools chosen", "D", BLACK),
}
"""Each kind of least effect: what it is called, its mark and its colour."""
_LONGEST: Final = 40


def power_plot(report: PowerReport) -> Figure:
    """Return the least detectable effects on each outcome in standard deviations of pupils."""
    rows = [(one.label, _sizes(one)) for one in report.outcomes]
    power = level_text(report.options.power)
    with canvas(1.6 + 0.4 * len(rows)) as (figure, axes):
        ax = axes[0]
        if not any(isinstance(size, float) for _, sizes in rows for size in sizes.values()):
            say_empty(axes, "No least detectable effect can be given in standard deviations.")
        else:
            for key, (label, mark, colour) in _MARKS.items():
                places = [(size, at) for at, (_, sizes) in enumerate(rows) if isinstance(size := sizes[key], float)]
                ax.plot(*zip(*places, strict=True) if places else ([], []), mark, color=colour, label=label, zorder=2)
            ax.hlines(range(len(rows)), 0, ax.get_xlim()[1], color=PALE, linewidth=1, zorder=1)
            ax.set_yticks(range(len(rows)), [_short(label) for label, _ in rows])
            ax.set_ylim(len(rows) - 0.4, -0.6)
            ax.set_xlim(left=0)
            ax.set_xlabel(f"Least effect found with {power} probability, in standard deviations of pupils")
            figure.legend(loc="outside upper left", ncols=len(_MARKS), frameon=False, fontsize=SMALL)
        png, svg = drawn(figure, report.data_kind)
    columns = (Column("outcome", "Outcome"), *(Column(key, said, "number") for key, (said, _, _) in _MARKS.items()))
    cells = tuple((label, *(sizes[key] for key in _MARKS)) for label, sizes in rows)
    data = release(Table(caption="Numbers behind the figure of least effects", columns=columns, rows=cells), 0)
    caption = f"Least effects that would be found with {power} probability, in standard deviations of pupils"
    return Figure(png=png, svg=svg, alt=_alt(rows), caption=caption, data=data)


def _sizes(one: OutcomePower) -> dict[str, Quantity]:
    simulated = one.simulated if isinstance(one.simulated, Unavailable) else one.simulated.effect
    return {"panel": one.panel_g, "simulated": in_pupil_sd(simulated, one.pupil_sd), "two_level": one.two_level}


def _short(label: str) -> str:
    return label if len(label) <= _LONGEST else label[: _LONGEST - 1].rstrip() + "…"


def _alt(rows: list[tuple[str, dict[str, Quantity]]]) -> str:
    said = []
    for label, sizes in rows:
        known = [f"{_MARKS[key][0]} {number(size)}" for key, size in sizes.items() if isinstance(size, float)]
        said.append(f"{label}: {', '.join(known) or 'none can be given'}")
    return f"Marks on a scale for each outcome. {'; '.join(said)}."

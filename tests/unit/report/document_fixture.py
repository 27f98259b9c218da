"""A document with every kind of part: a long table, a wide one, one that lacks numbers, a figure, written text."""

from dataclasses import replace
from functools import cache

from evalkit.core.quantities import Interval, Unavailable
from evalkit.report.border.disclosure import ReleasedTable, release
from evalkit.report.border.parts import Document, Figure, Heading, Prose, Text
from evalkit.report.border.table import Column, Table
from evalkit.report.figures.style import canvas, drawn

NO_ERROR = Unavailable("One treated area has no spread of its own.")


def small_table() -> Table:
    """Return two rows with an interval and a reason that takes two columns."""
    columns = (
        Column("design", "Compared with"),
        Column("n", "Schools", "school_count"),
        Column("estimate", "Estimate", "estimate"),
        Column("interval", "95% interval", "interval"),
    )
    rows = (
        ("Statistical neighbours", 1563, 0.94, Interval(0.02, 1.86)),
        ("The rest of England", 13890, NO_ERROR, NO_ERROR),
    )
    return Table(
        caption="Difference in change, by design",
        columns=columns,
        rows=rows,
        unit="progress points",
        above=("Read the interval before the estimate.",),
        notes=("Intervals are those of the permutation.", "p-values are elsewhere."),
    )


def long_table(n: int = 90) -> Table:
    """Return more rows than a page holds."""
    rows = tuple((f"Area {i}", f"What happened in area {i} & its <schools>", i * 0.5) for i in range(1, n + 1))
    columns = (Column("area", "Area"), Column("what", "What happened"), Column("size", "Size", "number"))
    return Table(caption="Every area", columns=columns, rows=rows)


def wide_table(n: int = 16) -> Table:
    """Return more columns than an upright page holds."""
    columns = (Column("unit", "Unit"), *(Column(f"c{i}", f"Measurement {i}", "number") for i in range(n)))
    return Table(caption="Many measurements", columns=columns, rows=(("One", *(1000.0 + i for i in range(n))),))


@cache
def figure() -> Figure:
    """Return a small figure."""
    with canvas(height=2.4) as (made, (ax,)):
        ax.plot([2016, 2019], [0, 1])
        png, svg = drawn(made)
    data = release(Table(caption="Numbers", columns=(Column("year", "Year"),), rows=(("2016",), ("2019",))), 6)
    return Figure(png=png, svg=svg, alt="A line that rises from 0 in 2016 to 1 in 2019.", caption="A line", data=data)


def released(table: Table) -> ReleasedTable:
    """Return a table that may be shown."""
    return release(table, 6)


def make_document(**changes: object) -> Document:
    """Return the document, changed where asked."""
    summary = (
        Heading(1, "What do the data show?"),
        Text("The answer *first*, and then **what** it rests on: `results.json`.\n\n- one\n- two"),
        Prose(("Schools rose by 0.94 points more (95% interval 0.02 to 1.86).",), "headline"),
        Prose(("Who took part is not public.", "Maths moved too."), "list"),
        figure(),
    )
    rest = (
        Heading(1, "What could be wrong?"),
        Heading(2, "How large is the difference?"),
        Text("A sentence before the table."),
        released(small_table()),
        Heading(2, "What about every area?"),
        released(long_table()),
        released(wide_table()),
        Heading(3, "A detail?"),
        Prose(("The last sentence.",)),
    )
    document = Document(
        slug="invented",
        title="A report about “quotes” & <marks>",
        question="Did it rise more?",
        banner="SYNTHETIC DATA. Nothing here is real.",
        face=("Every school counts.", "The design was not registered before."),
        sections=(summary, rest),
    )
    return replace(document, **changes)

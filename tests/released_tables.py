"""Small released tables of counts of people, for tests of what a release tells together."""

from evalkit.core.quantities import Unavailable
from evalkit.report.border.disclosure import release
from evalkit.report.border.table import Column, Table


def people(rows, keys=("n",), *, fewest=6, caption="People", more=(), **how):
    """Return rows, a name and counts each, as a released table; a column `all` is the total of the others."""
    columns = (Column("who", "Who"), *(Column(key, key, "pupil_count", is_total=key == "all") for key in keys), *more)
    return release(Table(caption=caption, columns=columns, rows=tuple(rows), **how), fewest)


def shown(one):
    """Return the cells of a released table beside the names of its rows, None for what is withheld."""
    return [[None if isinstance(cell, Unavailable) else cell for cell in row[1:]] for row in one.table.rows]


def recovered(*counts):
    """Return the small groups that a reader works out as the difference of two counts that he is told."""
    told = sorted(set().union(*counts))
    return [larger - smaller for at, larger in enumerate(told) for smaller in told[:at] if larger - smaller < 10]

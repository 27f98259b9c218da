"""What lists of schools and outlines of areas hold: rows counted, areas named; never a row of a school."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from evalkit.core.words import counted
from evalkit.report.border.disclosure import ReleasedTable
from evalkit.report.border.table import Column
from evalkit.report.tables.data import named, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from evalkit.data.areas.authorities import AreaHistory
    from evalkit.data.areas.borders import AreaBorders
    from evalkit.data.areas.boundaries import Boundaries
    from evalkit.data.flow import CountedCase
    from evalkit.data.identity.schools import SchoolIdentity
    from evalkit.data.layouts.gias import SchoolList
    from evalkit.data.layouts.gias_groups import TrustMembership
    from evalkit.data.layouts.performance_tables import PerformanceTable
    from evalkit.data.layouts.published_table import PublishedTable
    from evalkit.data.published.school_lists import Links
    from evalkit.data.store.school_years import SchoolYears
    from evalkit.data.store.store import Store

_COUNTED: Final = (Column("case", "What was counted"), Column("n", "Number", "count"))
_MOST_AREAS: Final = 12


def school_list(found: SchoolList) -> ReleasedTable:
    """Return what was counted while a list of schools was read."""
    return _counted("Schools of the list", found.cases, f"To {found.as_of}." if found.as_of else "")


def trust_membership(found: TrustMembership) -> ReleasedTable:
    """Return what was counted while a list of members of groups was read."""
    return _counted("Members of groups", found.cases, f"To {found.as_of}." if found.as_of else "")


def links(found: Links) -> ReleasedTable:
    """Return which links between schools are followed, counted."""
    return _counted("Links between schools", found.cases)


def school_identity(found: SchoolIdentity) -> ReleasedTable:
    """Return what was decided of schools over time, counted, and what the rule gets wrong."""
    return _counted("Schools over time", found.cases, found.limits)


def published_table(found: PublishedTable) -> ReleasedTable:
    """Return how many rows of a published table have a number in each measure, and how many a reason."""
    return _filled("Rows of a published table", found.reasons, found.notes)


def performance_table(found: PerformanceTable) -> ReleasedTable:
    """Return how many schools of a performance table have a number in each column, and how many a reason."""
    return _filled(f"Schools of a performance table, key stage {found.key_stage[2:]}, {found.summer}", found.reasons)


def store(found: Store) -> ReleasedTable:
    """Return what a store holds: files and records by what they are, and how many files are not used."""
    columns = (Column("what", "What"), Column("files", "Files", "count"), Column("records", "Records", "count"))
    used = [entry for entry in found.entries if entry.is_used]
    files = Counter(entry.title for entry in used)
    records = {title: sum(one.contents.rows for one in used if one.title == title) for title in files}
    rows = [(title, n, records[title]) for title, n in sorted(files.items())]
    return plain("Files of a store", columns, rows, [f"Not used: {len(found.entries) - len(used)}."])


def school_years(found: SchoolYears) -> ReleasedTable:
    """Return what was counted while school-years were made of pupils."""
    return _counted("School-years made of pupils", found.cases, f"From {counted(len(found.files), 'file')}.")


def _filled(caption: str, reasons: pd.DataFrame, notes: Sequence[str] = ()) -> ReleasedTable:
    columns = (Column("measure", "Measure"), Column("number", "A number", "count"), Column("why", "A reason", "count"))
    lacks = (reasons != "").sum()
    rows = [(str(name), len(reasons) - int(n), int(n)) for name, n in lacks.head(_MOST_AREAS).items()]
    more = len(lacks) - _MOST_AREAS
    return plain(caption, columns, rows, [f"And {counted(more, 'measure')} more." if more > 0 else "", *notes])


def _counted(caption: str, cases: tuple[CountedCase, ...], note: str = "") -> ReleasedTable:
    return plain(caption, _COUNTED, [(case.case, case.n) for case in cases], [note])


def boundaries(found: Boundaries) -> ReleasedTable:
    """Return how many areas have an outline, and which have none."""
    lacking = named("Without an outline", found.lacking)
    rows = [("areas with an outline", len(found.rings)), ("areas without one", len(found.lacking))]
    return plain("Outlines of areas", _COUNTED, rows, [found.unavailable_reason, lacking])


def area_borders(found: AreaBorders) -> ReleasedTable:
    """Return the longest borders between areas, by their codes."""
    columns = (Column("area", "Area"), Column("other", "Borders"), Column("km", "Kilometres", "number"))
    longest = sorted(found.km.items(), key=lambda item: (-item[1], item[0]))
    rows = [(str(one), str(other), km) for (one, other), km in longest[:_MOST_AREAS]]
    more = len(longest) - _MOST_AREAS
    return plain("Borders between areas", columns, rows, [f"And {more} shorter ones." if more > 0 else ""])


def area_history(found: AreaHistory) -> ReleasedTable:
    """Return what became of authorities: those that are one area throughout counted, the others named."""
    columns = (Column("code", "Code"), Column("decision", "Decision"), Column("why", "Why"))
    counts = Counter(one.decision for one in found.decisions)
    rows = [(str(one.code), one.decision, one.reason) for one in found.decisions if one.decision != "throughout"]
    return plain("Authorities over time", columns, rows, [f"Besides, one area throughout: {counts['throughout']}."])

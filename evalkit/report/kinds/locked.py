"""What is locked of an analysis whose kind has no words of its own for its plan, drawn from the plan's record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from evalkit.core.quantities import Unavailable
from evalkit.core.words import listed
from evalkit.design.analysis_plan import AnalysisPlan
from evalkit.report.border.disclosure import release
from evalkit.report.border.parts import Part
from evalkit.report.border.table import Cell, Column, Table


def locked_parts(plan: AnalysisPlan) -> tuple[Part, ...]:
    """Return the settings of a record as they are, and of its lists how many they hold; nothing of an empty record."""
    rows = tuple(_rows(plan.record, ""))
    if not rows:
        return ()
    columns = (Column("what", "What is locked"), Column("value", "Value"), Column("n", "How many", "pupil_count"))
    notes = ("With every member of each list this stands in design.json.",)
    table = Table(caption=f"What is locked of “{plan.analysis.name}”", columns=columns, rows=rows, notes=notes)
    return (release(table, plan.project.disclosure.threshold),)


def _rows(record: Mapping[str, object], above: str) -> Iterator[tuple[Cell, ...]]:
    """Yield the settings and counts of a record, what stands inside a setting under both names."""
    for key, value in record.items():
        name = f"{above}{key}"
        if isinstance(value, Mapping) and not _is_by_unit(value):
            yield from _rows(value, f"{name}: ")
        elif isinstance(value, list | tuple) and value and all(map(_is_year, value)):
            yield name, listed([str(one) for one in value], _MOST), _NOT_COUNTED
        elif isinstance(value, Mapping | list | tuple):
            yield name, "", len(value)
        elif isinstance(value, int) and str(key).startswith("n_"):
            yield name, "", value
        else:
            yield name, "" if value is None else str(value), _NOT_COUNTED


def _is_by_unit(value: Mapping[object, object]) -> bool:
    """Return whether a mapping has an entry for each of many units, and is counted as a list of them is."""
    return len(value) > _MOST


def _is_year(value: object) -> bool:
    return isinstance(value, int) and 1900 <= value < 2100


_MOST: Final = 20
"""Entries of a mapping beyond which they are units, not settings."""
_NOT_COUNTED: Final = Unavailable("a setting, not a list")

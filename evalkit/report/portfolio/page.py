"""The portfolio's page: one file that needs no network, and works as a plain page without its script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from evalkit.core.quantities import Interval, Unavailable
from evalkit.core.words import cleaned
from evalkit.diagnose.portfolio.portfolio import Group, Portfolio
from evalkit.diagnose.portfolio.project_record import ProjectRecord
from evalkit.report.border.disclosure import ReleasedTable
from evalkit.report.border.markup import shown_row
from evalkit.report.border.parts import Figure
from evalkit.report.border.table import Cell, Column, shown_text
from evalkit.report.documents.typography import font_faces
from evalkit.report.portfolio.tables import (
    DATA,
    NOT_STATED,
    by_title,
    failed_table,
    overlaps_table,
    pooled_table,
    projects_table,
    unread_table,
)
from evalkit.report.portfolio.words import (
    banner,
    group_about,
    group_result,
    how_pooled,
    portfolio_front_matter,
    refused_parts,
)
from evalkit.report.templates import packaged

FILTERS: Final = (
    ("rating", "Evidence"),
    ("phase", "Phase"),
    ("theme", "Theme"),
    ("region", "Region"),
    ("data", "Data"),
)
"""Columns of the table of projects by which it can be narrowed."""
OVERVIEW: Final = (
    "group",
    "role",
    "data",
    "projects",
    "unit",
    "average",
    "interval",
    "p_value",
    "raw",
    "placebos",
    "prediction",
    "note",
)
"""Columns of the overview of pooled results."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageGroup:
    """A group of estimates with its name, and its figure and tables where it has them."""

    group: Group
    title: str
    figure: Figure | None
    parts: ReleasedTable | None
    left_out: ReleasedTable | None


def portfolio_page(portfolio: Portfolio, groups: Sequence[PageGroup]) -> str:
    """Return the page as HTML."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    page = environment.from_string(packaged("portfolio.html.j2")).render(
        css=Markup(packaged("report.css").replace("/* faces */", font_faces()) + packaged("portfolio.css")),
        script=Markup(packaged("portfolio.js.j2")),
        banner=banner(portfolio),
        face=portfolio_front_matter(portfolio),
        table=_projects(portfolio),
        filters=_filters(portfolio),
        groups=[_shown(at, group) for at, group in enumerate(groups, start=1)],
        pooled=_pooled(portfolio),
        how=how_pooled(),
        overlaps=_html(overlaps_table(portfolio)) if portfolio.overlaps else None,
        failed=_html(failed_table(portfolio)) if portfolio.failed else None,
        unread=_html(unread_table(portfolio)) if portfolio.unread else None,
    )
    return cleaned(page)


def _html(noun: ReleasedTable | Figure | None) -> Markup | None:
    return None if noun is None else Markup(noun._repr_html_())


def _shown(at: int, page: PageGroup) -> dict[str, Any]:
    return {
        "anchor": f"group-{at}",
        "title": page.title,
        "kind": f"{DATA[page.group.key.data_kind]} data",
        "is_few": page.group.is_few,
        "about": group_about(page.group),
        "result": group_result(page.group),
        "figure": _html(page.figure),
        "parts": _html(page.parts),
        "refused": refused_parts(page.group) if not isinstance(page.group.pooled, Unavailable) else "",
        "left_out": _html(page.left_out),
    }


def _pooled(portfolio: Portfolio) -> dict[str, Any]:
    """Return the overview of pooled results: headers, and rows whose first cell links to the group."""
    table = pooled_table(portfolio).table
    keys = [column.key for column in table.columns]
    shown = [keys.index(key) for key in OVERVIEW]
    columns = tuple(table.columns[at] for at in shown)
    rows = [shown_row(columns, tuple(row[at] for at in shown)) for row in table.rows]
    return {"headers": columns, "rows": rows, "notes": table.notes}


def _projects(portfolio: Portfolio) -> dict[str, Any]:
    """Return the table of projects: headers, and rows whose cells have a text and a key to sort by."""
    table = projects_table(portfolio).table
    pairs = zip(by_title(portfolio), table.rows, strict=True)
    return {
        "caption": table.caption,
        "headers": [column for column in table.columns if column.key != "place"],
        "rows": [_row(project, table.columns, row) for project, row in pairs],
        "notes": table.notes,
    }


def _row(project: ProjectRecord, columns: Sequence[Column], row: Sequence[Cell]) -> dict[str, Any]:
    cells = {column.key: _cell(column, cell) for column, cell in zip(columns, row, strict=True)}
    place = cells.pop("place")
    return {
        "report": project.report,
        "place": place["text"],
        "title": cells.pop("project"),
        "rating_words": project.rating.sentence,
        "filters": {key: cells[key]["text"] for key, _ in FILTERS},
        "cells": list(cells.values()),
    }


def _cell(column: Column, cell: Cell) -> dict[str, Any]:
    is_missing = isinstance(cell, Unavailable)
    kind = "reason" if is_missing else "num" if column.is_numeric else ""
    text = shown_text(cell, column)
    return {"key": column.key, "text": text, "sort": _sort_key(cell), "class": kind}


def _sort_key(cell: Cell) -> str:
    """Return what the script sorts a cell by: a number in full, a text in small letters, "" where it is missing."""
    if isinstance(cell, Unavailable):
        return ""
    if isinstance(cell, Interval):
        return repr(cell.lower)
    return cell.casefold() if isinstance(cell, str) else repr(float(cell))


def _filters(portfolio: Portfolio) -> list[dict[str, Any]]:
    """Return the controls that narrow the table, each with the values that occur; `not stated` comes last."""
    table = projects_table(portfolio).table
    filters = []
    for key, label in FILTERS:
        values = sorted({str(value) for value in table.column(key)}, key=lambda value: (value == NOT_STATED, value))
        filters.append({"key": key, "label": label, "values": values})
    return filters

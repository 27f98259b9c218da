"""The lists of `evalkit similar` as a text for a person, as one JSON object, and as files."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from evalkit.core.plain import json_text
from evalkit.core.plain import plain_or_reason as given
from evalkit.core.words import cleaned, counted
from evalkit.data.profiles import Profiles
from evalkit.data.published.codes import coded_notes
from evalkit.design.similar import CLOSENESS, NOT_CLOSE, SimilarUnits
from evalkit.report.border.disclosure import ReleasedTable
from evalkit.report.border.table import cell_text
from evalkit.report.templates import packaged
from evalkit.run.processes.locks import write_whole
from evalkit.run.tables.did_layout import Footnotes, aligned, wrapped
from evalkit.run.tables.frame_csv import frame_csv
from evalkit.run.tables.similar_answer import SimilarAnswer

Json = dict[str, Any]


def similar_text(answer: SimilarAnswer) -> str:
    """Return the list asked for as an aligned table, or what can be said of the lists of all units."""
    lines = (
        _summary_lines(answer)
        if answer.table is None
        else _list_lines(answer.table, reading_notes(answer.found.profiles))
    )
    return cleaned("\n".join(lines))


def _list_lines(released: ReleasedTable, reading: tuple[str, ...]) -> Iterator[str]:
    table, notes = released.table, Footnotes()
    n_left = next(at for at, column in enumerate(table.columns) if at and column.is_numeric)
    yield f"{table.caption}\n"
    rows = [
        [
            notes.mark(cell.reason) if hasattr(cell, "reason") else cell_text(cell, column.kind)
            for cell, column in zip(row, table.columns, strict=True)
        ]
        for row in table.rows
    ]
    yield from aligned([column.header for column in table.columns], rows, n_left)
    yield from notes.lines()
    yield ""
    for note in (*table.notes, *reading):
        yield from wrapped(note, "  - ")


def _summary_lines(answer: SimilarAnswer) -> Iterator[str]:
    found = answer.found
    yield from wrapped(
        f"{answer.request.file.name}: lists of the {found.option.n} most similar units, for "
        f"{counted(len(found.asked), 'unit')}."
    )
    first = found.distance[:, 0][found.positions[:, 0] >= 0]
    words = [*(word for _, word in CLOSENESS), NOT_CLOSE]
    steps = np.bincount(np.searchsorted([most for most, _ in CLOSENESS], first), minlength=len(words))
    yield "\nHow close the most similar unit is"
    for word, n in zip(words, steps.tolist(), strict=True):
        yield f"  {word:<15} {counted(n, 'unit')}"
    yield ""
    for note in (*_losses(found), *reading_notes(found.profiles)):
        yield from wrapped(note, "  - ")
    if answer.request.out is None:
        yield from wrapped("Name a unit with --for, or write all lists with --out FILE.csv.", "  - ")


def _losses(found: SimilarUnits) -> Iterator[str]:
    if found.n_short:
        yield f"{counted(found.n_short, 'list')} shorter than asked for: too few units may stand there."
    left_out = found.profiles.left_out
    if len(left_out):
        yield f"{counted(len(left_out), 'unit')} left out, as a characteristic or label is missing."


def reading_notes(profiles: Profiles) -> tuple[str, ...]:
    """Return which codes stood in the place of numbers, and what else a reader must know of the file."""
    return (*profiles.notes, *coded_notes(profiles.codes))


def similar_json(answer: SimilarAnswer) -> str:
    """Return the list asked for, or all lists, as text."""
    return json_text(_record(answer))


def _record(answer: SimilarAnswer) -> Json:
    found = answer.found
    record: Json = _one(answer.table, str(answer.unit)) if answer.table else {"lists": _all(answer)}
    return record | {
        "characteristics": [
            {"name": one.name, "weight": one.weight, "sd": "category" if one.sd is None else one.sd}
            for one in found.characteristics
        ],
        "n_units": len(found.profiles.units),
        "left_out": {"n_units": len(found.profiles.left_out), "lacking": dict(found.profiles.lacking)},
        "same": list(found.option.same),
        "not_same": list(found.option.not_same),
        "n_short": found.n_short,
        "notes": list(reading_notes(found.profiles)),
        "closeness": {word: most for most, word in CLOSENESS},
    }


def _one(released: ReleasedTable, unit: str) -> Json:
    keys = [column.key for column in released.table.columns]
    own, *others = [dict(zip(keys, map(given, row), strict=True)) for row in released.table.rows]
    lacking = ("rank", "closeness", "distance")
    return {
        "unit": unit,
        "own": {key: value for key, value in own.items() if key not in lacking},
        "similar": others,
    }


def _all(answer: SimilarAnswer) -> list[Json]:
    ids = [str(one) for one in answer.found.profiles.units]
    lists = []
    for asked in answer.found.asked.tolist():
        rows: list[Json] = [
            {"rank": one.rank, "id": ids[one.position], "closeness": one.closeness}
            | ({} if answer.request.pupils else {"distance": one.distance})
            for one in answer.found.of(answer.found.profiles.units[asked])
        ]
        lists.append({"unit": ids[asked], "similar": rows})
    return lists


def write_similar(answer: SimilarAnswer, path: Path) -> None:
    """Write the list asked for as .csv or .html, or all lists as .csv with a row for each unit and rank.

    Distances are left out of all lists where a characteristic counts pupils, as counts could be worked out of them.
    """
    write_whole(path, _content(answer, path.suffix.lower()).encode())


def _content(answer: SimilarAnswer, kind: str) -> str:
    if answer.table is None:
        pairs = answer.found.pairs()
        return frame_csv(pairs.drop(columns="distance") if answer.request.pupils else pairs, has_index=False)
    return answer.table.to_csv() if kind == ".csv" else _page(answer.table)


def _page(released: ReleasedTable) -> str:
    css = packaged("report.css")
    css += "\nmain { max-width: 76rem; margin: 0 auto; padding: 0 1rem; }\n"
    title = escape(cleaned(released.table.caption))
    return (
        f'<!DOCTYPE html>\n<html lang="en-GB">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>{css}</style>\n</head>\n<body>\n<header><h1>Similar schools or areas</h1></header>\n"
        f"<main>\n{released._repr_html_()}\n</main>\n</body>\n</html>\n"
    )

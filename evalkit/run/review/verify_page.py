"""What became of a run made again: the verdict first, then files, effects, outputs, and what explains them."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from evalkit.core.words import counted, csv_safe, listed
from evalkit.run.review.differences import Apart, MovedEffect, OutputDifference
from evalkit.run.review.verify import Verification, verification_record
from evalkit.run.tables.written import CommandAnswer

if TYPE_CHECKING:
    from evalkit.core.quantities import Unavailable
    from evalkit.report.border.disclosure import ReleasedTable
    from evalkit.report.border.parts import Document, Part

_NUMBERS: Final = {
    "estimate": "estimate",
    "std_error": "standard error",
    "interval.lower": "interval, lower end",
    "interval.upper": "interval, upper end",
    "p_value": "p-value",
}
_STATES: Final = {
    "same, elsewhere": "the same, under another name or place",
    "changed": "changed: another file stands in its place, and was read",
    "missing": "missing",
    "from the manifest": "not there; its choices were taken from the manifest",
}
_MOST_ROWS: Final = 25
_NONE: Final = "No number is given there."


def verify_answer(found: Verification) -> CommandAnswer:
    """Return a verification in every form in which it is asked for."""
    return CommandAnswer(
        document=lambda has_figures: verify_document(found),
        csv=lambda: _csv(found),
        record=lambda: verification_record(found),
    )


def verify_document(found: Verification) -> Document:
    """Return a verification as a document: the verdict, and a table for each thing that is not the same."""
    from evalkit.report.border.parts import Document

    return Document(
        title=f"{found.slug}: the run made again",
        face=(*verdict(found),),
        sections=(tuple(_parts(found)),),
    )


def verdict(found: Verification) -> Iterator[str]:
    """Yield the sentences that say what became of a run made again."""
    if found.state == "not made":
        yield f"NOT VERIFIED: {found.run} could not be made again. {found.failure}"
    elif found.state == "same":
        yield (
            f"VERIFIED: of {found.run}, made again with {found.told}, all {counted(found.n_same, 'output')} are the "
            "same to the byte."
        )
    elif found.state == "same numbers":
        yield (
            f"VERIFIED: of {found.run}, made again with {found.told}, every number is the same within 1e-9 of its "
            f"size; {counted(found.n_same, 'output')} of {found.n_same + len(found.outputs)} are the same to the byte."
        )
    else:
        yield f"DIFFERENT: {found.run}, made again with {found.told}, does not come out the same."
    yield from _reasons(found)


def _reasons(found: Verification) -> Iterator[str]:
    if found.touched:
        n = len(found.touched)
        yield (
            f"{counted(n, 'output')} of the run {'is' if n == 1 else 'are'} not as the run left it: "
            + listed(list(found.touched))
            + "."
        )
    changed = [one.path for one in found.moved if one.state == "changed"]
    if changed:
        yield f"{counted(len(changed), 'file')} it was made from changed since: {listed(changed)}."
    if any(one.state == "from the manifest" for one in found.moved):
        yield "The project file is not there as it was; its choices were taken from the manifest."
    if found.effects:
        main = list(dict.fromkeys(f"{one.analysis}: {one.outcome}" for one in found.effects if one.is_main))
        effects = {(one.analysis, one.outcome, one.design, one.period, one.inference) for one in found.effects}
        quoted = f"; of those the analyses are quoted by: {listed(main)}" if main else "; none of those quoted"
        yield f"{counted(len(effects), 'effect')} moved{quoted}."
    elif found.state == "differs":
        yield "No effect moved."
    if found.state in ("same numbers", "differs"):
        yield _why(found)


def _why(found: Verification) -> str:
    what = [one.what for one in found.recorded]
    if what:
        return f"What else is not as the manifest records: {listed(what)}."
    if any(not one.is_same for one in found.files) or found.touched:
        return "Code, packages, notebooks and numerics are those that the manifest records."
    return (
        "Files, code, packages, notebooks and numerics are those that the manifest records, so nothing recorded "
        "explains the difference: please report it."
    )


def _parts(found: Verification) -> Iterator[Part]:
    from evalkit.report.border.parts import Heading

    tables = (
        ("Which files are not there as the run read them?", _files(found)),
        ("Which effects moved?", _effects(found.effects)),
        ("Which outputs differ, and by how much?", _outputs(found.outputs)),
        ("What of code, packages and machine is another?", _recorded(found)),
    )
    for heading, table in tables:
        if table is not None:
            yield Heading(2, heading)
            yield table


def _files(found: Verification) -> ReleasedTable | None:
    rows = tuple((one.path, _STATES[one.state]) for one in found.moved)
    return _table("Files", (("file", "File"), ("state", "What is found now")), rows)


def _effects(effects: Sequence[MovedEffect]) -> ReleasedTable | None:
    from evalkit.report.border.disclosure import release
    from evalkit.report.border.table import Column, Table

    if not effects:
        return None
    columns = (
        Column("effect", "Effect"),
        Column("number", "Number"),
        Column("before", "Run", "estimate", decimals=4),
        Column("now", "Made again", "estimate", decimals=4),
        Column("share", "Apart, of the larger"),
    )
    shown = effects[:_MOST_ROWS]
    rows = tuple(
        (_named(one), _NUMBERS[one.number], _or_none(one.before), _or_none(one.now), _share(one.share)) for one in shown
    )
    left = len(effects) - len(shown)
    more = (f"{left} more numbers moved; --json names them all.",) if left else ()
    notes = ("Effects by which an analysis is quoted come first.", *more)
    return release(Table(caption="Numbers of effects that moved", columns=columns, rows=rows, notes=notes), 0)


def _named(one: MovedEffect) -> str:
    beside = "" if one.is_main else f", {one.design}, {one.period}, {one.inference}"
    return f"{one.analysis}: {one.outcome}{beside}"


def _or_none(value: float | None) -> float | Unavailable:
    from evalkit.core.quantities import Unavailable

    return Unavailable(_NONE) if value is None else value


def _share(share: float) -> str:
    return "one is not given" if math.isinf(share) else f"{share:.1e}"


def _outputs(outputs: Sequence[OutputDifference]) -> ReleasedTable | None:
    ordered = sorted(outputs, key=lambda one: (one.is_within, one.state == "drawn", one.name))
    rows = tuple((one.name, _told(one)) for one in ordered[:_MOST_ROWS])
    left = len(outputs) - len(rows)
    notes = (f"{left} more differ; --json names them all.",) if left else ()
    return _table("Outputs that are not the same to the byte", (("output", "Output"), ("how", "How")), rows, notes)


def _told(one: OutputDifference) -> str:
    if one.state != "numbers":
        return {
            "drawn": "drawn from the numbers; its bytes differ",
            "gone": "not made this time",
            "new": "made this time only",
            "not there": "not at hand to compare; its SHA-256 differs",
        }[one.state]
    return _apart(one.apart)


def _apart(found: Apart) -> str:
    parts = []
    if found.n_numbers:
        parts.append(f"{counted(found.n_numbers, 'number')}, by up to {found.largest:.1e} ({found.where})")
    if found.n_others:
        parts.append(f"{counted(found.n_others, 'other cell')}")
    return "; ".join(parts) or "written another way, the same numbers"


def _recorded(found: Verification) -> ReleasedTable | None:
    rows = tuple((one.what, one.then, one.now) for one in found.recorded)
    columns = (("what", "What"), ("then", "As recorded"), ("now", "This time"))
    return _table("What the manifest records and is another now", columns, rows)


def _table(
    caption: str, columns: Sequence[tuple[str, str]], rows: tuple[tuple[str, ...], ...], notes: tuple[str, ...] = ()
) -> ReleasedTable | None:
    """Return a table of texts, None where it has no row."""
    from evalkit.report.border.disclosure import release
    from evalkit.report.border.table import Column, Table

    if not rows:
        return None
    made = Table(caption=caption, columns=tuple(Column(*one) for one in columns), rows=rows, notes=notes)
    return release(made, 0)


def _csv(found: Verification) -> str:
    """Return the numbers of effects that moved as CSV, in full."""
    held = io.StringIO()
    table = csv.writer(held, lineterminator="\n")
    table.writerow(("analysis", "outcome", "design", "period", "inference", "main", "number", "before", "now"))
    for one in found.effects:
        texts = (one.analysis, one.outcome, one.design, one.period, one.inference)
        numbers = ("" if value is None else repr(value) for value in (one.before, one.now))
        table.writerow((*map(csv_safe, texts), one.is_main, one.number, *numbers))
    return held.getvalue()

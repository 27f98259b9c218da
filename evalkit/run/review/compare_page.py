"""Two runs side by side, as a reviewer reads them in a minute: the effects, what moves them, and what differs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from itertools import compress
from typing import TYPE_CHECKING, Any, Final

from evalkit.core.formats import number
from evalkit.core.words import counted, csv_safe, listed
from evalkit.run.review.compared import ComparedBlock, ComparedEffect, Comparison, EffectParts
from evalkit.run.tables.written import CommandAnswer

if TYPE_CHECKING:
    from evalkit.core.quantities import Interval, Unavailable
    from evalkit.report.border.disclosure import ReleasedTable
    from evalkit.report.border.parts import Document, Part
    from evalkit.run.review.crossing import Numbers
    from evalkit.run.review.shares import BlockShare

_LONGEST: Final = 90
_DECIMALS: Final = 3
_NONE: Final = "Not given: the run has no such number."
_NO_PART: Final = "Not given in one of the runs, or in a crossing of them."
_NOT_RUN: Final = "Not crossed: only the estimate's remainder is known."
_ALL: Final = 0.99
"""Share of a difference from which on a block is said to make it alone."""
_HOW: Final = (
    "Parts are Shapley shares: the mean, over every order in which the blocks could change, of what a block changes "
    "when its turn comes. They sum to the difference. Every crossing was evaluated by the kit that is here.",
    "Of more than four blocks the parts are means over the order in which they stand and its reverse.",
)


def compare_answer(found: Comparison) -> CommandAnswer:
    """Return a comparison in every form in which it is asked for."""
    return CommandAnswer(
        document=lambda has_figures: compare_document(found),
        csv=lambda: _csv(found),
        record=lambda: comparison_record(found),
    )


def compare_document(found: Comparison) -> Document:
    """Return a comparison as a document; of two runs that are the same one sentence."""
    from evalkit.report.border.parts import Document

    if found.is_same:
        return Document(title="The two runs are the same: files, choices, code and results.", face=found.notes)
    return Document(
        title="Two runs side by side",
        face=(f"A is {found.a}; B is {found.b}.", *said(found), *found.notes),
        sections=(tuple(_parts(found)),),
    )


def said(found: Comparison) -> Iterator[str]:
    """Yield in sentences what differs, and for each effect that moved what makes it."""
    if found.changes:
        blocks = [f"{block.name} ({counted(len(found.changes_in(block)), 'thing')})" for block in found.blocks]
        yield f"What differs: {listed(blocks)}."
    else:
        yield "Files, choices, code and packages are the same, and yet results differ: please report it."
    moved = [one for one in found.effects if one.difference]
    yield from (_sentence(found, one) for one in moved)
    if any(one.block == "code" for one in found.changes) and not any(one.remainder for one in found.effects):
        yield "The code or its packages differ, and move none of these estimates."
    still = len(found.effects) - len(moved)
    if still:
        yield f"{counted(still, 'effect')} of {len(found.effects)}: the same estimate in both, or none in one of them."


def _sentence(found: Comparison, effect: ComparedEffect) -> str:
    gap = effect.difference
    one, other = effect.a.estimate, effect.b.estimate
    assert gap is not None
    assert one is not None
    assert other is not None
    told = f"{effect.analysis}: {effect.outcome} is {_written(one)} in A and {_written(other)} in B"
    shares = [(block.name, part.share) for block, part in _of_effect(found, effect)]
    alone = [name for name, share in shares if abs(share - gap) <= (1 - _ALL) * abs(gap)]
    if alone and all(abs(share) <= (1 - _ALL) * abs(gap) for name, share in shares if name != alone[0]):
        return f"{told}: {alone[0]} alone makes the difference of {_written(gap)}."
    parts = [f"{name} {_written(share)}" for name, share in shares]
    if effect.remainder:
        parts.append(f"{_left_to(found)} {_written(effect.remainder)}")
    return f"{told}; of the difference of {_written(gap)}: {listed(parts)}."


def _written(value: float) -> str:
    """Return a number with one digit more than reports have, so that parts are seen to sum to the difference."""
    return number(value, _DECIMALS)


def _left_to(found: Comparison) -> str:
    """Return what the remainder is called: code and packages, where these differ."""
    is_code = any(one.block == "code" for one in found.changes)
    return "code and packages (what remains)" if is_code else "what remains"


def _of_effect(found: Comparison, effect: ComparedEffect) -> Iterator[tuple[ComparedBlock, BlockShare]]:
    for block in found.blocks:
        for one in block.effects:
            if (one.analysis, one.outcome) == (effect.analysis, effect.outcome) and one.estimate is not None:
                yield block, one.estimate


def _parts(found: Comparison) -> Iterator[Part]:
    from evalkit.report.border.parts import Heading, Prose

    yield Heading(2, "What is each effect in the two runs?")
    yield _effects(found.effects)
    crossed = [one for one in found.blocks if one.effects]
    if crossed:
        yield Heading(2, "What is the difference due to?")
        yield _shares(found, crossed)
        yield Prose(_HOW)
    if found.changes:
        yield Heading(2, "What differs?")
        yield _changes(found)


def _effects(effects: Sequence[ComparedEffect]) -> ReleasedTable:
    from evalkit.report.border.disclosure import release
    from evalkit.report.border.table import Column, Table

    columns = (
        Column("effect", "Effect"),
        *(
            Column(f"{key}_{run}", f"{run.upper()}: {header}", kind, decimals=_DECIMALS)  # type: ignore[arg-type]
            for run in ("a", "b")
            for key, header, kind in (
                ("estimate", "estimate", "estimate"),
                ("interval", "interval", "interval"),
                ("p", "p", "p"),
                ("n", "treated/comparison", "text"),
            )
        ),
        Column("difference", "B less A", "estimate", decimals=_DECIMALS),
    )
    rows = tuple(
        (
            f"{one.analysis}: {one.outcome}",
            *_shown(one.a, one.n_a),
            *_shown(one.b, one.n_b),
            _or_none(one.difference),
        )
        for one in effects
    )
    return release(Table(caption="The effects by which analyses are quoted", columns=columns, rows=rows), 0)


def _shown(numbers: Numbers, n: tuple[int, int] | None) -> tuple[Any, ...]:
    counts = "–" if n is None else f"{n[0]}/{n[1]}"
    return _or_none(numbers.estimate), _interval(numbers), _or_none(numbers.p_value), counts


def _interval(numbers: Numbers) -> Interval | Unavailable:
    from evalkit.core.quantities import Interval, Unavailable

    if numbers.lower is None or numbers.upper is None:
        return Unavailable(_NONE)
    return Interval(numbers.lower, numbers.upper)


def _or_none(value: float | None, reason: str = _NONE) -> float | Unavailable:
    from evalkit.core.quantities import Unavailable

    return Unavailable(reason) if value is None else value


def _shares(found: Comparison, crossed: Sequence[ComparedBlock]) -> ReleasedTable:
    from evalkit.report.border.disclosure import release
    from evalkit.report.border.table import Column, Table

    columns = (
        Column("effect", "Effect"),
        Column("block", "Block"),
        *(
            Column(key, header, "estimate", decimals=_DECIMALS)
            for key, header in (
                ("estimate", "Part of the estimate"),
                ("first", "Changed first"),
                ("last", "Changed last"),
                ("lower", "Of the lower end"),
                ("upper", "Of the upper end"),
                ("p", "Of p"),
            )
        ),
        Column("order", "Order"),
    )
    rows = tuple(row for effect in found.effects for row in _rows(found, crossed, effect))
    is_shown = [True, True, True, len(crossed) > 1, len(crossed) > 1, True, True, True, any(row[-1] for row in rows)]
    shown = tuple(tuple(compress(row, is_shown)) for row in rows)
    made = Table(caption="Each block's part of each difference", columns=tuple(compress(columns, is_shown)), rows=shown)
    return release(made, 0)


def _rows(found: Comparison, crossed: Sequence[ComparedBlock], effect: ComparedEffect) -> Iterator[tuple[Any, ...]]:
    name = f"{effect.analysis}: {effect.outcome}"
    for block in crossed:
        for one in block.effects:
            if (one.analysis, one.outcome) == (effect.analysis, effect.outcome) and one != _without_parts(effect):
                yield name, block.name, *_part(one)
    if effect.remainder:
        yield name, _left_to(found), effect.remainder, *(_or_none(None, _NOT_RUN) for _ in range(5)), ""


def _without_parts(effect: ComparedEffect) -> EffectParts:
    return EffectParts(analysis=effect.analysis, outcome=effect.outcome)


def _part(one: EffectParts) -> tuple[Any, ...]:
    def share(part: BlockShare | None) -> float | None:
        return None if part is None else part.share

    estimate = one.estimate
    numbers = (
        share(estimate),
        None if estimate is None else estimate.first_in,
        None if estimate is None else estimate.last_in,
        *(share(part) for part in (one.lower, one.upper, one.p_value)),
    )
    return (
        *(_or_none(value, _NO_PART) for value in numbers),
        "depends on order" if estimate is not None and estimate.depends_on_order else "",
    )


def _changes(found: Comparison) -> ReleasedTable:
    from evalkit.report.border.disclosure import release
    from evalkit.report.border.table import Column, Table

    columns = (Column("block", "Block"), Column("field", "What"), Column("a", "A"), Column("b", "B"))
    rows = tuple((one.block, one.field, _short(one.a), _short(one.b)) for one in found.changes)
    return release(Table(caption="What differs between the two runs", columns=columns, rows=rows), 0)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


# As plain data and as CSV.


def comparison_record(found: Comparison) -> dict[str, object]:
    """Return a comparison as plain data; `difference` is a block's part of B less A in the estimate."""
    effects = {(one.analysis, one.outcome): one for one in found.effects}
    return {
        "schema_version": 1,
        "a": found.a,
        "b": found.b,
        "same": found.is_same,
        "blocks": [
            {
                "block": block.name,
                "fields": [one.field for one in found.changes_in(block)],
                "changes": [{"field": one.field, "a": one.a, "b": one.b} for one in found.changes_in(block)],
                "effects": [_part_record(one, effects[one.analysis, one.outcome]) for one in block.effects],
            }
            for block in found.blocks
        ],
        "remainder": [_effect_record(one, one.remainder) for one in found.effects],
        "effects": [
            {**_effect_record(one, one.difference), "numbers_a": _plain(one.a), "numbers_b": _plain(one.b)}
            for one in found.effects
        ],
        "notes": list(found.notes),
    }


def _effect_record(effect: ComparedEffect, difference: float | None) -> dict[str, object]:
    return {
        "analysis": effect.analysis,
        "outcome": effect.outcome,
        "a": effect.a.estimate,
        "b": effect.b.estimate,
        "difference": difference,
    }


def _part_record(one: EffectParts, effect: ComparedEffect) -> dict[str, object]:
    part = one.estimate
    beside = {"lower": one.lower, "upper": one.upper, "p_value": one.p_value}
    return {
        **_effect_record(effect, None if part is None else part.share),
        "first_in": None if part is None else part.first_in,
        "last_in": None if part is None else part.last_in,
        "depends_on_order": part is not None and part.depends_on_order,
        **{f"{name}_difference": None if each is None else each.share for name, each in beside.items()},
    }


def _plain(numbers: Numbers) -> dict[str, float | None]:
    return {
        "estimate": numbers.estimate,
        "lower": numbers.lower,
        "upper": numbers.upper,
        "p_value": numbers.p_value,
    }


def _csv(found: Comparison) -> str:
    """Return each block's part of each difference as CSV, numbers in full."""
    held = io.StringIO()
    table = csv.writer(held, lineterminator="\n")
    table.writerow(("analysis", "outcome", "a", "b", "block", "part", "first_in", "last_in", "depends_on_order"))
    for effect in found.effects:
        known = (
            csv_safe(effect.analysis),
            csv_safe(effect.outcome),
            *map(_cell, (effect.a.estimate, effect.b.estimate)),
        )
        for block, part in _of_effect(found, effect):
            numbers = map(_cell, (part.share, part.first_in, part.last_in))
            table.writerow((*known, block.name, *numbers, part.depends_on_order))
        table.writerow((*known, "remainder", _cell(effect.remainder), "", "", ""))
    return held.getvalue()


def _cell(value: float | None) -> str:
    return "" if value is None else repr(value)

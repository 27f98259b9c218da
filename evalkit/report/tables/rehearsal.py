"""A design rehearsed where nothing happened, in words and tables for commissioner and authors."""

from __future__ import annotations

from collections.abc import Iterator

from evalkit.core.formats import level_text, number, visible, years_text
from evalkit.core.quantities import Unavailable
from evalkit.core.words import counted, listed
from evalkit.diagnose.power.rehearsal import OutcomeRehearsal, Rehearsal
from evalkit.report.border.disclosure import ReleasedTable, release
from evalkit.report.border.parts import Prose
from evalkit.report.border.table import Column, Table


def rehearsal_words(rehearsal: Rehearsal) -> Prose:
    """Return what was rehearsed, on which years, and what the design finds of the primary outcome there."""
    return Prose(tuple(_said(rehearsal)), "list")


def _said(made: Rehearsal) -> Iterator[str]:
    when = (
        "The plan is locked: the years are the real ones, in areas where the programme did not run."
        if made.is_locked
        else "No year after the programme began was read, in any area: the last one before it stands for those after."
    )
    yield (
        f"“{made.analysis}” was made again as if the programme had run elsewhere, from {_years(made.pre)} to "
        f"{_years(made.post)}, on schools listed {_listed(made)}. {when}"
    )
    first = made.outcomes[0]
    if first.reason:
        yield f"{first.outcome} cannot be rehearsed: {first.reason}"
        return
    yield from _of_outcome(made, first)
    if made.data_kind == "synthetic":
        yield "The schools are made up; how a design does on real ones is another matter."


def _years(years: tuple[int, ...]) -> str:
    return listed([str(year) for year in years])


def _listed(made: Rehearsal) -> str:
    return f"by the rule ({made.how_listed})" if made.project.participants.rule is not None else made.how_listed


def _of_outcome(made: Rehearsal, one: OutcomeRehearsal) -> Iterator[str]:
    if isinstance(one.own.listed, float) and isinstance(one.own.others, float):
        yield (
            f"{one.outcome}: where nothing happened the listed schools changed by {visible(one.own.listed)} {one.unit} "
            f"by themselves, and the other schools of their areas by {visible(one.own.others)}. A comparison of before "
            "and after would have called the difference the programme's."
        )
    if isinstance(one.bias, float) and isinstance(one.bias_error, float) and isinstance(one.left, float):
        yield (
            f"Against their comparison they gained {visible(one.bias)} on average (standard error "
            f"{visible(one.bias_error)}, {counted(one.n_areas, 'area')}). "
            + (
                f"What such sets gain is taken off, which leaves {visible(one.left)}."
                if one.left != one.bias
                else "Nothing is taken off."
            )
        )
    told = [
        f"{level_text(row.share)} among {row.judged_by}"
        for row in one.rejections
        if isinstance(row.share, float) and isinstance(row.error, float)
    ]
    if told:
        error = next(row.error for row in one.rejections if isinstance(row.error, float))
        yield (
            f"At {level_text(1 - made.project.inference.level)}, nothing having happened, it is rejected in "
            f"{listed(told)}; the first leads. Such a share is known to some {number(100 * error, 1)} points, as there "
            f"are {counted(one.n_areas, 'area')}: this is a rehearsal, not a calibration."
        )


def rehearsal_table(rehearsal: Rehearsal) -> ReleasedTable:
    """Return, for each outcome, what the design finds where nothing happened."""
    columns = (
        Column("outcome", "Outcome"),
        Column("own", "Own change of the listed", "number"),
        Column("others", "Other schools", "number"),
        Column("bias", "Mean estimate", "number"),
        Column("left", "Left after what sets gain", "number"),
        Column("spread", "SD over areas", "number"),
        Column("coverage", "Intervals with zero, %", "number", decimals=1),
        Column("areas", "Areas", "count"),
    )
    rows = tuple(
        (
            f"{one.outcome} ({one.unit})",
            one.own.listed,
            one.own.others,
            one.bias,
            one.left,
            one.spread,
            one.coverage if isinstance(one.coverage, Unavailable) else 100 * one.coverage,
            one.n_areas,
        )
        for one in rehearsal.outcomes
    )
    notes = (
        f"From {years_text(rehearsal.pre)} to {years_text(rehearsal.post)}. Changes and estimates are means over "
        "areas. What sets gain is the mean of the same sets, so that what is left is zero by construction.",
    )
    return _released(rehearsal, "What the design finds where nothing happened", columns, rows, notes)


def rehearsal_rejections(rehearsal: Rehearsal) -> ReleasedTable:
    """Return how often each judgement rejects where nothing happened, with its Monte Carlo error."""
    columns = (
        Column("outcome", "Outcome"),
        Column("judged_by", "Judged among"),
        Column("share", "Rejected, %", "number", decimals=1),
        Column("error", "Monte Carlo error, points", "number", decimals=1),
    )
    rows = tuple(
        (
            one.outcome,
            f"{row.judged_by} (leads)" if row.is_leading else row.judged_by,
            row.share if isinstance(row.share, Unavailable) else 100 * row.share,
            row.error if isinstance(row.error, Unavailable) else 100 * row.error,
        )
        for one in rehearsal.outcomes
        for row in one.rejections
    )
    return _released(rehearsal, "False alarms", columns, rows, ())


def rehearsal_planted(rehearsal: Rehearsal) -> ReleasedTable:
    """Return how often effects planted in every pseudo-programme are found by the leading judgement."""
    columns = (
        Column("outcome", "Outcome"),
        Column("effect", "Effect planted", "number"),
        Column("share", "Found, %", "number", decimals=1),
    )
    rows = tuple(
        (
            f"{one.outcome} ({one.unit})",
            row.effect,
            row.share if isinstance(row.share, Unavailable) else 100 * row.share,
        )
        for one in rehearsal.outcomes
        for row in one.planted
    )
    notes = (
        "Half, once and twice 2.8 standard deviations over areas, which a normal estimate finds four times in five.",
    )
    return _released(rehearsal, "Power", columns, rows, notes)


def _released(
    rehearsal: Rehearsal,
    caption: str,
    columns: tuple[Column, ...],
    rows: tuple[tuple[object, ...], ...],
    notes: tuple[str, ...],
) -> ReleasedTable:
    table = Table(caption=caption, columns=columns, rows=rows, notes=notes)  # type: ignore[arg-type]  # cells of one row
    return release(table, rehearsal.project.disclosure.threshold)

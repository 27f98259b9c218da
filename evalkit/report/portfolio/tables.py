"""Tables of the portfolio, each released."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from evalkit.core.quantities import Unavailable
from evalkit.core.words import listed
from evalkit.diagnose.portfolio.pooling_rules import FEW, FEW_LABEL, Member, Overlap
from evalkit.diagnose.portfolio.portfolio import Group, Portfolio
from evalkit.diagnose.portfolio.project_record import ProjectRecord
from evalkit.estimate.areas.placebo_pool import PlaceboPool
from evalkit.report.border.disclosure import ReleasedTable, release
from evalkit.report.border.table import Cell, Column, Table
from evalkit.report.portfolio.words import caption_title, group_titles, group_unit, group_years, place_label

MOST_PAIRS: Final = 40
"""Pairs of projects shown on the page; the CSV file has all."""
NOT_STATED: Final = "not stated"
DATA: Final = {"real": "published", "synthetic": "synthetic"}
"""What a project's data are called."""
PARTS: Final = {"aimed at": "aimed at", "contrast": "contrast", "placebo": "not aimed at"}
"""What the part is called that an outcome plays."""
PART_COLUMNS: Final = ("average", "interval", "p_value", "raw", "prediction", "tau", "note")
"""Columns of pooled results that results by phase, theme and region have too."""
PROJECT_COLUMNS: Final = (
    Column("project", "Project"),
    Column("place", "Place"),
    Column("region", "Region"),
    Column("phase", "Phase"),
    Column("theme", "Theme"),
    Column("data", "Data"),
    Column("outcome", "Primary outcome"),
    Column("effect", "Effect", "estimate"),
    Column("interval", "Interval", "interval"),
    Column("hedges_g", "Hedges’ g", "estimate"),
    Column("schools", "Schools", "school_count"),
    Column("rating", "Evidence"),
    Column("serious", "Serious design facts", "count"),
    Column("joint_p", "Falsification tests together (p)", "p"),
    Column("vintage", "Made from"),
)
_POOLED: Final = (
    Column("group", "Outcome"),
    Column("role", "Part"),
    Column("unit", "Unit"),
    Column("data", "Data"),
    Column("years", "Years"),
    Column("comparison", "Compared with"),
    Column("projects", "Projects", "count"),
    Column("average", "Average given the baseline", "estimate"),
    Column("interval", "Interval", "interval"),
    Column("p_value", "p", "p"),
    Column("raw", "Average as it is", "estimate"),
    Column("placebos", "Areas like them", "estimate"),
    Column("prediction", "One more project", "interval"),
    Column("tau", "SD between projects", "number"),
    Column("i2", "I²", "percentage"),
    Column("q_p", "p of Q", "p"),
    Column("note", "Note"),
)


def projects_table(portfolio: Portfolio) -> ReleasedTable:
    """Return one row for each project with its primary outcome, by title."""
    rows = tuple(_project_row(project) for project in by_title(portfolio))
    table = Table(
        caption="Projects and their primary outcomes",
        columns=PROJECT_COLUMNS,
        rows=rows,
        notes=(
            "Effect: in points of the outcome, against the project's main comparison, with the interval of its own "
            "report. Hedges’ g divides by a standard deviation of pupils.",
            "Evidence: indicative security from 0 to 5, drawn from each report's design, least detectable effect, "
            "schools without results, serious design facts and falsification tests together. It is not a rating by "
            "the Education Endowment Foundation.",
        ),
    )
    return release(table, portfolio.threshold)


def by_title(portfolio: Portfolio) -> tuple[ProjectRecord, ...]:
    """Return the projects in the order of their titles."""
    return tuple(sorted(portfolio.projects, key=lambda project: (project.title.casefold(), project.slug)))


def _project_row(project: ProjectRecord) -> tuple[Cell, ...]:
    main = project.main
    return (
        project.title,
        project.place,
        project.region,
        project.phase,
        project.theme or NOT_STATED,
        DATA[project.data_kind],
        main.label,
        main.estimate,
        main.interval,
        main.hedges_g,
        main.n_treated,
        project.rating.label,
        project.n_serious,
        project.joint_p,
        project.vintage.label,
    )


def pooled_table(portfolio: Portfolio) -> ReleasedTable:
    """Return one row for each group with its pooled result, or why there is none."""
    rows = tuple(
        (
            title,
            PARTS[group.key.part_played],
            group_unit(group),
            DATA[group.key.data_kind],
            group_years(group),
            group.key.comparison.label,
            len(group.members),
            *_result_cells(group.pooled),
        )
        for group, title in zip(portfolio.groups, group_titles(portfolio), strict=True)
    )
    notes = (
        "Average given the baseline: less what areas like the projects, without a programme, give (beside it). "
        "Interval and p from sets of such areas. Read an outcome aimed at beside its contrast and the outcome not "
        "aimed at.",
    )
    return release(Table(caption="Pooled results", columns=_POOLED, rows=rows, notes=notes), portfolio.threshold)


def _result_cells(pooled: PlaceboPool | Unavailable) -> tuple[Cell, ...]:
    """Return average, interval, p, raw average, areas like them, prediction, spread, I², Q and note."""
    if isinstance(pooled, Unavailable):
        return (*(pooled,) * 9, "")
    mean, test = pooled.mean, pooled.test
    return (
        test.estimate,
        test.interval,
        test.p_value,
        pooled.raw.estimate,
        test.centre,
        pooled.prediction,
        mean.tau,
        100 * mean.i2,
        mean.q_p,
        FEW_LABEL if mean.n < FEW else "",
    )


def parts_table(group: Group, title: str, portfolio: Portfolio) -> ReleasedTable | None:
    """Return a group's results by phase, theme and region; None where none has projects enough."""
    columns = (
        Column("by", "By"),
        Column("value", "Value"),
        Column("projects", "Projects", "count"),
        *(column for column in _POOLED if column.key in PART_COLUMNS),
    )
    rows = tuple(
        (part.split, part.value, part.n, *_part_cells(part.pooled))
        for part in group.parts
        if isinstance(part.pooled, PlaceboPool)
    )
    caption = f"{caption_title(group, title)}: by phase, theme and region"
    table = Table(caption=caption, columns=columns, rows=rows, unit=group_unit(group))
    return release(table, portfolio.threshold) if rows else None


def _part_cells(pooled: PlaceboPool | Unavailable) -> tuple[Cell, ...]:
    average, interval, p_value, raw, _, prediction, tau, _, _, note = _result_cells(pooled)
    return average, interval, p_value, raw, prediction, tau, note


def members_table(group: Group, title: str, portfolio: Portfolio) -> ReleasedTable:
    """Return what is drawn in a group's forest plot, and beside it each estimate as it is and what it was made from."""
    weights = group.pooled.weights if isinstance(group.pooled, PlaceboPool) else None
    columns = (
        Column("project", "Project"),
        Column("outcome", "Outcome"),
        Column("effect", "Effect given the baseline", "estimate"),
        Column("interval", "Interval", "interval"),
        Column("std_error", "Standard error, by size", "number"),
        Column("raw", "Effect as it is", "estimate"),
        Column("raw_interval", "Interval of its report", "interval"),
        Column("weight", "Weight", "percentage"),
        Column("schools", "Schools", "school_count"),
        Column("vintage", "Made from"),
    )
    none = Unavailable("not pooled")
    rows = tuple(
        (
            place_label(member.project, portfolio.projects),
            member.record.label,
            member.estimate,
            member.interval(portfolio.level),
            member.std_error,
            member.entry.raw,
            member.record.interval,
            100 * weights[at] if weights else none,
            member.record.n_treated,
            member.project.vintage.label,
        )
        for at, member in ordered_members(group)
    )
    table = Table(caption=caption_title(group, title), columns=columns, rows=rows, unit=group_unit(group))
    return release(table, portfolio.threshold)


def ordered_members(group: Group) -> list[tuple[int, Member]]:
    """Return a group's members from the largest estimate down, each with its place in the group."""
    return sorted(enumerate(group.members), key=lambda item: (-item[1].estimate, item[1].project.slug))


def left_out_table(group: Group, title: str, portfolio: Portfolio) -> ReleasedTable:
    """Return the projects whose estimates are not pooled in a group, with the reasons."""
    rows = tuple(
        (place_label(one.project, portfolio.projects), one.reason, one.project.vintage.label) for one in group.left_out
    )
    columns = (
        Column("project", "Project"),
        Column("reason", "Why it is not pooled"),
        Column("vintage", "Made from"),
    )
    caption = f"{caption_title(group, title)}: not pooled"
    return release(Table(caption=caption, columns=columns, rows=rows), portfolio.threshold)


def overlaps_table(portfolio: Portfolio, most: int | None = MOST_PAIRS) -> ReleasedTable:
    """Return the pairs of projects that are not independent, those that share most first."""
    shown = portfolio.overlaps[:most]
    hidden = len(portfolio.overlaps) - len(shown)
    columns = (
        Column("first", "Project"),
        Column("second", "and project"),
        Column("shared", "Shared areas", "count"),
        Column("share", "Share of the smaller set", "percentage"),
        Column("areas", "Comparison areas of both"),
        Column("crossed", "Treated in one, compared with in the other"),
    )
    notes = (f"{hidden} more pairs are in tables/overlaps.csv.",) if hidden else ()
    rows = tuple(_overlap_row(pair, portfolio) for pair in shown)
    table = Table(caption="Projects that share areas", columns=columns, rows=rows, notes=notes)
    return release(table, portfolio.threshold)


def _overlap_row(pair: Overlap, portfolio: Portfolio) -> tuple[Cell, ...]:
    names = dict((*pair.first.area_names, *pair.second.area_names))
    first, second = (place_label(project, portfolio.projects) for project in (pair.first, pair.second))
    shared, crossed = (_named(areas, names) for areas in (pair.shared, pair.crossed))
    return first, second, len(pair.shared), 100 * pair.share, shared, crossed


def _named(areas: Sequence[int], names: dict[int, str]) -> str:
    return listed([names.get(area, str(area)) for area in areas], 12)


def failed_table(portfolio: Portfolio) -> ReleasedTable:
    """Return the projects whose last run failed."""
    columns = (
        Column("project", "Project"),
        Column("kind", "What"),
        Column("where", "Where"),
        Column("reason", "Why"),
        Column("report", "Report"),
    )
    rows = tuple(
        (
            run.slug,
            run.kind,
            run.where or "not known",
            run.message,
            "an earlier one is shown" if run.has_earlier_report else "none",
        )
        for run in portfolio.failed
    )
    return release(Table(caption="Runs that failed", columns=columns, rows=rows), portfolio.threshold)


def unread_table(portfolio: Portfolio) -> ReleasedTable:
    """Return the folders among the outputs that are not counted."""
    columns = (Column("folder", "Folder"), Column("reason", "Why it is not counted"))
    rows = tuple((one.name, one.reason) for one in portfolio.unread)
    return release(Table(caption="Folders that are not counted", columns=columns, rows=rows), portfolio.threshold)

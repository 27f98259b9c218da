"""Every file of the portfolio's site but its manifest."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Final

from evalkit.core.plain import json_text, plain
from evalkit.core.quantities import Unavailable
from evalkit.diagnose.portfolio.pooling_rules import Member, Overlap, ProjectLeftOut
from evalkit.diagnose.portfolio.portfolio import Group, Portfolio
from evalkit.diagnose.portfolio.project_record import OutcomeRecord, ProjectRecord
from evalkit.estimate.areas.placebo_pool import PlaceboPool
from evalkit.estimate.areas.random_effects import RandomEffects
from evalkit.report.border.disclosure import release_record
from evalkit.report.border.parts import Figure
from evalkit.report.figures.forest import Forest, ForestRow, forest_plot
from evalkit.report.portfolio.page import PageGroup, portfolio_page
from evalkit.report.portfolio.tables import (
    failed_table,
    left_out_table,
    members_table,
    ordered_members,
    overlaps_table,
    parts_table,
    pooled_table,
    projects_table,
    unread_table,
)
from evalkit.report.portfolio.words import caption_title, group_titles, group_unit, place_label

SCHEMA_VERSION: Final = 2


def portfolio_files(portfolio: Portfolio) -> dict[str, bytes]:
    """Return path and content of index.html, results.json, the tables as CSV and the forest plots as PNG and SVG."""
    groups = [_page_group(*named, portfolio) for named in zip(portfolio.groups, group_titles(portfolio), strict=True)]
    files = {
        "index.html": portfolio_page(portfolio, groups).encode("utf-8"),
        "results.json": portfolio_json(portfolio),
        **{f"tables/{name}.csv": table.to_csv().encode("utf-8") for name, table in _tables(portfolio).items()},
    }
    for at, page in enumerate(groups, start=1):
        if page.figure is not None:
            files |= _figure_files(f"forest-{at:02d}", page.figure)
    return files


def _tables(portfolio: Portfolio) -> dict[str, Any]:
    return {
        "projects": projects_table(portfolio),
        "pooled": pooled_table(portfolio),
        "overlaps": overlaps_table(portfolio, None),
        "failed": failed_table(portfolio),
        "unread": unread_table(portfolio),
    }


def _figure_files(name: str, figure: Figure) -> dict[str, bytes]:
    return {
        f"figures/{name}.png": figure.png,
        f"figures/{name}.svg": figure.svg,
        f"figures/{name}.csv": figure.data.to_csv().encode("utf-8"),
    }


def _forest(group: Group, title: str, portfolio: Portfolio) -> Figure | None:
    """Return a group's forest plot, or None where it has nothing to draw."""
    if not group.members:
        return None
    ordered = ordered_members(group)
    rows = tuple(
        ForestRow(place_label(member.project, portfolio.projects), member.estimate, member.interval(portfolio.level))
        for _, member in ordered
    )
    pooled = group.pooled
    forest = Forest(
        title=caption_title(group, title),
        unit=group_unit(group),
        rows=rows,
        weights=tuple(pooled.weights[at] for at, _ in ordered) if isinstance(pooled, PlaceboPool) else (),
        pooled=pooled,
        is_few=group.is_few,
        data_kind=group.key.data_kind,
    )
    return forest_plot(forest, members_table(group, title, portfolio))


def _page_group(group: Group, title: str, portfolio: Portfolio) -> PageGroup:
    return PageGroup(
        group=group,
        title=title,
        figure=_forest(group, title, portfolio),
        parts=parts_table(group, title, portfolio),
        left_out=left_out_table(group, title, portfolio) if group.left_out else None,
    )


def portfolio_json(portfolio: Portfolio) -> bytes:
    """Return results.json of the portfolio as it is written."""
    record = release_record(portfolio_record(portfolio), portfolio.threshold)
    return (json_text(record, indent=1) + "\n").encode("utf-8")


def portfolio_record(portfolio: Portfolio) -> dict[str, Any]:
    """Return the portfolio as plain data, with a reason wherever a number cannot be given."""
    return {
        "schema_version": SCHEMA_VERSION,
        "level": portfolio.level,
        "projects": [_project(project) for project in portfolio.projects],
        "groups": [
            _group(*named, portfolio.level) for named in zip(portfolio.groups, group_titles(portfolio), strict=True)
        ],
        "overlaps": [_overlap(pair) for pair in portfolio.overlaps],
        "failed": plain(portfolio.failed),
        "unread": plain(portfolio.unread),
    }


def _project(project: ProjectRecord) -> dict[str, Any]:
    keys = ("slug", "title", "place", "theme", "region", "phase", "data_kind", "treated", "compared", "pre", "post",
            "primary", "rating", "n_serious", "joint_p", "report", "vintage")  # fmt: skip
    outcomes = [_outcome(record) for record in project.outcomes]
    return {**{key: plain(getattr(project, key)) for key in keys}, "outcomes": outcomes}


def _outcome(record: OutcomeRecord) -> dict[str, Any]:
    """Return an estimate without the table of areas, which its own results.json holds."""
    return {field.name: plain(getattr(record, field.name)) for field in fields(record) if field.name != "table"}


def _group(group: Group, title: str, level: float) -> dict[str, Any]:
    return {
        **plain(group.key),
        "scale": "points",
        "is_aimed_at": group.key.part_played == "aimed at",
        "title": title,
        "unit": group_unit(group),
        "is_few": group.is_few,
        "members": [_member(member, level) for member in group.members],
        "left_out": [_left_out(one) for one in group.left_out],
        "pooled": _pooled(group.pooled),
        "parts": [
            {"by": part.split, "value": part.value, "n": part.n, "pooled": _pooled(part.pooled)} for part in group.parts
        ],
        "n_pairs": group.n_pairs,
        "n_pairs_not_independent": len(group.overlaps),
    }


def _pooled(pooled: PlaceboPool | Unavailable) -> Any:
    """Return the test that leads, then the random effects it is of, given the baseline and as they are."""
    if isinstance(pooled, Unavailable):
        return plain(pooled)
    return {
        "n": pooled.mean.n,
        **plain(pooled.test),
        "prediction": plain(pooled.prediction),
        "random_effects": _random_effects(pooled.mean, pooled.weights),
        "raw": _random_effects(pooled.raw, None),
    }


def _random_effects(effects: RandomEffects, weights: tuple[float, ...] | None) -> dict[str, Any]:
    """Return random effects with their weights in the order of the members, or without them."""
    record = {"n": effects.n, "tau": effects.tau, **plain(effects)}
    del record["weights"]
    return record if weights is None else {**record, "weights": list(weights)}


def _member(member: Member, level: float) -> dict[str, Any]:
    return {
        "project": member.project.slug,
        "outcome": member.record.outcome,
        "estimate": member.estimate,
        "std_error": member.std_error,
        "error_source": "placebo areas of its size",
        "interval": plain(member.interval(level)),
        "raw": member.entry.raw,
        "raw_std_error": member.entry.raw_error,
        "raw_interval": plain(member.record.interval),
        "vintage": plain(member.project.vintage),
    }


def _left_out(one: ProjectLeftOut) -> dict[str, Any]:
    return {"project": one.project.slug, "reason": one.reason, "vintage": plain(one.project.vintage)}


def _overlap(pair: Overlap) -> dict[str, Any]:
    return {
        "first": pair.first.slug,
        "second": pair.second.slug,
        "shared": list(pair.shared),
        "crossed": list(pair.crossed),
        "share": pair.share,
    }

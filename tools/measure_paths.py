"""How far a value travels and how many files a reader opens, as rows of a table in Markdown.

    python tools/measure_paths.py

Three paths are measured: the nouns between a row of a published table and the headline (each is looked up where it is
said to stand, so that the list cannot go stale), the files whose functions run between a panel and the overall effect
by Sun and Abraham's estimator (those of `core` left out), and the nouns that hold the caliper of `evalkit match` by
the name `caliper` on its way to the kernel.
"""

from __future__ import annotations

import ast
import sys
from importlib import import_module
from pathlib import Path
from types import FrameType

import pandas as pd

import evalkit

PACKAGE = Path(evalkit.__file__).parent
ROW_TO_HEADLINE = (
    "data.published.records:Listing",
    "data.published.records:SchoolRecords",
    "data.published.project_data:Tables",
    "data.published.project_data:ProjectData",
    "data.panel:Panel",
    "estimate.areas.sample:Changes",
    "estimate.areas.area_effects:AreaEffects",
    "estimate.effect:Effect",
    "estimate.areas.outcome_effects:OutcomeEffects",
    "diagnose.project.results:Results",
    "diagnose.project.evaluation:AreasResults",
    "diagnose.project.evaluation:Headline",
)
"""Nouns that a score passes through, from the reader to the first sentence of a report."""


def nouns() -> int:
    """Return how many nouns lie between a row and the headline; raise where one no longer stands where it did."""
    for place in ROW_TO_HEADLINE:
        module, _, name = place.partition(":")
        getattr(import_module(f"evalkit.{module}"), name)
    return len(ROW_TO_HEADLINE)


def files_of_sun_and_abraham() -> list[str]:
    """Return the files whose functions run when a small panel is estimated, those of `core` left out."""
    rows = [
        (f"u{unit}", period, unit * 0.5 + period + (unit % 7) * period * 0.1 + (period >= start), start)
        for unit, start in enumerate((3, 3, 4, 4, 9, 9, 9, 9))
        for period in range(1, 6)
    ]
    frame = pd.DataFrame(rows, columns=["unit", "period", "score", "start"])
    frame["start"] = frame["start"].where(frame["start"] < 9)
    roles = evalkit.Roles(unit="unit", period="period", outcome="score", cohort="start")
    panel = evalkit.Panel.from_frame(frame, roles)
    _overall_effect(panel)  # once before, so that what only loads a module is not counted
    met: set[str] = set()

    def note(here: FrameType, event: str, argument: object) -> None:
        met.add(here.f_code.co_filename)

    sys.setprofile(note)
    try:
        _overall_effect(panel)
    finally:
        sys.setprofile(None)
    inside = [Path(name).relative_to(PACKAGE) for name in met if Path(name).is_relative_to(PACKAGE)]
    return sorted(path.as_posix() for path in inside if path.parts[0] != "core" and path.name != "__init__.py")


def _overall_effect(panel: evalkit.Panel) -> None:
    evalkit.overall_effect(evalkit.sun_abraham_effects(evalkit.staggered_design(panel)))


def holders_of(field: str) -> list[str]:
    """Return the classes of the kit with a field of one name, where each stands."""
    return [
        f"{path.relative_to(PACKAGE).as_posix()} {node.name}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef) and any(_names(line) == field for line in node.body)
    ]


def _names(line: ast.stmt) -> str:
    return line.target.id if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name) else ""


def main() -> None:
    """Print the three paths."""
    files, holders = files_of_sun_and_abraham(), holders_of("caliper")
    print("| measure | value |\n|---|---|")
    print(f"| nouns from a row to the headline | {nouns()} |")
    print(f"| files read for Sun and Abraham | {len(files)} ({', '.join(files)}) |")
    print(f"| nouns that hold `--caliper` | {len(holders)} ({', '.join(holders)}) |")


if __name__ == "__main__":
    main()

"""What a project would read, found and counted; nothing is estimated."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from evalkit.core.plain import json_text
from evalkit.core.words import cleaned, counted, listed
from evalkit.run.project.plain_yaml import where
from evalkit.run.project.project_file import claims_of, load_project
from evalkit.run.project.project_rules import project_texts
from evalkit.run.project.runner import find_data, preflight

if TYPE_CHECKING:
    from evalkit.core.project import Project
    from evalkit.data.published.participants import TreatedSchools
    from evalkit.data.published.sources import Sources
    from evalkit.design.project.plan import DesignStage
    from evalkit.run.commands.options import Given


@dataclass(frozen=True, slots=True)
class Checked:
    """A project that can be run, the files it reads, and the design made from them."""

    files: tuple[tuple[str, int | None], ...]
    stage: DesignStage
    treated: TreatedSchools
    n_claims: int


def check_command(given: Given) -> int:
    """Print what was found in everything that a project names, and return the exit code 0."""
    from evalkit.run.console import Progress
    from evalkit.run.processes.failure import environment_faults
    from evalkit.run.project.chosen_data import chosen_here
    from evalkit.run.project.workspace import project_file

    progress, path = Progress(), project_file(given.project)
    data = chosen_here(given, path)
    with environment_faults("checking"), progress.step(f"{given.project}: reading everything, estimating nothing"):
        checked = check_project(path, data)
    print(checked_json(checked) if given.json else checked_text(checked))
    return 0


def check_project(project_file: Path, data: Path | None) -> Checked:
    """Read everything a run would read, make the design from the years before the programme, and estimate nothing."""
    from evalkit.run.notebooks.session import open_design

    project = load_project(project_file)
    sources = find_data(data)
    treated = preflight(project, project_file, sources).treated
    design = open_design(str(project_file), str(sources.folder), "")
    stage: DesignStage = design.primary.details.stage  # type: ignore[attr-defined]
    return Checked(_files(sources), stage, treated, len(claims_of(project, project_file.parent)))


def checked_json(checked: Checked) -> str:
    """Return what was found as JSON."""
    stage = checked.stage
    content: dict[str, Any] = {
        "schema_version": 1,
        "project": stage.project.slug,
        "data_kind": stage.data_kind,
        "files": [{"path": name, "rows": rows} for name, rows in checked.files],
        "years": asdict(stage.project.exposure),
        "participants": [asdict(case) for case in stage.participants],
        "participating_schools": [asdict(school) for school in checked.treated.matched],
        "unused_columns_of_participants": list(checked.treated.unused),
        "areas": [_area(row) for row in stage.areas],
        "flow_before_programme": [asdict(row) for row in stage.flow.rows],
        "identity": [asdict(case) for case in stage.identity],
        "measures": [asdict(note) for note in stage.measures],
        "n_claims": checked.n_claims,
    }
    return json_text(content)


def checked_text(checked: Checked) -> str:
    """Return what was found in lines a person reads."""
    return cleaned("\n".join(_lines(checked)))


def _lines(checked: Checked) -> Iterator[str]:
    stage, exposure = checked.stage, checked.stage.project.exposure
    kind = "the synthetic England: made-up schools" if stage.data_kind == "synthetic" else "published files"
    yield f"{stage.project.slug}: can be run. Data: {kind}. Nothing was estimated."
    yield f"\nFiles ({len(checked.files)})"
    for name, rows in checked.files:
        yield f"  {name}" if rows is None else f"  {name}: {counted(rows, 'row')}"
    yield "\nYears"
    for label, years in (("before", exposure.pre), ("partly exposed", exposure.partial), ("after", exposure.post)):
        yield f"  {label}: {listed([str(year) for year in years])}"
    yield "\nParticipants"
    yield from _participants(checked)
    yield "\nAreas"
    for row in stage.areas[:1]:
        yield f"  treated: {listed([f'{name} ({code})' for code, name in row.treated], 20)}"
    for row in stage.areas:
        yield f"  neighbours, {row.list_label} list: {listed([name for _, name in row.comparison], 20)}"
        if row.absent:
            yield f"    on the list, without schools in the data: {listed([str(code) for code in row.absent], 20)}"
    yield from _flow_lines(stage)
    yield "\nSchools over time"
    yield from (f"  {case.case}: {case.n:,}" for case in stage.identity)
    yield "\nMeasures"
    for note in stage.measures:
        yield f"  {note.measure}, {note.label} ({note.unit})"
        yield from (f"    {sentence}" for sentence in note.sentences)
    yield f"\nClaims to be checked: {checked.n_claims}"
    yield from _signs(stage.project)


def _signs(project: Project) -> Iterator[str]:
    """Yield which signs of the project's texts stand in no font of the PDFs and pictures."""
    from evalkit.report.documents.typography import unshown

    unshown_signs = {where(place): signs for place, text, _ in project_texts(project) if (signs := unshown(text))}
    if unshown_signs:
        yield "\nSigns that report.pdf, summary.pdf and the figures cannot show; \N{REPLACEMENT CHARACTER} stands there"
        yield from (f"  {place}: {listed(signs, 10)}" for place, signs in unshown_signs.items())


def _participants(checked: Checked) -> Iterator[str]:
    yield from (f"  {case.case}: {case.n:,}" for case in checked.stage.participants)
    for school in checked.treated.matched:
        by = "URN" if school.is_by_urn else "LAESTAB"
        yield f"  row {school.row}: {school.urn} {school.name}, {school.area_name} (by {by})"


def _flow_lines(stage: DesignStage) -> Iterator[str]:
    yield "\nSchools, from listed to usable before the programme"
    for outcome, arm in dict.fromkeys((row.outcome, row.arm) for row in stage.flow.rows):
        listed_, out, usable = (stage.flow.count(outcome, arm, step) for step in ("listed", "excluded", "analysed"))
        yield f"  {outcome}, {arm.replace('_', ' ')}: {listed_:,} listed, {out:,} left out, {usable:,} usable"
        fewest = stage.project.pool.minimum_treated
        if arm == "treated" and usable < fewest:
            yield f"    {outcome} will not be estimated: `pool.minimum_treated` asks for {fewest} schools"
        for row in stage.flow.rows:
            if (row.outcome, row.arm, row.stage) == (outcome, arm, "excluded") and row.n:
                yield f"    {row.n:,}: {row.reason}"


def _area(row: Any) -> dict[str, object]:
    def named(pairs: tuple[tuple[int, str], ...]) -> list[dict[str, object]]:
        return [{"code": code, "name": name} for code, name in pairs]

    return {
        "list": row.list_name,
        "treated": named(row.treated),
        "comparison": named(row.comparison),
        "absent": list(row.absent),
    }


def _files(sources: Sources) -> tuple[tuple[str, int | None], ...]:
    return tuple(
        (path.relative_to(sources.folder).as_posix(), _rows(path)) for path in sources.files() if path.exists()
    )


def _rows(path: Path) -> int | None:
    """Return the number of rows of a CSV file under its header, None for another kind of file."""
    if not path.name.endswith((".csv", ".csv.gz")):
        return None
    with _opened(path) as file:
        return max(0, sum(1 for row in csv.reader(file) if row) - 1)


def _opened(path: Path) -> IO[str]:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="latin-1", newline="")
    return path.open(encoding="latin-1", newline="")

"""What a project would read, found and counted; nothing is estimated."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from evalkit.core.errors import DataError, DesignError, InputError, MissingData, ProjectError
from evalkit.core.plain import json_text
from evalkit.core.project import first_summer, summer_of
from evalkit.core.words import cleaned, counted, listed
from evalkit.data.lock_file import are_outcomes_withheld, typed_project
from evalkit.design.analysis_plan import ProjectDesign
from evalkit.run.kinds.registry import plan_of
from evalkit.run.notebooks.session import kept_for_all
from evalkit.run.project.chosen_data import telling_of_missing_data
from evalkit.run.project.file_list import Listed, files_lines, files_of, whole_record
from evalkit.run.project.plain_yaml import Complaint, shown_name, where
from evalkit.run.project.project_file import claims_of, examined_project, reference_of
from evalkit.run.project.project_rules import project_texts
from evalkit.run.project.runner import find_data
from evalkit.run.project.workspace import synthetic_place

if TYPE_CHECKING:
    from evalkit.core.project import Exposure, Project
    from evalkit.data.published.area_records import AreaSource
    from evalkit.data.published.participants import TreatedSchools
    from evalkit.data.published.project_data import ProjectData
    from evalkit.data.published.sources import Sources
    from evalkit.design.project.plan import DesignStage
    from evalkit.run.commands.options import Given
    from evalkit.run.console import Progress


@dataclass(frozen=True, slots=True)
class Checked:
    """A project that can be run, the files it reads, and the design made from them.

    `stage` is the design of the first analysis of the kind `areas`, None where there is none; `folder_files` every
    file below the folder of published files, None where made-up schools are read; `is_withheld` whether the results of
    years after were not read, as they wait for the lock of the plan; `area_sources` where
    each measure of authorities is read; `typed` the project as a command names it.
    """

    files: tuple[tuple[str, int | None], ...]
    design: ProjectDesign
    stage: DesignStage | None
    treated: TreatedSchools
    n_claims: int
    folder_files: Sequence[Listed] | None = None
    area_sources: Mapping[str, AreaSource] = field(default_factory=dict)
    is_withheld: bool = False
    typed: str = ""

    @property
    def project(self) -> Project:
        """Return the project."""
        return self.design.project


def check_command(given: Given) -> int:
    """Print what was found in all that a project names, or in all files of a folder, and return the exit code 0."""
    from evalkit.run.console import Progress
    from evalkit.run.processes.failure import environment_faults
    from evalkit.run.project.chosen_data import chosen_here
    from evalkit.run.project.workspace import project_file

    progress = Progress()
    if given.project is None:
        return _check_files(given, progress)
    path = project_file(given.project)
    data = chosen_here(given, path)
    with environment_faults("checking"), progress.step(f"{given.project}: reading everything, estimating nothing"):
        checked = check_project(path, data)
    print(checked_json(checked) if given.json else checked_text(checked))
    return 0


def _check_files(given: Given, progress: Progress) -> int:
    """Print what every file of a folder is, and return the exit code 0."""
    from evalkit.run.processes.failure import environment_faults
    from evalkit.run.typed_paths import data_folder

    folder = data_folder(given.data)
    assert folder is not None  # a project or a folder is named, or the command is refused
    with environment_faults("checking"), progress.step(f"{folder}: reading every file"):
        files = files_of(folder)
    if given.json:
        print(json_text({"schema_version": 2, "folder_files": whole_record(files)}))
    else:
        print(cleaned("\n".join([f"{folder}: {counted(len(files), 'file')}.", *files_lines(files)])))
    return 0


def check_project(project_file: Path, data: Path | None) -> Checked:
    """Read everything a run would read, make the design from the years before the programme, and estimate nothing.

    Raise the `InputError` of a kind that fits where anything is wrong: in the project file, in its tables, with its
    participants, or with the design of an analysis; all of it at once, a sentence each.
    """
    from evalkit.data.published.project_data import read_baseline
    from evalkit.run.kinds.areas import AreasPlan

    project, complaints, told = examined_project(project_file)
    if told and (_is_of_data(complaints) or (data is None and not synthetic_place().is_dir())):
        # what is wrong with the file itself is told before made-up schools are made, which takes a while
        raise _refusal(project_file, complaints, told)
    sources = find_data(data)
    treated = _treated(project, project_file, sources, complaints, told)
    with telling_of_missing_data(sources):
        baseline = read_baseline(project, project_file.parent, sources, kept_for_all(sources))
    design = _design(project, baseline, shown_name(project_file))
    stages = (plan.details.stage for plan in design.plans if isinstance(plan.details, AreasPlan))
    n_claims = len(claims_of(project, project_file.parent))
    files = (*_own_files(project, project_file.parent), *_files(sources))
    below = None if data is None or sources.is_none else files_of(sources.folder)
    is_withheld = are_outcomes_withheld(project, project_file.parent)
    return Checked(
        files,
        design,
        next(stages, None),
        treated,
        n_claims,
        below,
        baseline.area_sources,
        is_withheld,
        typed_project(project_file, project.slug),
    )


_OF_DATA: Final = frozenset({"exposure", "outcomes", "data", "participants"})
"""Keys of a project file of which reading the data would say again what is wrong with them."""


def _treated(
    project: Project, path: Path, sources: Sources, complaints: Sequence[Complaint], told: Sequence[str]
) -> TreatedSchools:
    """Return who took part; raise with everything that is wrong with the project file and with what it reads."""
    try:
        found = _read(project, path, sources)
    except InputError as problem:
        if not told:
            raise
        raise ProjectError(_listed(shown_name(path), [*told, str(problem)])) from None
    if told:
        raise _refusal(path, complaints, told)
    return found.treated


def _is_of_data(complaints: Sequence[Complaint]) -> bool:
    """Return whether anything is wrong with what says which data are read."""
    return any(key in _OF_DATA for complaint in complaints for key in complaint.place)


def _refusal(path: Path, complaints: Sequence[Complaint], told: Sequence[str]) -> InputError:
    """Return the error that tells all that is wrong with a project file."""
    only_design = all(complaint.is_design for complaint in complaints)
    return (DesignError if only_design else ProjectError)(_listed(shown_name(path), told))


def _read(project: Project, path: Path, sources: Sources) -> ProjectData:
    """Return what a run reads, outcomes left out where they wait for a lock; raise with all that is wrong with it."""
    from evalkit.data.published.project_data import read_all_or_problems, read_baseline

    claims_of(project, path.parent)
    reference_of(project, path.parent)
    with telling_of_missing_data(sources):
        if are_outcomes_withheld(project, path.parent):
            return read_baseline(project, path.parent, sources, kept_for_all(sources))
        found = read_all_or_problems(project, path.parent, sources, kept_for_all(sources))
        if isinstance(found, tuple):
            if len(found) == 1:
                raise found[0]
            is_of_missing = any(isinstance(problem, MissingData) for problem in found)
            kind = MissingData if is_of_missing else DataError
            raise kind(_listed(shown_name(path), [str(problem) for problem in found]))
    return found


def _design(project: Project, baseline: ProjectData, name: str) -> ProjectDesign:
    """Return the plans of all analyses; raise with what is wrong with each of those that cannot be made."""
    plans, problems = [], []
    for analysis in project.analyses:
        try:
            plans.append(plan_of(project, analysis, baseline))
        except InputError as problem:
            problems.append((analysis, problem))
    if len(problems) == 1 and len(project.analyses) == 1:
        raise problems[0][1]
    if problems:
        told = [f"the analysis '{analysis.name}': {problem}" for analysis, problem in problems]
        raise DesignError(_listed(name, told))
    return ProjectDesign(project=project, data_kind=baseline.kind, plans=tuple(plans))


def _listed(name: str, told: Sequence[str]) -> str:
    """Return what is wrong with a project as one message."""
    if len(told) == 1:
        return told[0] if told[0].startswith(name) else f"{name}: {told[0]}"
    return f"{name}: {len(told)} things need correcting.\n" + "\n".join(f"  - {text}" for text in told)


def checked_json(checked: Checked) -> str:
    """Return what was found as JSON."""
    project, treated = checked.project, checked.treated
    content: dict[str, Any] = {
        "schema_version": 2,
        "project": project.slug,
        "data_kind": checked.design.data_kind,
        "files": [{"path": name, "rows": rows} for name, rows in checked.files],
        "years": asdict(project.exposure),
        "analyses": [
            {"name": plan.analysis.name, "kind": plan.analysis.kind, "primary": plan.analysis.primary}
            for plan in checked.design.plans
        ],
        "participants": [asdict(case) for case in treated.cases],
        "participants_are_made_up": treated.is_drawn,
        "participating_schools": [asdict(school) for school in treated.matched],
        "starts": _starts(treated),
        "unused_columns_of_participants": list(treated.unused),
        **(_areas_record(checked.stage) if checked.stage else {}),
        **({"read_of": {code: one.record() for code, one in read.items()}} if (read := checked.area_sources) else {}),
        "n_claims": checked.n_claims,
        **({"outcomes_withheld": True} if checked.is_withheld else {}),
        **({} if checked.folder_files is None else {"folder_files": whole_record(checked.folder_files)}),
    }
    return json_text(content)


def _areas_record(stage: DesignStage) -> dict[str, Any]:
    return {
        "areas": [_area(row) for row in stage.areas],
        "flow_before_programme": [asdict(row) for row in stage.flow.rows],
        "identity": [asdict(case) for case in stage.identity],
        "measures": [asdict(note) for note in stage.measures],
    }


def _starts(treated: TreatedSchools) -> dict[str, int]:
    """Return how many participants belong to each cohort, by its first summer; none where no file says when."""
    cohorts = treated.facts.loc[_ids(treated), "cohort"].dropna().astype(int).tolist() if treated.has_starts else []
    return {str(year): cohorts.count(year) for year in sorted(set(cohorts))}


def _ids(treated: TreatedSchools) -> list[str]:
    """Return the id of each row of the file of participants, under which its facts stand."""
    return [school.school for school in treated.matched]


def checked_text(checked: Checked) -> str:
    """Return what was found in lines a person reads."""
    return cleaned("\n".join(_lines(checked)))


def _lines(checked: Checked) -> Iterator[str]:
    project = checked.project
    published = "published files" if project.reads_published else "the project's own tables"
    kind = "the synthetic England: made-up schools" if checked.design.data_kind == "synthetic" else published
    if checked.is_withheld:
        yield (
            f"{project.slug}: can be planned. Data: {kind}. Results of the years after were not read: they wait for "
            f"`evalkit lock {checked.typed}` (`plan: required`)."
        )
    else:
        yield f"{project.slug}: can be run. Data: {kind}. Nothing was estimated."
    yield f"\nFiles ({len(checked.files)})"
    for name, rows in checked.files:
        yield f"  {name}" if rows is None else f"  {name}: {counted(rows, 'row')}"
    yield "\nAnalyses"
    for plan in checked.design.plans:
        role = ", the primary one" if plan.analysis.primary else ""
        yield f"  {plan.analysis.name}: {plan.label} ({plan.analysis.kind}){role}"
        for by in dict.fromkeys(one.subgroup.by for one in plan.subgroups):
            parts = [one.subgroup.words for one in plan.subgroups if one.subgroup.by == by]
            yield f"    made again for each by {by}: {listed(parts, 9)}"
    if any(analysis.uses_exposure for analysis in project.analyses):
        yield from _years(project.exposure)
    if checked.area_sources:
        yield "\nMeasures of authorities"
        for code, source in checked.area_sources.items():
            yield f"  {code}: {' '.join((source.sentence, *source.stopped))}"
    yield "\nParticipants"
    yield from _participants(checked)
    if checked.stage is not None:
        yield from _areas_lines(checked.stage)
    yield f"\nClaims to be checked: {checked.n_claims}"
    if checked.folder_files is not None:
        yield f"\nIn the folder of published files there are {counted(len(checked.folder_files), 'file')}."
        yield from files_lines(checked.folder_files)
    yield from _signs(project)


def _years(exposure: Exposure) -> Iterator[str]:
    yield "\nYears"
    for label, years in (("before", exposure.pre), ("partly exposed", exposure.partial), ("after", exposure.post)):
        yield f"  {label}: {listed([str(year) for year in years])}"


def _areas_lines(stage: DesignStage) -> Iterator[str]:
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


def _signs(project: Project) -> Iterator[str]:
    """Yield which signs of the project's texts stand in no font of the PDFs and pictures."""
    from evalkit.report.documents.typography import unshown

    unshown_signs = {where(place): signs for place, text, _ in project_texts(project) if (signs := unshown(text))}
    if unshown_signs:
        yield "\nSigns that report.pdf, summary.pdf and the figures cannot show; \N{REPLACEMENT CHARACTER} stands there"
        yield from (f"  {place}: {listed(signs, 10)}" for place, signs in unshown_signs.items())


def _late_starts(treated: TreatedSchools) -> Iterator[str]:
    """Yield what must be known of starts after a summer's tests: their school year's summer counts as treated."""
    days = treated.facts.loc[_ids(treated), "start"].dropna()
    late = sum(first_summer(day.date()) > summer_of(day.date()) for day in days)
    if treated.has_starts and late:
        yield f"  of these, {counted(late, 'start')} between mid-May and August, after the tests of that summer:"
        yield "    it counts as treated, as that of their school year; `first_year: partial` moves it one on"


def _common_start(treated: TreatedSchools) -> Iterator[str]:
    """Yield when everybody starts where no list says it, which a missing column `start` would else hide."""
    for year in sorted(set(treated.facts["cohort"].dropna().astype(int))):
        yield "  no list gives starts (a column `start`): the programme's first day is that of every participant,"
        yield f"  and all are first treated in the summer of {year}"


def _participants(checked: Checked) -> Iterator[str]:
    treated = checked.treated
    if made_up := checked.project.participants.made_up:
        yield f"  {made_up}"
    yield from (f"  {case.case}: {case.n:,}" for case in treated.cases)
    starts = _starts(treated)
    if not treated.has_starts and checked.project.uses_all_years:
        yield from _common_start(treated)
    yield from (f"  first treated in the summer of {year}: {n:,}" for year, n in starts.items())
    yield from _late_starts(treated)
    if treated.has_starts and (n := int(treated.facts.loc[_ids(treated), "start"].isna().sum())):
        yield f"  without a start: {n:,}"
    for school in treated.matched:
        by = "id" if school.is_by_id else "URN" if school.is_by_urn else "LAESTAB"
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


def _own_files(project: Project, folder: Path) -> Iterator[tuple[str, int | None]]:
    """Yield the tables and the list of participants beside the project file, as the manifest names them."""
    tables = (table.file for table in project.data.tables.values())
    names = [project.participants.file, *tables, project.data.borders]
    yield from ((f"project/{name}", _rows(folder / name)) for name in names if name)


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
